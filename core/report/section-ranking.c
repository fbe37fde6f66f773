/* SPDX-License-Identifier: MIT
 * ROC and precision-recall curves, from the predictions of a split, with bands from the same resamples as the
 * intervals. */
#include "eval/known.h"
#include "report/chart-line.h"
#include "report/curve-bands.h"
#include "report/markup.h"
#include "report/metric-names.h"
#include "report/sections.h"
#include "stats/ranking.h"
#include <math.h>

typedef enum { ROC, PR } Kind;

typedef struct {
    const DpcxrRunFiles *run;
    JsonObject *part; /* of the split in results.json */
    DpcxrPredictionFile *file;
    DpcxrScored **samples; /* [labels] */
    DpcxrBands *bands;     /* (nullable) [labels] */
    DpcxrFigure *figures[2];
} Ranking;

/* A curve as series are drawn. */
typedef struct {
    gsize n;
    double *x, *y;
} Curve;

static void curve_clear(Curve *curve)
{
    g_free(curve->x);
    g_free(curve->y);
}

static Curve make_curve(const DpcxrScored *sample, Kind kind)
{
    gsize n_points, first = kind == ROC ? 1 : 0;
    g_autofree DpcxrCurvePoint *points = dpcxr_curve(sample, &n_points);
    double positives = (double)sample->positives, negatives = (double)(sample->n - sample->positives);
    Curve curve = {n_points + first, g_new0(double, n_points + first), g_new0(double, n_points + first)};
    for (gsize i = 0; i < n_points; i++) {
        double tp = (double)points[i].tp, fp = (double)points[i].fp;
        curve.x[i + first] = kind == ROC ? fp / negatives : tp / positives;
        curve.y[i + first] = kind == ROC ? tp / positives : tp / (tp + fp);
    }
    return curve;
}

static DpcxrSpot working_point(const Ranking *r, const char *label, Kind kind, char **text)
{
    JsonObject *metrics = dpcxr_look_object(r->part, "labels", label, "metrics", NULL);
    double threshold =
        dpcxr_look_number(dpcxr_look_object(r->run->results, "thresholds", "labels", NULL), label);
    double sensitivity = dpcxr_look_estimate(metrics, "sensitivity").value;
    double other = dpcxr_look_estimate(metrics, kind == ROC ? "fpr" : "ppv").value;
    *text = g_strdup_printf("working point %.3f: sensitivity %.3f, %s %.3f", threshold, sensitivity,
                            kind == ROC ? "false-positive rate" : "precision", other);
    if (isnan(threshold))
        other = sensitivity = NAN;
    return (DpcxrSpot){kind == ROC ? other : sensitivity, kind == ROC ? sensitivity : other, 1, *text};
}

static char *inset_text(const Ranking *r, const char *label, Kind kind)
{
    JsonObject *metrics = dpcxr_look_object(r->part, "labels", label, "metrics", NULL);
    DpcxrEstimate e = dpcxr_look_estimate(metrics, kind == ROC ? "auroc" : "auprc");
    g_autofree char *text = dpcxr_interval_text(e.value, e.low, e.high, 3);
    return g_strdup_printf("%s %s", kind == ROC ? "AUROC" : "AUPRC", text);
}

static DpcxrSvg *draw(const Ranking *r, guint label, Kind kind, const Curve *curve)
{
    const char *name = r->file->labels[label];
    const DpcxrScored *sample = r->samples[label];
    double grid[DPCXR_BAND_POINTS], nothing[DPCXR_BAND_POINTS];
    double chance = (double)sample->positives / (double)sample->n;
    const double ends[] = {0, 1}, guess[] = {kind == ROC ? 0 : chance, kind == ROC ? 1 : chance};
    for (int i = 0; i < DPCXR_BAND_POINTS; i++) {
        grid[i] = (double)i / (DPCXR_BAND_POINTS - 1);
        nothing[i] = NAN;
    }
    const DpcxrBands *bands = r->bands ? &r->bands[label] : NULL;
    const DpcxrChartSeries series[] = {
        {.kind = DPCXR_SERIES_REFERENCE, .n = 2, .x = ends, .y = guess},
        {.kind = DPCXR_SERIES_LINE,
         .n = bands ? DPCXR_BAND_POINTS : 0,
         .x = grid,
         .y = nothing,
         .low = !bands        ? NULL
                : kind == ROC ? bands->roc_low
                              : bands->pr_low,
         .high = !bands        ? NULL
                 : kind == ROC ? bands->roc_high
                               : bands->pr_high},
        {.kind = DPCXR_SERIES_LINE, .n = curve->n, .x = curve->x, .y = curve->y}};
    g_autofree char *inset = inset_text(r, name, kind), *text = NULL;
    const DpcxrSpot spot = working_point(r, name, kind, &text);
    g_autofree char *label_text =
        g_strdup_printf("%s curve of %s, %s; %s", kind == ROC ? "ROC" : "Precision-recall", name, inset,
                        isnan(spot.x) || isnan(spot.y) ? "no working point" : text);
    DpcxrLineChart chart = {.label = label_text,
                            .width = 300,
                            .height = 290,
                            .frame = {.x_title = kind == ROC ? "false-positive rate" : "recall (sensitivity)",
                                      .y_title = kind == ROC ? "sensitivity" : "precision (PPV)",
                                      .x = dpcxr_scale(0, 1, FALSE),
                                      .y = dpcxr_scale(0, 1, FALSE),
                                      .x_ticks = 5,
                                      .y_ticks = 5,
                                      .zoom = DPCXR_ZOOM_X | DPCXR_ZOOM_Y},
                            .x_name = kind == ROC ? "FPR" : "recall",
                            .y_name = kind == ROC ? "sensitivity" : "precision",
                            .x_digits = 3,
                            .y_digits = 3,
                            .series = series,
                            .n_series = G_N_ELEMENTS(series),
                            .spots = &spot,
                            .n_spots = !isnan(spot.x) && !isnan(spot.y),
                            .inset = inset,
                            .inset_left = kind == PR};
    return dpcxr_line_chart(&chart);
}

/* The curve where the band has its places, so that a table can be read: at each the height of the drawn
 * curve. */
static double height_at(const Curve *curve, double x, Kind kind)
{
    double height = NAN;
    for (gsize i = 0; i < curve->n; i++) {
        if (kind == PR && curve->x[i] >= x - 1e-9)
            return curve->y[i];
        if (kind == ROC && curve->x[i] <= x + 1e-12)
            height = curve->y[i];
        if (kind == ROC && curve->x[i] > x + 1e-12)
            return height + (curve->y[i] - height) * (x - curve->x[i - 1]) / (curve->x[i] - curve->x[i - 1]);
    }
    return height;
}

static void fill(const Ranking *r, guint label, Kind kind, const Curve *curve)
{
    DpcxrTable *table = r->figures[kind]->table;
    const DpcxrBands *bands = r->bands ? &r->bands[label] : NULL;
    for (int i = 0; i < DPCXR_BAND_POINTS; i += 2) {
        double x = (double)i / (DPCXR_BAND_POINTS - 1);
        dpcxr_table_text(table, r->file->labels[label]);
        dpcxr_table_number(table, x);
        dpcxr_table_interval(table, height_at(curve, x, kind),
                             !bands        ? NAN
                             : kind == ROC ? bands->roc_low[i]
                                           : bands->pr_low[i],
                             !bands        ? NAN
                             : kind == ROC ? bands->roc_high[i]
                                           : bands->pr_high[i]);
    }
}

static void add_label(const Ranking *r, guint label, Kind kind)
{
    Curve curve = make_curve(r->samples[label], kind);
    dpcxr_figure_add(r->figures[kind], r->file->labels[label], draw(r, label, kind, &curve));
    fill(r, label, kind, &curve);
    curve_clear(&curve);
}

static void make_figures(Ranking *r)
{
    const char *band =
        r->bands ? " Bands are pointwise intervals over the same resamples as the intervals of the area."
                 : "";
    g_autofree char *roc =
        g_strdup_printf("The ringed point is the frozen threshold; the dashed line is a guess.%s", band);
    g_autofree char *pr = g_strdup_printf(
        "The ringed point is the frozen threshold; the dashed line is the share of positives, what a guess "
        "has.%s",
        band);
    r->figures[ROC] = dpcxr_figure_new("roc", "ROC curves", roc);
    r->figures[PR] = dpcxr_figure_new("precision-recall", "Precision-recall curves", pr);
    for (int k = 0; k < 2; k++) {
        dpcxr_table_column(r->figures[k]->table, "label", DPCXR_COLUMN_TEXT, 0);
        dpcxr_table_column(r->figures[k]->table, k == ROC ? "fpr" : "recall", DPCXR_COLUMN_NUMBER, 2);
        dpcxr_table_column(r->figures[k]->table, k == ROC ? "sensitivity" : "precision",
                           DPCXR_COLUMN_INTERVAL, 3);
    }
    for (guint label = 0; label < r->file->n_labels; label++)
        for (int k = 0; k < 2 && dpcxr_scored_ranks(r->samples[label]); k++)
            add_label(r, label, (Kind)k);
}

static gboolean make_bands(Ranking *r, GError **error)
{
    JsonObject *ci = dpcxr_look_object(r->run->results, "ci", NULL);
    gsize n = r->file->n_labels, replicates = dpcxr_look_count(ci, "replicates");
    double level = dpcxr_look_number(ci, "level");
    if (g_strcmp0(dpcxr_look_string(ci, "method"), "bootstrap") != 0 || replicates == 0 || isnan(level) ||
        r->file->n == 0)
        return TRUE;
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(0, error);
    if (!workers)
        return FALSE;
    gboolean by_image = g_strcmp0(dpcxr_look_string(ci, "by"), "image") == 0;
    g_autofree guint32 *images = g_new(guint32, r->file->n);
    for (gsize i = 0; i < r->file->n; i++)
        images[i] = (guint32)i;
    r->bands = g_new(DpcxrBands, n);
    dpcxr_curve_bands(r->samples, n, by_image ? images : r->file->patients,
                      by_image ? r->file->n : r->file->n_patients, replicates, level,
                      dpcxr_look_count(ci, "seed"), workers, r->bands);
    return TRUE;
}

static void show(DpcxrPage *page, Ranking *r)
{
    g_autoptr(GString) without = g_string_new(NULL);
    make_figures(r);
    for (guint label = 0; label < r->file->n_labels; label++)
        if (!dpcxr_scored_ranks(r->samples[label]))
            g_string_append_printf(without, "%s%s", without->len ? ", " : "", r->file->labels[label]);
    dpcxr_page_section(page, "ranking", "ROC and precision-recall");
    if (without->len)
        dpcxr_page_note(page, "No curves of %s: there are not both positives and negatives.", without->str);
    for (int k = 0; k < 2; k++) {
        if (r->figures[k]->panels->len)
            dpcxr_page_figure(page, r->figures[k]);
        else
            dpcxr_figure_free(r->figures[k]);
    }
}

gboolean dpcxr_section_ranking(DpcxrPage *page, const DpcxrRunFiles *run, GError **error)
{
    const char *split = dpcxr_run_files_split(run);
    if (!split)
        return TRUE;
    g_autofree char *file = g_strdup_printf("predictions-%s.csv", split);
    g_autofree char *path = g_build_filename(run->root, "private", file, NULL);
    Ranking r = {.run = run, .part = dpcxr_results_split(run->results, split)};
    r.file = dpcxr_prediction_file_read(path, error);
    if (!r.file)
        return FALSE;
    gsize n = r.file->n_labels;
    r.samples = g_new(DpcxrScored *, n);
    for (guint i = 0; i < n; i++)
        r.samples[i] = dpcxr_known_rows(r.file, i);
    gboolean good = make_bands(&r, error);
    if (good)
        show(page, &r);
    for (guint i = 0; i < n; i++)
        dpcxr_scored_free(r.samples[i]);
    g_free(r.samples);
    g_free(r.bands);
    dpcxr_prediction_file_free(r.file);
    return good;
}
