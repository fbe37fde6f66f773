/* SPDX-License-Identifier: MIT
 * Shared by the files of core/graph; nobody else includes this. */
#pragma once
#include "graph/layers.h"

gboolean dpcxr_graph_has(const DpcxrGraph *graph, DpcxrNode node);
