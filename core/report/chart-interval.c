/* SPDX-License-Identifier: MIT */
#include "report/chart-interval.h"
#include "report/markup.h"
#include <math.h>

enum { WIDTH = 900, ROW = 24 };

static void widen(double value, double *low, double *high)
{
    if (isnan(value))
        return;
    *low = fmin(*low, value);
    *high = fmax(*high, value);
}

DpcxrScale dpcxr_interval_scale(const DpcxrIntervalRow *rows, gsize n_rows, double reference)
{
    double low = INFINITY, high = -INFINITY;
    widen(reference, &low, &high);
    for (gsize i = 0; i < n_rows; i++) {
        if (rows[i].heading)
            continue;
        widen(rows[i].value, &low, &high);
        widen(rows[i].low, &low, &high);
        widen(rows[i].high, &low, &high);
    }
    return dpcxr_scale(low, high, TRUE);
}

/* What stands to the right of a row. (transfer full) */
static char *numbers_text(const DpcxrIntervalChart *chart, const DpcxrIntervalRow *row)
{
    if (isnan(row->value) && row->missing)
        return g_strdup(row->missing);
    g_autofree char *text = dpcxr_interval_text(row->value, row->low, row->high, chart->digits);
    return g_strconcat(text, chart->unit, NULL);
}

/* Room for names and notes on the left, for numbers on the right; the plot keeps a third. */
static void measure(const DpcxrIntervalChart *chart, double *names, double *numbers)
{
    *names = *numbers = 60;
    for (gsize i = 0; i < chart->n_rows; i++) {
        const DpcxrIntervalRow *row = &chart->rows[i];
        g_autofree char *text = numbers_text(chart, row);
        double note = row->note ? dpcxr_svg_text_width(row->note) + 14 : 0;
        *names = fmax(*names, dpcxr_svg_text_width(row->name) + note + 30);
        *numbers = fmax(*numbers, row->heading ? 0 : dpcxr_svg_text_width(text) + 14);
    }
    *names = fmin(*names, WIDTH / 2.0 - 20);
    *numbers = fmin(*numbers, WIDTH / 4.0);
}

static void draw_names(DpcxrSvg *svg, const DpcxrIntervalRow *row, double edge, double y)
{
    if (row->heading) {
        dpcxr_svg_text(svg, 4, y + 4, DPCXR_ANCHOR_START, "heading", row->name);
        return;
    }
    dpcxr_svg_text(svg, 14, y + 4, DPCXR_ANCHOR_START, NULL, row->name);
    if (row->note)
        dpcxr_svg_text(svg, edge - 8, y + 4, DPCXR_ANCHOR_END, "tick", row->note);
}

static void draw_numbers(DpcxrSvg *svg, const DpcxrIntervalChart *chart, const DpcxrIntervalRow *row,
                         double y)
{
    g_autofree char *text = numbers_text(chart, row);
    if (!row->heading)
        dpcxr_svg_text(svg, WIDTH - 4, y + 4, DPCXR_ANCHOR_END, isnan(row->value) ? "tick" : NULL, text);
}

static void draw_value(DpcxrSvg *svg, const DpcxrIntervalChart *chart, const DpcxrScale *scale,
                       const DpcxrIntervalRow *row, double y)
{
    if (row->heading || isnan(row->value))
        return;
    g_autofree char *bar = g_strdup_printf("bar c%d", row->colour),
                    *dot = g_strdup_printf("dot c%d", row->colour);
    g_autofree char *numbers = dpcxr_interval_text(row->value, row->low, row->high, chart->digits);
    g_autofree char *text =
        g_strdup_printf("%s: %s%s%s%s", row->name, numbers, chart->unit ? chart->unit : "",
                        row->note ? ", " : "", row->note ? row->note : "");
    if (chart->bars) {
        g_autofree char *thick = g_strdup_printf("thick c%d", row->colour);
        dpcxr_svg_line(svg, scale->start, y, dpcxr_scale_at(scale, row->value), y, thick);
    }
    double low = dpcxr_scale_at(scale, row->low), high = dpcxr_scale_at(scale, row->high);
    if (!isnan(low) && !isnan(high)) {
        dpcxr_svg_line(svg, low, y, high, y, bar);
        dpcxr_svg_line(svg, low, y - 4, low, y + 4, bar);
        dpcxr_svg_line(svg, high, y - 4, high, y + 4, bar);
    }
    dpcxr_svg_mark(svg, dpcxr_scale_at(scale, row->value), y, 4.5, dot, text);
}

DpcxrSvg *dpcxr_interval_chart(const DpcxrIntervalChart *chart)
{
    DpcxrSvg *svg = dpcxr_svg_new(WIDTH, ROW * (int)chart->n_rows + 58, chart->label);
    DpcxrFrame frame = {.x_title = chart->x_title,
                        .x = chart->x,
                        .x_ticks = 5,
                        .zoom = DPCXR_ZOOM_X,
                        .y = dpcxr_scale(0, (double)MAX(chart->n_rows, 1), FALSE)};
    double names, numbers;
    measure(chart, &names, &numbers);
    dpcxr_frame_place(&frame, svg, names, 8, numbers, 46);
    for (gsize i = 0; i < chart->n_rows; i++) {
        double y = frame.top + ROW * ((double)i + 0.5);
        draw_names(svg, &chart->rows[i], names, y);
        draw_numbers(svg, chart, &chart->rows[i], y);
    }
    dpcxr_frame_begin(&frame, svg);
    double reference = dpcxr_scale_at(&frame.x, chart->reference);
    if (!isnan(reference))
        dpcxr_svg_line(svg, reference, frame.top, reference, frame.bottom, "reference");
    for (gsize i = 0; i < chart->n_rows; i++)
        draw_value(svg, chart, &frame.x, &chart->rows[i], frame.top + ROW * ((double)i + 0.5));
    dpcxr_frame_end(svg);
    return svg;
}
