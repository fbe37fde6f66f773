/* SPDX-License-Identifier: MIT
 * results.json: metrics of each label and their mean for each split, with thresholds from the validation split. */
#pragma once
#include "config/experiment.h"
#include "eval/predictions.h"

/* @valid, @test: NULL where that split was not evaluated. Thresholds are chosen on @valid only; without it the threshold
 * metrics are null. *mean_auroc: over the labels of the test split where it is defined; NaN where nowhere. Mode 0600. */
gboolean dpcxr_results_write(const char *path, const DpcxrExperiment *experiment, const DpcxrPredictions *valid,
                             const DpcxrPredictions *test, double *mean_auroc, GError **error);
