/* SPDX-License-Identifier: MIT
 * Where the images came from, which were left out, who is in them. */
#include "report/chart-flow.h"
#include "report/markup.h"
#include "report/metric-names.h"
#include "report/sections.h"

static char *counted(guint64 images, guint64 patients)
{
    g_autofree char *n = dpcxr_count_text(images), *of = dpcxr_count_text(patients);
    return patients ? g_strdup_printf("%s image%s of %s patient%s", n, images == 1 ? "" : "s", of,
                                      patients == 1 ? "" : "s")
                    : g_strdup_printf("%s image%s", n, images == 1 ? "" : "s");
}

/* Lines of the box of what was left out. (transfer full) */
static GPtrArray *reasons(JsonObject *data)
{
    JsonArray *excluded = dpcxr_look_array(data, "excluded");
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < dpcxr_look_length(excluded); i++) {
        JsonObject *one = dpcxr_look_item(excluded, i);
        g_autofree char *n = dpcxr_count_text(dpcxr_look_count(one, "images"));
        g_ptr_array_add(lines, g_strdup_printf("%s: %s", n, dpcxr_look_string(one, "reason")));
    }
    return lines;
}

static void fill_flow(DpcxrTable *table, JsonObject *data, const char **splits)
{
    JsonArray *excluded = dpcxr_look_array(data, "excluded");
    dpcxr_table_column(table, "what", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "images", DPCXR_COLUMN_COUNT, 0);
    dpcxr_table_text(table, "found");
    dpcxr_table_count(table, dpcxr_look_count(data, "found"));
    for (guint i = 0; i < dpcxr_look_length(excluded); i++) {
        JsonObject *one = dpcxr_look_item(excluded, i);
        g_autofree char *what = g_strdup_printf("left out: %s", dpcxr_look_string(one, "reason"));
        dpcxr_table_text(table, what);
        dpcxr_table_count(table, dpcxr_look_count(one, "images"));
    }
    for (gsize i = 0; splits[i]; i++) {
        dpcxr_table_text(table, splits[i]);
        dpcxr_table_count(table,
                          dpcxr_look_count(dpcxr_look_object(data, "splits", splits[i], NULL), "images"));
    }
}

static void draw_flow(DpcxrPage *page, JsonObject *data, const char **splits)
{
    gsize n = g_strv_length((char **)splits);
    g_autoptr(GPtrArray) lines = reasons(data), texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree DpcxrFlowBox *ends = g_new0(DpcxrFlowBox, n);
    for (gsize i = 0; i < n; i++) {
        JsonObject *split = dpcxr_look_object(data, "splits", splits[i], NULL);
        g_ptr_array_add(texts,
                        counted(dpcxr_look_count(split, "images"), dpcxr_look_count(split, "patients")));
    }
    for (gsize i = 0; i < n; i++)
        ends[i] = (DpcxrFlowBox){splits[i], (const char *const *)&texts->pdata[i], 1};
    g_autofree char *found_line = counted(dpcxr_look_count(data, "found"), 0);
    const char *found_lines[] = {found_line};
    const DpcxrFlowBox found = {"Found in the data set", found_lines, 1};
    const DpcxrFlowBox excluded = {lines->len ? "Left out" : NULL, (const char *const *)lines->pdata,
                                   lines->len};
    DpcxrFigure *figure = dpcxr_figure_new("data-flow", "From files to splits", NULL);
    figure->wide = TRUE;
    dpcxr_figure_add(
        figure, NULL,
        dpcxr_flow_chart("Images found, left out, and in each split; the numbers are in the table", &found,
                         &excluded, ends, n));
    fill_flow(figure->table, data, splits);
    dpcxr_page_figure(page, figure);
}

static void write_groups(DpcxrPage *page, JsonObject *data, const char **splits)
{
    JsonObject *first = dpcxr_look_object(data, "splits", splits[0], "groups", NULL);
    g_autofree const char **groupings = dpcxr_look_keys(first);
    g_autoptr(DpcxrTable) table = dpcxr_table_new("Images and patients of each group");
    if (!groupings[0])
        return;
    dpcxr_table_column(table, "Group", DPCXR_COLUMN_TEXT, 0);
    for (gsize i = 0; splits[i]; i++)
        dpcxr_table_column(table, splits[i], DPCXR_COLUMN_TEXT, 0);
    for (gsize g = 0; groupings[g]; g++) {
        g_autofree const char **values = dpcxr_look_keys(dpcxr_look_object(first, groupings[g], NULL));
        for (gsize v = 0; values[v]; v++) {
            g_autofree char *name =
                g_strdup_printf("%s: %s", groupings[g], *values[v] ? values[v] : "not known");
            dpcxr_table_text(table, name);
            for (gsize i = 0; splits[i]; i++) {
                JsonObject *of =
                    dpcxr_look_object(data, "splits", splits[i], "groups", groupings[g], values[v], NULL);
                g_autofree char *images = dpcxr_count_text(dpcxr_look_count(of, "images"));
                g_autofree char *patients = dpcxr_count_text(dpcxr_look_count(of, "patients"));
                g_autofree char *text = g_strdup_printf("%s (%s)", images, patients);
                dpcxr_table_text(table, text);
            }
        }
    }
    dpcxr_page_table(page, table);
}

static void write_labels(DpcxrPage *page, JsonObject *data, const char **splits)
{
    static const char *const kinds[] = {"positive", "negative", "uncertain", "missing"};
    g_autofree const char **labels =
        dpcxr_look_keys(dpcxr_look_object(data, "splits", splits[0], "labels", NULL));
    g_autoptr(DpcxrTable) table = dpcxr_table_new("Labels in the files: positive / negative / uncertain / "
                                                  "missing, before the policies of the experiment");
    dpcxr_table_column(table, "Label", DPCXR_COLUMN_TEXT, 0);
    for (gsize i = 0; splits[i]; i++)
        dpcxr_table_column(table, splits[i], DPCXR_COLUMN_TEXT, 0);
    for (gsize l = 0; labels[l]; l++) {
        dpcxr_table_text(table, labels[l]);
        for (gsize i = 0; splits[i]; i++) {
            JsonObject *of = dpcxr_look_object(data, "splits", splits[i], "labels", labels[l], NULL);
            g_autoptr(GString) text = g_string_new(NULL);
            for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++) {
                g_autofree char *n = dpcxr_count_text(dpcxr_look_count(of, kinds[k]));
                g_string_append_printf(text, "%s%s", k ? " / " : "", n);
            }
            dpcxr_table_text(table, text->str);
        }
    }
    dpcxr_page_table(page, table);
}

void dpcxr_section_data(DpcxrPage *page, const DpcxrRunFiles *run)
{
    g_autofree const char **splits = dpcxr_look_keys(dpcxr_look_object(run->data, "splits", NULL));
    if (!splits[0])
        return;
    guint64 shared = dpcxr_look_count(run->data, "patients_in_several_splits");
    dpcxr_page_section(page, "data", "Data");
    draw_flow(page, run->data, splits);
    if (shared > 0)
        dpcxr_page_note(page, "%" G_GUINT64_FORMAT " patients are in more than one split.", shared);
    else
        dpcxr_page_text(page, "No patient is in more than one split.");
    write_groups(page, run->data, splits);
    write_labels(page, run->data, splits);
}
