/* SPDX-License-Identifier: MIT
 * The runs of a comparison, and that they can be compared: the same images with the same truths. */
#include "report/align.h"
#include "report/compare.h"
#include "report/metric-names.h"
#include <math.h>
#include <string.h>

static void run_free(gpointer data)
{
    DpcxrComparedRun *run = data;
    dpcxr_run_files_free(run->files);
    dpcxr_prediction_file_free(run->predictions);
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
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: was not evaluated on the %s split", root,
                c->options.split);
    return FALSE;
}

/* The one that was asked for, else the first that is not private, else the first. */
/* runs/a and runs/a/ */
static gboolean is_same_folder(const char *a, const char *b)
{
    g_autofree char *one = g_canonicalize_filename(a, NULL), *other = g_canonicalize_filename(b, NULL);
    return g_str_equal(one, other);
}

static gboolean find_baseline(DpcxrComparison *c, const char *const *roots, GError **error)
{
    for (guint i = 0; c->options.baseline && i < c->runs->len; i++)
        if (is_same_folder(roots[i], c->options.baseline)) {
            c->baseline = i;
            return TRUE;
        }
    if (c->options.baseline) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "the baseline %s is none of the runs",
                    c->options.baseline);
        return FALSE;
    }
    for (guint i = 0; i < c->runs->len; i++)
        if (isnan(dpcxr_compared_run(c, i)->epsilon)) {
            c->baseline = i;
            return TRUE;
        }
    return TRUE;
}

static gboolean read_predictions(DpcxrComparison *c, DpcxrComparedRun *run, GError **error)
{
    g_autofree char *file = g_strdup_printf("predictions-%s.csv", c->options.split);
    g_autofree char *path = g_build_filename(run->files->root, "private", file, NULL);
    run->predictions = dpcxr_prediction_file_read(path, error);
    return run->predictions != NULL;
}

static gboolean align(const DpcxrComparison *c, DpcxrComparedRun *run, GError **error)
{
    const DpcxrComparedRun *baseline = dpcxr_compared_run(c, c->baseline);
    if (run == baseline || dpcxr_align(run->predictions, baseline->predictions, error))
        return TRUE;
    g_prefix_error(error, "%s and %s cannot be compared: ", baseline->files->root, run->files->root);
    return FALSE;
}

static gboolean read_all(DpcxrComparison *c, GError **error)
{
    DpcxrComparedRun *baseline = g_ptr_array_index(c->runs, c->baseline);
    if (!read_predictions(c, baseline, error))
        return FALSE;
    for (guint i = 0; i < c->runs->len; i++) {
        DpcxrComparedRun *run = g_ptr_array_index(c->runs, i);
        if ((run != baseline && !read_predictions(c, run, error)) || !align(c, run, error))
            return FALSE;
    }
    return TRUE;
}

static void add_groups(GArray *groups, const DpcxrComparison *c, gsize column, JsonObject *values)
{
    const DpcxrPredictionFile *file = dpcxr_compared_run(c, c->baseline)->predictions;
    g_autofree const char **keys = dpcxr_look_keys(values);
    for (gsize v = 0; keys[v]; v++) {
        DpcxrComparedGroup group = {g_strdup(file->columns[column]), g_strdup(keys[v]), column, 0, FALSE};
        for (gsize row = 0; row < file->n; row++)
            group.n += g_str_equal(file->cells[row * file->n_columns + column], group.value);
        group.small = group.n < c->options.min_n;
        g_array_append_val(groups, group);
    }
}

/* Of one column each, because crossings are too small to compare. Values in the order of results.json, which
 * is that of bins. */
static void find_groups(DpcxrComparison *c)
{
    const DpcxrComparedRun *baseline = dpcxr_compared_run(c, c->baseline);
    JsonObject *part = dpcxr_results_split(baseline->files->results, c->options.split);
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(DpcxrComparedGroup));
    for (gsize column = 0; column < baseline->predictions->n_columns; column++)
        add_groups(groups, c, column,
                   dpcxr_look_object(part, "groups", baseline->predictions->columns[column], "values", NULL));
    c->n_groups = groups->len;
    c->groups = (DpcxrComparedGroup *)(void *)g_array_free(g_steal_pointer(&groups), FALSE);
}

static void find_labels(DpcxrComparison *c)
{
    const DpcxrPredictionFile *file = dpcxr_compared_run(c, c->baseline)->predictions;
    c->n = file->n;
    c->n_patients = file->n_patients;
    c->n_labels = file->n_labels;
    c->labels = g_strdupv(file->labels);
    c->positives = g_new0(gsize, c->n_labels);
    c->known = g_new0(gsize, c->n_labels);
    for (gsize label = 0; label < c->n_labels; label++)
        for (gsize row = 0; row < file->n; row++) {
            gboolean known = dpcxr_prediction_file_known(file, label)[row];
            c->known[label] += known;
            c->positives[label] += known && dpcxr_prediction_file_truths(file, label)[row];
        }
}

DpcxrComparison *dpcxr_compare_read(const char *const *roots, const DpcxrCompareOptions *options,
                                    GError **error)
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
    if (!read_all(c, error))
        return NULL;
    find_labels(c);
    find_groups(c);
    return g_steal_pointer(&c);
}
