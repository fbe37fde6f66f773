/* SPDX-License-Identifier: MIT */
#include "eval/groups.h"
#include <string.h>

#define CROSS " x "

/* "5-30" before "30-60", and either before "F". */
static int by_number_then_text(const char *a, const char *b)
{
    char *end_a, *end_b;
    double x = g_ascii_strtod(a, &end_a), y = g_ascii_strtod(b, &end_b);
    gboolean is_a = end_a != a, is_b = end_b != b;

    if (is_a != is_b)
        return is_a ? -1 : 1;
    if (is_a && x != y)
        return x < y ? -1 : 1;
    return strcmp(a, b);
}

/* A value that is there: one cell, or two. */
typedef struct {
    const char *parts[2];
    int number;
} Value;

static int by_parts(gconstpointer a, gconstpointer b)
{
    const Value *x = *(Value *const *)a, *y = *(Value *const *)b;
    int first = by_number_then_text(x->parts[0], y->parts[0]);

    return first || !x->parts[1] ? first : by_number_then_text(x->parts[1], y->parts[1]);
}

static guint hash_value(gconstpointer key)
{
    const Value *value = key;

    return g_str_hash(value->parts[0]) * 31 + (value->parts[1] ? g_str_hash(value->parts[1]) : 0);
}

static gboolean equal_values(gconstpointer a, gconstpointer b)
{
    const Value *x = a, *y = b;

    return g_str_equal(x->parts[0], y->parts[0]) && g_strcmp0(x->parts[1], y->parts[1]) == 0;
}

/* The value of a row; FALSE where a part is not known. @second -1: none. */
static gboolean value_of_row(const DpcxrPredictionFile *file, gsize row, int first, int second, Value *value)
{
    char **cells = file->cells + row * file->n_columns;

    *value = (Value){{cells[first], second >= 0 ? cells[second] : NULL}, -1};
    return *value->parts[0] && (second < 0 || *value->parts[1]);
}

static void find_values(GHashTable *values, const DpcxrPredictionFile *file, int first, int second)
{
    Value value;

    for (gsize row = 0; row < file->n; row++)
        if (value_of_row(file, row, first, second, &value) && !g_hash_table_contains(values, &value))
            g_hash_table_add(values, g_memdup2(&value, sizeof value));
}

static void name_values(DpcxrGrouping *grouping, GHashTable *values)
{
    g_autofree Value **sorted = (Value **)g_hash_table_get_keys_as_array(values, NULL);

    grouping->n_values = g_hash_table_size(values);
    grouping->values = g_new0(char *, grouping->n_values + 1);
    if (grouping->n_values > 0)
        qsort(sorted, grouping->n_values, sizeof *sorted, by_parts);
    for (gsize i = 0; i < grouping->n_values; i++) {
        sorted[i]->number = (int)i;
        grouping->values[i] = g_strjoin(CROSS, sorted[i]->parts[0], sorted[i]->parts[1], NULL);
    }
}

static DpcxrGrouping *make(const DpcxrPredictionFile *file, int first, int second)
{
    g_autoptr(GHashTable) values = g_hash_table_new_full(hash_value, equal_values, g_free, NULL);
    DpcxrGrouping *grouping = g_new0(DpcxrGrouping, 1);
    Value value;

    grouping->columns[0] = file->columns[first];
    grouping->columns[1] = second >= 0 ? file->columns[second] : NULL;
    grouping->name = g_strjoin(CROSS, grouping->columns[0], grouping->columns[1], NULL);
    grouping->value_of = g_new(int, file->n);
    find_values(values, file, first, second);
    name_values(grouping, values);
    for (gsize row = 0; row < file->n; row++) {
        gboolean known = value_of_row(file, row, first, second, &value);
        grouping->value_of[row] = known ? ((Value *)g_hash_table_lookup(values, &value))->number : -1;
        grouping->unknown += !known;
    }
    return grouping;
}

static void grouping_free(gpointer data)
{
    DpcxrGrouping *grouping = data;

    g_free(grouping->name);
    g_strfreev(grouping->values);
    g_free(grouping->value_of);
    g_free(grouping);
}

GPtrArray *dpcxr_groupings(const DpcxrPredictionFile *file)
{
    GPtrArray *groupings = g_ptr_array_new_with_free_func(grouping_free);

    for (gsize i = 0; i < file->n_columns; i++)
        g_ptr_array_add(groupings, make(file, (int)i, -1));
    for (gsize i = 0; i < file->n_columns; i++)
        for (gsize k = i + 1; k < file->n_columns; k++)
            g_ptr_array_add(groupings, make(file, (int)i, (int)k));
    return groupings;
}
