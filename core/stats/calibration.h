/* SPDX-License-Identifier: MIT
 * Whether scores are probabilities: Brier score, reliability bins and expected calibration error. */
#pragma once
#include "stats/scored.h"

#define DPCXR_CALIBRATION_BINS 10

typedef enum {
    DPCXR_BINS_EQUAL_WIDTH, /* edges at multiples of 1/10 */
    DPCXR_BINS_EQUAL_MASS,  /* edges at the deciles of the scores, linear between order statistics */
    DPCXR_N_BIN_KINDS
} DpcxrBinKind;

/* Scores with low < score <= high; the first bin has its low end, too. */
typedef struct {
    double low, high;
    gsize first, n;    /* positions first .. first + n - 1 of the sample */
    double mean_score; /* NaN where n is 0 */
    double rate;       /* share of positives; NaN where n is 0 */
} DpcxrCalibrationBin;

/* From the lowest scores up; where many scores are equal, bins of equal mass may be empty. Scores outside [0,
 * 1] fall into the outermost bins. All zero where there is no row or a score is NaN. */
void dpcxr_calibration_bins(const DpcxrScored *sample, DpcxrBinKind kind,
                            DpcxrCalibrationBin bins[DPCXR_CALIBRATION_BINS]);

/* Sum over bins of n_bin / n * abs(mean score - rate): bins are scikit-learn's calibration_curve's, "uniform"
 * and "quantile". NaN where there is no row, or a score is NaN. */
double dpcxr_calibration_error(const DpcxrScored *sample, DpcxrBinKind kind);

/* Mean of (score - truth)^2. NaN as above. */
double dpcxr_brier(const DpcxrScored *sample);
