/* SPDX-License-Identifier: MIT
 * Predictions of a split (predictions-SPLIT.csv): sample_id, patient_id, <groups>, y_<label>, p_<label>. */
#pragma once
#include "data/data.h"

typedef struct {
    gsize n;             /* rows */
    int n_labels;
    gsize *rows;         /* [n] rows of the index */
    float *targets;      /* [n, n_labels] */
    float *mask;         /* [n, n_labels] */
    float *logits;       /* [n, n_labels] */
    float *losses;       /* [n] */
} DpcxrPredictions;

DpcxrPredictions *dpcxr_predictions_new(gsize n, int n_labels);
void dpcxr_predictions_free(DpcxrPredictions *predictions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrPredictions, dpcxr_predictions_free)

/* Blank y where unknown. @data for ids and the groups of @experiment. Mode 0600. */
gboolean dpcxr_predictions_write(const DpcxrPredictions *predictions, const char *path, const DpcxrExperiment *experiment,
                                 const DpcxrData *data, GError **error);
