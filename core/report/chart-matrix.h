/* SPDX-License-Identifier: MIT
 * Counts of two by two: what was said against what was true. */
#pragma once
#include "report/svg.h"

typedef struct {
    guint64 tp, fp, fn, tn;
} DpcxrMatrix;

/* Rows are the truth, columns what is said at the threshold; shades are shares of a row. (transfer full) */
DpcxrSvg *dpcxr_matrix_chart(const char *label, const DpcxrMatrix *counts);
