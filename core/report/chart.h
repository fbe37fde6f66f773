/* SPDX-License-Identifier: MIT
 * What charts with axes have in common: the frame, the grid, the ticks, the legend. The script of the page
 * zooms by drawing the grid anew, so it reads here how the axes are scaled. */
#pragma once
#include "report/scale.h"
#include "report/svg.h"

/* Which axes a reader may zoom. */
typedef enum { DPCXR_ZOOM_X = 1, DPCXR_ZOOM_Y = 2 } DpcxrZoom;

typedef struct {
    const char *x_title, *y_title;   /* (nullable) with unit */
    DpcxrScale x, y;                 /* by dpcxr_frame_place: with places */
    int x_ticks, y_ticks;            /* about how many; 0: no axis */
    double left, top, right, bottom; /* edges of the plot, by dpcxr_frame_place */
    int zoom;                        /* DpcxrZoom, or-ed */
} DpcxrFrame;

typedef struct {
    const char *name;
    int colour;
    gboolean dashed;
} DpcxrKey;

/* Puts the plot where margins leave it: @left, @top, @right, @bottom. */
void dpcxr_frame_place(DpcxrFrame *frame, const DpcxrSvg *svg, double left, double top, double right,
                       double bottom);
/* Grid, ticks, titles; then opens the group of what is clipped to the plot, which dpcxr_frame_end closes. */
void dpcxr_frame_begin(const DpcxrFrame *frame, DpcxrSvg *svg);
void dpcxr_frame_end(DpcxrSvg *svg);
/* Keys in rows from the top of @svg at @left on. Returns the height that they take, and with @draw FALSE only
 * that. */
double dpcxr_legend(DpcxrSvg *svg, const DpcxrKey *keys, gsize n, double left, gboolean draw);
