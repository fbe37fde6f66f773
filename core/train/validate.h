/* SPDX-License-Identifier: MIT
 * How a model does on the validation split while it is trained: the points of learning curves, private. */
#pragma once
#include "backend/program.h"
#include "data/data.h"

typedef struct {
    double loss, auroc; /* means over images and over labels; NaN where not defined */
} DpcxrValidation;

/* Whether the curve has a point after @step of @steps: evaluate.curve_points of them at equal distances, the
 * last at the end; none where nothing is evaluated. */
gboolean dpcxr_validation_due(const DpcxrExperiment *experiment, guint64 step, guint64 steps);
/* Scores the split with the program's weights. Errors as dpcxr_evaluate. */
gboolean dpcxr_validate(DpcxrProgram *program, const DpcxrExperiment *experiment, DpcxrData *data,
                        DpcxrValidation *validation, GError **error);
