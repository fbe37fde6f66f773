/* SPDX-License-Identifier: MIT
 * A precision-recall curve at equally spaced thresholds, as TensorBoard's pr_curves plugin takes it. For a
 * drawing: AUPRC comes from the scores themselves. */
#pragma once
#include <glib.h>

typedef enum {
    DPCXR_PR_TRUE_POSITIVES,
    DPCXR_PR_FALSE_POSITIVES,
    DPCXR_PR_TRUE_NEGATIVES,
    DPCXR_PR_FALSE_NEGATIVES,
    DPCXR_PR_PRECISION, /* 0 where nothing is called positive, as there */
    DPCXR_PR_RECALL,
    DPCXR_PR_ROWS
} DpcxrPrRow;

/* Fills @curve, [DPCXR_PR_ROWS, n_thresholds]; column i is at the threshold i / (n_thresholds - 1), positive:
 * score >= it. @scores: [n] in [0, 1]. @n_thresholds >= 2. FALSE, and nothing filled, where one class is
 * missing or a score is none. */
gboolean dpcxr_pr_curve(const double *scores, const guint8 *labels, gsize n, gsize n_thresholds,
                        float *curve);
