/* SPDX-License-Identifier: MIT
 * Variance of the AUROC and a paired test of two (DeLong, DeLong & Clarke-Pearson 1988), in one sort (Sun &
 * Xu 2014). Rows are taken for independent: one image a patient. */
#pragma once
#include <glib.h>

typedef struct {
    /* NaN where a class is missing or a score is NaN; the variance also where a class has one row */
    double auroc, variance;
} DpcxrDeLong;

/* @scores, @truths (1, 0): [n] */
DpcxrDeLong dpcxr_delong(const double *scores, const guint8 *truths, gsize n);

/* AUROC -/+ z standard errors, cut to [0, 1]. @level in (0, 1), e.g. 0.95. */
void dpcxr_delong_interval(const DpcxrDeLong *delong, double level, double *low, double *high);

typedef struct {
    double difference; /* AUROC of the first minus that of the second */
    double variance;
    double z, p; /* two-sided; NaN where the variance is 0 or not defined */
} DpcxrDeLongTest;

/* Two scores of the same rows. */
DpcxrDeLongTest dpcxr_delong_test(const double *first, const double *second, const guint8 *truths, gsize n);
