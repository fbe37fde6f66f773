/* SPDX-License-Identifier: MIT
 * A number together with what the bootstrap makes of it, so that what is computed from numbers (means, gaps)
 * gets its interval from the same computation in each replicate. */
#pragma once
#include <glib.h>

typedef struct {
    double value;             /* NaN: not defined */
    gsize n;                  /* replicates; 0: no bootstrap */
    const double *replicates; /* [n] */
    double *owned;            /* (nullable) what dpcxr_series_clear frees */
} DpcxrSeries;

typedef struct {
    double value, low, high; /* NaN: not defined, no interval */
    gsize undefined;         /* replicates without a value */
} DpcxrEstimate;

/* A number from @n numbers, n > 0; not called where one of them is NaN. */
typedef double (*DpcxrStatistic)(const double *values, gsize n);

/* @statistic of the values, and of each replicate of all; NaN where any part is NaN, and where there are no
 * parts. All parts have the same number of replicates. */
DpcxrSeries dpcxr_series_combine(DpcxrStatistic statistic, const DpcxrSeries *parts, gsize n_parts);
void dpcxr_series_clear(DpcxrSeries *series);

/* Percentile interval (stats/inference.h); none where there are no replicates or no value. */
DpcxrEstimate dpcxr_series_estimate(const DpcxrSeries *series, double level);

double dpcxr_statistic_mean(const double *values, gsize n);
double dpcxr_statistic_spread(const double *values, gsize n); /* largest minus smallest */
double dpcxr_statistic_largest(const double *values, gsize n);
/* The first over 1 plus the sum of absolute differences of the others from it (equity-scaled AUROC, Luo et
 * al. 2024). */
double dpcxr_statistic_equity_scaled(const double *values, gsize n);
