/* SPDX-License-Identifier: MIT
 * One experiment from its configuration to its last line. */
#pragma once
#include "config/experiment.h"

typedef struct {
    const char *out;   /* (nullable) folder of runs; NULL: "runs" */
    gboolean resume, quiet;
} DpcxrRunOptions;

/* Trains, evaluates, writes the run folder, prints the RESULT line last. DPCXR_ERROR_STOPPED after a signal. */
gboolean dpcxr_run(const DpcxrExperiment *experiment, const DpcxrRunOptions *options, GError **error);

/* What a run would do: model, memory, steps, noise multiplier, final epsilon. Opens the data, builds the model, writes
 * nothing. */
gboolean dpcxr_run_dry(const DpcxrExperiment *experiment, GError **error);
