/* SPDX-License-Identifier: MIT */
#include "report/align.h"
#include "eval/known.h"
#include <string.h>

static gboolean fail(GError **error, const char *what, const char *name)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s (%s)", what, name);
    return FALSE;
}

/* Row of @file for each row of @like. NULL with an error. */
static gsize *find_rows(const DpcxrPredictionFile *file, const DpcxrPredictionFile *like, GError **error)
{
    g_autoptr(GHashTable) rows = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree gsize *order = g_new(gsize, like->n);
    for (gsize i = 0; i < file->n; i++)
        g_hash_table_insert(rows, file->samples[i], GSIZE_TO_POINTER(i + 1));
    for (gsize i = 0; i < like->n; i++) {
        gsize row = GPOINTER_TO_SIZE(g_hash_table_lookup(rows, like->samples[i]));
        if (row == 0) {
            fail(error, "an image of the one is not in the other", like->samples[i]);
            return NULL;
        }
        order[i] = row - 1;
    }
    if (file->n == like->n)
        return g_steal_pointer(&order);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                "one has %" G_GSIZE_FORMAT " images, the other %" G_GSIZE_FORMAT, like->n, file->n);
    return NULL;
}

/* One label's row of @like. */
static gboolean align_label(const DpcxrPredictionFile *file, const DpcxrPredictionFile *like, gsize label,
                            const gsize *order, double *scores, GError **error)
{
    int from = dpcxr_prediction_file_label(file, like->labels[label]);
    if (from < 0)
        return fail(error, "a label of the one is not in the other", like->labels[label]);
    const guint8 *known = dpcxr_prediction_file_known(file, (gsize)from),
                 *truths = dpcxr_prediction_file_truths(file, (gsize)from);
    const guint8 *like_known = dpcxr_prediction_file_known(like, label),
                 *like_truths = dpcxr_prediction_file_truths(like, label);
    for (gsize i = 0; i < like->n; i++) {
        gsize row = order[i];
        if (known[row] != like_known[i] || (known[row] && truths[row] != like_truths[i])) {
            g_autofree char *name =
                g_strdup_printf("label %s, sample %s", like->labels[label], like->samples[i]);
            return fail(error, "the truth is not the same", name);
        }
        scores[i] = dpcxr_prediction_file_scores(file, (gsize)from)[row];
    }
    return TRUE;
}

/* Everything but the scores is that of @like. */
static void take(DpcxrPredictionFile *file, const DpcxrPredictionFile *like, double *scores)
{
    gsize cells = like->n_labels * like->n;
    g_strfreev(file->labels);
    file->labels = g_strdupv(like->labels);
    file->n_labels = like->n_labels;
    for (gsize i = 0; i < like->n; i++) {
        g_free(file->samples[i]);
        file->samples[i] = g_strdup(like->samples[i]);
    }
    g_free(file->known);
    g_free(file->truths);
    g_free(file->scores);
    file->known = g_memdup2(like->known, cells);
    file->truths = g_memdup2(like->truths, cells);
    file->scores = scores;
    memcpy(file->patients, like->patients, like->n * sizeof *like->patients);
    file->n_patients = like->n_patients;
    file->without_patient = like->without_patient;
}

gboolean dpcxr_align(DpcxrPredictionFile *file, const DpcxrPredictionFile *like, GError **error)
{
    g_autofree gsize *order = find_rows(file, like, error);
    g_autofree double *scores = g_new(double, like->n_labels * like->n);
    if (!order)
        return FALSE;
    for (gsize label = 0; label < file->n_labels; label++)
        if (dpcxr_prediction_file_label(like, file->labels[label]) < 0)
            return fail(error, "a label of the one is not in the other", file->labels[label]);
    for (gsize label = 0; label < like->n_labels; label++)
        if (!align_label(file, like, label, order, scores + label * like->n, error))
            return FALSE;
    take(file, like, g_steal_pointer(&scores));
    return TRUE;
}

DpcxrScored *dpcxr_known_of(const DpcxrPredictionFile *file, gsize label, const guint8 *keep)
{
    DpcxrScored *known = dpcxr_known_rows(file, label);
    if (!keep)
        return known;
    DpcxrScored *kept = dpcxr_scored_filter(known, keep);
    dpcxr_scored_free(known);
    return kept;
}
