/* SPDX-License-Identifier: MIT
 * The metrics of a label, by number, so that tables, intervals and files treat all of them alike. Where a
 * metric is not defined its value is NaN here and null in files, never 0 and never 0.5. */
#pragma once
#include "stats/scored.h"

typedef enum {
    DPCXR_METRIC_AUROC,
    DPCXR_METRIC_AUPRC,
    DPCXR_METRIC_SENSITIVITY,   /* TP / (TP + FN) */
    DPCXR_METRIC_SPECIFICITY,   /* TN / (TN + FP) */
    DPCXR_METRIC_FNR,           /* 1 - sensitivity */
    DPCXR_METRIC_FPR,           /* 1 - specificity */
    DPCXR_METRIC_PPV,           /* TP / (TP + FP): precision */
    DPCXR_METRIC_NPV,           /* TN / (TN + FN) */
    DPCXR_METRIC_F1,            /* 2 TP / (2 TP + FP + FN) */
    DPCXR_METRIC_ACCURACY,      /* (TP + TN) / n */
    DPCXR_METRIC_POSITIVE_RATE, /* (TP + FP) / n: the selection rate */
    DPCXR_METRIC_PREVALENCE,    /* (TP + FN) / n */
    DPCXR_METRIC_BRIER,
    DPCXR_METRIC_ECE_EQUAL_WIDTH,
    DPCXR_METRIC_ECE_EQUAL_MASS,
    DPCXR_METRIC_CALIBRATION_SLOPE,
    DPCXR_METRIC_CALIBRATION_INTERCEPT,
    DPCXR_N_METRICS
} DpcxrMetric;

/* "auroc", "ece_equal_width", ..; NULL for a number that is none. */
const char *dpcxr_metric_name(DpcxrMetric metric);
/* 1: more is better; -1: less is; 0: neither (positive_rate, prevalence, calibration slope and intercept). */
int dpcxr_metric_direction(DpcxrMetric metric);

/* Counts at a working point; of a resample, weighted. */
typedef struct {
    double tp, fp, fn, tn;
} DpcxrConfusion;

/* Positive: score >= @threshold. All 0 where there is no row. */
DpcxrConfusion dpcxr_confusion(const DpcxrScored *sample, double threshold);
/* The metrics that follow from counts, sensitivity to prevalence, into @values [DPCXR_N_METRICS]; others are
 * left as they are. A ratio of nothing to nothing is NaN. */
void dpcxr_confusion_metrics(const DpcxrConfusion *confusion, double *values);

/* All metrics into @values [DPCXR_N_METRICS]. @threshold NaN, or a score that is NaN: those that need it are
 * NaN. */
void dpcxr_metrics(const DpcxrScored *sample, double threshold, double *values);
