/* SPDX-License-Identifier: MIT
 * Calibration by logistic regression of the truth on the logit of the score (Cox 1958; Van Calster et al.
 * 2019, "Calibration: the Achilles heel of predictive analytics"). Scores are probabilities here. */
#pragma once
#include "stats/scored.h"

/* log(p / (1 - p)), with p kept 1e-15 away from 0 and 1. */
double dpcxr_logit(double p);

/* Maximum likelihood. */
typedef struct {
    double slope, offset; /* logit P(positive) = offset + slope * logit(score) */
    double intercept;     /* logit P(positive) = intercept + logit(score): calibration in the large */
} DpcxrRecalibration;

/* @times (nullable: once each): how often each position of @sample counts. slope and offset NaN where the
 * sample does not rank, where a threshold separates the classes (the likelihood then has no maximum), or
 * where all scores are equal; intercept NaN where the sample does not rank. */
DpcxrRecalibration dpcxr_recalibrate(const DpcxrScored *sample, const guint8 *times);
