/* SPDX-License-Identifier: MIT
 * Whether a score of 0.3 means three in ten. */
#include "report/chart-line.h"
#include "report/metric-names.h"
#include "report/sections.h"
#include <math.h>
#include <string.h>

typedef struct {
    guint n;
    double *score, *rate, *low, *high, *size; /* [n] */
    GPtrArray *texts;
} Bins;

static void bins_clear(Bins *bins)
{
    g_free(bins->score);
    g_free(bins->rate);
    g_free(bins->low);
    g_free(bins->high);
    g_free(bins->size);
    g_ptr_array_unref(bins->texts);
}

/* Wilson's 95 % interval of a share, which stays within 0 and 1 (Wilson 1927). */
static void wilson(double rate, double n, double *low, double *high)
{
    const double z = 1.959963984540054;
    double middle = (rate + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
    *low = fmax(middle - half, 0);
    *high = fmin(middle + half, 1);
}

static Bins read_bins(JsonArray *array)
{
    guint n = dpcxr_look_length(array);
    Bins bins = {0,
                 g_new(double, n),
                 g_new(double, n),
                 g_new(double, n),
                 g_new(double, n),
                 g_new(double, n),
                 g_ptr_array_new_with_free_func(g_free)};
    for (guint i = 0; i < n; i++) {
        JsonObject *bin = dpcxr_look_item(array, i);
        double size = dpcxr_look_number(bin, "n"), rate = dpcxr_look_number(bin, "rate");
        if (!(size > 0) || isnan(rate))
            continue;
        guint k = bins.n++;
        bins.score[k] = dpcxr_look_number(bin, "mean_score");
        bins.rate[k] = rate;
        bins.size[k] = size;
        wilson(rate, size, &bins.low[k], &bins.high[k]);
        g_ptr_array_add(bins.texts,
                        g_strdup_printf("mean score %.3f: %.3f positive (%.3f\xE2\x80\x93%.3f), %.0f images",
                                        bins.score[k], rate, bins.low[k], bins.high[k], size));
    }
    return bins;
}

/* Axes end where the label's values do, or those of a rare one would all be in one corner. */
static double end_of(const double *values, guint n)
{
    double most = 0.05;
    for (guint i = 0; i < n; i++)
        most = fmax(most, values[i]);
    return fmin(ceil(most * 1.03 * 20 - 1e-9) / 20, 1);
}

static DpcxrSvg *draw(const char *label, const Bins *bins)
{
    static const double ends[] = {0, 1};
    const DpcxrChartSeries series[] = {{.kind = DPCXR_SERIES_REFERENCE, .n = 2, .x = ends, .y = ends},
                                       {.kind = DPCXR_SERIES_LINE_POINTS,
                                        .n = bins->n,
                                        .x = bins->score,
                                        .y = bins->rate,
                                        .low = bins->low,
                                        .high = bins->high,
                                        .small = TRUE,
                                        .texts = (const char *const *)bins->texts->pdata}};
    g_autofree char *text = g_strdup_printf("Calibration of %s in %u bins", label, bins->n);
    DpcxrLineChart chart = {.label = text,
                            .width = 300,
                            .height = 290,
                            .frame = {.x_title = "score",
                                      .y_title = "share of positives",
                                      .x = dpcxr_scale(0, end_of(bins->score, bins->n), FALSE),
                                      .y = dpcxr_scale(0, end_of(bins->high, bins->n), FALSE),
                                      .x_ticks = 5,
                                      .y_ticks = 5,
                                      .zoom = DPCXR_ZOOM_X | DPCXR_ZOOM_Y},
                            .series = series,
                            .n_series = 2};
    return dpcxr_line_chart(&chart);
}

static void fill(DpcxrTable *table, const char *label, const Bins *bins)
{
    for (guint i = 0; i < bins->n; i++) {
        dpcxr_table_text(table, label);
        dpcxr_table_count(table, (guint64)bins->size[i]);
        dpcxr_table_number(table, bins->score[i]);
        dpcxr_table_interval(table, bins->rate[i], bins->low[i], bins->high[i]);
    }
}

static DpcxrFigure *make_figure(JsonObject *part, JsonArray *labels)
{
    DpcxrFigure *figure = dpcxr_figure_new(
        "calibration", "Calibration",
        "Scores in ten bins of equally many images against the share of positives among them; on the dashed "
        "line a score is "
        "a probability. Bars are Wilson's 95 % intervals. Axes end where the values of the label do.");
    dpcxr_table_column(figure->table, "label", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(figure->table, "images", DPCXR_COLUMN_COUNT, 0);
    dpcxr_table_column(figure->table, "mean_score", DPCXR_COLUMN_NUMBER, 4);
    dpcxr_table_column(figure->table, "rate", DPCXR_COLUMN_INTERVAL, 4);
    for (guint i = 0; i < dpcxr_look_length(labels); i++) {
        const char *label = dpcxr_look_text(labels, i);
        JsonObject *one = dpcxr_look_object(part, "labels", label, NULL);
        Bins bins = read_bins(dpcxr_look_array(dpcxr_look_object(one, "calibration", NULL), "equal_mass"));
        if (bins.n > 0 && !dpcxr_status_text(dpcxr_look_string(one, "status"))) {
            dpcxr_figure_add(figure, label, draw(label, &bins));
            fill(figure->table, label, &bins);
        }
        bins_clear(&bins);
    }
    return figure;
}

static void write_table(DpcxrPage *page, JsonObject *part, JsonArray *labels)
{
    static const char *const metrics[] = {"brier", "ece_equal_width", "ece_equal_mass", "calibration_slope",
                                          "calibration_intercept"};
    g_autoptr(DpcxrTable) table = dpcxr_table_new(NULL);
    dpcxr_table_column(table, "Label", DPCXR_COLUMN_TEXT, 0);
    for (gsize k = 0; k < G_N_ELEMENTS(metrics); k++)
        dpcxr_table_column(table, dpcxr_metric_title(metrics[k]), DPCXR_COLUMN_INTERVAL, 3);
    for (guint i = 0; i < dpcxr_look_length(labels); i++) {
        JsonObject *one = dpcxr_look_object(part, "labels", dpcxr_look_text(labels, i), "metrics", NULL);
        dpcxr_table_text(table, dpcxr_look_text(labels, i));
        for (gsize k = 0; k < G_N_ELEMENTS(metrics); k++) {
            DpcxrEstimate e = dpcxr_look_estimate(one, metrics[k]);
            dpcxr_table_interval(table, e.value, e.low, e.high);
        }
    }
    dpcxr_page_table(page, table);
}

static gboolean weighs_positives(const DpcxrRunFiles *run)
{
    if (!run->config)
        return FALSE;
    const char *at = strstr(run->config, "pos_weight:");
    return at && !g_str_has_prefix(at, "pos_weight:\n    type: none");
}

void dpcxr_section_calibration(DpcxrPage *page, const DpcxrRunFiles *run)
{
    JsonObject *part = dpcxr_results_split(run->results, dpcxr_run_files_split(run));
    JsonArray *labels = dpcxr_look_array(run->results, "labels");
    if (!part)
        return;
    DpcxrFigure *figure = make_figure(part, labels);
    if (figure->panels->len == 0) {
        dpcxr_figure_free(figure);
        return;
    }
    dpcxr_page_section(page, "calibration", "Calibration");
    if (weighs_positives(run))
        dpcxr_page_note(
            page, "Positives were weighed in the loss (loss.pos_weight), which raises scores: they are not "
                  "probabilities before they are recalibrated.");
    dpcxr_page_figure(page, figure);
    dpcxr_page_text(
        page,
        "A slope below 1 says that scores are too extreme, an intercept below 0 that they are too high on "
        "the whole. ECE is the expected calibration error.");
    write_table(page, part, labels);
}
