/* SPDX-License-Identifier: MIT
 * How far groups are apart. Those that are too small, or whose label has too few, take no part. */
#pragma once
#include "eval/judge.h"

/* Largest minus smallest value of a metric over the groups of a grouping; NaN where fewer than two have
 * one. */
typedef struct {
    DpcxrSeries spread;
    const char *lowest, *highest; /* (borrowed, nullable) groups */
    const char *worst;            /* (borrowed) NULL too where more is neither better nor worse */
} DpcxrGap;

/* Whether there are gaps of @metric in results.json. */
gboolean dpcxr_gap_has(DpcxrMetric metric);
/* (clear gap.spread) */
DpcxrGap dpcxr_gap(const DpcxrJudged *judged, guint grouping, gsize label, DpcxrMetric metric);

typedef enum {
    DPCXR_PARITY_STATISTICAL,       /* difference of the rates of positive calls */
    DPCXR_PARITY_EQUAL_OPPORTUNITY, /* of sensitivities */
    DPCXR_PARITY_EQUALISED_ODDS,    /* the larger of those of sensitivities and of false-positive rates */
    DPCXR_PARITY_ACCURACY,          /* of accuracies */
    DPCXR_PARITY_EQUITY_SCALED,     /* AUROC / (1 + sum of abs(AUROC - AUROC of the group)) */
    DPCXR_N_PARITIES
} DpcxrParity;

const char *dpcxr_parity_name(DpcxrParity parity); /* "statistical_parity_difference", .. */
/* Differences are largest minus smallest over groups, as fairlearn's *_difference. (clear) */
DpcxrSeries dpcxr_parity(const DpcxrJudged *judged, guint grouping, gsize label, DpcxrParity parity);

/* Means over the labels where there is a value. (clear) */
DpcxrSeries dpcxr_gap_mean(const DpcxrJudged *judged, guint grouping, DpcxrMetric metric);
DpcxrSeries dpcxr_parity_mean(const DpcxrJudged *judged, guint grouping, DpcxrParity parity);
