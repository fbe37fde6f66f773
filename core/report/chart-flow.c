/* SPDX-License-Identifier: MIT */
#include "report/chart-flow.h"

enum { WIDTH = 900, BOX = 276, LINE = 17, PAD = 12, GAP = 34 };

static int height_of(const DpcxrFlowBox *box)
{
    return 2 * PAD + LINE * (1 + (int)box->n_lines) - 4;
}

static void draw_box(DpcxrSvg *svg, const DpcxrFlowBox *box, double x, double y, double width)
{
    dpcxr_svg_rect(svg, x, y, width, height_of(box), "box");
    dpcxr_svg_text(svg, x + PAD, y + PAD + 10, DPCXR_ANCHOR_START, "heading", box->title);
    for (gsize i = 0; i < box->n_lines; i++)
        dpcxr_svg_text(svg, x + PAD, y + PAD + 10 + LINE * (double)(i + 1), DPCXR_ANCHOR_START, NULL,
                       box->lines[i]);
}

/* An arrow down to (@x, @y), or right to it. */
static void draw_head(DpcxrSvg *svg, double x, double y, gboolean down)
{
    const double xs[] = {down ? x - 4 : x - 6, x, down ? x + 4 : x - 6};
    const double ys[] = {down ? y - 6 : y - 4, y, down ? y - 6 : y + 4};
    dpcxr_svg_path(svg, xs, ys, 3, FALSE, "arrow");
}

static void draw_excluded(DpcxrSvg *svg, const DpcxrFlowBox *excluded, double middle)
{
    double x = BOX + 2 * GAP;
    dpcxr_svg_line(svg, BOX, middle, x, middle, "arrow");
    draw_head(svg, x, middle, FALSE);
    draw_box(svg, excluded, x, middle - MIN(height_of(excluded) / 2.0, middle - 2), WIDTH - x - 1);
}

static void draw_ends(DpcxrSvg *svg, const DpcxrFlowBox *ends, gsize n, double from, double y)
{
    double width = (WIDTH - GAP * (double)(n - 1)) / (double)n, fork = y - GAP / 2.0;
    dpcxr_svg_line(svg, BOX / 2.0, from, BOX / 2.0, fork, "arrow");
    for (gsize i = 0; i < n; i++) {
        double x = (width + GAP) * (double)i, middle = x + width / 2;
        dpcxr_svg_line(svg, BOX / 2.0, fork, middle, fork, "arrow");
        dpcxr_svg_line(svg, middle, fork, middle, y, "arrow");
        draw_head(svg, middle, y, TRUE);
        draw_box(svg, &ends[i], x + 1, y, width - 2);
    }
}

DpcxrSvg *dpcxr_flow_chart(const char *label, const DpcxrFlowBox *found, const DpcxrFlowBox *excluded,
                           const DpcxrFlowBox *ends, gsize n_ends)
{
    int top = height_of(found), side = excluded->title ? height_of(excluded) : 0, below = 0;
    for (gsize i = 0; i < n_ends; i++)
        below = MAX(below, height_of(&ends[i]));
    double y = MAX(top, side) + GAP;
    DpcxrSvg *svg = dpcxr_svg_new(WIDTH, (int)y + below + 2, label);
    if (excluded->title)
        draw_excluded(svg, excluded, 1 + MAX(top, side) / 2.0);
    double at = excluded->title ? 1 + (MAX(top, side) - top) / 2.0 : 1;
    draw_box(svg, found, 1, at, BOX);
    if (n_ends > 0)
        draw_ends(svg, ends, n_ends, at + top, y);
    return svg;
}
