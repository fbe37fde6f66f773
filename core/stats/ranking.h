/* SPDX-License-Identifier: MIT
 * How well scores rank: the ROC curve, the precision-recall curve and their areas. Conventions are
 * scikit-learn's. */
#pragma once
#include "stats/scored.h"

/* Those with a score of at least @threshold. Sensitivity (recall) is tp / positives, the false-positive rate
 * fp / (n - positives), precision (PPV) tp / (tp + fp). */
typedef struct {
    double threshold;
    gsize tp, fp;
} DpcxrCurvePoint;

/* A point for each distinct score, from the highest down, so the last one has everybody; both curves follow
 * from it (the ROC curve begins at the origin, which has no point here). NULL and 0 points where
 * dpcxr_scored_ranks is FALSE. */
DpcxrCurvePoint *dpcxr_curve(const DpcxrScored *sample, gsize *n_points);

/* Area under the ROC curve: the share of pairs of a positive and a negative in the right order, ties half
 * (Mann-Whitney). NaN where the sample does not rank. */
double dpcxr_auroc(const DpcxrScored *sample);

/* Average precision: the sum over distinct scores of precision times the step in recall. NaN as above. */
double dpcxr_auprc(const DpcxrScored *sample);
