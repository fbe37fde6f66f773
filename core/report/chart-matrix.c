/* SPDX-License-Identifier: MIT */
#include "report/chart-matrix.h"
#include "report/markup.h"

enum { WIDTH = 300, HEIGHT = 168, LEFT = 74, TOP = 26, CELL_WIDTH = 108, CELL_HEIGHT = 66, GAP = 3 };

typedef struct {
    const char *name;
    guint64 count, of; /* of: all with that truth */
    int row, column;
    gboolean right;
} Cell;

static void draw_cell(DpcxrSvg *svg, const Cell *cell)
{
    double x = LEFT + cell->column * (CELL_WIDTH + GAP), y = TOP + cell->row * (CELL_HEIGHT + GAP);
    double share = cell->of ? (double)cell->count / (double)cell->of : 0;
    g_autofree char *count = dpcxr_count_text(cell->count), *of = dpcxr_count_text(cell->of);
    g_autofree char *percent = cell->of ? g_strdup_printf("%.1f %%", 100 * share) : g_strdup("no such image");
    g_autofree char *text = g_strdup_printf("%s: %s of %s (%s)", cell->name, count, of, percent);
    dpcxr_svg_begin_mark(svg, x + CELL_WIDTH / 2.0, y + 8, text);
    dpcxr_svg_raw(
        svg,
        "<rect class=\"cell %s\" x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" fill-opacity=\"%.2f\"/>",
        cell->right ? "c0" : "c1", x, y, CELL_WIDTH, CELL_HEIGHT, 0.06 + 0.30 * share);
    dpcxr_svg_text(svg, x + CELL_WIDTH / 2.0, y + 30, DPCXR_ANCHOR_MIDDLE, "count", count);
    dpcxr_svg_text(svg, x + CELL_WIDTH / 2.0, y + 50, DPCXR_ANCHOR_MIDDLE, "tick", percent);
    dpcxr_svg_end_mark(svg);
}

DpcxrSvg *dpcxr_matrix_chart(const char *label, const DpcxrMatrix *counts)
{
    DpcxrSvg *svg = dpcxr_svg_new(WIDTH, HEIGHT, label);
    guint64 positives = counts->tp + counts->fn, negatives = counts->fp + counts->tn;
    const Cell cells[] = {{"true positives", counts->tp, positives, 0, 0, TRUE},
                          {"false negatives", counts->fn, positives, 0, 1, FALSE},
                          {"false positives", counts->fp, negatives, 1, 0, FALSE},
                          {"true negatives", counts->tn, negatives, 1, 1, TRUE}};
    const char *said[] = {"called positive", "called negative"}, *true_names[] = {"positive", "negative"};
    for (int i = 0; i < 2; i++) {
        dpcxr_svg_text(svg, LEFT + i * (CELL_WIDTH + GAP) + CELL_WIDTH / 2.0, 16, DPCXR_ANCHOR_MIDDLE, "tick",
                       said[i]);
        dpcxr_svg_text(svg, LEFT - 8, TOP + i * (CELL_HEIGHT + GAP) + CELL_HEIGHT / 2.0 - 3, DPCXR_ANCHOR_END,
                       "tick", "truly");
        dpcxr_svg_text(svg, LEFT - 8, TOP + i * (CELL_HEIGHT + GAP) + CELL_HEIGHT / 2.0 + 12,
                       DPCXR_ANCHOR_END, "tick", true_names[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(cells); i++)
        draw_cell(svg, &cells[i]);
    svg->data = g_strdup("data-zoom=\"\"");
    return svg;
}
