/* SPDX-License-Identifier: MIT
 * What privacy costs: AUROC over epsilon, a curve for each accountant. With claims only, every point is a
 * training of its own (equal epsilon); with all accountants, a training has as many (equal noise). */
#include "privacy/accounting.h"
#include "report/chart-line.h"
#include "report/compare-page.h"
#include "report/markup.h"
#include <math.h>

typedef struct {
    double epsilon;
    const DpcxrComparedRun *run;
} Point;

typedef struct {
    const char *accountant; /* borrowed from the runs' files */
    GArray *points;         /* Point */
    double *x, *y, *low, *high;
    GPtrArray *texts;
} Curve;

static void curve_free(gpointer data)
{
    Curve *curve = data;
    g_array_unref(curve->points);
    g_free(curve->x);
    g_free(curve->y);
    g_free(curve->low);
    g_free(curve->high);
    g_ptr_array_unref(curve->texts);
    g_free(curve);
}

static void add_point(GPtrArray *curves, const char *accountant, double epsilon, const DpcxrComparedRun *run)
{
    Curve *curve = NULL;
    const Point point = {epsilon, run};
    if (!(epsilon > 0) || !isfinite(epsilon) || isnan(run->mean.auroc.value))
        return;
    for (guint i = 0; i < curves->len && !curve; i++)
        if (g_str_equal(((Curve *)g_ptr_array_index(curves, i))->accountant, accountant))
            curve = g_ptr_array_index(curves, i);
    if (!curve) {
        curve = g_new0(Curve, 1);
        curve->accountant = accountant;
        curve->points = g_array_new(FALSE, FALSE, sizeof(Point));
        curve->texts = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(curves, curve);
    }
    g_array_append_val(curve->points, point);
}

/* The upper end of what others prove; approximations prove nothing. */
static void add_others(GPtrArray *curves, const DpcxrComparedRun *run)
{
    JsonArray *reports = dpcxr_look_array(run->files->privacy, "also_report");
    for (guint i = 0; i < dpcxr_look_length(reports); i++) {
        JsonObject *report = dpcxr_look_item(reports, i);
        double upper = dpcxr_look_number(report, "upper");
        if (!dpcxr_look_string(report, "refused") && !dpcxr_look_bool(report, "approximate"))
            add_point(curves, dpcxr_look_string(report, "accountant"),
                      isnan(upper) ? dpcxr_look_number(report, "epsilon") : upper, run);
    }
}

static int compare_points(gconstpointer a, gconstpointer b)
{
    const Point *left = a, *right = b;
    return (left->epsilon > right->epsilon) - (left->epsilon < right->epsilon);
}

static void finish(Curve *curve)
{
    guint n = curve->points->len;
    g_array_sort(curve->points, compare_points);
    curve->x = g_new(double, n);
    curve->y = g_new(double, n);
    curve->low = g_new(double, n);
    curve->high = g_new(double, n);
    for (guint i = 0; i < n; i++) {
        const Point *point = &g_array_index(curve->points, Point, i);
        const DpcxrEstimate *auroc = &point->run->mean.auroc;
        g_autofree char *epsilon = dpcxr_format_epsilon(point->epsilon, 2);
        g_autofree char *value = dpcxr_interval_text(auroc->value, auroc->low, auroc->high, 3);
        curve->x[i] = point->epsilon;
        curve->y[i] = auroc->value;
        curve->low[i] = auroc->low;
        curve->high[i] = auroc->high;
        g_ptr_array_add(curve->texts,
                        g_strdup_printf("%s: epsilon %s by %s, AUROC %s", point->run->files->name, epsilon,
                                        curve->accountant, value));
    }
}

static GPtrArray *find_curves(const DpcxrComparison *c, gboolean all)
{
    GPtrArray *curves = g_ptr_array_new_with_free_func(curve_free);
    for (guint i = 0; i < c->runs->len; i++) {
        const DpcxrComparedRun *run = dpcxr_compared_run(c, i);
        if (run->accountant)
            add_point(curves, run->accountant, run->epsilon, run);
        if (all)
            add_others(curves, run);
    }
    for (guint i = 0; i < curves->len; i++)
        finish(g_ptr_array_index(curves, i));
    return curves;
}

static void widen(const DpcxrEstimate *e, double *low, double *high)
{
    *low = fmin(*low, isnan(e->low) ? e->value : e->low); /* fmin and fmax pass over NaN */
    *high = fmax(*high, isnan(e->high) ? e->value : e->high);
}

typedef struct {
    double x_low, x_high, y_low, y_high;
} Extent;

static Extent find_extent(const DpcxrComparison *c, const GPtrArray *curves)
{
    Extent e = {INFINITY, 0, INFINITY, -INFINITY};
    for (guint i = 0; i < c->runs->len; i++)
        widen(&dpcxr_compared_run(c, i)->mean.auroc, &e.y_low, &e.y_high);
    for (guint i = 0; i < curves->len; i++) {
        const Curve *curve = g_ptr_array_index(curves, i);
        e.x_low = fmin(e.x_low, curve->x[0]);
        e.x_high = fmax(e.x_high, curve->x[curve->points->len - 1]);
    }
    e.x_low /= 1.3;
    e.x_high *= 1.3;
    return e;
}

static void fill(DpcxrTable *table, const GPtrArray *curves)
{
    dpcxr_table_column(table, "accountant", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "run", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "epsilon", DPCXR_COLUMN_UPPER_BOUND, 3);
    dpcxr_table_column(table, "auroc", DPCXR_COLUMN_INTERVAL, 3);
    for (guint i = 0; i < curves->len; i++) {
        const Curve *curve = g_ptr_array_index(curves, i);
        for (guint k = 0; k < curve->points->len; k++) {
            dpcxr_table_text(table, curve->accountant);
            dpcxr_table_text(table, g_array_index(curve->points, Point, k).run->files->name);
            dpcxr_table_number(table, curve->x[k]);
            dpcxr_table_interval(table, curve->y[k], curve->low[k], curve->high[k]);
        }
    }
}

/* What runs without a claim reach, across all epsilons. */
static void add_levels(GArray *series, const DpcxrComparison *c, const double *ends, double *levels,
                       double *lows, double *highs)
{
    for (guint i = 0; i < c->runs->len; i++) {
        const DpcxrComparedRun *run = dpcxr_compared_run(c, i);
        const DpcxrEstimate *e = &run->mean.auroc;
        if (!isnan(run->epsilon) || isnan(e->value))
            continue;
        for (int k = 0; k < 2; k++) {
            levels[2 * i + k] = e->value;
            lows[2 * i + k] = e->low;
            highs[2 * i + k] = e->high;
        }
        DpcxrChartSeries level = {.kind = DPCXR_SERIES_LINE,
                                  .name = run->files->name,
                                  .colour = 6,
                                  .dashed = TRUE,
                                  .n = 2,
                                  .x = ends,
                                  .y = &levels[2 * i],
                                  .low = &lows[2 * i],
                                  .high = &highs[2 * i]};
        g_array_append_val(series, level);
    }
}

static GArray *make_series(const GPtrArray *curves)
{
    GArray *series = g_array_new(FALSE, FALSE, sizeof(DpcxrChartSeries));
    for (guint i = 0; i < curves->len; i++) {
        const Curve *curve = g_ptr_array_index(curves, i);
        DpcxrChartSeries one = {.kind = DPCXR_SERIES_LINE_POINTS,
                                .name = curve->accountant,
                                .colour = (int)(i % 6),
                                .n = curve->points->len,
                                .x = curve->x,
                                .y = curve->y,
                                .low = curve->low,
                                .high = curve->high,
                                .texts = (const char *const *)curve->texts->pdata};
        g_array_append_val(series, one);
    }
    return series;
}

static void draw(DpcxrFigure *figure, const DpcxrComparison *c, const GPtrArray *curves)
{
    Extent e = find_extent(c, curves);
    const double ends[] = {e.x_low, e.x_high};
    gsize n = 2 * (gsize)c->runs->len;
    g_autofree double *levels = g_new(double, n), *lows = g_new(double, n), *highs = g_new(double, n);
    g_autoptr(GArray) series = make_series(curves);
    add_levels(series, c, ends, levels, lows, highs);
    DpcxrLineChart chart = {.label = "Mean AUROC of each run over its epsilon",
                            .width = 900,
                            .height = 380,
                            .frame = {.x_title = "epsilon",
                                      .y_title = "mean AUROC",
                                      .x = dpcxr_scale_log(e.x_low, e.x_high),
                                      .y = dpcxr_scale(e.y_low, e.y_high, TRUE),
                                      .x_ticks = 6,
                                      .y_ticks = 6,
                                      .zoom = DPCXR_ZOOM_X | DPCXR_ZOOM_Y},
                            .x_name = "epsilon",
                            .y_name = "AUROC",
                            .x_digits = 2,
                            .y_digits = 3,
                            .series = (const DpcxrChartSeries *)(void *)series->data,
                            .n_series = series->len,
                            .legend = TRUE};
    dpcxr_figure_add(figure, NULL, dpcxr_line_chart(&chart));
}

void dpcxr_compare_draw_epsilon(DpcxrPage *page, const DpcxrComparison *c, gboolean all)
{
    g_autoptr(GPtrArray) curves = find_curves(c, all);
    if (curves->len == 0)
        return;
    DpcxrFigure *figure = dpcxr_figure_new("auroc-epsilon", "AUROC over epsilon",
                                           all ? "One training has as many epsilons as accountants prove: "
                                                 "points at the same height are the same model (equal "
                                                 "noise). Dashed: runs without a claim."
                                               : "Each point is a training of its own, at the epsilon that "
                                                 "it claims. Dashed: runs without a claim.");
    figure->wide = TRUE;
    draw(figure, c, curves);
    fill(figure->table, curves);
    dpcxr_page_figure(page, figure);
}
