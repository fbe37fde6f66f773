/* SPDX-License-Identifier: MIT
 * Curves with bands, points with bars: learning curves, ROC, calibration, AUROC over epsilon. */
#pragma once
#include "report/chart.h"

typedef enum {
    DPCXR_SERIES_LINE,
    DPCXR_SERIES_POINTS,      /* with bars where there are limits, not joined */
    DPCXR_SERIES_LINE_POINTS, /* with bars, joined */
    DPCXR_SERIES_REFERENCE    /* thin and dashed, not pointed at */
} DpcxrSeriesKind;

typedef struct {
    DpcxrSeriesKind kind;
    const char *name; /* (nullable) for the legend and what a point says */
    int colour;       /* 0 .. DPCXR_N_COLOURS - 1 */
    gboolean dashed;
    gsize n;
    const double *x, *y;      /* [n], x rising; NaN y: a gap */
    const double *low, *high; /* (nullable) [n], NaN: none; a band along lines, bars at points */
    gboolean small;           /* small points and faint bars, for many */
    const char *const *texts; /* (nullable) [n] what points say instead of their numbers */
    const char *const *names; /* (nullable) [n] that stand beside points */
} DpcxrChartSeries;

/* A point above the curves, with a name beside it. */
typedef struct {
    double x, y;
    int colour;
    const char *text; /* what it says when pointed at */
} DpcxrSpot;

typedef struct {
    const char *label; /* for who does not see it: see DpcxrSvg */
    int width, height;
    DpcxrFrame frame;            /* scales, titles, ticks, zoom */
    const char *x_name, *y_name; /* as points call them, short */
    int x_digits, y_digits;
    const DpcxrChartSeries *series;
    gsize n_series;
    const DpcxrSpot *spots; /* (nullable) */
    gsize n_spots;
    gboolean legend;
    const char *inset;   /* (nullable) a number of the whole, in the lower corner ... */
    gboolean inset_left; /* ... on the left instead of the right */
} DpcxrLineChart;

/* Curves of many points are thinned to what can be seen. (transfer full) */
DpcxrSvg *dpcxr_line_chart(const DpcxrLineChart *chart);

/* Which of the @n points (@x, @y: places) are needed so that none that is left out is farther than @distance
 * from the one before it that is kept; the first and the last always are. Returns their indices. */
GArray *dpcxr_thin(const double *x, const double *y, gsize n, double distance);
