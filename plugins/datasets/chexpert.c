/* SPDX-License-Identifier: MIT
 * CheXpert v1.0 and v1.0-small (Irvin et al. 2019): train.csv and valid.csv as they are released. The data
 * set has no public test split, so options say what the 234 images read by radiologists (valid.csv) are used
 * as. */
#include <dpcxr/dpcxr.h>
#include <string.h>

static const DpcxrOptionSpec options[] = {
    {"root", DPCXR_OPTION_PATH, NULL,
     .summary = "the folder that contains CheXpert-v1.0-small (or CheXpert-v1.0)"},
    {"version", DPCXR_OPTION_STRING, "null",
     .summary = "name of the folder in root, as in CheXpert-v1.0; null: the one that is there"},
    {"views", DPCXR_OPTION_CHOICE, "frontal", .choices = "frontal|all", .summary = "images to use"},
    {"valid_as", DPCXR_OPTION_CHOICE, "valid", .choices = "valid|test",
     .summary = "split that valid.csv becomes"},
    {"valid_fraction", DPCXR_OPTION_NUMBER, "0", 0, 0.5,
     .summary = "share of the patients of train.csv that become the validation split, chosen by a keyed hash "
                "of their "
                "id; for valid_as: test"},
    {"split_key", DPCXR_OPTION_STRING, "dpcxr", .summary = "key of that hash: another key, another split"},
    {NULL},
};

static const char *const label_names[] = {"No Finding",
                                          "Enlarged Cardiomediastinum",
                                          "Cardiomegaly",
                                          "Lung Opacity",
                                          "Lung Lesion",
                                          "Edema",
                                          "Consolidation",
                                          "Pneumonia",
                                          "Atelectasis",
                                          "Pneumothorax",
                                          "Pleural Effusion",
                                          "Pleural Other",
                                          "Fracture",
                                          "Support Devices",
                                          NULL};

static const char *const column_names[] = {"sex", "age", "view", NULL};

/* Positions in the file. */
typedef struct {
    int path, sex, age, frontal, view;
    int labels[G_N_ELEMENTS(label_names)]; /* of the experiment's labels */
} Columns;

/* What one file's rows are. */
typedef struct {
    const DpcxrOptions *options;
    const char *const *labels;
    DpcxrSplit split;
    guint64 valid_below; /* patients whose hash is below are validation */
} Reading;

static gboolean find_columns(const DpcxrCsv *csv, const char *const *labels, Columns *columns, GError **error)
{
    const struct {
        const char *name;
        int *column;
    } needed[] = {{"Path", &columns->path},
                  {"Sex", &columns->sex},
                  {"Age", &columns->age},
                  {"Frontal/Lateral", &columns->frontal},
                  {"AP/PA", &columns->view}};
    for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
        if ((*needed[i].column = dpcxr_csv_column(csv, needed[i].name, error)) < 0)
            return FALSE;
    for (int i = 0; labels[i]; i++) {
        int label = dpcxr_dataset_find("label", labels[i], label_names, error);
        if (label < 0 || (columns->labels[i] = dpcxr_csv_column(csv, label_names[label], error)) < 0)
            return FALSE;
    }
    return TRUE;
}

/* A keyed hash of the patient alone decides, so no record has a say in where another one goes. */
static gboolean is_held_out(const Reading *reading, const char *patient)
{
    const char *key = dpcxr_options_get_string(reading->options, "split_key");
    guint8 digest[32];
    gsize length = sizeof digest;
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, (const guchar *)key, strlen(key));
    g_hmac_update(hmac, (const guchar *)patient, strlen(patient));
    g_hmac_get_digest(hmac, digest, &length);
    guint64 hash = 0;
    for (int i = 0; i < 8; i++)
        hash = hash << 8 | digest[i];
    return hash < reading->valid_below;
}

/* Path is VERSION/SPLIT/patientNNNNN/studyN/viewN_frontal.jpg. */
static char **split_path(const DpcxrCsv *csv, const char *path, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    if (g_strv_length(parts) == 5 && g_str_has_prefix(parts[2], "patient") &&
        g_str_has_prefix(parts[3], "study"))
        return g_steal_pointer(&parts);
    dpcxr_csv_fail(csv, error,
                   "Path is \"%.100s\"; expected CheXpert-v1.0-small/train/patientN/studyN/viewN_frontal.jpg",
                   path);
    return NULL;
}

static gboolean set_groups(const DpcxrCsv *csv, const Columns *columns, gboolean frontal, DpcxrIndex *index,
                           gsize row, GError **error)
{
    const char *sex = dpcxr_csv_cell(csv, columns->sex), *age = dpcxr_csv_cell(csv, columns->age);
    const char *code = strcmp(sex, "Male") == 0 ? "M" : strcmp(sex, "Female") == 0 ? "F" : "";
    if (code[0] == '\0' && sex[0] != '\0' && strcmp(sex, "Unknown") != 0) {
        dpcxr_csv_fail(csv, error, "Sex is \"%.40s\"; expected Male, Female or Unknown", sex);
        return FALSE;
    }
    dpcxr_index_set_column(index, row, "sex", code);
    dpcxr_index_set_column(index, row, "age", strcmp(age, "0") == 0 ? "" : age); /* 0: not known */
    dpcxr_index_set_column(index, row, "view", frontal ? dpcxr_csv_cell(csv, columns->view) : "lateral");
    return TRUE;
}

static gboolean add_row(const DpcxrCsv *csv, const Reading *reading, const Columns *columns, gboolean frontal,
                        DpcxrIndex *index, GError **error)
{
    const char *path = dpcxr_csv_cell(csv, columns->path);
    g_auto(GStrv) parts = split_path(csv, path, error);
    if (!parts)
        return FALSE;
    g_autofree char *file = g_build_filename(dpcxr_options_get_string(reading->options, "root"), path, NULL);
    g_autofree char *study = g_strdup_printf("%s/%s", parts[2], parts[3]);
    DpcxrSplit split = reading->split;
    if (split == DPCXR_SPLIT_TRAIN && is_held_out(reading, parts[2]))
        split = DPCXR_SPLIT_VALID;
    gsize row = dpcxr_index_add(index, &(DpcxrRow){.sample = strchr(path, '/') + 1,
                                                   .patient = parts[2],
                                                   .study = study,
                                                   .path = file,
                                                   .split = split});
    for (gsize i = 0; reading->labels[i]; i++) {
        DpcxrLabel label;
        if (!dpcxr_csv_label(csv, columns->labels[i], &label, error))
            return FALSE;
        dpcxr_index_set_label(index, row, i, label);
    }
    return set_groups(csv, columns, frontal, index, row, error);
}

static gboolean read_row(const DpcxrCsv *csv, const Reading *reading, const Columns *columns,
                         DpcxrIndex *index, GError **error)
{
    const char *cell = dpcxr_csv_cell(csv, columns->frontal);
    gboolean frontal = strcmp(cell, "Frontal") == 0;
    if (!frontal && strcmp(cell, "Lateral") != 0) {
        dpcxr_csv_fail(csv, error, "Frontal/Lateral is \"%.40s\"; expected Frontal or Lateral", cell);
        return FALSE;
    }
    if (frontal || strcmp(dpcxr_options_get_string(reading->options, "views"), "all") == 0)
        return add_row(csv, reading, columns, frontal, index, error);
    dpcxr_index_exclude(index, "lateral view");
    return TRUE;
}

static gboolean read_file(const char *folder, const char *name, const Reading *reading, DpcxrIndex *index,
                          GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(path, error);
    Columns columns;
    if (!csv || !find_columns(csv, reading->labels, &columns, error))
        return FALSE;
    GError *problem = NULL;
    while (dpcxr_csv_next(csv, &problem) && read_row(csv, reading, &columns, index, &problem))
        ;
    if (problem)
        g_propagate_error(error, problem);
    return problem == NULL;
}

/* (transfer full) The folder with train.csv. */
static char *find_folder(const DpcxrOptions *values, GError **error)
{
    static const char *const known[] = {"CheXpert-v1.0-small", "CheXpert-v1.0", NULL};
    const char *root = dpcxr_options_get_string(values, "root");
    const char *version = dpcxr_options_get_string(values, "version");
    if (version)
        return g_build_filename(root, version, NULL);
    g_autofree char *found = NULL;
    for (int i = 0; known[i]; i++) {
        g_autofree char *folder = g_build_filename(root, known[i], NULL);
        g_autofree char *index = g_build_filename(folder, "train.csv", NULL);
        if (!g_file_test(index, G_FILE_TEST_EXISTS))
            continue;
        if (found) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                        "%s: root: both %s and %s are in %s; say which one with version:",
                        dpcxr_options_where(values, "root"), known[0], known[i], root);
            return NULL;
        }
        found = g_steal_pointer(&folder);
    }
    if (!found)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "%s: root: neither CheXpert-v1.0-small/train.csv nor CheXpert-v1.0/train.csv is in %s; "
                    "root is the "
                    "folder that contains the data set's folder",
                    dpcxr_options_where(values, "root"), root);
    return g_steal_pointer(&found);
}

static gboolean check_names(const char *const *labels, const char *const *columns, GError **error)
{
    if (g_strv_length((char **)labels) >= G_N_ELEMENTS(label_names)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "more labels than the %d of CheXpert",
                    (int)G_N_ELEMENTS(label_names) - 1);
        return FALSE;
    }
    for (int i = 0; columns[i]; i++)
        if (dpcxr_dataset_find("column", columns[i], column_names, error) < 0)
            return FALSE;
    return TRUE;
}

static gboolean open_chexpert(const DpcxrOptions *values, const char *const *labels,
                              const char *const *columns, DpcxrIndex *index, gpointer *self, GError **error)
{
    double fraction = dpcxr_options_get_number(values, "valid_fraction");
    gboolean as_test = strcmp(dpcxr_options_get_string(values, "valid_as"), "test") == 0;
    if (fraction > 0 && !as_test) {
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
            "%s: valid_fraction: takes patients from train.csv for a validation split, but valid.csv is that "
            "already; set valid_as: test",
            dpcxr_options_where(values, "valid_fraction"));
        return FALSE;
    }
    g_autofree char *folder = NULL;
    if (!check_names(labels, columns, error) || !(folder = find_folder(values, error)))
        return FALSE;
    Reading train = {values, labels, DPCXR_SPLIT_TRAIN, (guint64)(fraction * 0x1p64)};
    Reading valid = {values, labels, as_test ? DPCXR_SPLIT_TEST : DPCXR_SPLIT_VALID, 0};
    return read_file(folder, "train.csv", &train, index, error) &&
           read_file(folder, "valid.csv", &valid, index, error);
}

static const DpcxrDataset chexpert = {.open = open_chexpert};

DPCXR_PLUGIN_DEFINE_DATASET(chexpert, .version = "1.0", .licence = "MIT", .options = options,
                            .feature = &chexpert,
                            .summary = "CheXpert v1.0: 224,316 radiographs of 65,240 patients, 14 labels",
                            .reference = "Irvin et al. 2019, https://arxiv.org/abs/1901.07031");
