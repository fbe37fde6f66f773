/* SPDX-License-Identifier: MIT
 * The runs of a comparison, and that they can be compared: the same images with the same truths. */
#include "report/compare.h"
#include "report/metric-names.h"
#include <math.h>
#include <string.h>

static void run_free(gpointer data)
{
    DpcxrComparedRun *run = data;
    dpcxr_run_files_free(run->files);
    dpcxr_scores_free(run->scores);
    g_free(run->labels);
    g_free(run->groups);
    g_free(run);
}

void dpcxr_comparison_free(DpcxrComparison *c)
{
    if (!c)
        return;
    g_ptr_array_unref(c->runs);
    for (gsize i = 0; i < c->n_groups; i++) {
        g_free(c->groups[i].grouping);
        g_free(c->groups[i].value);
    }
    g_strfreev(c->labels);
    g_free(c->positives);
    g_free(c->known);
    g_free(c->groups);
    g_free(c);
}

const DpcxrComparedRun *dpcxr_compared_run(const DpcxrComparison *c, guint i)
{
    return g_ptr_array_index(c->runs, i);
}

static gboolean read_run(DpcxrComparison *c, const char *root, GError **error)
{
    DpcxrRunFiles *files = dpcxr_run_files_read(root, FALSE, error);
    if (!files)
        return FALSE;
    DpcxrComparedRun *run = g_new0(DpcxrComparedRun, 1);
    JsonObject *claim = dpcxr_look_object(files->privacy, "claim", NULL);
    run->files = files;
    run->epsilon = dpcxr_look_number(claim, "epsilon");
    run->delta = dpcxr_look_number(claim, "delta");
    run->accountant = dpcxr_look_string(claim, "accountant");
    g_ptr_array_add(c->runs, run);
    if (dpcxr_results_split(files->results, c->options.split))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: was not evaluated on the %s split", root, c->options.split);
    return FALSE;
}

/* The one that was asked for, else the first that is not private, else the first. */
static gboolean find_baseline(DpcxrComparison *c, const char *const *roots, GError **error)
{
    for (guint i = 0; c->options.baseline && i < c->runs->len; i++)
        if (g_str_equal(roots[i], c->options.baseline)) {
            c->baseline = i;
            return TRUE;
        }
    if (c->options.baseline) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "the baseline %s is none of the runs", c->options.baseline);
        return FALSE;
    }
    for (guint i = 0; i < c->runs->len; i++)
        if (isnan(dpcxr_compared_run(c, i)->epsilon)) {
            c->baseline = i;
            return TRUE;
        }
    return TRUE;
}

static void find_labels(DpcxrComparison *c)
{
    JsonArray *labels = dpcxr_look_array(dpcxr_compared_run(c, c->baseline)->files->results, "labels");
    c->n_labels = dpcxr_look_length(labels);
    c->labels = g_new0(char *, c->n_labels + 1);
    for (guint i = 0; i < c->n_labels; i++)
        c->labels[i] = g_strdup(dpcxr_look_text(labels, i));
}

/* Groupings of one column; crossings are too small to compare. (transfer full) */
static char **find_groupings(const DpcxrComparison *c)
{
    JsonObject *part =
        dpcxr_results_split(dpcxr_compared_run(c, c->baseline)->files->results, c->options.split);
    JsonObject *groups = dpcxr_look_object(part, "groups", NULL);
    g_autofree const char **keys = dpcxr_look_keys(groups);
    GPtrArray *names = g_ptr_array_new();
    for (gsize i = 0; keys[i]; i++)
        if (dpcxr_look_length(dpcxr_look_array(dpcxr_look_object(groups, keys[i], NULL), "columns")) == 1)
            g_ptr_array_add(names, g_strdup(keys[i]));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static gboolean read_scores(DpcxrComparison *c, DpcxrComparedRun *run, const char *const *groupings, GError **error)
{
    g_autofree char *file = g_strdup_printf("predictions-%s.csv", c->options.split);
    g_autofree char *path = g_build_filename(run->files->root, "private", file, NULL);
    run->scores = dpcxr_scores_read(path, (const char *const *)c->labels, groupings, error);
    return run->scores != NULL;
}

static gboolean align(const DpcxrComparison *c, DpcxrComparedRun *run, GError **error)
{
    const DpcxrComparedRun *baseline = dpcxr_compared_run(c, c->baseline);
    if (run == baseline || dpcxr_scores_align(run->scores, baseline->scores, error))
        return TRUE;
    g_prefix_error(error, "%s and %s cannot be compared: ", baseline->files->root, run->files->root);
    return FALSE;
}

static gboolean read_predictions(DpcxrComparison *c, GError **error)
{
    g_auto(GStrv) groupings = find_groupings(c);
    DpcxrComparedRun *baseline = g_ptr_array_index(c->runs, c->baseline);
    if (!read_scores(c, baseline, (const char *const *)groupings, error))
        return FALSE;
    for (guint i = 0; i < c->runs->len; i++) {
        DpcxrComparedRun *run = g_ptr_array_index(c->runs, i);
        if ((run != baseline && !read_scores(c, run, NULL, error)) || !align(c, run, error))
            return FALSE;
    }
    return TRUE;
}

/* Values in the order of results.json, which is that of bins. */
static void find_groups(DpcxrComparison *c)
{
    const DpcxrComparedRun *baseline = dpcxr_compared_run(c, c->baseline);
    JsonObject *part = dpcxr_results_split(baseline->files->results, c->options.split);
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(DpcxrComparedGroup));
    for (guint g = 0; g < baseline->scores->groupings->len; g++) {
        const char *grouping = g_ptr_array_index(baseline->scores->groupings, g);
        g_autofree const char **values = dpcxr_look_keys(dpcxr_look_object(part, "groups", grouping, "values", NULL));
        for (gsize v = 0; values[v]; v++) {
            DpcxrComparedGroup group = {g_strdup(grouping), g_strdup(values[v]), 0, FALSE};
            for (gsize row = 0; row < baseline->scores->n; row++)
                group.n += g_str_equal(dpcxr_scores_group(baseline->scores, g, row), group.value);
            group.small = group.n < c->options.min_group;
            g_array_append_val(groups, group);
        }
    }
    c->n_groups = groups->len;
    c->groups = (DpcxrComparedGroup *)(void *)g_array_free(g_steal_pointer(&groups), FALSE);
}

static void count_labels(DpcxrComparison *c)
{
    const DpcxrScores *scores = dpcxr_compared_run(c, c->baseline)->scores;
    c->n = scores->n;
    c->n_patients = scores->n_patients;
    c->positives = g_new0(gsize, c->n_labels);
    c->known = g_new0(gsize, c->n_labels);
    for (gsize label = 0; label < c->n_labels; label++)
        for (gsize row = 0; row < scores->n; row++) {
            guint8 truth = scores->truths[label * scores->n + row];
            c->known[label] += truth != DPCXR_TRUTH_UNKNOWN;
            c->positives[label] += truth == 1;
        }
}

DpcxrComparison *dpcxr_compare_read(const char *const *roots, const DpcxrCompareOptions *options, GError **error)
{
    g_autoptr(DpcxrComparison) c = g_new0(DpcxrComparison, 1);
    c->options = *options;
    c->runs = g_ptr_array_new_with_free_func(run_free);
    if (g_strv_length((char **)roots) < 2) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "a comparison needs at least two runs");
        return NULL;
    }
    for (gsize i = 0; roots[i]; i++)
        if (!read_run(c, roots[i], error))
            return NULL;
    if (!find_baseline(c, roots, error))
        return NULL;
    find_labels(c);
    if (!read_predictions(c, error))
        return NULL;
    find_groups(c);
    count_labels(c);
    return g_steal_pointer(&c);
}
