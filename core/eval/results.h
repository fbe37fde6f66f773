/* SPDX-License-Identifier: MIT
 * results.json, schema 2 (docs/evaluation.md). */
#pragma once
#include "data/index.h"
#include "eval/judge.h"

typedef struct {
    const DpcxrExperiment *experiment;
    const char *name; /* (nullable: the experiment's) of the run */
    const char *on;   /* (nullable) the experiment whose data these are, if not the run's own */
    const DpcxrThresholds *thresholds;         /* (nullable) */
    const DpcxrJudged *splits[DPCXR_N_SPLITS]; /* (nullable) */
    double losses[DPCXR_N_SPLITS];             /* mean over images with a known label; NaN: not known */
} DpcxrResults;

/* Mode 0600. */
gboolean dpcxr_results_write(const DpcxrResults *results, const char *path, GError **error);

/* Whether a results.json has @split; FALSE where there is no such file. It is written last: without it, an evaluation has not
 * ended. */
gboolean dpcxr_results_has(const char *path, DpcxrSplit split);

/* The losses that a results.json has; NaN where it has none, or cannot be read. */
void dpcxr_results_read_losses(const char *path, double losses[DPCXR_N_SPLITS]);
