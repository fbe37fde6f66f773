/* SPDX-License-Identifier: MIT
 * Groups the training rows of an index into units. */
#include "privacy/units.h"
#include <string.h>

const char *dpcxr_unit_name(DpcxrUnit unit)
{
    return unit == DPCXR_UNIT_PATIENT ? "patient" : "image";
}

static gboolean is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n\v\f")] == '\0';
}

/* Rows of the training split, in order. */
static GArray *training_rows(const DpcxrIndex *index)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(gsize));
    for (gsize row = 0; row < dpcxr_index_count(index); row++)
        if (dpcxr_index_split(index, row) == DPCXR_SPLIT_TRAIN)
            g_array_append_val(rows, row);
    return rows;
}

static gboolean check_patients(const DpcxrIndex *index, const GArray *rows, GError **error)
{
    gsize blank = 0, first = 0;
    for (gsize i = 0; i < rows->len; i++) {
        gsize row = g_array_index(rows, gsize, i);
        if (is_blank(dpcxr_index_patient(index, row)) && blank++ == 0)
            first = row;
    }
    if (blank == 0)
        return TRUE;
    g_set_error(
        error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
        "privacy.unit: patient needs a patient id for every training image, but %" G_GSIZE_FORMAT
        " of %u have none (the first is sample \"%s\"); complete the ids, leave these images out, or protect "
        "images (unit: image)",
        blank, rows->len, dpcxr_index_sample(index, first));
    return FALSE;
}

/* An image that stands in two rows would be two units, and protected as each of them only. What is one image is told by
 * its file or, where a data set has none, by its sample. */
static gboolean check_images(const DpcxrIndex *index, const GArray *rows, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    gsize again = 0, first = 0;
    for (gsize i = 0; i < rows->len; i++) {
        gsize row = g_array_index(rows, gsize, i);
        const char *path = dpcxr_index_path(index, row);
        if (!g_hash_table_add(seen, (gpointer)(path ? path : dpcxr_index_sample(index, row))) && again++ == 0)
            first = row;
    }
    if (again == 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "privacy.unit: image needs every training image in one row, but %" G_GSIZE_FORMAT
                " of %u rows repeat one (the first is sample \"%s\"); remove them, or protect patients (unit: patient)",
                again, rows->len, dpcxr_index_sample(index, first));
    return FALSE;
}

/* The unit of each training row, numbered by first appearance; returns how many there are. */
static gsize assign_units(const DpcxrIndex *index, DpcxrUnit unit, const GArray *rows, gsize *unit_of)
{
    g_autoptr(GHashTable) numbers = g_hash_table_new(g_str_hash, g_str_equal);
    gsize n = 0;
    for (gsize i = 0; i < rows->len; i++) {
        const char *patient = dpcxr_index_patient(index, g_array_index(rows, gsize, i));
        gpointer number;
        if (unit == DPCXR_UNIT_IMAGE)
            unit_of[i] = n++;
        else if (g_hash_table_lookup_extended(numbers, patient, NULL, &number))
            unit_of[i] = GPOINTER_TO_SIZE(number);
        else {
            g_hash_table_insert(numbers, (gpointer)patient, GSIZE_TO_POINTER(n));
            unit_of[i] = n++;
        }
    }
    return n;
}

/* Sorts rows by unit, keeping the order of the index within each. */
static DpcxrUnits *group_rows(DpcxrUnit unit, gsize n, const GArray *rows, const gsize *unit_of)
{
    DpcxrUnits *units = g_new0(DpcxrUnits, 1);
    units->unit = unit;
    units->n = n;
    units->offsets = g_new0(gsize, n + 1);
    units->rows = g_new(gsize, rows->len);
    for (gsize i = 0; i < rows->len; i++)
        units->offsets[unit_of[i] + 1]++;
    for (gsize u = 0; u < n; u++) {
        units->max_rows = MAX(units->max_rows, units->offsets[u + 1]);
        units->offsets[u + 1] += units->offsets[u];
    }
    g_autofree gsize *next = g_memdup2(units->offsets, n * sizeof *next);
    for (gsize i = 0; i < rows->len; i++)
        units->rows[next[unit_of[i]]++] = g_array_index(rows, gsize, i);
    return units;
}

DpcxrUnits *dpcxr_units_new(const DpcxrIndex *index, DpcxrUnit unit, GError **error)
{
    g_autoptr(GArray) rows = training_rows(index);
    if (rows->len == 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "no training images: none of the %" G_GSIZE_FORMAT " rows of the index is in split train",
                    dpcxr_index_count(index));
        return NULL;
    }
    if (unit == DPCXR_UNIT_PATIENT ? !check_patients(index, rows, error) : !check_images(index, rows, error))
        return NULL;
    g_autofree gsize *unit_of = g_new(gsize, rows->len);
    gsize n = assign_units(index, unit, rows, unit_of);
    return group_rows(unit, n, rows, unit_of);
}

void dpcxr_units_free(DpcxrUnits *units)
{
    if (units == NULL)
        return;
    g_free(units->offsets);
    g_free(units->rows);
    g_free(units);
}
