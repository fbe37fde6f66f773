/* SPDX-License-Identifier: MIT
 * How good the model is for each label. */
#include "report/chart-interval.h"
#include "report/markup.h"
#include "report/metric-names.h"
#include "report/sections.h"
#include <math.h>

static const char *const columns[] = {"auroc", "auprc", "sensitivity", "specificity",
                                      "ppv",   "npv",   "f1",          "accuracy"};

static DpcxrIntervalRow label_row(JsonObject *part, const char *label, GPtrArray *texts)
{
    JsonObject *one = dpcxr_look_object(part, "labels", label, NULL);
    DpcxrEstimate auroc = dpcxr_look_estimate(dpcxr_look_object(one, "metrics", NULL), "auroc");
    g_autofree char *positives = dpcxr_count_text(dpcxr_look_count(one, "positives"));
    char *note = g_strdup_printf("%s positive", positives);
    g_ptr_array_add(texts, note);
    return (DpcxrIntervalRow){.name = label,
                              .note = note,
                              .value = auroc.value,
                              .low = auroc.low,
                              .high = auroc.high,
                              .missing = dpcxr_status_text(dpcxr_look_string(one, "status"))};
}

static void fill_table(DpcxrTable *table, const GArray *rows)
{
    dpcxr_table_column(table, "label", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "AUROC", DPCXR_COLUMN_INTERVAL, 3);
    for (guint i = 0; i < rows->len; i++) {
        const DpcxrIntervalRow *row = &g_array_index(rows, DpcxrIntervalRow, i);
        dpcxr_table_text(table, row->name);
        if (isnan(row->value) && row->missing)
            dpcxr_table_missing(table, row->missing);
        else
            dpcxr_table_interval(table, row->value, row->low, row->high);
    }
}

static void draw_auroc(DpcxrPage *page, const DpcxrRunFiles *run, const char *split)
{
    JsonObject *part = dpcxr_results_split(run->results, split);
    JsonArray *labels = dpcxr_look_array(run->results, "labels");
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(DpcxrIntervalRow));
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < dpcxr_look_length(labels); i++) {
        DpcxrIntervalRow row = label_row(part, dpcxr_look_text(labels, i), texts);
        g_array_append_val(rows, row);
    }
    DpcxrEstimate mean = dpcxr_look_estimate(dpcxr_look_object(part, "mean", NULL), "auroc");
    DpcxrIntervalRow all = {
        .name = "Mean over labels", .value = mean.value, .low = mean.low, .high = mean.high, .colour = 1};
    if (rows->len > 1)
        g_array_append_val(rows, all);
    const DpcxrIntervalRow *data = (const DpcxrIntervalRow *)(void *)rows->data;
    DpcxrIntervalChart chart = {.label = "AUROC of each label with its interval",
                                .x_title = "AUROC (0.5 is a guess)",
                                .x = dpcxr_interval_scale(data, rows->len, 0.5),
                                .reference = 0.5,
                                .digits = 3,
                                .rows = data,
                                .n_rows = rows->len};
    DpcxrFigure *figure = dpcxr_figure_new("auroc", "AUROC of each label",
                                           "Dots are the values on all images, bars their intervals.");
    figure->wide = TRUE;
    dpcxr_figure_add(figure, NULL, dpcxr_interval_chart(&chart));
    fill_table(figure->table, rows);
    dpcxr_page_figure(page, figure);
}

static void table_row(DpcxrTable *table, JsonObject *metrics, const char *missing)
{
    for (gsize k = 0; k < G_N_ELEMENTS(columns); k++) {
        DpcxrEstimate estimate = dpcxr_look_estimate(metrics, columns[k]);
        if (isnan(estimate.value) && missing)
            dpcxr_table_missing(table, k == 0 ? missing : "\xE2\x80\x93");
        else
            dpcxr_table_interval(table, estimate.value, estimate.low, estimate.high);
    }
}

static gboolean any_unknown(JsonObject *part, JsonArray *labels)
{
    for (guint i = 0; i < dpcxr_look_length(labels); i++)
        if (dpcxr_look_count(dpcxr_look_object(part, "labels", dpcxr_look_text(labels, i), NULL), "missing"))
            return TRUE;
    return FALSE;
}

static void write_table(DpcxrPage *page, const DpcxrRunFiles *run, const char *split)
{
    JsonObject *part = dpcxr_results_split(run->results, split);
    JsonArray *labels = dpcxr_look_array(run->results, "labels");
    gboolean unknown = any_unknown(part, labels);
    g_autoptr(DpcxrTable) table = dpcxr_table_new(NULL);
    dpcxr_table_column(table, "Label", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Positive", DPCXR_COLUMN_COUNT, 0);
    dpcxr_table_column(table, "Negative", DPCXR_COLUMN_COUNT, 0);
    if (unknown)
        dpcxr_table_column(table, "Unknown", DPCXR_COLUMN_COUNT, 0);
    for (gsize k = 0; k < G_N_ELEMENTS(columns); k++)
        dpcxr_table_column(table, dpcxr_metric_title(columns[k]), DPCXR_COLUMN_INTERVAL, 3);
    for (guint i = 0; i < dpcxr_look_length(labels); i++) {
        const char *label = dpcxr_look_text(labels, i);
        JsonObject *one = dpcxr_look_object(part, "labels", label, NULL);
        dpcxr_table_text(table, label);
        dpcxr_table_count(table, dpcxr_look_count(one, "positives"));
        dpcxr_table_count(table, dpcxr_look_count(one, "negatives"));
        if (unknown)
            dpcxr_table_count(table, dpcxr_look_count(one, "missing"));
        table_row(table, dpcxr_look_object(one, "metrics", NULL),
                  dpcxr_status_text(dpcxr_look_string(one, "status")));
    }
    dpcxr_table_text(table, "Mean over labels");
    for (int k = 0; k < 2 + unknown; k++)
        dpcxr_table_missing(table, "");
    table_row(table, dpcxr_look_object(part, "mean", NULL), NULL);
    dpcxr_page_heading(page, "All measures");
    dpcxr_page_table(page, table);
}

static void say_how(DpcxrPage *page, const DpcxrRunFiles *run)
{
    JsonObject *ci = dpcxr_look_object(run->results, "ci", NULL);
    JsonObject *thresholds = dpcxr_look_object(run->results, "thresholds", NULL);
    const char *method = dpcxr_look_string(ci, "method"), *rule = dpcxr_look_string(thresholds, "rule");
    double level = 100 * dpcxr_look_number(ci, "level");
    if (g_strcmp0(method, "bootstrap") == 0)
        dpcxr_page_text(page,
                        "Intervals are %g %% percentile intervals of a bootstrap over %ss, %" G_GUINT64_FORMAT
                        " replicates.",
                        level, dpcxr_look_string(ci, "by"), dpcxr_look_count(ci, "replicates"));
    else if (g_strcmp0(method, "delong") == 0)
        dpcxr_page_text(
            page, "Intervals of AUROC are %g %% intervals after DeLong; other measures have none.", level);
    else
        dpcxr_page_text(page, "No intervals were computed (evaluate.ci.method is none).");
    if (rule)
        dpcxr_page_text(
            page,
            "Thresholds were chosen on the validation split (%s) and frozen before the other images were "
            "looked at.",
            rule);
    else
        dpcxr_page_text(
            page,
            "No threshold was chosen, because there was no validation split: what needs one is missing.");
}

void dpcxr_section_labels(DpcxrPage *page, const DpcxrRunFiles *run)
{
    const char *split = dpcxr_run_files_split(run);
    if (!split)
        return;
    dpcxr_page_section(page, "labels", "Labels");
    say_how(page, run);
    draw_auroc(page, run, split);
    write_table(page, run, split);
}
