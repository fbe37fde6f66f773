/* SPDX-License-Identifier: MIT
 * Values with intervals, a row each: of labels, of groups, of runs. The numbers stand beside the drawing. */
#pragma once
#include "report/chart.h"

typedef struct {
    const char *name;
    gboolean heading;        /* only a name: what the rows below have in common */
    const char *note;        /* (nullable) small, after the name: "n = 120" */
    double value, low, high; /* NaN: none */
    const char *missing;     /* (nullable) why there is no value */
    int colour;
} DpcxrIntervalRow;

typedef struct {
    const char *label; /* for who does not see it */
    const char *x_title;
    const char *unit; /* (nullable) after each number: " %" */
    DpcxrScale x;
    double reference; /* a line across all rows; NaN: none */
    gboolean bars;    /* a bar from the left edge to each value */
    int digits;
    const DpcxrIntervalRow *rows;
    gsize n_rows;
} DpcxrIntervalChart;

/* (transfer full) */
DpcxrSvg *dpcxr_interval_chart(const DpcxrIntervalChart *chart);
/* A scale that has room for all values and limits of @rows and for @reference (NaN: none). */
DpcxrScale dpcxr_interval_scale(const DpcxrIntervalRow *rows, gsize n_rows, double reference);
