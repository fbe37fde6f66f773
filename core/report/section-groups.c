/* SPDX-License-Identifier: MIT
 * Whether the model is as good for everybody. Groups that are too small are shown as that. */
#include "report/chart-interval.h"
#include "report/markup.h"
#include "report/metric-names.h"
#include "report/sections.h"
#include <math.h>

static const struct {
    const char *metric, *title, *id, *x_title;
    double reference;
} charts[] = {
    {"auroc", "Mean AUROC", "groups-auroc", "mean AUROC over labels", 0.5},
    {"fnr", "Mean false-negative rate", "groups-fnr", "mean false-negative rate over labels", NAN},
    {"underdiagnosis_rate", "Underdiagnosis rate", "groups-underdiagnosis", "underdiagnosis rate", NAN},
};

static gboolean is_crossing(JsonObject *grouping)
{
    return dpcxr_look_length(dpcxr_look_array(grouping, "columns")) > 1;
}

static DpcxrEstimate value_of(JsonObject *group, const char *metric)
{
    if (g_str_equal(metric, "underdiagnosis_rate"))
        return dpcxr_look_estimate(group, metric);
    return dpcxr_look_estimate(dpcxr_look_object(group, "mean", NULL), metric);
}

static void add_group(GArray *rows, const char *name, JsonObject *group, const char *metric, int colour,
                      GPtrArray *texts)
{
    DpcxrEstimate value = value_of(group, metric);
    const char *why = dpcxr_status_text(dpcxr_look_string(group, "status"));
    g_autofree char *n = dpcxr_count_text(dpcxr_look_count(group, "n"));
    char *note = g_strdup_printf("n = %s", n);
    g_ptr_array_add(texts, note);
    DpcxrIntervalRow row = {.name = name,
                            .note = note,
                            .value = value.value,
                            .low = value.low,
                            .high = value.high,
                            .missing = why ? why : "not defined",
                            .colour = colour};
    g_array_append_val(rows, row);
}

static void add_grouping(GArray *rows, const char *name, JsonObject *grouping, const char *metric, int colour,
                         GPtrArray *texts)
{
    JsonObject *values = dpcxr_look_object(grouping, "values", NULL);
    g_autofree const char **keys = dpcxr_look_keys(values);
    DpcxrIntervalRow heading = {.name = name, .heading = TRUE, .value = NAN, .low = NAN, .high = NAN};
    g_array_append_val(rows, heading);
    for (gsize i = 0; keys[i]; i++)
        add_group(rows, keys[i], dpcxr_look_object(values, keys[i], NULL), metric, colour, texts);
}

static GArray *rows_of(JsonObject *groups, const char *metric, gboolean crossings, GPtrArray *texts)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(DpcxrIntervalRow));
    g_autofree const char **names = dpcxr_look_keys(groups);
    for (gsize i = 0; names[i]; i++) {
        JsonObject *grouping = dpcxr_look_object(groups, names[i], NULL);
        if (is_crossing(grouping) == crossings)
            add_grouping(rows, names[i], grouping, metric, (int)(i % DPCXR_N_COLOURS), texts);
    }
    return rows;
}

static gboolean any_value(const GArray *rows)
{
    for (guint i = 0; i < rows->len; i++)
        if (!isnan(g_array_index(rows, DpcxrIntervalRow, i).value))
            return TRUE;
    return FALSE;
}

static void fill_table(DpcxrTable *table, const char *metric, const GArray *rows)
{
    const char *grouping = "";
    dpcxr_table_column(table, "grouping", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "group", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "size", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, metric, DPCXR_COLUMN_INTERVAL, 3);
    for (guint i = 0; i < rows->len; i++) {
        const DpcxrIntervalRow *row = &g_array_index(rows, DpcxrIntervalRow, i);
        if (row->heading) {
            grouping = row->name;
            continue;
        }
        dpcxr_table_text(table, grouping);
        dpcxr_table_text(table, row->name);
        dpcxr_table_text(table, row->note);
        if (isnan(row->value))
            dpcxr_table_missing(table, row->missing);
        else
            dpcxr_table_interval(table, row->value, row->low, row->high);
    }
}

static void draw(DpcxrPage *page, JsonObject *part, gsize which, gboolean crossings)
{
    JsonObject *groups = dpcxr_look_object(part, "groups", NULL);
    const char *label = dpcxr_look_string(part, "underdiagnosis_label");
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) rows = rows_of(groups, charts[which].metric, crossings, texts);
    if (!any_value(rows))
        return;
    g_autofree char *id = g_strconcat(charts[which].id, crossings ? "-crossed" : "", NULL);
    g_autofree char *title =
        g_strdup_printf("%s by group%s", charts[which].title, crossings ? ", crossed" : "");
    g_autofree char *caption =
        which == 2
            ? g_strdup_printf(
                  "The share of images with a finding that are called \"%s\": a false-positive rate, and "
                  "the lower the better.",
                  label ? label : "")
            : g_strdup("Means are over labels that have a value in the group.");
    const DpcxrIntervalRow *data = (const DpcxrIntervalRow *)(void *)rows->data;
    DpcxrIntervalChart chart = {.label = title,
                                .x_title = charts[which].x_title,
                                .reference = charts[which].reference,
                                .x = dpcxr_interval_scale(data, rows->len, charts[which].reference),
                                .digits = 3,
                                .rows = data,
                                .n_rows = rows->len};
    DpcxrFigure *figure = dpcxr_figure_new(id, title, caption);
    figure->wide = TRUE;
    dpcxr_figure_add(figure, NULL, dpcxr_interval_chart(&chart));
    fill_table(figure->table, charts[which].metric, rows);
    dpcxr_page_figure(page, figure);
}

/* What the groupings have in @part ("gaps" or "parity") as means over labels. */
static void write_means(DpcxrPage *page, JsonObject *groups, const char *part, const char *caption)
{
    g_autofree const char **names = dpcxr_look_keys(groups);
    g_autofree const char **metrics =
        names[0] ? dpcxr_look_keys(dpcxr_look_object(groups, names[0], part, "mean", NULL))
                 : dpcxr_look_keys(NULL);
    g_autoptr(DpcxrTable) table = dpcxr_table_new(caption);
    if (!metrics[0])
        return;
    dpcxr_table_column(table, "Grouping", DPCXR_COLUMN_TEXT, 0);
    for (gsize k = 0; metrics[k]; k++)
        dpcxr_table_column(table, dpcxr_metric_title(metrics[k]), DPCXR_COLUMN_INTERVAL, 3);
    for (gsize i = 0; names[i]; i++) {
        JsonObject *mean = dpcxr_look_object(groups, names[i], part, "mean", NULL);
        dpcxr_table_text(table, names[i]);
        for (gsize k = 0; metrics[k]; k++) {
            DpcxrEstimate e = dpcxr_look_estimate(mean, metrics[k]);
            dpcxr_table_interval(table, e.value, e.low, e.high);
        }
    }
    dpcxr_page_table(page, table);
}

static void gap_row(DpcxrTable *table, const char *grouping, const char *label, JsonObject *gaps)
{
    JsonObject *auroc = dpcxr_look_object(gaps, "auroc", NULL);
    DpcxrEstimate gap = dpcxr_look_estimate(gaps, "auroc"), fnr = dpcxr_look_estimate(gaps, "fnr");
    const char *worst = dpcxr_look_string(auroc, "worst");
    dpcxr_table_text(table, grouping);
    dpcxr_table_text(table, label);
    dpcxr_table_interval(table, gap.value, gap.low, gap.high);
    dpcxr_table_text(table, worst ? worst : "\xE2\x80\x93");
    dpcxr_table_interval(table, fnr.value, fnr.low, fnr.high);
    worst = dpcxr_look_string(dpcxr_look_object(gaps, "fnr", NULL), "worst");
    dpcxr_table_text(table, worst ? worst : "\xE2\x80\x93");
}

static void write_gaps(DpcxrPage *page, JsonObject *groups)
{
    g_autoptr(DpcxrTable) table = dpcxr_table_new("Largest minus smallest, and the worst group");
    g_autofree const char **names = dpcxr_look_keys(groups);
    dpcxr_table_column(table, "Grouping", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Label", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "AUROC gap", DPCXR_COLUMN_INTERVAL, 3);
    dpcxr_table_column(table, "Worst", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "FNR gap", DPCXR_COLUMN_INTERVAL, 3);
    dpcxr_table_column(table, "Worst", DPCXR_COLUMN_TEXT, 0);
    for (gsize i = 0; names[i]; i++) {
        JsonObject *labels = dpcxr_look_object(groups, names[i], "gaps", "labels", NULL);
        g_autofree const char **keys = dpcxr_look_keys(labels);
        for (gsize k = 0; keys[k]; k++)
            gap_row(table, names[i], keys[k], dpcxr_look_object(labels, keys[k], NULL));
    }
    if (dpcxr_table_rows(table) == 0)
        return;
    dpcxr_page_begin_fold(page, "Gaps of each label");
    dpcxr_page_table(page, table);
    dpcxr_page_end_fold(page);
}

static void say_unknown(DpcxrPage *page, JsonObject *groups)
{
    g_autofree const char **names = dpcxr_look_keys(groups);
    for (gsize i = 0; names[i]; i++) {
        JsonObject *grouping = dpcxr_look_object(groups, names[i], NULL);
        guint64 unknown = dpcxr_look_count(grouping, "unknown");
        if (unknown > 0 && !is_crossing(grouping))
            dpcxr_page_text(page,
                            "%" G_GUINT64_FORMAT " images are in no group of %s: it is not known for them.",
                            unknown, names[i]);
    }
}

void dpcxr_section_groups(DpcxrPage *page, const DpcxrRunFiles *run)
{
    JsonObject *part = dpcxr_results_split(run->results, dpcxr_run_files_split(run));
    JsonObject *groups = dpcxr_look_object(part, "groups", NULL);
    if (!groups || json_object_get_size(groups) == 0)
        return;
    dpcxr_page_section(page, "groups", "Groups");
    say_unknown(page, groups);
    for (gsize which = 0; which < G_N_ELEMENTS(charts); which++)
        draw(page, part, which, FALSE);
    draw(page, part, 0, TRUE);
    dpcxr_page_heading(page, "Differences between groups");
    write_means(page, groups, "parity", "Parity, mean over labels");
    write_means(page, groups, "gaps", "Gaps (largest minus smallest), mean over labels");
    write_gaps(page, groups);
}
