/* SPDX-License-Identifier: MIT
 * From predictions-SPLIT.csv to results.json. */
#pragma once
#include "data/index.h"
#include "eval/thresholds.h"

typedef struct {
    const char *folder;                /* has predictions-SPLIT.csv, gets results.json */
    const DpcxrExperiment *experiment; /* says which splits, and how */
    const char *name;                  /* (nullable: the experiment's) of the run */
    const char *on;  /* (nullable) name of the experiment whose data these are, if not the run's own */
    gboolean freeze; /* take @frozen as it is, also where it is NULL; else thresholds are chosen on valid */
    const DpcxrThresholds *frozen;
    double losses[DPCXR_N_SPLITS]; /* NaN: not known */
} DpcxrEvaluation;

/* Splits without a file are left out. *mean_auroc: over labels on the test split where it is defined; NaN
 * where nowhere. */
gboolean dpcxr_evaluation_write(const DpcxrEvaluation *evaluation, double *mean_auroc, GError **error);

/* What would make dpcxr_evaluation_write fail after a training is said before it: ci.method delong with
 * several images of a patient. DPCXR_ERROR_DATA. */
gboolean dpcxr_evaluation_check(const DpcxrExperiment *experiment, const DpcxrIndex *index, GError **error);

/* FOLDER/predictions-SPLIT.csv (transfer full) */
char *dpcxr_evaluation_predictions_path(const char *folder, DpcxrSplit split);
