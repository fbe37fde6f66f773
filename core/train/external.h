/* SPDX-License-Identifier: MIT
 * A run judged on data that it was not trained for: an external test set. */
#pragma once
#include "config/experiment.h"
#include "eval/thresholds.h"

/* Scores the data of @other with the weights of the run in @folder, whose experiment is @own, into
 * FOLDER/private/eval/NAME/ (NAME: of @other; mode 0700): predictions-SPLIT.csv, and results.json with the
 * working points of @frozen (nullable: none), which is the run's own and is not chosen again. Splits, groups,
 * intervals, batch and device are those of @other; the loss is without label weights. @out (transfer full):
 * that folder. DPCXR_ERROR_USAGE: labels or images are not those of the run; DPCXR_ERROR_DATA: no weights, no
 * rows. */
gboolean dpcxr_external_evaluate(const char *folder, const DpcxrExperiment *own, const DpcxrExperiment *other,
                                 const DpcxrThresholds *frozen, char **out, GError **error);
