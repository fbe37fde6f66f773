/* SPDX-License-Identifier: MIT
 * Weights of positive labels (loss.pos_weight): public, or negatives over positives from counts of the training labels,
 * exact (which voids the claim) or with noise and an event of their own. */
#pragma once
#include "data/data.h"
#include "privacy/ledger.h"
#include "privacy/secret.h"
#include "train/plan.h"

/* (nullable) (transfer full) [labels], what is known without a ledger: public or exact weights; NULL for `none`, and for
 * `private_counts` until dpcxr_label_weights_private has been called. */
float *dpcxr_label_weights(const DpcxrExperiment *experiment, const DpcxrData *data);

/* @weights [labels] from noisy counts. A unit adds, for each label, at most 1 in all to positives and negatives (the mean
 * over its images), so the L2 sensitivity is sqrt(labels); counts are clamped to at least 1. The event is appended to
 * @ledger before the noise is made; the weights, which the noise has made public, are kept in @path, and read from there
 * where an earlier process of the run has been so far. */
gboolean dpcxr_label_weights_private(const DpcxrPlan *plan, DpcxrData *data, DpcxrLedger *ledger,
                                     const DpcxrSecret *secret, const char *path, float *weights, GError **error);
