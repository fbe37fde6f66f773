/* SPDX-License-Identifier: MIT */
#pragma once
#include "eval/prediction-file.h"
#include "stats/scored.h"

/* The rows of @file whose truth is known for @label; `rows` of the sample are rows of the file. (transfer
 * full) */
DpcxrScored *dpcxr_known_rows(const DpcxrPredictionFile *file, gsize label);
