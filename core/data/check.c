/* SPDX-License-Identifier: MIT
 * `dpcxr check --data`: reads everything once and lists what is wrong, all of it, before a run stumbles over
 * the first. */
#include "base/workers.h"
#include "data/data.h"
#include <string.h>

#define MAX_LISTED 100 /* patient ids in one line */

typedef struct {
    DpcxrData *data;
    char **problems; /* by row, NULL where it can be read */
} Reading;

static void read_row(gpointer data, int row, int thread)
{
    Reading *reading = data;
    g_autoptr(GError) error = NULL;
    if (!dpcxr_data_prepare(reading->data, row, &error))
        reading->problems[row] = g_strdup(error->message);
}

GPtrArray *dpcxr_data_check_files(DpcxrData *data, int threads)
{
    gsize n = dpcxr_index_count(dpcxr_data_index(data));
    Reading reading = {.data = data, .problems = g_new0(char *, n)};
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(threads, NULL);
    if (!workers)
        workers = dpcxr_workers_new(1, NULL); /* what is found does not depend on how many look */
    dpcxr_workers_run(workers, (int)n, read_row, &reading);
    GPtrArray *problems = g_ptr_array_new_with_free_func(g_free);
    for (gsize row = 0; row < n; row++)
        if (reading.problems[row])
            g_ptr_array_add(problems, reading.problems[row]);
    g_free(reading.problems);
    return problems;
}

/* (transfer full) Patient -> bits of the splits that have one of its rows. Rows without an id
 * are left out. */
static GHashTable *splits_by_patient(const DpcxrIndex *index)
{
    GHashTable *splits = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize row = 0; row < dpcxr_index_count(index); row++) {
        const char *patient = dpcxr_index_patient(index, row);
        guint bits = GPOINTER_TO_UINT(g_hash_table_lookup(splits, patient));
        if (patient[0] != '\0')
            g_hash_table_insert(splits, (gpointer)patient,
                                GUINT_TO_POINTER(bits | 1u << dpcxr_index_split(index, row)));
    }
    return splits;
}

static gint compare_ids(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* (transfer container) Sorted ids of the patients with rows in all splits of @bits. */
static GPtrArray *patients_in(GHashTable *splits, guint bits)
{
    GPtrArray *patients = g_ptr_array_new();
    GHashTableIter iter;
    gpointer patient, value;
    g_hash_table_iter_init(&iter, splits);
    while (g_hash_table_iter_next(&iter, &patient, &value))
        if ((GPOINTER_TO_UINT(value) & bits) == bits)
            g_ptr_array_add(patients, patient);
    g_ptr_array_sort(patients, compare_ids);
    return patients;
}

static void check_overlap(GHashTable *splits, DpcxrSplit a, DpcxrSplit b, GPtrArray *problems)
{
    g_autoptr(GPtrArray) shared = patients_in(splits, 1u << a | 1u << b);
    if (shared->len == 0)
        return;
    GString *line = g_string_new(NULL);
    g_string_printf(line, "%u patient%s in both %s and %s: ", shared->len, shared->len == 1 ? " is" : "s are",
                    dpcxr_split_name(a), dpcxr_split_name(b));
    for (guint i = 0; i < MIN(shared->len, MAX_LISTED); i++)
        g_string_append_printf(line, "%s%s", i ? ", " : "", (const char *)shared->pdata[i]);
    if (shared->len > MAX_LISTED)
        g_string_append_printf(line, ", and %u more", shared->len - MAX_LISTED);
    g_ptr_array_add(problems, g_string_free(line, FALSE));
}

static void check_overlaps(GHashTable *splits, GPtrArray *problems)
{
    for (guint a = 0; a < DPCXR_N_SPLITS; a++)
        for (guint b = a + 1; b < DPCXR_N_SPLITS; b++)
            check_overlap(splits, a, b, problems);
}

GPtrArray *dpcxr_data_check_overlap(const DpcxrIndex *index)
{
    g_autoptr(GHashTable) splits = splits_by_patient(index);
    GPtrArray *problems = g_ptr_array_new_with_free_func(g_free);
    check_overlaps(splits, problems);
    return problems;
}

/* A problem where patients are the unit; otherwise something to know. */
static void check_blank_patients(const DpcxrExperiment *experiment, const DpcxrIndex *index,
                                 GPtrArray *problems, GString *summary)
{
    gsize blank = 0;
    for (gsize row = 0; row < dpcxr_index_count(index); row++)
        blank += dpcxr_index_patient(index, row)[0] == '\0';
    if (blank == 0)
        return;
    g_string_append_printf(summary,
                           "no patient id: %" G_GSIZE_FORMAT
                           " images; whether splits share patients is not known for them\n",
                           blank);
    if (experiment->privacy.enabled && experiment->privacy.unit == DPCXR_UNIT_PATIENT)
        g_ptr_array_add(
            problems,
            g_strdup_printf("%" G_GSIZE_FORMAT " rows have no patient id, which unit: patient needs", blank));
}

static gboolean is_used(const DpcxrExperiment *experiment, DpcxrSplit split)
{
    if (split == DPCXR_SPLIT_TRAIN)
        return TRUE;
    return experiment->stage_evaluate &&
           (split == DPCXR_SPLIT_VALID ? experiment->evaluate.valid : experiment->evaluate.test);
}

static void check_splits(const DpcxrExperiment *experiment, const DpcxrIndex *index, GPtrArray *problems)
{
    for (guint split = 0; split < DPCXR_N_SPLITS; split++)
        if (dpcxr_index_count_split(index, split) == 0 && is_used(experiment, split))
            g_ptr_array_add(problems, g_strdup_printf("split %s has no rows", dpcxr_split_name(split)));
}

/* How often each value of a label occurs in a split. */
typedef struct {
    gsize positive, negative, uncertain, missing;
} Counts;

static Counts count_label(const DpcxrIndex *index, DpcxrSplit split, gsize label)
{
    Counts counts = {0};
    for (gsize row = 0; row < dpcxr_index_count(index); row++) {
        if (dpcxr_index_split(index, row) != split)
            continue;
        DpcxrLabel value = dpcxr_index_label(index, row, label);
        counts.positive += value == DPCXR_LABEL_POSITIVE;
        counts.negative += value == DPCXR_LABEL_NEGATIVE;
        counts.uncertain += value == DPCXR_LABEL_UNCERTAIN;
        counts.missing += value == DPCXR_LABEL_MISSING;
    }
    return counts;
}

/* What training and metrics will see of the counts under the experiment's policies. */
static void apply_policies(const DpcxrExperiment *experiment, DpcxrSplit split, Counts *counts)
{
    if (experiment->data.uncertain == DPCXR_UNCERTAIN_ONES ||
        (experiment->data.uncertain == DPCXR_UNCERTAIN_SMOOTH && split == DPCXR_SPLIT_TRAIN))
        counts->positive += counts->uncertain;
    if (experiment->data.uncertain == DPCXR_UNCERTAIN_ZEROS)
        counts->negative += counts->uncertain;
    if (experiment->data.missing == DPCXR_MISSING_ZEROS)
        counts->negative += counts->missing;
}

static void check_label(const DpcxrExperiment *experiment, DpcxrSplit split, gsize label, Counts counts,
                        GPtrArray *problems)
{
    apply_policies(experiment, split, &counts);
    if ((counts.positive > 0 && counts.negative > 0) || !is_used(experiment, split))
        return;
    const char *lacks = counts.positive > 0   ? "negatives"
                        : counts.negative > 0 ? "positives"
                                              : "positives and no negatives";
    g_ptr_array_add(problems,
                    g_strdup_printf("label %s has no %s in split %s", experiment->data.labels[label], lacks,
                                    dpcxr_split_name(split)));
}

static void check_labels(DpcxrData *data, GPtrArray *problems, GString *summary)
{
    const DpcxrExperiment *experiment = dpcxr_data_experiment(data);
    const DpcxrIndex *index = dpcxr_data_index(data);
    g_string_append_printf(summary, "%-32s %-6s %9s %9s %9s %9s\n", "label", "split", "positive", "negative",
                           "uncertain", "missing");
    for (int label = 0; label < experiment->data.n_labels; label++)
        for (guint split = 0; split < DPCXR_N_SPLITS; split++) {
            if (dpcxr_index_count_split(index, split) == 0)
                continue;
            Counts counts = count_label(index, split, label);
            g_string_append_printf(summary,
                                   "%-32s %-6s %9" G_GSIZE_FORMAT " %9" G_GSIZE_FORMAT " %9" G_GSIZE_FORMAT
                                   " %9" G_GSIZE_FORMAT "\n",
                                   experiment->data.labels[label], dpcxr_split_name(split), counts.positive,
                                   counts.negative, counts.uncertain, counts.missing);
            check_label(experiment, split, label, counts, problems);
        }
}

static void summarise_splits(const DpcxrIndex *index, GHashTable *splits, GString *summary)
{
    g_string_append_printf(summary, "%-6s %9s %9s\n", "split", "images", "patients");
    for (guint split = 0; split < DPCXR_N_SPLITS; split++) {
        g_autoptr(GPtrArray) patients = patients_in(splits, 1u << split);
        g_string_append_printf(summary, "%-6s %9" G_GSIZE_FORMAT " %9u\n", dpcxr_split_name(split),
                               dpcxr_index_count_split(index, split), patients->len);
    }
    for (gsize i = 0; i < dpcxr_index_n_excluded(index); i++) {
        gsize count;
        const char *reason = dpcxr_index_excluded(index, i, &count);
        g_string_append_printf(summary, "left out: %" G_GSIZE_FORMAT " (%s)\n", count, reason);
    }
}

GPtrArray *dpcxr_data_check(DpcxrData *data, int threads, char **summary)
{
    const DpcxrIndex *index = dpcxr_data_index(data);
    GPtrArray *problems = dpcxr_data_check_files(data, threads);
    gsize unreadable = problems->len;
    g_autoptr(GHashTable) splits = splits_by_patient(index);
    GString *text = g_string_new(NULL);
    summarise_splits(index, splits, text);
    check_overlaps(splits, problems);
    check_blank_patients(dpcxr_data_experiment(data), index, problems, text);
    check_splits(dpcxr_data_experiment(data), index, problems);
    check_labels(data, problems, text);
    g_string_append_printf(text, "files: %" G_GSIZE_FORMAT " read, %" G_GSIZE_FORMAT " of them unusable\n",
                           dpcxr_index_count(index), unreadable);
    if (summary)
        *summary = g_string_free(text, FALSE);
    else
        g_string_free(text, TRUE);
    return problems;
}
