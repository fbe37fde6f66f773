/* SPDX-License-Identifier: MIT
 * UKA-CXR, the intensive-care radiographs of University Hospital RWTH Aachen, in the layout of Tayebi Arasteh
 * et al. 2023 (github.com/tayebiarasteh/DP_CXR): master_list.csv, and one JPEG an image in the folder of its
 * subset. */
#include <dpcxr/dpcxr.h>
#include <string.h>

static const DpcxrOptionSpec options[] = {
    {"root", DPCXR_OPTION_PATH, NULL, .summary = "the folder UKA/chest_radiograph"},
    {"index", DPCXR_OPTION_PATH, "master_list.csv", .summary = "the CSV file, relative to root"},
    {"images", DPCXR_OPTION_PATH, "UKA_preprocessed",
     .summary = "folder with subset_N/IMAGE_ID.jpg, relative to root"},
    {NULL},
};

static const char *const label_names[] = {"cardiomegaly",
                                          "congestion",
                                          "pleural_effusion_right",
                                          "pleural_effusion_left",
                                          "pneumonic_infiltrates_right",
                                          "pneumonic_infiltrates_left",
                                          "atelectasis_right",
                                          "atelectasis_left",
                                          "pneumothorax_right",
                                          "pneumothorax_left",
                                          NULL};

static const char *const column_names[] = {"sex", "age", "subset", NULL};

/* Positions in the file. */
typedef struct {
    int image, split, subset, age, gender, subject;
    int labels[G_N_ELEMENTS(label_names)]; /* of the experiment's labels */
} Columns;

static gboolean find_columns(const DpcxrCsv *csv, const char *const *labels, Columns *columns, GError **error)
{
    const struct {
        const char *name;
        int *column;
    } needed[] = {{"image_id", &columns->image}, {"split", &columns->split},
                  {"subset", &columns->subset},  {"age", &columns->age},
                  {"gender", &columns->gender},  {"subject_id", &columns->subject}};
    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
        if ((*needed[i].column = dpcxr_csv_column(csv, needed[i].name, error)) < 0)
            return FALSE;
    for (int i = 0; labels[i]; i++)
        if ((columns->labels[i] = dpcxr_csv_column(csv, labels[i], error)) < 0)
            return FALSE;
    return TRUE;
}

/* Findings are graded. 3 and 4 count as positive, as in the authors' code (data/utils.py); 1 and 2 as
 * negative, and so do the 0 and 5 that also occur. */
static gboolean read_grade(const DpcxrCsv *csv, int column, const char *name, DpcxrLabel *label,
                           GError **error)
{
    const char *cell = dpcxr_csv_cell(csv, column);
    if (cell[0] == '\0') {
        *label = DPCXR_LABEL_MISSING;
        return TRUE;
    }
    if (cell[0] >= '0' && cell[0] <= '5' && (cell[1] == '\0' || strcmp(cell + 1, ".0") == 0)) {
        *label = cell[0] == '3' || cell[0] == '4' ? DPCXR_LABEL_POSITIVE : DPCXR_LABEL_NEGATIVE;
        return TRUE;
    }
    dpcxr_csv_fail(csv, error, "%s is \"%.40s\"; a grade is 0 to 5, or empty", name, cell);
    return FALSE;
}

static gboolean read_split(const DpcxrCsv *csv, int column, DpcxrSplit *split, GError **error)
{
    static const char *const names[DPCXR_N_SPLITS] = {"train", "valid", "test"};
    const char *cell = dpcxr_csv_cell(csv, column);
    for (int i = 0; i < DPCXR_N_SPLITS; i++)
        if (strcmp(cell, names[i]) == 0) {
            *split = i;
            return TRUE;
        }
    dpcxr_csv_fail(csv, error, "split is \"%.40s\"; expected train, valid or test", cell);
    return FALSE;
}

/* 0 is male and 1 female, as the authors' code reads it. */
static gboolean read_sex(const DpcxrCsv *csv, int column, const char **sex, GError **error)
{
    const char *cell = dpcxr_csv_cell(csv, column);
    if (cell[0] == '\0')
        *sex = "";
    else if (strcmp(cell, "0") == 0 || strcmp(cell, "0.0") == 0)
        *sex = "M";
    else if (strcmp(cell, "1") == 0 || strcmp(cell, "1.0") == 0)
        *sex = "F";
    else {
        dpcxr_csv_fail(csv, error, "gender is \"%.40s\"; expected 0 (male), 1 (female) or nothing", cell);
        return FALSE;
    }
    return TRUE;
}

static gboolean read_row(const DpcxrCsv *csv, const Columns *columns, const char *folder,
                         const char *const *labels, DpcxrIndex *index, GError **error)
{
    const char *image = dpcxr_csv_cell(csv, columns->image), *subset = dpcxr_csv_cell(csv, columns->subset),
               *sex;
    DpcxrSplit split;
    if (!read_split(csv, columns->split, &split, error) || !read_sex(csv, columns->gender, &sex, error))
        return FALSE;
    if (image[0] == '\0' || subset[0] == '\0') {
        dpcxr_csv_fail(csv, error, "image_id or subset is empty; they name the image file");
        return FALSE;
    }
    g_autofree char *name = g_strdup_printf("%s.jpg", image);
    g_autofree char *path = g_build_filename(folder, subset, name, NULL);
    gsize row = dpcxr_index_add(index, &(DpcxrRow){.sample = image,
                                                   .patient = dpcxr_csv_cell(csv, columns->subject),
                                                   .path = path,
                                                   .split = split});
    dpcxr_index_set_column(index, row, "sex", sex);
    dpcxr_index_set_column(index, row, "age", dpcxr_csv_cell(csv, columns->age));
    dpcxr_index_set_column(index, row, "subset", subset);
    for (gsize i = 0; labels[i]; i++) {
        DpcxrLabel label;
        if (!read_grade(csv, columns->labels[i], labels[i], &label, error))
            return FALSE;
        dpcxr_index_set_label(index, row, i, label);
    }
    return TRUE;
}

static gboolean check_names(const char *const *labels, const char *const *columns, GError **error)
{
    for (int i = 0; labels[i]; i++)
        if (dpcxr_dataset_find("label", labels[i], label_names, error) < 0)
            return FALSE;
    for (int i = 0; columns[i]; i++)
        if (dpcxr_dataset_find("column", columns[i], column_names, error) < 0)
            return FALSE;
    if (g_strv_length((char **)labels) < G_N_ELEMENTS(label_names))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "more labels than the %d of UKA-CXR",
                (int)G_N_ELEMENTS(label_names) - 1);
    return FALSE;
}

static gboolean open_uka(const DpcxrOptions *values, const char *const *labels, const char *const *columns,
                         DpcxrIndex *index, gpointer *self, GError **error)
{
    const char *root = dpcxr_options_get_string(values, "root");
    g_autofree char *path = g_build_filename(root, dpcxr_options_get_string(values, "index"), NULL);
    g_autofree char *folder = g_build_filename(root, dpcxr_options_get_string(values, "images"), NULL);
    if (!check_names(labels, columns, error))
        return FALSE;
    g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(path, error);
    Columns found;
    if (!csv || !find_columns(csv, labels, &found, error))
        return FALSE;
    GError *problem = NULL;
    while (dpcxr_csv_next(csv, &problem) && read_row(csv, &found, folder, labels, index, &problem))
        ;
    if (problem)
        g_propagate_error(error, problem);
    return problem == NULL;
}

static const DpcxrDataset uka = {.open = open_uka};

DPCXR_PLUGIN_DEFINE_DATASET(
    uka_cxr, .version = "1.0", .licence = "MIT", .options = options, .feature = &uka,
    .summary = "UKA-CXR: intensive-care radiographs of Aachen, findings graded left and right",
    .reference = "Tayebi Arasteh et al. 2023, https://arxiv.org/abs/2302.01622");
