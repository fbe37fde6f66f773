/* SPDX-License-Identifier: MIT
 * The index: rows as columns of interned strings and one byte a label, so that half a million rows take tens
 * of megabytes. It only stores; what a label counts as and who may be trained on is decided elsewhere. */
#include "data/index.h"
#include <string.h>

struct _DpcxrIndex {
    gsize n_labels;
    char **label_names;
    GStringChunk *strings;
    GArray *rows;        /* DpcxrRow, strings in `strings`, "" for NULL except path */
    GByteArray *labels;  /* [rows, n_labels] gint8 */
    GHashTable *columns; /* name -> GPtrArray of values by row, NULL or too short: unknown */
    GArray *exclusions;  /* Exclusion, in order of first use */
};

typedef struct {
    const char *reason;
    gsize count;
} Exclusion;

static void free_column(gpointer column)
{
    g_ptr_array_unref(column);
}

DpcxrIndex *dpcxr_index_new(const char *const *labels)
{
    DpcxrIndex *index = g_new0(DpcxrIndex, 1);
    index->label_names = g_strdupv((char **)labels);
    index->n_labels = labels ? g_strv_length((char **)labels) : 0;
    index->strings = g_string_chunk_new(1 << 16);
    index->rows = g_array_new(FALSE, FALSE, sizeof(DpcxrRow));
    index->labels = g_byte_array_new();
    index->columns = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_column);
    index->exclusions = g_array_new(FALSE, FALSE, sizeof(Exclusion));
    return index;
}

void dpcxr_index_free(DpcxrIndex *index)
{
    if (!index)
        return;
    g_strfreev(index->label_names);
    g_string_chunk_free(index->strings);
    g_array_unref(index->rows);
    g_byte_array_unref(index->labels);
    g_hash_table_unref(index->columns);
    g_array_unref(index->exclusions);
    g_free(index);
}

static const char *intern(DpcxrIndex *index, const char *text)
{
    return g_string_chunk_insert_const(index->strings, text ? text : "");
}

gsize dpcxr_index_add(DpcxrIndex *index, const DpcxrRow *row)
{
    g_return_val_if_fail(index && row && (guint)row->split < DPCXR_N_SPLITS, 0);
    DpcxrRow copy = {.sample = intern(index, row->sample),
                     .patient = intern(index, row->patient),
                     .study = intern(index, row->study),
                     .path = row->path ? g_string_chunk_insert(index->strings, row->path) : NULL,
                     .split = row->split};
    g_array_append_val(index->rows, copy);
    gsize start = index->labels->len;
    g_byte_array_set_size(index->labels, start + index->n_labels);
    if (index->n_labels > 0)
        memset(index->labels->data + start, (guint8)(gint8)DPCXR_LABEL_MISSING, index->n_labels);
    return index->rows->len - 1;
}

static const DpcxrRow *row_at(const DpcxrIndex *index, gsize row)
{
    g_assert(row < index->rows->len);
    return &g_array_index(index->rows, DpcxrRow, row);
}

void dpcxr_index_set_label(DpcxrIndex *index, gsize row, gsize label, DpcxrLabel value)
{
    g_return_if_fail(row < index->rows->len && label < index->n_labels);
    g_return_if_fail(value >= DPCXR_LABEL_MISSING && value <= DPCXR_LABEL_POSITIVE);
    index->labels->data[row * index->n_labels + label] = (guint8)(gint8)value;
}

void dpcxr_index_set_column(DpcxrIndex *index, gsize row, const char *column, const char *value)
{
    g_return_if_fail(row < index->rows->len && column);
    GPtrArray *values = g_hash_table_lookup(index->columns, column);
    if (!values) {
        values = g_ptr_array_new();
        g_hash_table_insert(index->columns, (gpointer)intern(index, column), values);
    }
    if (values->len <= row)
        g_ptr_array_set_size(values, (gint)row + 1);
    values->pdata[row] = (gpointer)intern(index, value);
}

void dpcxr_index_exclude(DpcxrIndex *index, const char *reason)
{
    for (guint i = 0; i < index->exclusions->len; i++) {
        Exclusion *exclusion = &g_array_index(index->exclusions, Exclusion, i);
        if (strcmp(exclusion->reason, reason) == 0) {
            exclusion->count++;
            return;
        }
    }
    Exclusion first = {.reason = intern(index, reason), .count = 1};
    g_array_append_val(index->exclusions, first);
}

gboolean dpcxr_index_finish(DpcxrIndex *index, GError **error)
{
    if (index->rows->len == 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "the data set has no rows%s",
                    index->exclusions->len > 0 ? "; every row of its files was left out" : "");
        return FALSE;
    }
    if (index->rows->len > G_MAXINT) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "more than %d rows", G_MAXINT);
        return FALSE;
    }
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize row = 0; row < index->rows->len; row++) {
        const DpcxrRow *this = row_at(index, row);
        if (this->sample[0] == '\0') {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "row %" G_GSIZE_FORMAT " (%s) has no sample id",
                        row + 1, this->path ? this->path : "no path");
            return FALSE;
        }
        if (!g_hash_table_add(seen, (gpointer)this->sample)) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                        "two rows have the sample id \"%s\"; each must have its own", this->sample);
            return FALSE;
        }
    }
    return TRUE;
}

gsize dpcxr_index_count(const DpcxrIndex *index)
{
    return index->rows->len;
}

gsize dpcxr_index_count_split(const DpcxrIndex *index, DpcxrSplit split)
{
    gsize count = 0;
    for (gsize row = 0; row < index->rows->len; row++)
        count += row_at(index, row)->split == split;
    return count;
}

DpcxrSplit dpcxr_index_split(const DpcxrIndex *index, gsize row)
{
    return row_at(index, row)->split;
}

const char *dpcxr_index_sample(const DpcxrIndex *index, gsize row)
{
    return row_at(index, row)->sample;
}

const char *dpcxr_index_patient(const DpcxrIndex *index, gsize row)
{
    return row_at(index, row)->patient;
}

const char *dpcxr_index_study(const DpcxrIndex *index, gsize row)
{
    return row_at(index, row)->study;
}

const char *dpcxr_index_path(const DpcxrIndex *index, gsize row)
{
    return row_at(index, row)->path;
}

DpcxrLabel dpcxr_index_label(const DpcxrIndex *index, gsize row, gsize label)
{
    g_return_val_if_fail(row < index->rows->len && label < index->n_labels, DPCXR_LABEL_MISSING);
    return (DpcxrLabel)(gint8)index->labels->data[row * index->n_labels + label];
}

const char *dpcxr_index_column(const DpcxrIndex *index, gsize row, const char *column)
{
    const GPtrArray *values = g_hash_table_lookup(index->columns, column);
    return values && row < values->len && values->pdata[row] ? values->pdata[row] : "";
}

gsize dpcxr_index_n_excluded(const DpcxrIndex *index)
{
    return index->exclusions->len;
}

const char *dpcxr_index_excluded(const DpcxrIndex *index, gsize i, gsize *count)
{
    g_return_val_if_fail(i < index->exclusions->len, NULL);
    const Exclusion *exclusion = &g_array_index(index->exclusions, Exclusion, i);
    if (count)
        *count = exclusion->count;
    return exclusion->reason;
}

const char *dpcxr_split_name(DpcxrSplit split)
{
    static const char *const names[DPCXR_N_SPLITS] = {"train", "valid", "test"};
    g_return_val_if_fail((guint)split < DPCXR_N_SPLITS, NULL);
    return names[split];
}

/* Lengths go first, so that no two different indexes give the same bytes. */
static void digest_text(GChecksum *checksum, const char *text)
{
    guint64 length = GUINT64_TO_LE(strlen(text));
    g_checksum_update(checksum, (const guchar *)&length, sizeof length);
    g_checksum_update(checksum, (const guchar *)text, strlen(text));
}

static void digest_number(GChecksum *checksum, guint64 number)
{
    number = GUINT64_TO_LE(number);
    g_checksum_update(checksum, (const guchar *)&number, sizeof number);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

static void digest_columns(const DpcxrIndex *index, GChecksum *checksum)
{
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(index->columns), compare_names);
    digest_number(checksum, g_list_length(names));
    for (const GList *name = names; name; name = name->next) {
        digest_text(checksum, name->data);
        for (gsize row = 0; row < index->rows->len; row++)
            digest_text(checksum, dpcxr_index_column(index, row, name->data));
    }
}

char *dpcxr_index_digest(const DpcxrIndex *index)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    digest_number(checksum, index->n_labels);
    for (gsize label = 0; label < index->n_labels; label++)
        digest_text(checksum, index->label_names[label]);
    digest_number(checksum, index->rows->len);
    for (gsize row = 0; row < index->rows->len; row++) {
        const DpcxrRow *this = row_at(index, row);
        digest_text(checksum, this->sample);
        digest_text(checksum, this->patient);
        digest_text(checksum, this->study);
        digest_number(checksum, this->split);
    }
    g_checksum_update(checksum, index->labels->data, index->labels->len);
    digest_columns(index, checksum);
    for (gsize i = 0; i < index->exclusions->len; i++) {
        digest_text(checksum, g_array_index(index->exclusions, Exclusion, i).reason);
        digest_number(checksum, g_array_index(index->exclusions, Exclusion, i).count);
    }
    return g_strdup(g_checksum_get_string(checksum));
}

/* "Pleural Effusion" -> "pleural_effusion" */
static char *snake_case(const char *name)
{
    char *folded = g_ascii_strdown(name, -1);
    g_strcanon(folded, "abcdefghijklmnopqrstuvwxyz0123456789", '_');
    return folded;
}

int dpcxr_dataset_find(const char *what, const char *name, const char *const *names, GError **error)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    for (int i = 0; names[i]; i++) {
        g_autofree char *folded = snake_case(names[i]);
        if (strcmp(folded, name) == 0)
            return i;
    }
    g_autofree char *list = g_strjoinv(", ", (char **)names);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "no %s \"%s\"; the data set has: %s", what, name, list);
    return -1;
}
