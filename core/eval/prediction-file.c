/* SPDX-License-Identifier: MIT */
#include "eval/prediction-file.h"
#include "data/csv-names.h"
#include <math.h>
#include <string.h>

/* A file while it is read; rows first, because nobody knows how many there are. */
typedef struct {
    DpcxrCsv *csv;
    DpcxrPredictionFile *file;
    int sample, patient;
    int *truth_columns, *score_columns, *group_columns;
    GPtrArray *samples, *cells;
    GArray *patients, *scores; /* of scores, row by row */
    GByteArray *known, *truths;
    GHashTable *patient_numbers, *sample_names;
} Reading;

static int column_of(const DpcxrCsv *csv, const char *prefix, const char *name)
{
    g_autofree char *whole = g_strconcat(prefix, name, NULL);

    return dpcxr_csv_has_column(csv, whole) ? dpcxr_csv_column(csv, whole, NULL) : -1;
}

/* Labels and groups by the header. */
static gboolean read_names(Reading *r, GError **error)
{
    g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free),
                         groups = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    if ((r->sample = dpcxr_csv_column(r->csv, "sample_id", error)) < 0 ||
        (r->patient = dpcxr_csv_column(r->csv, "patient_id", error)) < 0)
        return FALSE;
    for (gsize i = 2; (name = dpcxr_csv_name(r->csv, i)); i++) {
        gboolean is_truth = g_str_has_prefix(name, "y_") && column_of(r->csv, "p_", name + 2) >= 0;
        if (is_truth)
            g_ptr_array_add(labels, g_strdup(name + 2));
        else if (labels->len == 0)
            g_ptr_array_add(groups, g_strdup(name));
    }
    if (labels->len == 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s:1: no columns y_LABEL and p_LABEL",
                    r->file->path);
        return FALSE;
    }
    r->file->n_labels = labels->len;
    r->file->n_columns = groups->len;
    g_ptr_array_add(labels, NULL);
    g_ptr_array_add(groups, NULL);
    r->file->labels = (char **)g_ptr_array_free(g_steal_pointer(&labels), FALSE);
    r->file->columns = (char **)g_ptr_array_free(g_steal_pointer(&groups), FALSE);
    return TRUE;
}

static void find_columns(Reading *r)
{
    DpcxrPredictionFile *file = r->file;

    r->truth_columns = g_new(int, file->n_labels);
    r->score_columns = g_new(int, file->n_labels);
    r->group_columns = g_new(int, file->n_columns);
    for (gsize i = 0; i < file->n_labels; i++) {
        r->truth_columns[i] = column_of(r->csv, "y_", file->labels[i]);
        r->score_columns[i] = column_of(r->csv, "p_", file->labels[i]);
    }
    for (gsize i = 0; i < file->n_columns; i++)
        r->group_columns[i] = column_of(r->csv, "", file->columns[i]);
}

/* FALSE where the sample was there before. */
static gboolean add_ids(Reading *r)
{
    char *sample = g_strdup(dpcxr_csv_cell(r->csv, r->sample));
    const char *patient = dpcxr_csv_cell(r->csv, r->patient);
    guint32 number = (guint32)r->file->n_patients;
    gpointer known;

    g_ptr_array_add(r->samples, sample);
    if (!*patient)
        r->file->without_patient++;
    if (g_hash_table_lookup_extended(r->patient_numbers, patient, NULL, &known))
        number = GPOINTER_TO_UINT(known);
    else if (*patient)
        g_hash_table_insert(r->patient_numbers, g_strdup(patient), GUINT_TO_POINTER(number));
    if (number == r->file->n_patients)
        r->file->n_patients++;
    g_array_append_val(r->patients, number);
    return g_hash_table_add(r->sample_names, sample);
}

static gboolean add_label(Reading *r, gsize label, GError **error)
{
    const char *truth = dpcxr_csv_cell(r->csv, r->truth_columns[label]);
    const char *score = dpcxr_csv_cell(r->csv, r->score_columns[label]);
    char *end;
    double value = g_ascii_strtod(score, &end);
    guint8 known = *truth != '\0', positive = g_str_equal(truth, "1");

    if (known && !positive && !g_str_equal(truth, "0")) {
        dpcxr_csv_fail(r->csv, error, "y_%s is \"%s\"; expected 1, 0 or nothing", r->file->labels[label],
                       truth);
        return FALSE;
    }
    if (end == score || *end != '\0') {
        dpcxr_csv_fail(r->csv, error, "p_%s is \"%s\"; expected a number", r->file->labels[label], score);
        return FALSE;
    }
    g_byte_array_append(r->known, &known, 1);
    g_byte_array_append(r->truths, &positive, 1);
    g_array_append_val(r->scores, value);
    return TRUE;
}

static gboolean add_row(Reading *r, GError **error)
{
    if (!add_ids(r)) {
        dpcxr_csv_fail(r->csv, error, "the sample \"%s\" is there twice", dpcxr_csv_cell(r->csv, r->sample));
        return FALSE;
    }
    for (gsize i = 0; i < r->file->n_columns; i++)
        g_ptr_array_add(r->cells, g_strdup(dpcxr_csv_cell(r->csv, r->group_columns[i])));
    for (gsize label = 0; label < r->file->n_labels; label++)
        if (!add_label(r, label, error))
            return FALSE;
    r->file->n++;
    return TRUE;
}

/* Label by label instead of row by row. */
static void turn(Reading *r)
{
    DpcxrPredictionFile *file = r->file;
    gsize n = file->n, labels = file->n_labels;

    file->known = g_new(guint8, n * labels);
    file->truths = g_new(guint8, n * labels);
    file->scores = g_new(double, n *labels);
    for (gsize i = 0; i < n; i++)
        for (gsize k = 0; k < labels; k++) {
            file->known[k * n + i] = r->known->data[i * labels + k];
            file->truths[k * n + i] = r->truths->data[i * labels + k];
            file->scores[k * n + i] = g_array_index(r->scores, double, i *labels + k);
        }
    file->patients = (guint32 *)(gpointer)g_array_free(g_steal_pointer(&r->patients), FALSE);
    g_ptr_array_add(r->samples, NULL);
    g_ptr_array_add(r->cells, NULL);
    file->samples = (char **)g_ptr_array_free(g_steal_pointer(&r->samples), FALSE);
    file->cells = (char **)g_ptr_array_free(g_steal_pointer(&r->cells), FALSE);
}

static gboolean read_rows(Reading *r, GError **error)
{
    g_autoptr(GError) local = NULL;

    r->samples = g_ptr_array_new();
    r->cells = g_ptr_array_new();
    r->patients = g_array_new(FALSE, FALSE, sizeof(guint32));
    r->scores = g_array_new(FALSE, FALSE, sizeof(double));
    r->known = g_byte_array_new();
    r->truths = g_byte_array_new();
    r->patient_numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    r->sample_names = g_hash_table_new(g_str_hash, g_str_equal);
    gboolean good = TRUE;
    while (good && dpcxr_csv_next(r->csv, &local))
        good = add_row(r, &local);
    turn(r);
    if (!local)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static void reading_clear(Reading *r)
{
    dpcxr_csv_free(r->csv);
    g_free(r->truth_columns);
    g_free(r->score_columns);
    g_free(r->group_columns);
    g_clear_pointer(&r->scores, g_array_unref);
    g_clear_pointer(&r->known, g_byte_array_unref);
    g_clear_pointer(&r->truths, g_byte_array_unref);
    g_clear_pointer(&r->patient_numbers, g_hash_table_unref);
    g_clear_pointer(&r->sample_names, g_hash_table_unref);
}

DpcxrPredictionFile *dpcxr_prediction_file_read(const char *path, GError **error)
{
    g_autoptr(DpcxrPredictionFile) file = g_new0(DpcxrPredictionFile, 1);
    Reading reading = {.file = file};
    g_autoptr(GError) local = NULL;

    file->path = g_strdup(path);
    if ((reading.csv = dpcxr_csv_open(path, &local)) && read_names(&reading, &local)) {
        find_columns(&reading);
        read_rows(&reading, &local);
    }
    reading_clear(&reading);
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    return g_steal_pointer(&file);
}

void dpcxr_prediction_file_free(DpcxrPredictionFile *file)
{
    if (!file)
        return;
    g_strfreev(file->samples);
    g_strfreev(file->cells);
    g_strfreev(file->labels);
    g_strfreev(file->columns);
    g_free(file->known);
    g_free(file->truths);
    g_free(file->scores);
    g_free(file->patients);
    g_free(file->path);
    g_free(file);
}

const double *dpcxr_prediction_file_scores(const DpcxrPredictionFile *file, gsize label)
{
    return file->scores + label * file->n;
}

const guint8 *dpcxr_prediction_file_truths(const DpcxrPredictionFile *file, gsize label)
{
    return file->truths + label * file->n;
}

const guint8 *dpcxr_prediction_file_known(const DpcxrPredictionFile *file, gsize label)
{
    return file->known + label * file->n;
}

int dpcxr_prediction_file_label(const DpcxrPredictionFile *file, const char *label)
{
    for (gsize i = 0; i < file->n_labels; i++)
        if (g_str_equal(file->labels[i], label))
            return (int)i;
    return -1;
}
