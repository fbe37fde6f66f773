/* SPDX-License-Identifier: MIT */
#include "report/scores.h"
#include <dpcxr/dataset.h>
#include <string.h>

/* Columns of one label, -1 before they are found. */
typedef struct {
    int truth, score;
} Columns;

typedef struct {
    DpcxrScores *scores;
    DpcxrCsv *csv;
    GHashTable *patients; /* id to number + 1 */
    GArray *numbers;      /* guint32 */
    GArray *groupings;    /* int: columns */
    GArray *columns;      /* Columns of each label */
    GPtrArray *truths;    /* GByteArray of each label */
    GPtrArray *values;    /* GArray of double of each label */
    GPtrArray *groups;    /* GPtrArray of each grouping */
    int sample, patient;
} Reader;

static gboolean find_label(Reader *reader, const char *label, GError **error)
{
    g_autofree char *truth = g_strconcat("y_", label, NULL), *score = g_strconcat("p_", label, NULL);
    Columns columns = {dpcxr_csv_column(reader->csv, truth, error), -1};
    if (columns.truth < 0)
        return FALSE;
    columns.score = dpcxr_csv_column(reader->csv, score, error);
    if (columns.score < 0)
        return FALSE;
    g_array_append_val(reader->columns, columns);
    g_ptr_array_add(reader->scores->labels, g_strdup(label));
    g_ptr_array_add(reader->truths, g_byte_array_new());
    g_ptr_array_add(reader->values, g_array_new(FALSE, FALSE, sizeof(double)));
    return TRUE;
}

static gboolean find_columns(Reader *reader, const char *const *labels, const char *const *groupings, GError **error)
{
    if ((reader->sample = dpcxr_csv_column(reader->csv, "sample_id", error)) < 0 ||
        (reader->patient = dpcxr_csv_column(reader->csv, "patient_id", error)) < 0)
        return FALSE;
    for (; *labels; labels++)
        if (!find_label(reader, *labels, error))
            return FALSE;
    for (; groupings && *groupings; groupings++) {
        int column = dpcxr_csv_column(reader->csv, *groupings, error);
        if (column < 0)
            return FALSE;
        g_array_append_val(reader->groupings, column);
        g_ptr_array_add(reader->scores->groupings, g_strdup(*groupings));
        g_ptr_array_add(reader->groups, g_ptr_array_new_with_free_func(g_free));
    }
    return TRUE;
}

static guint32 patient_number(Reader *reader, const char *id)
{
    gpointer number = *id ? g_hash_table_lookup(reader->patients, id) : NULL;
    if (number)
        return GPOINTER_TO_UINT(number) - 1;
    guint32 made = (guint32)reader->scores->n_patients++;
    if (*id)
        g_hash_table_insert(reader->patients, g_strdup(id), GUINT_TO_POINTER(made + 1));
    return made;
}

static gboolean read_label(Reader *reader, guint label, GError **error)
{
    Columns columns = g_array_index(reader->columns, Columns, label);
    const char *truth = dpcxr_csv_cell(reader->csv, columns.truth), *text = dpcxr_csv_cell(reader->csv, columns.score);
    char *end;
    double score = g_ascii_strtod(text, &end);
    guint8 value = g_str_equal(truth, "1") ? 1 : g_str_equal(truth, "0") ? 0 : DPCXR_TRUTH_UNKNOWN;
    if (end == text || *end || (value == DPCXR_TRUTH_UNKNOWN && *truth)) {
        dpcxr_csv_fail(reader->csv, error, "label %s: \"%s\" and \"%s\" are not a truth (1, 0 or empty) and a score",
                       (char *)g_ptr_array_index(reader->scores->labels, label), truth, text);
        return FALSE;
    }
    g_byte_array_append(g_ptr_array_index(reader->truths, label), &value, 1);
    g_array_append_val((GArray *)g_ptr_array_index(reader->values, label), score);
    return TRUE;
}

static gboolean read_row(Reader *reader, GError **error)
{
    guint32 patient = patient_number(reader, dpcxr_csv_cell(reader->csv, reader->patient));
    g_ptr_array_add(reader->scores->samples, g_strdup(dpcxr_csv_cell(reader->csv, reader->sample)));
    g_array_append_val(reader->numbers, patient);
    for (guint i = 0; i < reader->groupings->len; i++)
        g_ptr_array_add(g_ptr_array_index(reader->groups, i),
                        g_strdup(dpcxr_csv_cell(reader->csv, g_array_index(reader->groupings, int, i))));
    for (guint i = 0; i < reader->columns->len; i++)
        if (!read_label(reader, i, error))
            return FALSE;
    reader->scores->n++;
    return TRUE;
}

/* Columns of labels, one after the other. */
static void join_labels(Reader *reader)
{
    DpcxrScores *scores = reader->scores;
    gsize n = scores->n, labels = scores->labels->len;
    scores->truths = g_new(guint8, n * labels);
    scores->scores = g_new(double, n * labels);
    for (gsize i = 0; i < labels && n > 0; i++) {
        memcpy(scores->truths + i * n, ((GByteArray *)g_ptr_array_index(reader->truths, i))->data, n);
        memcpy(scores->scores + i * n, ((GArray *)g_ptr_array_index(reader->values, i))->data, n * sizeof(double));
    }
}

static void finish(Reader *reader)
{
    DpcxrScores *scores = reader->scores;
    join_labels(reader);
    scores->patients = (guint32 *)(void *)g_array_free(g_steal_pointer(&reader->numbers), FALSE);
    for (guint i = 0; i < reader->groups->len; i++)
        g_ptr_array_extend_and_steal(scores->groups, g_ptr_array_ref(g_ptr_array_index(reader->groups, i)));
}

static void reader_clear(Reader *reader)
{
    dpcxr_csv_free(reader->csv);
    g_hash_table_unref(reader->patients);
    g_clear_pointer(&reader->numbers, g_array_unref);
    g_array_unref(reader->groupings);
    g_array_unref(reader->columns);
    g_ptr_array_unref(reader->truths);
    g_ptr_array_unref(reader->values);
    g_ptr_array_unref(reader->groups);
}

static gboolean read_all(Reader *reader, const char *const *labels, const char *const *groupings, GError **error)
{
    GError *local = NULL;
    if (!find_columns(reader, labels, groupings, error))
        return FALSE;
    while (dpcxr_csv_next(reader->csv, &local))
        if (!read_row(reader, error))
            return FALSE;
    if (local)
        g_propagate_error(error, local);
    return !local;
}

DpcxrScores *dpcxr_scores_read(const char *path, const char *const *labels, const char *const *groupings, GError **error)
{
    g_autoptr(DpcxrScores) scores = g_new0(DpcxrScores, 1);
    DpcxrCsv *csv = dpcxr_csv_open(path, error);
    scores->labels = g_ptr_array_new_with_free_func(g_free);
    scores->groupings = g_ptr_array_new_with_free_func(g_free);
    scores->samples = g_ptr_array_new_with_free_func(g_free);
    scores->groups = g_ptr_array_new_with_free_func(g_free);
    if (!csv)
        return NULL;
    Reader reader = {.scores = scores, .csv = csv,
                     .patients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                     .numbers = g_array_new(FALSE, FALSE, sizeof(guint32)),
                     .groupings = g_array_new(FALSE, FALSE, sizeof(int)),
                     .columns = g_array_new(FALSE, FALSE, sizeof(Columns)),
                     .truths = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref),
                     .values = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref),
                     .groups = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref)};
    gboolean good = read_all(&reader, labels, groupings, error);
    if (good)
        finish(&reader);
    reader_clear(&reader);
    return good ? g_steal_pointer(&scores) : NULL;
}

void dpcxr_scores_free(DpcxrScores *scores)
{
    if (!scores)
        return;
    g_ptr_array_unref(scores->labels);
    g_ptr_array_unref(scores->groupings);
    g_ptr_array_unref(scores->samples);
    g_ptr_array_unref(scores->groups);
    g_free(scores->patients);
    g_free(scores->truths);
    g_free(scores->scores);
    g_free(scores);
}

static gboolean align_fail(GError **error, const char *what, const char *sample)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s (sample %s)", what, sample);
    return FALSE;
}

/* Row of @scores for each row of @like. NULL with an error. */
static gsize *find_rows(const DpcxrScores *scores, const DpcxrScores *like, GError **error)
{
    g_autoptr(GHashTable) rows = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree gsize *order = g_new(gsize, like->n);
    for (gsize i = 0; i < scores->n; i++)
        g_hash_table_insert(rows, g_ptr_array_index(scores->samples, i), GSIZE_TO_POINTER(i + 1));
    for (gsize i = 0; i < like->n; i++) {
        const char *sample = g_ptr_array_index(like->samples, i);
        gsize row = GPOINTER_TO_SIZE(g_hash_table_lookup(rows, sample));
        if (row == 0) {
            align_fail(error, "an image of one is not in the other", sample);
            return NULL;
        }
        order[i] = row - 1;
    }
    if (scores->n != like->n || g_hash_table_size(rows) != like->n) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "one has %" G_GSIZE_FORMAT " images, the other %" G_GSIZE_FORMAT, like->n, scores->n);
        return NULL;
    }
    return g_steal_pointer(&order);
}

static gboolean same_truths(const DpcxrScores *scores, const DpcxrScores *like, GError **error)
{
    for (gsize label = 0; label < like->labels->len; label++)
        for (gsize i = 0; i < like->n; i++) {
            if (scores->truths[label * like->n + i] == like->truths[label * like->n + i])
                continue;
            g_autofree char *what = g_strdup_printf("the label %s is not the same in both",
                                                    (char *)g_ptr_array_index(like->labels, label));
            return align_fail(error, what, g_ptr_array_index(like->samples, i));
        }
    return TRUE;
}

gboolean dpcxr_scores_align(DpcxrScores *scores, const DpcxrScores *like, GError **error)
{
    g_autofree gsize *order = find_rows(scores, like, error);
    gsize n = like->n, cells = n * scores->labels->len;
    if (!order)
        return FALSE;
    g_autofree guint8 *truths = g_new(guint8, cells);
    g_autofree double *values = g_new(double, cells);
    for (gsize i = 0; i < cells; i++) {
        gsize from = i / n * n + order[i % n];
        truths[i] = scores->truths[from];
        values[i] = scores->scores[from];
    }
    memcpy(scores->truths, truths, cells);
    memcpy(scores->scores, values, cells * sizeof *values);
    memcpy(scores->patients, like->patients, n * sizeof *like->patients);
    scores->n_patients = like->n_patients;
    g_ptr_array_set_size(scores->groupings, 0);
    g_ptr_array_set_size(scores->samples, 0);
    for (gsize i = 0; i < n; i++)
        g_ptr_array_add(scores->samples, g_strdup(g_ptr_array_index(like->samples, i)));
    return same_truths(scores, like, error);
}

DpcxrScored *dpcxr_scores_of(const DpcxrScores *scores, guint label, const guint8 *keep)
{
    const guint8 *truths = scores->truths + label * scores->n;
    const double *values = scores->scores + label * scores->n;
    g_autofree guint8 *known = g_new(guint8, scores->n);
    g_autofree guint8 *all = g_new(guint8, scores->n);
    for (gsize i = 0; i < scores->n; i++) {
        known[i] = truths[i] != DPCXR_TRUTH_UNKNOWN && (!keep || keep[i]);
        all[i] = truths[i] == 1;
    }
    g_autoptr(DpcxrScored) whole = dpcxr_scored_new(values, all, scores->n);
    return dpcxr_scored_filter(whole, known);
}

const char *dpcxr_scores_group(const DpcxrScores *scores, guint grouping, gsize row)
{
    return g_ptr_array_index(scores->groups, grouping * scores->n + row);
}
