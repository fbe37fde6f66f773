/* SPDX-License-Identifier: MIT
 * Any CSV file with a row for each image: path, patient, split, labels and groups are columns that options
 * name. For data sets of one's own, and for collections that were put together as one table. */
#include <dpcxr/dpcxr.h>
#include <string.h>

static const DpcxrOptionSpec options[] = {
    {"root", DPCXR_OPTION_PATH, NULL, .summary = "folder that the index and its image paths are relative to"},
    {"index", DPCXR_OPTION_PATH, "metadata.csv",
     .summary = "the CSV file (also .csv.gz), relative to root"},
    {"path_column", DPCXR_OPTION_STRING, "path", .summary = "column with the image file, relative to root"},
    {"patient_column", DPCXR_OPTION_STRING, "patient_id",
     .summary = "column with the patient id; null: not known"},
    {"split_column", DPCXR_OPTION_STRING, "split", .summary = "column that says which split a row is in"},
    {"study_column", DPCXR_OPTION_STRING, "null", .summary = "column with the study id"},
    {"sample_column", DPCXR_OPTION_STRING, "null",
     .summary = "column with a unique id of the image; null: its path"},
    {"split_names", DPCXR_OPTION_MAP, "{}",
     .summary =
         "what the split column calls train, valid and test, as in {valid: validate}; by default their own "
         "names, and also validate and val"},
    {"filter", DPCXR_OPTION_MAP, "{}",
     .summary = "rows to keep, as in {source: clinic-a}: column and required value, all of them"},
    {"label_columns", DPCXR_OPTION_MAP, "{}",
     .summary =
         "column of a label, as in {effusion: Pleural Effusion}; by default its own name. Cells are 1, 0, -1 "
         "(uncertain) or empty (missing)"},
    {NULL},
};

/* Positions in the file; -1 where there is no such column. */
typedef struct {
    int path, patient, split, study, sample;
    int *labels, *groups, *filters;
} Columns;

static void columns_clear(Columns *columns)
{
    g_free(columns->labels);
    g_free(columns->groups);
    g_free(columns->filters);
}

/* The column that option @option names; -1 is fine where that is null. */
static gboolean find(const DpcxrCsv *csv, const DpcxrOptions *values, const char *option, int *column,
                     GError **error)
{
    const char *name = dpcxr_options_get_string(values, option);
    *column = -1;
    if (!name)
        return TRUE;
    *column = dpcxr_csv_column(csv, name, error);
    if (*column < 0)
        g_prefix_error(error, "%s: %s: ", dpcxr_options_where(values, option), option);
    return *column >= 0;
}

static gboolean find_all(const DpcxrCsv *csv, const char *const *names, const DpcxrOptions *values,
                         int **found, GError **error)
{
    guint n = g_strv_length((char **)names);
    *found = g_new(int, n + 1);
    for (guint i = 0; i < n; i++) {
        const char *mapped = values ? dpcxr_options_get_map(values, "label_columns", names[i]) : NULL;
        (*found)[i] = dpcxr_csv_column(csv, mapped ? mapped : names[i], error);
        if ((*found)[i] < 0)
            return FALSE;
    }
    return TRUE;
}

static gboolean find_columns(const DpcxrCsv *csv, const DpcxrOptions *values, const char *const *labels,
                             const char *const *groups, Columns *columns, GError **error)
{
    if (!find(csv, values, "path_column", &columns->path, error) ||
        !find(csv, values, "patient_column", &columns->patient, error) ||
        !find(csv, values, "split_column", &columns->split, error) ||
        !find(csv, values, "study_column", &columns->study, error) ||
        !find(csv, values, "sample_column", &columns->sample, error) ||
        !find_all(csv, labels, values, &columns->labels, error) ||
        !find_all(csv, groups, NULL, &columns->groups, error))
        return FALSE;
    if (!find_all(csv, dpcxr_options_get_map_keys(values, "filter"), NULL, &columns->filters, error)) {
        g_prefix_error(error, "%s: filter: ", dpcxr_options_where(values, "filter"));
        return FALSE;
    }
    return TRUE;
}

static gboolean passes(const DpcxrCsv *csv, const DpcxrOptions *values, const Columns *columns)
{
    const char *const *keys = dpcxr_options_get_map_keys(values, "filter");
    for (int i = 0; keys[i]; i++)
        if (strcmp(dpcxr_csv_cell(csv, columns->filters[i]),
                   dpcxr_options_get_map(values, "filter", keys[i])) != 0)
            return FALSE;
    return TRUE;
}

static gboolean read_split(const DpcxrCsv *csv, const DpcxrOptions *values, int column, DpcxrSplit *split,
                           GError **error)
{
    static const char *const names[][3] = {{"train"}, {"valid", "validate", "val"}, {"test"}};
    const char *cell = dpcxr_csv_cell(csv, column);
    for (int i = 0; i < DPCXR_N_SPLITS; i++) {
        const char *mapped = dpcxr_options_get_map(values, "split_names", names[i][0]);
        gboolean is = mapped && strcmp(cell, mapped) == 0;
        for (int k = 0; !mapped && k < 3 && names[i][k]; k++)
            is = is || strcmp(cell, names[i][k]) == 0;
        if (is) {
            *split = i;
            return TRUE;
        }
    }
    dpcxr_csv_fail(
        csv, error,
        "the split is \"%.40s\"; expected train, valid or test (other names: option split_names; rows of "
        "no split can be left out with filter)",
        cell);
    return FALSE;
}

static gboolean add_row(const DpcxrCsv *csv, const DpcxrOptions *values, const Columns *columns,
                        const char *const *groups, DpcxrIndex *index, GError **error)
{
    DpcxrSplit split;
    if (!read_split(csv, values, columns->split, &split, error))
        return FALSE;
    const char *file = dpcxr_csv_cell(csv, columns->path);
    if (file[0] == '\0') {
        dpcxr_csv_fail(csv, error, "the row has no image path");
        return FALSE;
    }
    g_autofree char *path = g_path_is_absolute(file)
                                ? g_strdup(file)
                                : g_build_filename(dpcxr_options_get_string(values, "root"), file, NULL);
    gsize row = dpcxr_index_add(
        index, &(DpcxrRow){.sample = columns->sample < 0 ? file : dpcxr_csv_cell(csv, columns->sample),
                           .patient = columns->patient < 0 ? NULL : dpcxr_csv_cell(csv, columns->patient),
                           .study = columns->study < 0 ? NULL : dpcxr_csv_cell(csv, columns->study),
                           .path = path,
                           .split = split});
    for (int i = 0; groups[i]; i++)
        dpcxr_index_set_column(index, row, groups[i], dpcxr_csv_cell(csv, columns->groups[i]));
    return TRUE;
}

static gboolean set_labels(const DpcxrCsv *csv, const Columns *columns, const char *const *labels,
                           DpcxrIndex *index, gsize row, GError **error)
{
    for (gsize i = 0; labels[i]; i++) {
        DpcxrLabel label;
        if (!dpcxr_csv_label(csv, columns->labels[i], &label, error))
            return FALSE;
        dpcxr_index_set_label(index, row, i, label);
    }
    return TRUE;
}

static gboolean check_split_names(const DpcxrOptions *values, GError **error)
{
    const char *const *keys = dpcxr_options_get_map_keys(values, "split_names");
    for (int i = 0; keys[i]; i++)
        if (strcmp(keys[i], "train") != 0 && strcmp(keys[i], "valid") != 0 && strcmp(keys[i], "test") != 0) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                        "%s: split_names: no split \"%s\"; there are train, valid and test",
                        dpcxr_options_where(values, "split_names"), keys[i]);
            return FALSE;
        }
    return TRUE;
}

static gboolean read_rows(DpcxrCsv *csv, const DpcxrOptions *values, const char *const *labels,
                          const char *const *groups, DpcxrIndex *index, GError **error)
{
    Columns columns = {0};
    GError *problem = NULL;
    gboolean good = find_columns(csv, values, labels, groups, &columns, &problem);
    for (gsize row = 0; good && dpcxr_csv_next(csv, &problem);)
        if (!passes(csv, values, &columns))
            dpcxr_index_exclude(index, "not in the filter");
        else
            good = add_row(csv, values, &columns, groups, index, &problem) &&
                   set_labels(csv, &columns, labels, index, row++, &problem);
    columns_clear(&columns);
    if (problem)
        g_propagate_error(error, problem);
    return problem == NULL;
}

static gboolean open_table(const DpcxrOptions *values, const char *const *labels, const char *const *columns,
                           DpcxrIndex *index, gpointer *self, GError **error)
{
    g_autofree char *path = g_build_filename(dpcxr_options_get_string(values, "root"),
                                             dpcxr_options_get_string(values, "index"), NULL);
    if (!check_split_names(values, error))
        return FALSE;
    g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(path, error);
    return csv && read_rows(csv, values, labels, columns, index, error);
}

static const DpcxrDataset table = {.open = open_table};

DPCXR_PLUGIN_DEFINE_DATASET(table, .version = "1.0", .licence = "MIT", .options = options, .feature = &table,
                            .summary = "any CSV file with path, patient, split, label and group columns");
