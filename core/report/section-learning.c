/* SPDX-License-Identifier: MIT
 * Learning curves. Steps are many and noisy: they are drawn as means of equal stretches, with what was lowest
 * and highest in each as a band. */
#include "report/chart-line.h"
#include "report/sections.h"
#include <math.h>

enum { STRETCHES = 120, EPSILON_DIGITS = 4 };

static const struct {
    const char *name, *title, *y_title, *short_name;
    int digits, colour;
    gboolean noisy; /* of one step each: to be averaged */
} curves[] = {
    {"train_loss", "Training loss", "loss", "loss", 4, 0, TRUE},
    {"valid_loss", "Validation loss", "loss", "loss", 4, 1, FALSE},
    {"valid_auroc", "Validation AUROC", "mean AUROC", "AUROC", 3, 2, FALSE},
    {"epsilon_so_far", "Epsilon spent", "epsilon", "epsilon", EPSILON_DIGITS, 1, FALSE},
    {"clipped_fraction", "Clipped units", "share of units", "share", 3, 3, TRUE},
    {"clip_norm", "Clip norm", "norm", "norm", 3, 4, FALSE},
};

typedef struct {
    gsize n;
    double *step, *mean, *low, *high; /* [n] */
    gboolean joined;                  /* some stretch has several steps */
} Stretches;

static void stretches_clear(Stretches *s)
{
    g_free(s->step);
    g_free(s->mean);
    g_free(s->low);
    g_free(s->high);
}

/* Mean, least and largest of values [@from, @end) that are numbers. */
static void join(const DpcxrTrace *trace, guint from, guint end, Stretches *s)
{
    double sum = 0, low = INFINITY, high = -INFINITY;
    guint n = 0;
    for (guint i = from; i < end; i++) {
        double value = g_array_index(trace->values, double, i);
        if (isnan(value))
            continue;
        sum += value;
        low = fmin(low, value);
        high = fmax(high, value);
        n++;
    }
    s->step[s->n] = g_array_index(trace->steps, double, end - 1);
    s->mean[s->n] = n ? sum / n : NAN;
    s->low[s->n] = n ? low : NAN;
    s->high[s->n] = n ? high : NAN;
    s->joined = s->joined || end - from > 1;
    s->n++;
}

static Stretches stretch(const DpcxrTrace *trace, gsize most)
{
    guint n = trace->steps->len, count = (guint)MIN(n, most);
    Stretches s = {
        0, g_new(double, count), g_new(double, count), g_new(double, count), g_new(double, count), FALSE};
    for (guint i = 0; i < count; i++)
        join(trace, (guint)((guint64)n * i / count), (guint)((guint64)n * (i + 1) / count), &s);
    return s;
}

static void range_of(const Stretches *s, double *low, double *high)
{
    for (gsize i = 0; i < s->n; i++) {
        *low = fmin(*low, isnan(s->low[i]) ? *low : s->low[i]);
        *high = fmax(*high, isnan(s->high[i]) ? *high : s->high[i]);
    }
}

/* What has been spent is not shown smaller than it is. */
static void round_up(Stretches *s)
{
    double unit = pow(10, EPSILON_DIGITS);
    for (gsize i = 0; i < s->n; i++)
        s->mean[i] = ceil(s->mean[i] * unit * (1 - 1e-12)) / unit;
}

static DpcxrSvg *draw(gsize curve, const Stretches *s)
{
    double low = INFINITY, high = -INFINITY;
    range_of(s, &low, &high);
    DpcxrChartSeries series = {.kind = s->n > 1 ? DPCXR_SERIES_LINE : DPCXR_SERIES_POINTS,
                               .colour = curves[curve].colour,
                               .n = s->n,
                               .x = s->step,
                               .y = s->mean,
                               .low = s->joined ? s->low : NULL,
                               .high = s->joined ? s->high : NULL};
    g_autofree char *label =
        g_strdup_printf("%s over %.0f steps: from %.*f to %.*f", curves[curve].title, s->step[s->n - 1],
                        curves[curve].digits, s->mean[0], curves[curve].digits, s->mean[s->n - 1]);
    DpcxrLineChart chart = {.label = label,
                            .width = 300,
                            .height = 230,
                            .frame = {.x_title = "step",
                                      .y_title = curves[curve].y_title,
                                      .x = dpcxr_scale(0, s->step[s->n - 1], FALSE),
                                      .y = dpcxr_scale(low, high, TRUE),
                                      .x_ticks = 5,
                                      .y_ticks = 5,
                                      .zoom = DPCXR_ZOOM_X | DPCXR_ZOOM_Y},
                            .x_name = "step",
                            .y_name = curves[curve].short_name,
                            .y_digits = curves[curve].digits,
                            .series = &series,
                            .n_series = 1};
    return dpcxr_line_chart(&chart);
}

static void fill(DpcxrTable *table, gsize curve, const Stretches *s)
{
    for (gsize i = 0; i < s->n; i++) {
        dpcxr_table_text(table, curves[curve].name);
        dpcxr_table_number(table, s->step[i]);
        dpcxr_table_interval(table, s->mean[i], s->joined ? s->low[i] : NAN, s->joined ? s->high[i] : NAN);
    }
}

void dpcxr_section_learning(DpcxrPage *page, const DpcxrRunFiles *run)
{
    DpcxrFigure *figure =
        dpcxr_figure_new("learning", "The course of the training",
                         "Lines are means of equal stretches of steps, bands reach from the lowest to the "
                         "highest of each. These values were "
                         "computed without noise and are private; epsilon is what had been spent by then.");
    dpcxr_table_column(figure->table, "curve", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(figure->table, "step", DPCXR_COLUMN_NUMBER, 0);
    dpcxr_table_column(figure->table, "value", DPCXR_COLUMN_INTERVAL, 4);
    for (gsize i = 0; i < G_N_ELEMENTS(curves); i++) {
        const DpcxrTrace *trace = dpcxr_run_files_trace(run, curves[i].name);
        if (!trace)
            continue;
        Stretches s = stretch(trace, curves[i].noisy ? STRETCHES : 2000);
        if (g_str_equal(curves[i].name, "epsilon_so_far"))
            round_up(&s);
        dpcxr_figure_add(figure, curves[i].title, draw(i, &s));
        fill(figure->table, i, &s);
        stretches_clear(&s);
    }
    if (figure->panels->len == 0) {
        dpcxr_figure_free(figure);
        return;
    }
    dpcxr_page_section(page, "learning", "Training");
    dpcxr_page_figure(page, figure);
}
