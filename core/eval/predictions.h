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

/* All arrays zeroed. */
DpcxrPredictions *dpcxr_predictions_new(gsize n, int n_labels);
void dpcxr_predictions_free(DpcxrPredictions *predictions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrPredictions, dpcxr_predictions_free)

/* Truth and score as files and metrics have them. The truth is known where the loss has it and it is 1 or 0: a target in
 * between (uncertain: smooth) is an opinion. Scores are probabilities, so that a threshold means the same everywhere. */
gboolean dpcxr_predictions_truth(const DpcxrPredictions *predictions, gsize i, int label, guint8 *truth);
double dpcxr_predictions_score(const DpcxrPredictions *predictions, gsize i, int label);

/* Mean loss over the images with a known label; the others have none. NaN where nobody has. */
double dpcxr_predictions_loss(const DpcxrPredictions *predictions);

/* Name of the group that @cell, the value of the group's column, belongs to: the value itself, or where there are bins
 * "30-60" for 30 <= value < 60 (the last bin has its upper edge, too); "" where unknown or in no bin. (transfer full) */
char *dpcxr_group_value(const DpcxrGroup *group, const char *cell);

/* Blank y where unknown. @data for ids and the groups of @experiment. Mode 0600. */
gboolean dpcxr_predictions_write(const DpcxrPredictions *predictions, const char *path, const DpcxrExperiment *experiment,
                                 const DpcxrData *data, GError **error);
