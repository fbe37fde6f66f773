/* SPDX-License-Identifier: MIT
 * A figure: one drawing, or several small ones that belong together, with a caption and the numbers that it
 * was drawn from. It stands in the page, and as SVG and CSV files beside it. */
#pragma once
#include "report/svg.h"
#include "report/table.h"

typedef struct {
    char *id; /* of files and anchors */
    char *title, *caption;
    GPtrArray *panels; /* DpcxrPanel * */
    DpcxrTable *table;
    gboolean wide; /* panels as wide as the page; else small, side by side */
} DpcxrFigure;

/* @id: letters, digits and -. @caption: what to know to read it; (nullable). */
DpcxrFigure *dpcxr_figure_new(const char *id, const char *title, const char *caption);
void dpcxr_figure_free(DpcxrFigure *figure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrFigure, dpcxr_figure_free)

/* @name (nullable): stands above the drawing where there are several. Takes @svg. */
void dpcxr_figure_add(DpcxrFigure *figure, const char *name, DpcxrSvg *svg);

/* @number: as the page counts. */
void dpcxr_figure_to_page(const DpcxrFigure *figure, int number, GString *page);
/* FOLDER/ID.svg, or FOLDER/ID-NAME.svg for each panel, and FOLDER/ID.csv. */
gboolean dpcxr_figure_write(const DpcxrFigure *figure, const char *folder, int mode, GError **error);
