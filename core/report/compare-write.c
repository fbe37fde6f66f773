/* SPDX-License-Identifier: MIT
 * comparison.json: {"schema": 1, "split", "images", "patients", "baseline", "ci": {..}, "margin", "runs":
 * [{"run", "name", "epsilon", "delta", "accountant", "mean": VALUE, "p_not_inferior", "labels": {LABEL:
 * VALUE}, "groups": [{"grouping", "group", "n", ..VALUE}], "correlation": {"prevalence": {"r", "p", "n"},
 * "group_size": {..}}}]} with VALUE {"auroc": {"value", "low", "high"}, "difference": {..}, "p", "p_holm"};
 * what is not defined is null. */
#include "base/files.h"
#include "base/json-write.h"
#include "report/compare-page.h"

enum { SCHEMA = 1 };

static void put_estimate(JsonBuilder *json, const char *key, const DpcxrEstimate *e)
{
    dpcxr_json_begin_object(json, key);
    dpcxr_json_put_number(json, "value", e->value);
    dpcxr_json_put_number(json, "low", e->low);
    dpcxr_json_put_number(json, "high", e->high);
    json_builder_end_object(json);
}

static void put_value(JsonBuilder *json, const DpcxrComparedValue *value)
{
    put_estimate(json, "auroc", &value->auroc);
    put_estimate(json, "difference", &value->difference);
    dpcxr_json_put_number(json, "p", value->p);
    dpcxr_json_put_number(json, "p_holm", value->p_holm);
}

static void put_correlation(JsonBuilder *json, const char *key, const DpcxrRelation *r)
{
    dpcxr_json_begin_object(json, key);
    dpcxr_json_put_number(json, "r", r->r);
    dpcxr_json_put_number(json, "p", r->p);
    dpcxr_json_put_count(json, "n", r->n);
    json_builder_end_object(json);
}

static void put_groups(JsonBuilder *json, const DpcxrComparison *c, const DpcxrComparedRun *run)
{
    dpcxr_json_begin_array(json, "groups");
    for (gsize g = 0; g < c->n_groups; g++) {
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "grouping", c->groups[g].grouping);
        dpcxr_json_put_string(json, "group", c->groups[g].value);
        dpcxr_json_put_count(json, "n", c->groups[g].n);
        dpcxr_json_put_string(json, "status", c->groups[g].small ? "too_small" : "ok");
        put_value(json, &run->groups[g]);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void put_run(JsonBuilder *json, const DpcxrComparison *c, const DpcxrComparedRun *run)
{
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "run", run->files->root);
    dpcxr_json_put_string(json, "name", run->files->name);
    dpcxr_json_put_number(json, "epsilon", run->epsilon);
    dpcxr_json_put_number(json, "delta", run->delta);
    dpcxr_json_put_string(json, "accountant", run->accountant);
    dpcxr_json_begin_object(json, "mean");
    put_value(json, &run->mean);
    json_builder_end_object(json);
    dpcxr_json_put_number(json, "p_not_inferior", run->p_not_inferior);
    dpcxr_json_begin_object(json, "labels");
    for (gsize label = 0; label < c->n_labels; label++) {
        dpcxr_json_begin_object(json, c->labels[label]);
        put_value(json, &run->labels[label]);
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
    put_groups(json, c, run);
    dpcxr_json_begin_object(json, "correlation");
    put_correlation(json, "prevalence", &run->with_prevalence);
    put_correlation(json, "group_size", &run->with_size);
    json_builder_end_object(json);
    json_builder_end_object(json);
}

char *dpcxr_comparison_json(const DpcxrComparison *c)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "schema", SCHEMA);
    dpcxr_json_put_string(json, "split", c->options.split);
    dpcxr_json_put_count(json, "images", c->n);
    dpcxr_json_put_count(json, "patients", c->n_patients);
    dpcxr_json_put_string(json, "baseline", dpcxr_compared_run(c, c->baseline)->files->root);
    dpcxr_json_begin_object(json, "ci");
    dpcxr_json_put_string(json, "method", "bootstrap");
    dpcxr_json_put_count(json, "replicates", c->options.replicates);
    dpcxr_json_put_number(json, "level", c->options.level);
    dpcxr_json_put_count(json, "seed", c->options.seed);
    json_builder_end_object(json);
    dpcxr_json_put_number(json, "margin", c->options.margin);
    dpcxr_json_begin_array(json, "runs");
    for (guint i = 0; i < c->runs->len; i++)
        put_run(json, c, dpcxr_compared_run(c, i));
    json_builder_end_array(json);
    json_builder_end_object(json);
    return dpcxr_json_text(json);
}

static gboolean write_text(const char *folder, const char *name, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return dpcxr_write_file(path, text, -1, 0600, error);
}

/* NAME.csv and NAME.tex. Takes @table. */
static gboolean write_table(const char *folder, const char *name, DpcxrTable *table, GError **error)
{
    g_autofree char *csv = dpcxr_table_to_csv(table), *latex = dpcxr_table_to_latex(table);
    g_autofree char *csv_name = g_strconcat(name, ".csv", NULL),
                    *latex_name = g_strconcat(name, ".tex", NULL);
    dpcxr_table_free(table);
    return write_text(folder, csv_name, csv, error) && write_text(folder, latex_name, latex, error);
}

/* A comparison that is there is made again; anything else is not ours to overwrite. */
static gboolean check_folder(const char *folder, GError **error)
{
    g_autofree char *json = g_build_filename(folder, "comparison.json", NULL);
    if (!g_file_test(folder, G_FILE_TEST_EXISTS) || g_file_test(json, G_FILE_TEST_EXISTS))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s is there and is no comparison; use another --out",
                folder);
    return FALSE;
}

gboolean dpcxr_comparison_write(const DpcxrComparison *c, const char *folder, gboolean all_accountants,
                                GError **error)
{
    g_autofree char *json = dpcxr_comparison_json(c), *figures = g_build_filename(folder, "figures", NULL);
    g_autofree char *html = g_build_filename(folder, "comparison.html", NULL);
    g_autoptr(DpcxrPage) page = dpcxr_compare_page(c, all_accountants);
    if (!check_folder(folder, error) || !dpcxr_make_folder(folder, 0700, error) ||
        !write_text(folder, "comparison.json", json, error))
        return FALSE;
    dpcxr_remove_tree(figures);
    return write_table(folder, "runs", dpcxr_compare_runs_table(c), error) &&
           write_table(folder, "labels", dpcxr_compare_labels_table(c), error) &&
           write_table(folder, "groups", dpcxr_compare_groups_table(c), error) &&
           dpcxr_page_write(page, html, figures, TRUE, error);
}
