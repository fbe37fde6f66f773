/* SPDX-License-Identifier: MIT
 * The dataset plugins, as built, over tests/data (always) and over the fixtures and real images beside the
 * repository (where there are any: DPCXR_SHARED). */
#include "config/experiment.h"
#include "config/options.h"
#include "data/data.h"
#include "data/index.h"
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

/* An experiment with just a data set, opened through dpcxr_data_open or refused with an error. */
typedef struct {
    DpcxrExperiment experiment;
    DpcxrData *data;
    const DpcxrIndex *index;
    GError *error;
} Set;

/* "a,b,c" to a NULL-terminated array; "" to an empty one. */
static char **split_list(const char *list)
{
    return list[0] ? g_strsplit(list, ",", -1) : g_new0(char *, 1);
}

G_GNUC_PRINTF(4, 5)
static Set *open_set(const char *type, const char *labels, const char *columns, const char *yaml, ...)
{
    va_list arguments;
    va_start(arguments, yaml);
    g_autofree char *text = g_strdup_vprintf(yaml, arguments);
    va_end(arguments);
    g_auto(GStrv) names = split_list(columns);
    GError *error = NULL;
    Set *set = g_new0(Set, 1); /* the data set borrows the experiment: it must not move */
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_DATASET, type, &error);
    g_assert_no_error(error);
    DpcxrOptions *options = dpcxr_options_parse(entry->plugin->options, text, &error);
    g_assert_no_error(error);
    set->experiment.data.dataset = (DpcxrFeature){g_strdup(type), entry, options};
    set->experiment.data.labels = split_list(labels);
    set->experiment.data.n_labels = (int)g_strv_length(set->experiment.data.labels);
    set->experiment.data.n_groups = g_strv_length(names);
    set->experiment.data.groups = g_new0(DpcxrGroup, set->experiment.data.n_groups + 1);
    for (gsize i = 0; i < set->experiment.data.n_groups; i++)
        set->experiment.data.groups[i].column = g_strdup(names[i]);
    set->experiment.data.size = 16;
    set->experiment.data.channels = 1;
    set->data = dpcxr_data_open(&set->experiment, &set->error);
    g_assert((set->data == NULL) == (set->error != NULL));
    set->index = set->data ? dpcxr_data_index(set->data) : NULL;
    return set;
}

static void set_free(Set *set)
{
    dpcxr_data_free(set->data);
    for (gsize i = 0; i < set->experiment.data.n_groups; i++)
        g_free(set->experiment.data.groups[i].column);
    g_free(set->experiment.data.groups);
    g_strfreev(set->experiment.data.labels);
    dpcxr_options_free(set->experiment.data.dataset.options);
    g_free(set->experiment.data.dataset.type);
    g_clear_error(&set->error);
    g_free(set);
}

/* A row as "sample patient study split labels | columns", labels as + - ? and . */
static char *describe(const Set *set, gsize row)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s %s %s %s ", dpcxr_index_sample(set->index, row),
                    dpcxr_index_patient(set->index, row), dpcxr_index_study(set->index, row),
                    dpcxr_split_name(dpcxr_index_split(set->index, row)));
    for (int i = 0; i < set->experiment.data.n_labels; i++)
        g_string_append_c(text, ".?-+"[dpcxr_index_label(set->index, row, i) + 2]);
    for (gsize i = 0; i < set->experiment.data.n_groups; i++)
        g_string_append_printf(text, "|%s",
                               dpcxr_index_column(set->index, row, set->experiment.data.groups[i].column));
    return g_string_free(text, FALSE);
}

static void assert_rows(const Set *set, const char *const *expected)
{
    g_assert_no_error(set->error);
    g_assert_cmpuint(dpcxr_index_count(set->index), ==, g_strv_length((char **)expected));
    for (gsize row = 0; expected[row]; row++) {
        g_autofree char *text = describe(set, row);
        g_assert_cmpstr(text, ==, expected[row]);
    }
}

static void assert_refused(Set *set, DpcxrErrorCode code, const char *message)
{
    g_assert_error(set->error, DPCXR_ERROR, (int)code);
    if (!strstr(set->error->message, message))
        g_error("\"%s\" lacks \"%s\"", set->error->message, message);
    set_free(set);
}

static gsize excluded(const Set *set, const char *reason)
{
    for (gsize i = 0; i < dpcxr_index_n_excluded(set->index); i++) {
        gsize count;
        if (strcmp(dpcxr_index_excluded(set->index, i, &count), reason) == 0)
            return count;
    }
    return 0;
}

static void assert_counts(const Set *set, gsize train, gsize valid, gsize test)
{
    g_assert_no_error(set->error);
    g_assert_cmpuint(dpcxr_index_count_split(set->index, DPCXR_SPLIT_TRAIN), ==, train);
    g_assert_cmpuint(dpcxr_index_count_split(set->index, DPCXR_SPLIT_VALID), ==, valid);
    g_assert_cmpuint(dpcxr_index_count_split(set->index, DPCXR_SPLIT_TEST), ==, test);
}

static void assert_all_readable(const Set *set)
{
    g_autoptr(GPtrArray) problems = dpcxr_data_check_files(set->data, 1);
    for (guint i = 0; i < problems->len; i++)
        g_test_message("%s", (const char *)problems->pdata[i]);
    g_assert_cmpuint(problems->len, ==, 0);
}

static const char *here(void)
{
    return g_getenv("DPCXR_TEST_DATA");
}

/* The folder of formats/ or cxr-real/, or NULL with the test skipped. (transfer full) */
static char *shared(const char *name)
{
    const char *root = g_getenv("DPCXR_SHARED");
    g_autofree char *path = root ? g_build_filename(root, "data", name, NULL) : NULL;
    if (path && g_file_test(path, G_FILE_TEST_IS_DIR))
        return g_steal_pointer(&path);
    g_test_skip("no ../shared/data beside the repository");
    return NULL;
}

#define TABLE_COLUMNS                                                                                        \
    "index: index.csv, path_column: file, patient_column: person, study_column: visit, split_column: "       \
    "phase, "                                                                                                \
    "label_columns: {effusion: Pleural Effusion}"

static void test_table(void)
{
    Set *set = open_set("table", "effusion,mass", "age",
                        "{root: '%s/table', filter: {site: north}, " TABLE_COLUMNS "}", here());
    assert_rows(set, (const char *const[]){"images/a.png p1 v1 train +-|60", "images/b.jpg p1 v2 train ?.|61",
                                           "images/c.png p2 v1 valid -+|35", "images/a2.png p3 v1 test .-|",
                                           NULL});
    g_assert_cmpuint(excluded(set, "not in the filter"), ==, 1);
    assert_all_readable(set);
    set_free(set);
}

static void test_table_check(void)
{
    Set *set = open_set("table", "mass", "", "{root: '%s/table', " TABLE_COLUMNS "}", here());
    g_assert_no_error(set->error);
    g_autoptr(GPtrArray) problems = dpcxr_data_check_files(set->data, 2);
    g_assert_cmpuint(problems->len, ==, 1);
    g_autofree char *path =
        g_strdup_printf("%s/table/images/other.png: cannot be read: No such file", here());
    g_assert_true(g_str_has_prefix(problems->pdata[0], "sample images/other.png: "));
    g_assert_nonnull(strstr(problems->pdata[0], path));
    set_free(set);
}

static void test_table_refuses(void)
{
    const char *root = here();
    assert_refused(open_set("table", "mass", "", "{root: '%s/table'}", root), DPCXR_ERROR_DATA,
                   "table/metadata.csv");
    assert_refused(open_set("table", "mass", "", "{root: '%s/table', index: index.csv}", root),
                   DPCXR_ERROR_DATA, "path_column: ");
    assert_refused(open_set("table", "edema", "", "{root: '%s/table', " TABLE_COLUMNS "}", root),
                   DPCXR_ERROR_DATA, "no column \"edema\"");
    assert_refused(open_set("table", "mass", "sex", "{root: '%s/table', " TABLE_COLUMNS "}", root),
                   DPCXR_ERROR_DATA, "no column \"sex\"");
    assert_refused(
        open_set("table", "mass", "", "{root: '%s/table', filter: {stie: north}, " TABLE_COLUMNS "}", root),
        DPCXR_ERROR_DATA, "filter: ");
    assert_refused(
        open_set("table", "mass", "", "{root: '%s/table', filter: {site: east}, " TABLE_COLUMNS "}", root),
        DPCXR_ERROR_DATA, "every row of its files was left out");
    assert_refused(
        open_set("table", "mass", "", "{root: '%s/table', sample_column: person, " TABLE_COLUMNS "}", root),
        DPCXR_ERROR_DATA, "two rows have the sample id \"p1\"");
    assert_refused(open_set("table", "age", "", "{root: '%s/table', " TABLE_COLUMNS "}", root),
                   DPCXR_ERROR_DATA, "index.csv:2: column \"age\" has \"60\"");
    assert_refused(open_set("table", "mass", "",
                            "{root: '%s/table', split_names: {valid: dev}, " TABLE_COLUMNS "}", root),
                   DPCXR_ERROR_DATA, "index.csv:4: the split is \"validate\"");
    assert_refused(
        open_set("table", "mass", "", "{root: '%s/table', split_names: {dev: x}, " TABLE_COLUMNS "}", root),
        DPCXR_ERROR_USAGE, "no split \"dev\"");
}

static void test_chexpert(void)
{
    Set *set =
        open_set("chexpert", "edema,Pleural Effusion", "sex,age,view", "{root: '%s/chexpert'}", here());
    assert_rows(
        set,
        (const char *const[]){
            "train/patient00101/study1/view1_frontal.jpg patient00101 patient00101/study1 train .-|F|33|PA",
            "train/patient00101/study2/view1_frontal.jpg patient00101 patient00101/study2 train +?|F|34|AP",
            "train/patient00102/study1/view1_frontal.jpg patient00102 patient00102/study1 train -+|||AP",
            "train/patient00103/study1/view1_frontal.jpg patient00103 patient00103/study1 train ?.|M|71|AP",
            "train/patient00104/study1/view1_frontal.jpg patient00104 patient00104/study1 train .+|M|48|PA",
            "valid/patient00901/study1/view1_frontal.jpg patient00901 patient00901/study1 valid ++|M|55|AP",
            NULL});
    g_assert_cmpuint(excluded(set, "lateral view"), ==, 2);
    g_autofree char *path = g_build_filename(here(), "chexpert", "CheXpert-v1.0", "train", "patient00101",
                                             "study1", "view1_frontal.jpg", NULL);
    g_assert_cmpstr(dpcxr_index_path(set->index, 0), ==, path);
    set_free(set);

    set = open_set("chexpert", "edema", "view", "{root: '%s/chexpert', views: all, valid_as: test}", here());
    assert_counts(set, 6, 0, 2);
    g_assert_cmpstr(dpcxr_index_column(set->index, 1, "view"), ==, "lateral");
    set_free(set);
}

/* The held-out patients are those whose HMAC-SHA-256 (computed with Python's hmac module) is below the
 * fraction: with key "dpcxr", first 8 bytes as a fraction: 00101 0.435, 00102 0.454, 00103 0.350, 00104
 * 0.761. */
static void test_chexpert_split(void)
{
    Set *set = open_set("chexpert", "edema", "", "{root: '%s/chexpert', valid_as: test, valid_fraction: 0.5}",
                        here());
    static const char *const valid[] = {"patient00101", "patient00102", "patient00103", NULL};
    g_assert_no_error(set->error);
    for (gsize row = 0; row < 5; row++) {
        gboolean held_out = g_strv_contains(valid, dpcxr_index_patient(set->index, row));
        g_assert_cmpint(dpcxr_index_split(set->index, row), ==,
                        held_out ? DPCXR_SPLIT_VALID : DPCXR_SPLIT_TRAIN);
    }
    g_assert_cmpint(dpcxr_index_split(set->index, 5), ==, DPCXR_SPLIT_TEST);
    set_free(set);
    assert_refused(open_set("chexpert", "edema", "", "{root: '%s/chexpert', valid_fraction: 0.5}", here()),
                   DPCXR_ERROR_USAGE, "set valid_as: test");
}

static void test_chexpert_refuses(void)
{
    assert_refused(open_set("chexpert", "edema", "", "{root: '%s/table'}", here()), DPCXR_ERROR_DATA,
                   "CheXpert-v1.0-small/train.csv");
    assert_refused(open_set("chexpert", "hernia", "", "{root: '%s/chexpert'}", here()), DPCXR_ERROR_DATA,
                   "no label \"hernia\"; the data set has: No Finding");
    assert_refused(open_set("chexpert", "edema", "race", "{root: '%s/chexpert'}", here()), DPCXR_ERROR_DATA,
                   "no column \"race\"; the data set has: sex, age, view");
}

static void test_mimic(void)
{
    Set *set = open_set("mimic_cxr", "edema,pleural_effusion", "sex,age,view",
                        "{root: '%s/mimic-cxr-jpg', labeler: negbio, patients: '%s/mimic-iv/patients.csv'}",
                        here(), here());
    assert_rows(set, (const char *const[]){"aaaa-0001 10000101 50000201 train -+|F|61|PA",
                                           "aaaa-0003 10000101 50000202 train ?.|F|63|AP",
                                           "bbbb-0001 12000102 52000203 valid +?|M|91|AP",
                                           "cccc-0001 19000103 59000205 test ..|||PA", NULL});
    g_assert_cmpuint(excluded(set, "view LATERAL"), ==, 1);
    g_assert_cmpuint(excluded(set, "view not stated"), ==, 1);
    g_assert_cmpuint(excluded(set, "study is not in the label file"), ==, 1);
    g_assert_cmpuint(excluded(set, "image is not in the split file"), ==, 1);
    g_autofree char *path = g_build_filename(here(), "mimic-cxr-jpg", "files", "p10", "p10000101",
                                             "s50000201", "aaaa-0001.jpg", NULL);
    g_assert_cmpstr(dpcxr_index_path(set->index, 0), ==, path);
    set_free(set);
}

static void test_mimic_refuses(void)
{
    assert_refused(open_set("mimic_cxr", "edema", "", "{root: '%s/mimic-cxr-jpg'}", here()), DPCXR_ERROR_DATA,
                   "there is no mimic-cxr-2.x.y-chexpert.csv");
    assert_refused(open_set("mimic_cxr", "edema", "",
                            "{root: '%s/mimic-cxr-jpg', labeler: negbio, version: 2.0.0}", here()),
                   DPCXR_ERROR_DATA, "there is no mimic-cxr-2.0.0-negbio.csv");
    assert_refused(
        open_set("mimic_cxr", "edema", "age", "{root: '%s/mimic-cxr-jpg', labeler: negbio}", here()),
        DPCXR_ERROR_DATA, "sex and age need the option patients");
    assert_refused(open_set("mimic_cxr", "covid", "", "{root: '%s/mimic-cxr-jpg', labeler: negbio}", here()),
                   DPCXR_ERROR_DATA, "no label \"covid\"");
}

static void test_uka(void)
{
    Set *set =
        open_set("uka_cxr",
                 "cardiomegaly,congestion,pleural_effusion_right,pleural_effusion_left,atelectasis_right,"
                 "atelectasis_left,pneumothorax_left",
                 "sex,age,subset", "{root: '%s/uka'}", here());
    assert_rows(set, (const char *const[]){
                         "501 801  train +--+---|M|61.25|subset_1", "502 801  train -.-++--|M|61.5|subset_2",
                         "503 802  valid +------|F|44.0|subset_1", "504 803  test ------+|||subset_2", NULL});
    g_autofree char *path = g_build_filename(here(), "uka", "UKA_preprocessed", "subset_1", "501.jpg", NULL);
    g_assert_cmpstr(dpcxr_index_path(set->index, 0), ==, path);
    set_free(set);
    assert_refused(open_set("uka_cxr", "edema", "", "{root: '%s/uka'}", here()), DPCXR_ERROR_DATA,
                   "no label \"edema\"; the data set has: cardiomegaly");
}

/* The rows that the README of the fixtures describes. */
static void test_shared_chexpert(void)
{
    g_autofree char *root = shared("formats");
    if (!root)
        return;
    Set *set =
        open_set("chexpert", "Edema,pleural_effusion,support_devices", "sex,age,view", "{root: '%s'}", root);
    assert_counts(set, 8, 4, 0);
    static const struct {
        gsize row;
        const char *text;
    } rows[] = {
        {1, "train/patient90002/study1/view1_frontal.jpg patient90002 patient90002/study1 train ??.|F|87|AP"},
        {2, "train/patient90002/study2/view1_frontal.jpg patient90002 patient90002/study2 train +++|F|88|AP"},
        {5, "train/patient90005/study1/view1_frontal.jpg patient90005 patient90005/study1 train ..+|||LL"},
        {6, "train/patient90006/study3/view1_frontal.jpg patient90006 patient90006/study3 train -++|M|90|AP"},
        {7, "train/patient90007/study1/view1_frontal.jpg patient90007 patient90007/study1 train ...|F|55|PA"},
        {10,
         "valid/patient90103/study1/view1_frontal.jpg patient90103 patient90103/study1 valid +++|F|85|AP"}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = describe(set, rows[i].row);
        g_assert_cmpstr(text, ==, rows[i].text);
    }
    g_assert_cmpuint(excluded(set, "lateral view"), ==, 3);
    assert_all_readable(set);
    set_free(set);
    set = open_set("chexpert", "edema", "", "{root: '%s', views: all}", root);
    assert_counts(set, 10, 5, 0);
    assert_all_readable(set);
    set_free(set);
}

static void test_shared_mimic(void)
{
    g_autofree char *root = shared("formats");
    if (!root)
        return;
    for (int packed = 0; packed < 2; packed++) {
        Set *set = open_set("mimic_cxr", "edema,pleural_effusion,pneumothorax", "sex,age,view",
                            "{root: '%s/mimic-cxr-jpg', patients: '%s/mimic-iv/hosp/patients.csv%s'}", root,
                            root, packed ? ".gz" : "");
        assert_rows(
            set, (const char *const[]){
                     "7453cb68-0354fbfe-9a5daa44-ed5a9ad2-733e0f71 10999901 50999911 train ...|F|52|PA",
                     "77d71f06-00d02f90-99d97e2a-eede4ebc-70badb1f 10999901 50999912 train ?+-|F|54|AP",
                     "72980983-059f3915-9c9668af-eb915839-75f5cd9a 11999902 52999921 train ...|M|36|AP",
                     "711cdded-061bed7b-9f12bcc1-e8158c57-767119f4 15999903 55999931 valid ...|F|91|PA",
                     "7b82f0e7-0c85c071-958c91cb-e28ba15d-7cef34fe 18999904 58999941 test ..+|M|20|AP",
                     "7a409ad0-0d47aa46-944efbfc-e349cb6a-7d2d5ec9 19999905 59999951 train ...|||AP", NULL});
        g_assert_cmpuint(excluded(set, "study is not in the label file"), ==, 1);
        g_assert_cmpuint(excluded(set, "view LATERAL"), ==, 1);
        g_assert_cmpuint(excluded(set, "view LL"), ==, 1);
        g_assert_cmpuint(excluded(set, "view not stated"), ==, 1);
        assert_all_readable(set);
        set_free(set);
    }
}

static void test_shared_uka(void)
{
    g_autofree char *root = shared("formats");
    if (!root)
        return;
    Set *set =
        open_set("uka_cxr",
                 "cardiomegaly,congestion,pleural_effusion_right,pleural_effusion_left,"
                 "pneumonic_infiltrates_right,pneumonic_infiltrates_left,atelectasis_right,atelectasis_left",
                 "sex,age", "{root: '%s/UKA/chest_radiograph'}", root);
    assert_rows(set, (const char *const[]){"90000001 900001  train +-------|M|68.6388888888889",
                                           "90000002 900001  train ++++--+-|M|68.64722222222223",
                                           "90000003 900002  train --------|F|43.46944444444444",
                                           "90000004 900003  train ----++--|F|27.51388888888889",
                                           "90000005 900004  valid ++++--++|M|71.99722222222222",
                                           "90000006 900005  valid --------|F|17.997222222222224",
                                           "90000007 900006  test +-++----|F|91.00277777777778",
                                           "90000008 900007  test --------|M|53.56944444444445",
                                           "90000009 900008  test ----+--+|M|35.916666666666664",
                                           "90000010 900008  test --------|M|35.916666666666664", NULL});
    assert_all_readable(set);
    set_free(set);
}

/* Counts of its README; the images are read in `make test-all` only (they are thousands). */
static void test_shared_real(void)
{
    static const struct {
        const char *source, *label;
        gsize train, valid, test, positive[3];
    } sources[] = {{"nih-chestxray14", "pneumonia", 520, 82, 138, {253, 48, 66}},
                   {"kermany-paediatric", "pneumonia", 855, 123, 239, {429, 63, 118}},
                   {"covid-chestxray", "covid19", 99, 18, 17, {58, 9, 14}}};
    g_autofree char *root = shared("cxr-real");
    if (!root)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
        Set *set = open_set("table", sources[i].label, "age,sex", "{root: '%s', filter: {source: %s}}", root,
                            sources[i].source);
        assert_counts(set, sources[i].train, sources[i].valid, sources[i].test);
        gsize positive[3] = {0};
        for (gsize row = 0; row < dpcxr_index_count(set->index); row++)
            positive[dpcxr_index_split(set->index, row)] +=
                dpcxr_index_label(set->index, row, 0) == DPCXR_LABEL_POSITIVE;
        for (int split = 0; split < 3; split++)
            g_assert_cmpuint(positive[split], ==, sources[i].positive[split]);
        if (strcmp(sources[i].source, "covid-chestxray") == 0 || g_test_slow())
            assert_all_readable(set);
        set_free(set);
    }
}

/* Files and folders are not in the configuration that a run publishes. */
static void test_public_options(void)
{
    static const char *const cases[][2] = {{"table", "{root: /one, index: /two}"},
                                           {"uka_cxr", "{root: /one, index: /two, images: /three}"},
                                           {"chexpert", "{root: /one}"},
                                           {"mimic_cxr", "{root: /one, patients: /two}"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_DATASET, cases[i][0], &error);
        g_autoptr(DpcxrOptions) options = dpcxr_options_parse(entry->plugin->options, cases[i][1], &error);
        g_assert_no_error(error);
        DpcxrMark mark = {g_ref_string_new("test"), 0, 0};
        g_autoptr(DpcxrYaml) map = dpcxr_yaml_new(DPCXR_YAML_MAP, &mark);
        dpcxr_options_write(options, FALSE, map);
        g_autofree char *text = dpcxr_yaml_write(map);
        g_assert_null(strchr(text, '/'));
        dpcxr_mark_clear(&mark);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    dpcxr_registry_scan();
    g_test_add_func("/datasets/table", test_table);
    g_test_add_func("/datasets/table/check", test_table_check);
    g_test_add_func("/datasets/table/refuses", test_table_refuses);
    g_test_add_func("/datasets/chexpert", test_chexpert);
    g_test_add_func("/datasets/chexpert/split", test_chexpert_split);
    g_test_add_func("/datasets/chexpert/refuses", test_chexpert_refuses);
    g_test_add_func("/datasets/mimic_cxr", test_mimic);
    g_test_add_func("/datasets/mimic_cxr/refuses", test_mimic_refuses);
    g_test_add_func("/datasets/uka_cxr", test_uka);
    g_test_add_func("/datasets/public-options", test_public_options);
    g_test_add_func("/datasets/shared/chexpert", test_shared_chexpert);
    g_test_add_func("/datasets/shared/mimic_cxr", test_shared_mimic);
    g_test_add_func("/datasets/shared/uka_cxr", test_shared_uka);
    g_test_add_func("/datasets/shared/cxr-real", test_shared_real);
    return g_test_run();
}
