/* SPDX-License-Identifier: MIT
 * Scores the images of one split with a program's weights. */
#pragma once
#include "backend/program.h"
#include "eval/predictions.h"

/* All rows of @split, in index order, without augmentation; losses as @program was compiled to weigh them.
 * Images that cannot be decoded are an error here: a metric over the rest would be another metric. */
DpcxrPredictions *dpcxr_evaluate(DpcxrProgram *program, const DpcxrExperiment *experiment, DpcxrData *data,
                                 DpcxrSplit split, GError **error);
