/* SPDX-License-Identifier: MIT */
#include "report/chart-line.h"
#include "report/markup.h"
#include <math.h>

#define SEEN 0.4 /* user units: less is the same pixel */
enum { MARKS = 60 };

GArray *dpcxr_thin(const double *x, const double *y, gsize n, double distance)
{
    GArray *kept = g_array_new(FALSE, FALSE, sizeof(gsize));
    for (gsize i = 0; i < n; i++) {
        gsize last = kept->len ? g_array_index(kept, gsize, kept->len - 1) : 0;
        gboolean needed = kept->len == 0 || i == n - 1 || isnan(y[i]) != isnan(y[last]) ||
                          fabs(x[i] - x[last]) > distance || fabs(y[i] - y[last]) > distance;
        if (needed)
            g_array_append_val(kept, i);
    }
    return kept;
}

/* Places of a series, thinned. */
typedef struct {
    gsize n;
    double *x, *y, *low, *high; /* low, high: NULL without limits */
    gsize *from;                /* index in the series */
} Places;

static double *places_of(const DpcxrScale *scale, const double *values, gsize n)
{
    double *places = g_new(double, n);
    for (gsize i = 0; i < n; i++)
        places[i] = dpcxr_scale_at(scale, values[i]);
    return places;
}

static double *pick(const double *values, const GArray *kept)
{
    double *picked = g_new(double, kept->len);
    for (guint i = 0; i < kept->len; i++)
        picked[i] = values[g_array_index(kept, gsize, i)];
    return picked;
}

static double *pick_limit(const DpcxrFrame *frame, const double *values, gsize n, const GArray *kept)
{
    g_autofree double *places = values ? places_of(&frame->y, values, n) : NULL;
    return places ? pick(places, kept) : NULL;
}

static Places place(const DpcxrFrame *frame, const DpcxrChartSeries *series)
{
    g_autofree double *x = places_of(&frame->x, series->x, series->n);
    g_autofree double *y = places_of(&frame->y, series->y, series->n);
    gboolean line = series->kind == DPCXR_SERIES_LINE || series->kind == DPCXR_SERIES_REFERENCE;
    g_autoptr(GArray) kept = dpcxr_thin(x, y, series->n, line ? SEEN : -1);
    Places places = {.n = kept->len, .x = pick(x, kept), .y = pick(y, kept)};
    places.low = pick_limit(frame, series->low, series->n, kept);
    places.high = pick_limit(frame, series->high, series->n, kept);
    places.from = (gsize *)(void *)g_array_free(g_steal_pointer(&kept), FALSE);
    return places;
}

static void places_clear(Places *places)
{
    g_free(places->x);
    g_free(places->y);
    g_free(places->low);
    g_free(places->high);
    g_free(places->from);
}

/* One past the last of the points from @i on that have @values; @i moves to the first of them. */
static gsize stretch(const double *a, const double *b, gsize n, gsize *i)
{
    while (*i < n && (isnan(a[*i]) || isnan(b[*i])))
        ++*i;
    gsize end = *i;
    while (end < n && !isnan(a[end]) && !isnan(b[end]))
        end++;
    return end;
}

static void draw_band(DpcxrSvg *svg, const Places *places, int colour)
{
    g_autofree char *class = g_strdup_printf("band c%d", colour);
    g_autofree double *x = g_new(double, 2 * places->n), *y = g_new(double, 2 * places->n);
    gsize i = 0, end;
    for (; (end = stretch(places->low, places->high, places->n, &i)) > i; i = end) {
        gsize n = end - i;
        for (gsize k = 0; k < n; k++) {
            x[k] = x[2 * n - 1 - k] = places->x[i + k];
            y[k] = places->high[i + k];
            y[2 * n - 1 - k] = places->low[i + k];
        }
        dpcxr_svg_path(svg, x, y, 2 * n, TRUE, class);
    }
}

static void draw_curve(DpcxrSvg *svg, const Places *places, const char *class)
{
    gsize i = 0, end;
    for (; (end = stretch(places->y, places->y, places->n, &i)) > i; i = end)
        dpcxr_svg_path(svg, places->x + i, places->y + i, end - i, FALSE, class);
}

static void draw_bars(DpcxrSvg *svg, const Places *places, int colour, gboolean small)
{
    g_autofree char *class = g_strdup_printf("bar%s c%d", small ? " faint" : "", colour);
    for (gsize i = 0; i < places->n; i++)
        if (!isnan(places->low[i]) && !isnan(places->high[i]))
            dpcxr_svg_line(svg, places->x[i], places->low[i], places->x[i], places->high[i], class);
}

static char *mark_text(const DpcxrLineChart *chart, const DpcxrChartSeries *series, gsize i)
{
    if (series->texts)
        return g_strdup(series->texts[i]);
    g_autofree char *x = dpcxr_number_text(series->x[i], chart->x_digits);
    g_autofree char *y = dpcxr_interval_text(series->y[i], series->low ? series->low[i] : NAN,
                                             series->high ? series->high[i] : NAN, chart->y_digits);
    return g_strdup_printf("%s%s%s %s, %s %s", series->name ? series->name : "", series->name ? ": " : "",
                           chart->x_name, x, chart->y_name, y);
}

/* Names that would lie on one another are left out: points say theirs when they are pointed at. */
static void draw_names(DpcxrSvg *svg, const DpcxrChartSeries *series, const Places *places)
{
    for (gsize i = 0; i < places->n; i++) {
        const char *name = series->names[places->from[i]];
        double width = dpcxr_svg_text_width(name);
        gboolean free = !isnan(places->y[i]);
        for (gsize k = 0; free && k < places->n; k++) /* points, and names of those before */
            free = k == i || isnan(places->y[k]) || fabs(places->y[k] - places->y[i]) > 11 ||
                   places->x[k] > places->x[i] + width + 12 ||
                   places->x[k] + (k < i ? dpcxr_svg_text_width(series->names[places->from[k]]) : 0) + 6 <
                       places->x[i];
        if (free)
            dpcxr_svg_text(svg, places->x[i] + 8, places->y[i] + 4, DPCXR_ANCHOR_START, "tick", name);
    }
}

/* Points of lines are there to be pointed at, so some are enough. */
static void draw_marks(DpcxrSvg *svg, const DpcxrLineChart *chart, const DpcxrChartSeries *series,
                       const Places *places)
{
    gboolean line = series->kind == DPCXR_SERIES_LINE;
    g_autofree char *class = g_strdup_printf("%s c%d", line ? "hidden" : "dot", series->colour);
    double every = line ? fmax(1, (double)(places->n - 1) / MARKS) : 1, next = 0;
    for (gsize i = 0; i < places->n; i++) {
        if ((double)i + 1e-9 < next || isnan(places->y[i]))
            continue;
        gsize from = places->from[i];
        g_autofree char *text = mark_text(chart, series, from);
        dpcxr_svg_mark(svg, places->x[i], places->y[i], series->small ? 2.8 : 4, class, text);
        next += every;
    }
}

static void draw_series(DpcxrSvg *svg, const DpcxrLineChart *chart, const DpcxrChartSeries *series)
{
    Places places = place(&chart->frame, series);
    g_autofree char *class = g_strdup_printf("line c%d%s", series->colour, series->dashed ? " dashed" : "");
    gboolean line = series->kind == DPCXR_SERIES_LINE, limits = series->low && series->high;
    if (line && limits)
        draw_band(svg, &places, series->colour);
    if (series->kind == DPCXR_SERIES_REFERENCE)
        draw_curve(svg, &places, "reference");
    if (line || series->kind == DPCXR_SERIES_LINE_POINTS)
        draw_curve(svg, &places, class);
    if (!line && limits)
        draw_bars(svg, &places, series->colour, series->small);
    if (series->kind != DPCXR_SERIES_REFERENCE)
        draw_marks(svg, chart, series, &places);
    if (series->names)
        draw_names(svg, series, &places);
    places_clear(&places);
}

static void draw_spots(DpcxrSvg *svg, const DpcxrLineChart *chart)
{
    for (gsize i = 0; i < chart->n_spots; i++) {
        const DpcxrSpot *spot = &chart->spots[i];
        g_autofree char *class = g_strdup_printf("spot c%d", spot->colour);
        dpcxr_svg_mark(svg, dpcxr_scale_at(&chart->frame.x, spot->x),
                       dpcxr_scale_at(&chart->frame.y, spot->y), 5, class, spot->text);
    }
}

static void draw_inset(DpcxrSvg *svg, const DpcxrLineChart *chart)
{
    const DpcxrFrame *frame = &chart->frame;
    if (chart->inset)
        dpcxr_svg_text(svg, chart->inset_left ? frame->left + 8 : frame->right - 8, frame->bottom - 9,
                       chart->inset_left ? DPCXR_ANCHOR_START : DPCXR_ANCHOR_END, "inset", chart->inset);
}

static GArray *keys_of(const DpcxrLineChart *chart)
{
    GArray *keys = g_array_new(FALSE, FALSE, sizeof(DpcxrKey));
    for (gsize i = 0; chart->legend && i < chart->n_series; i++) {
        const DpcxrChartSeries *series = &chart->series[i];
        DpcxrKey key = {series->name, series->colour, series->dashed};
        if (series->name && series->kind != DPCXR_SERIES_REFERENCE)
            g_array_append_val(keys, key);
    }
    return keys;
}

/* Room for the widest tick of the vertical axis. */
static double left_margin(const DpcxrFrame *frame)
{
    double ticks[DPCXR_MAX_TICKS], widest = 0;
    int n = dpcxr_scale_ticks(&frame->y, frame->y_ticks, ticks);
    for (int i = 0; i < n; i++) {
        g_autofree char *text = dpcxr_tick_text(&frame->y, ticks, n, i);
        widest = fmax(widest, dpcxr_svg_text_width(text));
    }
    return widest + 14 + (frame->y_title ? 18 : 0);
}

DpcxrSvg *dpcxr_line_chart(const DpcxrLineChart *chart)
{
    DpcxrSvg *svg = dpcxr_svg_new(chart->width, chart->height, chart->label);
    DpcxrLineChart placed = *chart;
    g_autoptr(GArray) keys = keys_of(chart);
    double left = left_margin(&chart->frame);
    double top = 10 + dpcxr_legend(svg, (const DpcxrKey *)(void *)keys->data, keys->len, left, TRUE);
    dpcxr_frame_place(&placed.frame, svg, left, top, 14, chart->frame.x_title ? 44 : 26);
    dpcxr_frame_begin(&placed.frame, svg);
    for (gsize i = 0; i < chart->n_series; i++)
        draw_series(svg, &placed, &chart->series[i]);
    draw_spots(svg, &placed);
    dpcxr_frame_end(svg);
    draw_inset(svg, &placed);
    return svg;
}
