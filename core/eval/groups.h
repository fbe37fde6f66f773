/* SPDX-License-Identifier: MIT
 * Who is judged apart: the groups of a file of predictions, and the crossings of each two of them. */
#pragma once
#include "eval/prediction-file.h"

typedef struct {
    char *name;             /* "sex", "sex x age" */
    const char *columns[2]; /* (borrowed) the second NULL but for crossings */
    gsize n_values;
    /* [n_values] "F", "F x 30-60"; only those with images, by the number they begin with, then by text */
    char **values;
    int *value_of; /* [n] of each row; -1: unknown */
    gsize unknown; /* rows */
} DpcxrGrouping;

/* In the order of the file: all columns, then all pairs. (transfer full) of DpcxrGrouping. */
GPtrArray *dpcxr_groupings(const DpcxrPredictionFile *file);
