/* SPDX-License-Identifier: MIT
 * From replicates to intervals and tests, and what is done to many tests at once. NaN stands for a replicate
 * in which something was not defined. */
#pragma once
#include <glib.h>

typedef struct {
    double low, high;
    gsize undefined; /* replicates that are NaN */
} DpcxrPercentiles;

/* Percentile interval: the (1 - level)/2 and (1 + level)/2 quantiles of those that are defined, linear
 * between order statistics (NumPy's default). low and high NaN where more than one in twenty is NaN, or all
 * are. @values: [n] */
DpcxrPercentiles dpcxr_percentile_interval(const double *values, gsize n, double level);

/* Two-sided p of "no difference" from replicates of a paired difference: 2 min(P(d <= 0), P(d >= 0)) with one
 * added to counts and to n, at most 1 (Davison & Hinkley 1997, 4.2). Of the defined ones; NaN where there is
 * none, or more than one in twenty is NaN. */
double dpcxr_paired_p(const double *differences, gsize n);

/* One-sided p of "worse by @margin or more" from replicates of (new minus old), where more is better: small
 * says that the new one is not inferior. @margin >= 0. NaN as above. */
double dpcxr_non_inferiority_p(const double *differences, gsize n, double margin);

/* p values adjusted for being many, so that all below alpha keep the probability of any false one (Holm
 * 1979), or the expected share of false ones (Benjamini & Hochberg 1995), below alpha. NaN stays NaN and does
 * not count. @adjusted: [n], may be @p. */
void dpcxr_adjust_holm(const double *p, gsize n, double *adjusted);
void dpcxr_adjust_benjamini_hochberg(const double *p, gsize n, double *adjusted);

typedef struct {
    gsize n;  /* pairs without a NaN */
    double r; /* NaN where n < 2 or either side is constant */
    double p; /* two-sided, by Student's t with n - 2 degrees of freedom; NaN where n < 3 */
} DpcxrCorrelation;

/* Pearson's correlation. @x, @y: [n] */
DpcxrCorrelation dpcxr_pearson(const double *x, const double *y, gsize n);
