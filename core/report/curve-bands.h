/* SPDX-License-Identifier: MIT
 * Bands around ROC and precision-recall curves: at each of some places on the horizontal axis, the percentile
 * interval of the curve's height over bootstrap resamples of patients. */
#pragma once
#include "base/workers.h"
#include "stats/scored.h"

enum { DPCXR_BAND_POINTS = 101 }; /* 0, 0.01, .. 1 */

/* NaN where a curve has no height, or in too many resamples. */
typedef struct {
    double roc_low[DPCXR_BAND_POINTS], roc_high[DPCXR_BAND_POINTS]; /* sensitivity at false-positive rates */
    double pr_low[DPCXR_BAND_POINTS], pr_high[DPCXR_BAND_POINTS];   /* precision at recalls */
} DpcxrBands;

/* @samples: [n] labels, rows counting in @patients, whose values are below @n_patients. The resamples are
 * those of dpcxr_bootstrap under the same seed. @level: 0.95. @bands: [n] */
void dpcxr_curve_bands(DpcxrScored *const *samples, gsize n, const guint32 *patients, gsize n_patients,
                       gsize replicates, double level, guint64 seed, DpcxrWorkers *workers,
                       DpcxrBands *bands);
