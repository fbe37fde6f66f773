/* SPDX-License-Identifier: MIT
 * A model plugin builds a graph; everything else (backward, clipping, files) follows from the graph. */
#pragma once
#include <dpcxr/graph.h>
#include <dpcxr/plugin.h>

G_BEGIN_DECLS

typedef struct {
    /* Adds layers from dpcxr_graph_input(graph) to the logits, a node of 1 x 1 x @outputs, and returns that node. */
    DpcxrNode (*build)(DpcxrGraph *graph, const DpcxrOptions *options, int outputs);
} DpcxrModel;

#define DPCXR_PLUGIN_DEFINE_MODEL(NAME, ...)                                                                      \
    DPCXR_PLUGIN_DEFINE(model, DPCXR_PLUGIN_MODEL, DpcxrModel, NAME, __VA_ARGS__)

G_END_DECLS
