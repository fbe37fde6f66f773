/* SPDX-License-Identifier: MIT
 * Metrics of one label over n scored images. Labels: 1, 0; rows whose label is not known are left out by the caller.
 * Where a metric is not defined (one class only, no rows, a score that is NaN) the value is NaN here and null in files,
 * never 0.5. */
#pragma once
#include <glib.h>

/* Area under the ROC curve by ranks, ties counted half (Mann-Whitney). */
double dpcxr_auroc(const double *scores, const guint8 *labels, gsize n);

/* The threshold that maximises sensitivity + specificity - 1 over the distinct scores; positive: score >= threshold; of
 * equal ones the highest (as scikit-learn's roc_curve and argmax give, but for its extra point above all scores). NaN where
 * one class is missing. */
double dpcxr_youden_threshold(const double *scores, const guint8 *labels, gsize n);

typedef struct {
    gsize n, positives;
    double auroc, threshold;
    double accuracy, sensitivity, specificity, precision, f1; /* at threshold */
} DpcxrMetrics;

/* @threshold NaN: the threshold metrics are NaN. Precision without a positive call is NaN, too, not 0. */
void dpcxr_metrics(const double *scores, const guint8 *labels, gsize n, double threshold, DpcxrMetrics *metrics);
