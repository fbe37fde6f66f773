/* SPDX-License-Identifier: MIT
 * MIMIC-CXR-JPG 2.x (Johnson et al. 2019): joins the released tables. Labels are per study, views per image,
 * splits per image; sex and age come from MIMIC-IV's patients table, which is a download of its own. Rows
 * follow the metadata. */
#include <dpcxr/dpcxr.h>
#include <string.h>

static const DpcxrOptionSpec options[] = {
    {"root", DPCXR_OPTION_PATH, NULL, .summary = "the folder mimic-cxr-jpg, with the CSV files and files/"},
    {"labeler", DPCXR_OPTION_CHOICE, "chexpert", .choices = "chexpert|negbio",
     .summary = "program that read the labels from the reports"},
    {"views", DPCXR_OPTION_STRINGS, "[PA, AP]", .summary = "ViewPosition of the images to use"},
    {"patients", DPCXR_OPTION_PATH, "null",
     .summary = "patients.csv(.gz) of MIMIC-IV, for the columns sex and age; null: there are none"},
    {"version", DPCXR_OPTION_STRING, "null",
     .summary = "version in the names of the CSV files, as in 2.0.0; null: the one that is there"},
    {NULL},
};

static const char *const label_names[] = {
    "Atelectasis",   "Cardiomegaly", "Consolidation", "Edema",           "Enlarged Cardiomediastinum",
    "Fracture",      "Lung Lesion",  "Lung Opacity",  "No Finding",      "Pleural Effusion",
    "Pleural Other", "Pneumonia",    "Pneumothorax",  "Support Devices", NULL};

#define N_LABELS ((int)G_N_ELEMENTS(label_names) - 1)

typedef struct {
    char sex[2];
    int anchor_age, anchor_year;
} Patient;

/* The tables that are joined to the metadata. Strings live in `strings`. */
typedef struct {
    GStringChunk *strings;
    GHashTable *labels;   /* study_id -> gint8[n_labels], of DpcxrLabel */
    GHashTable *splits;   /* dicom_id -> DpcxrSplit + 1 */
    GHashTable *patients; /* subject_id -> Patient; NULL without the option */
} Tables;

static void tables_init(Tables *tables, gboolean with_patients)
{
    tables->strings = g_string_chunk_new(1 << 16);
    tables->labels = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    tables->splits = g_hash_table_new(g_str_hash, g_str_equal);
    tables->patients = with_patients ? g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free) : NULL;
}

static void tables_clear(Tables *tables)
{
    g_hash_table_unref(tables->labels);
    g_hash_table_unref(tables->splits);
    g_clear_pointer(&tables->patients, g_hash_table_unref);
    g_string_chunk_free(tables->strings);
}

/* FALSE with an error "file:line: ..." where the id is empty or there already. */
static gboolean insert(const DpcxrCsv *csv, Tables *tables, GHashTable *table, const char *id, gpointer value,
                       GError **error)
{
    const char *problem = id[0] == '\0' ? "empty" : g_hash_table_contains(table, id) ? "there twice" : NULL;
    if (problem)
        dpcxr_csv_fail(csv, error, "the id \"%.60s\" is %s", id, problem);
    else
        g_hash_table_insert(table, g_string_chunk_insert(tables->strings, id), value);
    return problem == NULL;
}

/* Positions of @names (NULL-terminated) in @csv. */
static gboolean find_columns(const DpcxrCsv *csv, const char *const *names, int *columns, GError **error)
{
    for (int i = 0; names[i]; i++)
        if ((columns[i] = dpcxr_csv_column(csv, names[i], error)) < 0)
            return FALSE;
    return TRUE;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* (transfer full) Names in @root that are mimic-cxr-VERSION-@part.csv or the same with .gz, sorted. */
static GPtrArray *list_files(const char *root, const char *version, const char *part, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) folder = g_dir_open(root, 0, &cause);
    if (!folder) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s", cause->message);
        return NULL;
    }
    g_autofree char *prefix = version ? g_strdup_printf("mimic-cxr-%s-", version) : g_strdup("mimic-cxr-2.");
    g_autofree char *plain = g_strdup_printf("-%s.csv", part), *packed = g_strdup_printf("-%s.csv.gz", part);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(folder));)
        if (g_str_has_prefix(name, prefix) &&
            (g_str_has_suffix(name, plain) || g_str_has_suffix(name, packed)))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    return names;
}

/* (transfer full) The file of a table. An unpacked one beside its .gz is taken; two versions
 * need the option. */
static char *find_file(const DpcxrOptions *values, const char *part, GError **error)
{
    const char *root = dpcxr_options_get_string(values, "root");
    const char *version = dpcxr_options_get_string(values, "version");
    g_autoptr(GPtrArray) names = list_files(root, version, part, error);
    if (!names)
        return NULL;
    if (names->len == 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: there is no mimic-cxr-%s-%s.csv or .csv.gz",
                    root, version ? version : "2.x.y", part);
        return NULL;
    }
    for (guint i = 1; i < names->len; i++)
        if (!g_str_has_prefix(names->pdata[i], names->pdata[0])) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                        "%s: root: both %s and %s are there; say which one with version:",
                        dpcxr_options_where(values, "root"), (const char *)names->pdata[0],
                        (const char *)names->pdata[i]);
            return NULL;
        }
    return g_build_filename(root, names->pdata[0], NULL);
}

/* One row of the label file, @n labels of which are wanted. */
static gboolean read_study(const DpcxrCsv *csv, int study, const int *columns, int n, Tables *tables,
                           GError **error)
{
    g_autofree gint8 *row = g_new(gint8, n);
    for (int i = 0; i < n; i++) {
        DpcxrLabel label;
        if (!dpcxr_csv_label(csv, columns[i], &label, error))
            return FALSE;
        row[i] = (gint8)label;
    }
    if (!insert(csv, tables, tables->labels, dpcxr_csv_cell(csv, study), row, error))
        return FALSE;
    row = NULL; /* the table's now */
    return TRUE;
}

static gboolean read_labels(const DpcxrOptions *values, const char *const *labels, Tables *tables,
                            GError **error)
{
    g_autofree char *path = find_file(values, dpcxr_options_get_string(values, "labeler"), error);
    g_autoptr(DpcxrCsv) csv = path ? dpcxr_csv_open(path, error) : NULL;
    int study = csv ? dpcxr_csv_column(csv, "study_id", error) : -1, columns[N_LABELS], n = 0;
    if (study < 0)
        return FALSE;
    for (; labels[n]; n++) {
        int label = dpcxr_dataset_find("label", labels[n], label_names, error);
        if (label < 0 || (columns[n] = dpcxr_csv_column(csv, label_names[label], error)) < 0)
            return FALSE;
    }
    GError *problem = NULL;
    while (dpcxr_csv_next(csv, &problem) && read_study(csv, study, columns, n, tables, &problem))
        ;
    if (problem)
        g_propagate_error(error, problem);
    return problem == NULL;
}

static gboolean parse_split(const DpcxrCsv *csv, const char *cell, DpcxrSplit *split, GError **error)
{
    static const char *const names[DPCXR_N_SPLITS] = {"train", "validate", "test"};
    for (int i = 0; i < DPCXR_N_SPLITS; i++)
        if (strcmp(cell, names[i]) == 0) {
            *split = i;
            return TRUE;
        }
    dpcxr_csv_fail(csv, error, "split is \"%.40s\"; expected train, validate or test", cell);
    return FALSE;
}

static gboolean read_splits(const DpcxrOptions *values, Tables *tables, GError **error)
{
    g_autofree char *path = find_file(values, "split", error);
    g_autoptr(DpcxrCsv) csv = path ? dpcxr_csv_open(path, error) : NULL;
    int columns[2];
    if (!csv || !find_columns(csv, (const char *const[]){"dicom_id", "split", NULL}, columns, error))
        return FALSE;
    GError *problem = NULL;
    DpcxrSplit split;
    while (dpcxr_csv_next(csv, &problem) &&
           parse_split(csv, dpcxr_csv_cell(csv, columns[1]), &split, &problem) &&
           insert(csv, tables, tables->splits, dpcxr_csv_cell(csv, columns[0]), GUINT_TO_POINTER(split + 1),
                  &problem))
        ;
    if (problem)
        g_propagate_error(error, problem);
    return problem == NULL;
}

static gboolean read_number(const DpcxrCsv *csv, const char *name, const char *cell, int *number,
                            GError **error)
{
    gint64 value;
    if (g_ascii_string_to_signed(cell, 10, 0, 99999999, &value, NULL)) {
        *number = (int)value;
        return TRUE;
    }
    dpcxr_csv_fail(csv, error, "%s is \"%.40s\"; expected a whole number", name, cell);
    return FALSE;
}

static gboolean read_patient(const DpcxrCsv *csv, const int *columns, Tables *tables, GError **error)
{
    const char *sex = dpcxr_csv_cell(csv, columns[1]);
    Patient patient = {0};
    if (strcmp(sex, "M") != 0 && strcmp(sex, "F") != 0 && sex[0] != '\0') {
        dpcxr_csv_fail(csv, error, "gender is \"%.40s\"; expected M, F or nothing", sex);
        return FALSE;
    }
    patient.sex[0] = sex[0];
    if (!read_number(csv, "anchor_age", dpcxr_csv_cell(csv, columns[2]), &patient.anchor_age, error) ||
        !read_number(csv, "anchor_year", dpcxr_csv_cell(csv, columns[3]), &patient.anchor_year, error))
        return FALSE;
    Patient *copy = g_memdup2(&patient, sizeof patient);
    if (insert(csv, tables, tables->patients, dpcxr_csv_cell(csv, columns[0]), copy, error))
        return TRUE;
    g_free(copy);
    return FALSE;
}

static gboolean read_patients(const char *path, Tables *tables, GError **error)
{
    static const char *const names[] = {"subject_id", "gender", "anchor_age", "anchor_year", NULL};
    int columns[G_N_ELEMENTS(names)];
    g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(path, error);
    if (!csv || !find_columns(csv, names, columns, error))
        return FALSE;
    GError *problem = NULL;
    while (dpcxr_csv_next(csv, &problem) && read_patient(csv, columns, tables, &problem))
        ;
    if (problem)
        g_propagate_error(error, problem);
    return problem == NULL;
}

/* Cells of the metadata's current row. */
typedef struct {
    const char *dicom, *subject, *study, *view, *date;
} Image;

static const char *const metadata_names[] = {"dicom_id",     "subject_id", "study_id",
                                             "ViewPosition", "StudyDate",  NULL};

/* Dates are shifted per patient, and the anchor year by the same shift; an anchor age of 91 stands for "over
 * 89". */
static gboolean set_groups(const DpcxrCsv *csv, const Image *image, const Tables *tables, DpcxrIndex *index,
                           gsize row, GError **error)
{
    dpcxr_index_set_column(index, row, "view", image->view);
    const Patient *patient = tables->patients ? g_hash_table_lookup(tables->patients, image->subject) : NULL;
    if (!patient)
        return TRUE;
    int date;
    if (!read_number(csv, "StudyDate", image->date, &date, error))
        return FALSE;
    g_autofree char *age = g_strdup_printf("%d", patient->anchor_age + date / 10000 - patient->anchor_year);
    dpcxr_index_set_column(index, row, "sex", patient->sex);
    dpcxr_index_set_column(index, row, "age", age);
    return TRUE;
}

/* (transfer full) files/p10/p10999901/s50999911/DICOM_ID.jpg */
static char *image_path(const char *root, const Image *image)
{
    g_autofree char *name = g_strdup_printf("%s.jpg", image->dicom),
                    *study = g_strdup_printf("s%s", image->study);
    g_autofree char *subject = g_strdup_printf("p%s", image->subject), *group = g_strndup(subject, 3);
    return g_build_filename(root, "files", group, subject, study, name, NULL);
}

/* Why the image is left out, or NULL. (transfer full) */
static char *exclusion(const Image *image, const char *const *views, const Tables *tables)
{
    if (!g_strv_contains(views, image->view))
        return image->view[0] ? g_strdup_printf("view %s", image->view) : g_strdup("view not stated");
    if (!g_hash_table_contains(tables->splits, image->dicom))
        return g_strdup("image is not in the split file");
    if (!g_hash_table_contains(tables->labels, image->study))
        return g_strdup("study is not in the label file");
    return NULL;
}

static gboolean add_image(const DpcxrCsv *csv, const Image *image, const DpcxrOptions *values,
                          const Tables *tables, int n_labels, DpcxrIndex *index, GError **error)
{
    g_autofree char *reason = exclusion(image, dpcxr_options_get_strings(values, "views"), tables);
    if (reason) {
        dpcxr_index_exclude(index, reason);
        return TRUE;
    }
    g_autofree char *path = image_path(dpcxr_options_get_string(values, "root"), image);
    gsize row = dpcxr_index_add(
        index, &(DpcxrRow){.sample = image->dicom,
                           .patient = image->subject,
                           .study = image->study,
                           .path = path,
                           .split = GPOINTER_TO_UINT(g_hash_table_lookup(tables->splits, image->dicom)) - 1});
    const gint8 *labels = g_hash_table_lookup(tables->labels, image->study);
    for (int i = 0; i < n_labels; i++)
        dpcxr_index_set_label(index, row, i, (DpcxrLabel)labels[i]);
    return set_groups(csv, image, tables, index, row, error);
}

static gboolean read_images(const DpcxrOptions *values, const Tables *tables, int n_labels, DpcxrIndex *index,
                            GError **error)
{
    g_autofree char *path = find_file(values, "metadata", error);
    g_autoptr(DpcxrCsv) csv = path ? dpcxr_csv_open(path, error) : NULL;
    int columns[G_N_ELEMENTS(metadata_names)];
    if (!csv || !find_columns(csv, metadata_names, columns, error))
        return FALSE;
    GError *problem = NULL;
    for (gboolean good = TRUE; good && dpcxr_csv_next(csv, &problem);) {
        Image image = {dpcxr_csv_cell(csv, columns[0]), dpcxr_csv_cell(csv, columns[1]),
                       dpcxr_csv_cell(csv, columns[2]), dpcxr_csv_cell(csv, columns[3]),
                       dpcxr_csv_cell(csv, columns[4])};
        good = add_image(csv, &image, values, tables, n_labels, index, &problem);
    }
    if (problem)
        g_propagate_error(error, problem);
    return problem == NULL;
}

static gboolean check_names(const DpcxrOptions *values, const char *const *labels, const char *const *columns,
                            GError **error)
{
    static const char *const with_patients[] = {"view", "sex", "age", NULL}, *const without[] = {"view",
                                                                                                 NULL};
    gboolean known = dpcxr_options_is_set(values, "patients");
    for (int i = 0; columns[i]; i++)
        if (dpcxr_dataset_find("column", columns[i], known ? with_patients : without, error) < 0) {
            if (!known)
                g_prefix_error(error, "%s: sex and age need the option patients (MIMIC-IV's patients.csv): ",
                               dpcxr_options_where(values, "patients"));
            return FALSE;
        }
    if ((int)g_strv_length((char **)labels) <= N_LABELS)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "more labels than the %d of MIMIC-CXR-JPG", N_LABELS);
    return FALSE;
}

static gboolean open_mimic(const DpcxrOptions *values, const char *const *labels, const char *const *columns,
                           DpcxrIndex *index, gpointer *self, GError **error)
{
    if (!check_names(values, labels, columns, error))
        return FALSE;
    const char *patients = dpcxr_options_get_string(values, "patients");
    Tables tables;
    tables_init(&tables, patients != NULL);
    gboolean done = read_labels(values, labels, &tables, error) && read_splits(values, &tables, error) &&
                    (!patients || read_patients(patients, &tables, error)) &&
                    read_images(values, &tables, (int)g_strv_length((char **)labels), index, error);
    tables_clear(&tables);
    return done;
}

static const DpcxrDataset mimic = {.open = open_mimic};

DPCXR_PLUGIN_DEFINE_DATASET(
    mimic_cxr, .version = "1.0", .licence = "MIT", .options = options, .feature = &mimic,
    .summary = "MIMIC-CXR-JPG 2.x: 377,110 radiographs of 65,379 patients, 14 labels a study",
    .reference = "Johnson et al. 2019, https://arxiv.org/abs/1901.07042");
