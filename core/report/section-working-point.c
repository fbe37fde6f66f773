/* SPDX-License-Identifier: MIT
 * Who is called positive at the frozen thresholds. */
#include "report/chart-matrix.h"
#include "report/metric-names.h"
#include "report/sections.h"
#include <math.h>

static void name_columns(DpcxrTable *table)
{
    static const char *const counts[] = {"TP", "FN", "FP", "TN"};
    dpcxr_table_column(table, "label", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "threshold", DPCXR_COLUMN_NUMBER, 4);
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++)
        dpcxr_table_column(table, counts[i], DPCXR_COLUMN_COUNT, 0);
}

static void fill_row(DpcxrTable *table, const char *label, double threshold, const DpcxrMatrix *m)
{
    const guint64 counts[] = {m->tp, m->fn, m->fp, m->tn};
    dpcxr_table_text(table, label);
    dpcxr_table_number(table, threshold);
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++)
        dpcxr_table_count(table, counts[i]);
}

static void add_label(DpcxrFigure *figure, const DpcxrRunFiles *run, JsonObject *part, const char *label,
                      GString *without)
{
    JsonObject *counts = dpcxr_look_object(part, "labels", label, "confusion", NULL);
    double threshold =
        dpcxr_look_number(dpcxr_look_object(run->results, "thresholds", "labels", NULL), label);
    if (!counts || isnan(threshold)) {
        g_string_append_printf(without, "%s%s", without->len ? ", " : "", label);
        return;
    }
    DpcxrMatrix m = {dpcxr_look_count(counts, "tp"), dpcxr_look_count(counts, "fp"),
                     dpcxr_look_count(counts, "fn"), dpcxr_look_count(counts, "tn")};
    g_autofree char *text = g_strdup_printf("%s: %" G_GUINT64_FORMAT " true and %" G_GUINT64_FORMAT
                                            " false positives, %" G_GUINT64_FORMAT
                                            " false and %" G_GUINT64_FORMAT " true negatives",
                                            label, m.tp, m.fp, m.fn, m.tn);
    dpcxr_figure_add(figure, label, dpcxr_matrix_chart(text, &m));
    fill_row(figure->table, label, threshold, &m);
}

void dpcxr_section_working_point(DpcxrPage *page, const DpcxrRunFiles *run)
{
    const char *split = dpcxr_run_files_split(run);
    JsonObject *part = dpcxr_results_split(run->results, split);
    JsonArray *labels = dpcxr_look_array(run->results, "labels");
    if (!part || !dpcxr_look_object(run->results, "thresholds", NULL))
        return;
    DpcxrFigure *figure = dpcxr_figure_new("confusion", "Confusion at the threshold",
                                           "Rows are the truth; percentages and shades are shares of a row.");
    g_autoptr(GString) without = g_string_new(NULL);
    name_columns(figure->table);
    for (guint i = 0; i < dpcxr_look_length(labels); i++)
        add_label(figure, run, part, dpcxr_look_text(labels, i), without);
    dpcxr_page_section(page, "working-point", "Working point");
    if (without->len)
        dpcxr_page_note(
            page,
            "No threshold could be chosen for %s: the validation split has no known positives, or no "
            "negatives, of it.",
            without->str);
    if (figure->panels->len)
        dpcxr_page_figure(page, figure);
    else
        dpcxr_figure_free(figure);
}
