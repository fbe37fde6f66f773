/* SPDX-License-Identifier: MIT */
#include "eval/data-flow.h"
#include "base/files.h"
#include "base/json-write.h"
#include "eval/predictions.h"
#include <string.h>

enum { SCHEMA = 1 };

static void add_excluded(JsonBuilder *json, const DpcxrIndex *index)
{
    gsize found = dpcxr_index_count(index), n;
    for (gsize i = 0; i < dpcxr_index_n_excluded(index); i++) {
        dpcxr_index_excluded(index, i, &n);
        found += n;
    }
    dpcxr_json_put_count(json, "found", found);
    dpcxr_json_begin_array(json, "excluded");
    for (gsize i = 0; i < dpcxr_index_n_excluded(index); i++) {
        const char *reason = dpcxr_index_excluded(index, i, &n);
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "reason", reason);
        dpcxr_json_put_count(json, "images", n);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

/* Images and patients of some rows. */
typedef struct {
    gsize images, without_patient;
    GHashTable *patients; /* ids, borrowed from the index */
} Tally;

static void tally_free(gpointer data)
{
    Tally *tally = data;
    g_hash_table_unref(tally->patients);
    g_free(tally);
}

static Tally *tally_new(void)
{
    Tally *tally = g_new0(Tally, 1);
    tally->patients = g_hash_table_new(g_str_hash, g_str_equal);
    return tally;
}

static void tally_add(Tally *tally, const DpcxrIndex *index, gsize row)
{
    const char *patient = dpcxr_index_patient(index, row);
    tally->images++;
    if (*patient)
        g_hash_table_add(tally->patients, (char *)patient);
    else
        tally->without_patient++;
}

static void put_tally(JsonBuilder *json, const Tally *tally)
{
    dpcxr_json_put_count(json, "images", tally ? tally->images : 0);
    dpcxr_json_put_count(json, "patients",
                         tally ? tally->without_patient + g_hash_table_size(tally->patients) : 0);
}

/* Value of a group to its tally. (transfer full) */
static GHashTable *count_group(const DpcxrIndex *index, DpcxrSplit split, const DpcxrGroup *group)
{
    GHashTable *tallies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, tally_free);
    for (gsize row = 0; row < dpcxr_index_count(index); row++) {
        if (dpcxr_index_split(index, row) != split)
            continue;
        g_autofree char *value = dpcxr_group_value(group, dpcxr_index_column(index, row, group->column));
        Tally *tally = g_hash_table_lookup(tallies, value);
        if (!tally) {
            tally = tally_new();
            g_hash_table_insert(tallies, g_strdup(value), tally);
        }
        tally_add(tally, index, row);
    }
    return tallies;
}

static int compare_texts(gconstpointer a, gconstpointer b)
{
    const char *left = *(char *const *)a, *right = *(char *const *)b;
    return (*left == '\0') - (*right == '\0') ? (*left == '\0') - (*right == '\0') : strcmp(left, right);
}

static void add_text(GPtrArray *texts, const char *text)
{
    if (!g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
        g_ptr_array_add(texts, g_strdup(text));
}

/* All values of a group, bins in their order, others in that of their names; what is not known last. */
static GPtrArray *group_values(const DpcxrIndex *index, const DpcxrGroup *group)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (gsize row = 0; row < dpcxr_index_count(index); row++)
        g_hash_table_add(seen, dpcxr_group_value(group, dpcxr_index_column(index, row, group->column)));
    for (gsize i = 0; group->bins && i + 1 < group->n_bins; i++) {
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_autofree char *value = dpcxr_group_value(group, g_ascii_dtostr(text, sizeof text, group->bins[i]));
        if (g_hash_table_contains(seen, value))
            add_text(values, value);
    }
    g_autoptr(GPtrArray) rest = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, seen);
    while (g_hash_table_iter_next(&iter, &value, NULL))
        g_ptr_array_add(rest, value);
    g_ptr_array_sort(rest, compare_texts);
    for (guint i = 0; i < rest->len; i++)
        add_text(values, g_ptr_array_index(rest, i));
    return values;
}

static void add_groups(JsonBuilder *json, const DpcxrExperiment *experiment, const DpcxrIndex *index,
                       DpcxrSplit split)
{
    dpcxr_json_begin_object(json, "groups");
    for (gsize g = 0; g < experiment->data.n_groups; g++) {
        const DpcxrGroup *group = &experiment->data.groups[g];
        g_autoptr(GHashTable) tallies = count_group(index, split, group);
        g_autoptr(GPtrArray) values = group_values(index, group);
        dpcxr_json_begin_object(json, group->name);
        for (guint i = 0; i < values->len; i++) {
            dpcxr_json_begin_object(json, g_ptr_array_index(values, i));
            put_tally(json, g_hash_table_lookup(tallies, g_ptr_array_index(values, i)));
            json_builder_end_object(json);
        }
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
}

static void add_labels(JsonBuilder *json, const DpcxrExperiment *experiment, const DpcxrIndex *index,
                       DpcxrSplit split)
{
    static const struct {
        DpcxrLabel value;
        const char *name;
    } kinds[] = {{DPCXR_LABEL_POSITIVE, "positive"},
                 {DPCXR_LABEL_NEGATIVE, "negative"},
                 {DPCXR_LABEL_UNCERTAIN, "uncertain"},
                 {DPCXR_LABEL_MISSING, "missing"}};
    dpcxr_json_begin_object(json, "labels");
    for (int label = 0; label < experiment->data.n_labels; label++) {
        gsize counts[G_N_ELEMENTS(kinds)] = {0};
        for (gsize row = 0; row < dpcxr_index_count(index); row++)
            for (gsize k = 0; dpcxr_index_split(index, row) == split && k < G_N_ELEMENTS(kinds); k++)
                counts[k] += dpcxr_index_label(index, row, (gsize)label) == kinds[k].value;
        dpcxr_json_begin_object(json, experiment->data.labels[label]);
        for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++)
            dpcxr_json_put_count(json, kinds[k].name, counts[k]);
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
}

static void add_split(JsonBuilder *json, const DpcxrExperiment *experiment, const DpcxrIndex *index,
                      DpcxrSplit split)
{
    if (dpcxr_index_count_split(index, split) == 0)
        return;
    Tally *all = tally_new();
    for (gsize row = 0; row < dpcxr_index_count(index); row++)
        if (dpcxr_index_split(index, row) == split)
            tally_add(all, index, row);
    dpcxr_json_begin_object(json, dpcxr_split_name(split));
    put_tally(json, all);
    add_groups(json, experiment, index, split);
    add_labels(json, experiment, index, split);
    json_builder_end_object(json);
    tally_free(all);
}

static gsize shared_patients(const DpcxrIndex *index)
{
    g_autoptr(GHashTable) splits = g_hash_table_new(g_str_hash, g_str_equal); /* id to a set of splits */
    gsize shared = 0;
    for (gsize row = 0; row < dpcxr_index_count(index); row++) {
        const char *patient = dpcxr_index_patient(index, row);
        guint before = GPOINTER_TO_UINT(g_hash_table_lookup(splits, patient));
        guint now = before | 1u << dpcxr_index_split(index, row);
        if (!*patient)
            continue;
        shared += before && !(before & (before - 1)) && now != before;
        g_hash_table_insert(splits, (char *)patient, GUINT_TO_POINTER(now));
    }
    return shared;
}

gboolean dpcxr_data_flow_write(const char *path, const DpcxrExperiment *experiment, const DpcxrIndex *index,
                               GError **error)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "schema", SCHEMA);
    dpcxr_json_put_string(json, "dataset", experiment->data.dataset.type);
    add_excluded(json, index);
    dpcxr_json_put_count(json, "patients_in_several_splits", shared_patients(index));
    dpcxr_json_begin_object(json, "splits");
    for (int split = 0; split < DPCXR_N_SPLITS; split++)
        add_split(json, experiment, index, (DpcxrSplit)split);
    json_builder_end_object(json);
    json_builder_end_object(json);
    g_autofree char *text = dpcxr_json_text(json);
    return dpcxr_write_file(path, text, -1, 0600, error);
}
