/* SPDX-License-Identifier: MIT
 * Predictions of several runs on the same images, in the same order. */
#pragma once
#include "eval/prediction-file.h"
#include "stats/scored.h"

/* Puts rows and labels of @file into the order of @like. Both must be about the same samples with the same
 * truths: else DPCXR_ERROR_DATA says which is not. Patients and groups are those of @like then, labels that
 * it lacks are dropped. */
gboolean dpcxr_align(DpcxrPredictionFile *file, const DpcxrPredictionFile *like, GError **error);

/* The rows of one label whose truth is known, for which @keep (nullable) is not 0. (transfer full) */
DpcxrScored *dpcxr_known_of(const DpcxrPredictionFile *file, gsize label, const guint8 *keep);
