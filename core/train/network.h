/* SPDX-License-Identifier: MIT
 * From an experiment to a graph and to weights. */
#pragma once
#include "backend/program.h"
#include "config/experiment.h"

/* The graph that the experiment's model plugin builds. DPCXR_ERROR_USAGE names the plugin and the layer. */
DpcxrGraph *dpcxr_network_build(const DpcxrExperiment *experiment, GError **error);

/* Initial weights: from experiment->seed, then, where model.init names a file, from that file by name. Every tensor of
 * the file must fit, except that a head (fc.*) of another number of labels keeps its fresh values; *note (transfer full,
 * nullable) says so. DPCXR_ERROR_DATA lists missing, unknown and misshapen tensors. */
gboolean dpcxr_network_initialise(DpcxrProgram *program, const DpcxrExperiment *experiment, char **note, GError **error);

/* The weights of a run: every tensor of the model from @path, and no other. DPCXR_ERROR_DATA lists what does not fit. */
gboolean dpcxr_network_load(DpcxrProgram *program, const char *path, GError **error);

/* @to <- @from, tensor by tensor. */
gboolean dpcxr_network_copy(DpcxrProgram *program, DpcxrBank from, DpcxrBank to, GError **error);

/* Weights of @program to a safetensors file with @metadata (key, value, ..., NULL). */
gboolean dpcxr_network_save(DpcxrProgram *program, const char *path, int mode, const char *const *metadata,
                            GError **error);
