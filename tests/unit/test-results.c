/* SPDX-License-Identifier: MIT
 * predictions-SPLIT.csv and results.json: quoting, groups, what is not known, thresholds from the validation
 * split. */
#include "eval/results.h"
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* A data set of three patients whose names try the quoting. */
static gboolean open_index(const DpcxrOptions *options, const char *const *labels, const char *const *columns,
                           DpcxrIndex *index, gpointer *self, GError **error)
{
    const struct {
        DpcxrRow row;
        const char *sex, *age;
    } rows[] = {
        {{"s,1", "p1", NULL, NULL, DPCXR_SPLIT_TEST}, "F", "29.5"},
        {{"s\"2", "p\n2", NULL, NULL, DPCXR_SPLIT_TEST}, "", "30"},
        {{"s3", "", NULL, NULL, DPCXR_SPLIT_TEST}, "M", "100"},
        {{"s4", "p3", NULL, NULL, DPCXR_SPLIT_TEST}, "M", "unknown"},
        {{"s5", "p3", NULL, NULL, DPCXR_SPLIT_TEST}, "M", "101"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize row = dpcxr_index_add(index, &rows[i].row);
        dpcxr_index_set_column(index, row, "sex", rows[i].sex);
        dpcxr_index_set_column(index, row, "age_years", rows[i].age);
    }
    return TRUE;
}

static const DpcxrDataset dataset = {.open = open_index};
static const DpcxrPlugin plugin = {.kind = DPCXR_PLUGIN_DATASET, .name = "fake", .feature = &dataset};
static const DpcxrPluginEntry entry = {
    .kind = DPCXR_PLUGIN_DATASET, .name = (char *)"fake", .plugin = &plugin};

static double age_bins[] = {0, 30, 62.5, 100};
static DpcxrGroup groups[] = {{(char *)"sex", (char *)"sex", NULL, 0},
                              {(char *)"age", (char *)"age_years", age_bins, 4}};
static char *labels[] = {(char *)"effusion", (char *)"nodule, small", NULL};

static DpcxrExperiment make_experiment(void)
{
    DpcxrExperiment experiment = {.name = (char *)"exp \"1\""};

    experiment.data.dataset = (DpcxrFeature){(char *)"fake", &entry, NULL};
    experiment.data.labels = labels;
    experiment.data.n_labels = 2;
    experiment.data.groups = groups;
    experiment.data.n_groups = 2;
    experiment.data.size = 8;
    experiment.data.channels = 1;
    experiment.evaluate.threshold_youden = TRUE;
    return experiment;
}

typedef struct {
    float target, logit; /* target NAN: not known */
} Cell;

/* @cells: [n, 2] */
static DpcxrPredictions *make_predictions(const Cell *cells, gsize n)
{
    DpcxrPredictions *p = dpcxr_predictions_new(n, 2);

    for (gsize i = 0; i < n; i++) {
        p->rows[i] = i;
        p->losses[i] = (float)(i + 1);
        for (int k = 0; k < 2; k++) {
            Cell c = cells[i * 2 + (gsize)k];
            p->mask[i * 2 + (gsize)k] = isnan(c.target) ? 0 : 1;
            p->targets[i * 2 + (gsize)k] = isnan(c.target) ? 0 : c.target;
            p->logits[i * 2 + (gsize)k] = c.logit;
        }
    }
    return p;
}

typedef struct {
    char *folder, *path;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->folder = g_dir_make_tmp("dpcxr-results-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "file", NULL);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_unlink(f->path);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->path);
}

static void assert_private(const char *path)
{
    struct stat status;

    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
}

static void test_predictions(Fixture *f, gconstpointer unused)
{
    const Cell cells[] = {{1, 0},    {NAN, 0}, {0, 100}, {0.7f, -1000}, {1, -1000},
                          {0, 1000}, {0, 0},   {1, 0},   {0, 0},        {1, 0}};
    DpcxrExperiment experiment = make_experiment();
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrData) data = dpcxr_data_open(&experiment, &error);
    g_autoptr(DpcxrPredictions) p = make_predictions(cells, 5);
    g_autofree char *content = NULL;

    g_assert_no_error(error);
    dpcxr_predictions_write(p, f->path, &experiment, data, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(f->path, &content, NULL, NULL));
    g_assert_cmpstr(
        content, ==,
        "sample_id,patient_id,sex,age,y_effusion,\"y_nodule, small\",p_effusion,\"p_nodule, small\"\n"
        "\"s,1\",p1,F,0-30,1,,0.5,0.5\n"
        "\"s\"\"2\",\"p\n2\",,30-62.5,0,,1,0\n"
        "s3,,M,62.5-100,1,0,0,1\n"
        "s4,p3,M,,0,1,0.5,0.5\n"
        "s5,p3,M,,0,1,0.5,0.5\n");
    assert_private(f->path);
}

static JsonNode *read_json(const char *path)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;

    json_parser_load_from_file(parser, path, &error);
    g_assert_no_error(error);
    return json_parser_steal_root(parser);
}

/* The number at @query (JSONPath) of @root; NaN where it is null. */
static double number_at(JsonNode *root, const char *query)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) matches = json_path_query(query, root, &error);
    JsonArray *array = json_node_get_array(matches);

    g_assert_no_error(error);
    if (json_array_get_length(array) != 1)
        g_error("%s: %u matches", query, json_array_get_length(array));
    JsonNode *node = json_array_get_element(array, 0);
    return JSON_NODE_HOLDS_NULL(node) ? NAN : json_node_get_double(node);
}

#define ASSERT_NUMBER(root, query, value) g_assert_cmpfloat_with_epsilon(number_at(root, query), value, 1e-12)
#define ASSERT_NULL(root, query) g_assert_true(isnan(number_at(root, query)))

static const Cell valid_cells[] = {{1, 2},   {NAN, 0}, {1, 1},    {1, 0},   {0, 1},
                                   {NAN, 0}, {0, -3},  {0.5f, 0}, {NAN, 3}, {NAN, 3}};
static const Cell test_cells[] = {{1, 1.5f}, {1, 0},    {0, 1.2f}, {0, 0},    {0, -1},
                                  {1, 0},    {1, 0.5f}, {1, 3},    {NAN, -9}, {NAN, 0}};

static void test_results(Fixture *f, gconstpointer unused)
{
    DpcxrExperiment experiment = make_experiment();
    g_autoptr(DpcxrPredictions) valid = make_predictions(valid_cells, 5),
                                test = make_predictions(test_cells, 5);
    g_autoptr(GError) error = NULL;
    double auroc;

    dpcxr_results_write(f->path, &experiment, valid, test, &auroc, &error);
    g_assert_no_error(error);
    assert_private(f->path);
    g_autoptr(JsonNode) root = read_json(f->path);

    /* effusion, valid: scores 2+ 1+ 1- -3-; both 2 and 1 have Youden index 1/2, the higher wins */
    double threshold = 1 / (1 + exp(-2.0));
    ASSERT_NUMBER(root, "$.schema", 1);
    ASSERT_NUMBER(root, "$.splits.valid.n", 5);
    ASSERT_NUMBER(root, "$.splits.valid.labels.effusion.auroc", 3.5 / 4);
    ASSERT_NUMBER(root, "$.splits.valid.labels.effusion.threshold", threshold);
    ASSERT_NUMBER(root, "$.splits.valid.labels.effusion.accuracy", 0.75);
    ASSERT_NUMBER(root, "$.splits.valid.loss", 2.5); /* of 1 to 4: the fifth row knows no label */
    /* nodule, valid: one row known (0.5 is not a truth), one class */
    ASSERT_NUMBER(root, "$.splits.valid.labels['nodule, small'].n", 1);
    ASSERT_NUMBER(root, "$.splits.valid.labels['nodule, small'].positives", 1);
    ASSERT_NULL(root, "$.splits.valid.labels['nodule, small'].auroc");
    ASSERT_NULL(root, "$.splits.valid.labels['nodule, small'].threshold");
    ASSERT_NUMBER(root, "$.splits.valid.mean.auroc", 3.5 / 4);

    /* effusion, test, at valid's threshold: 1.5+ 1.2- -1- 0.5+ are all below it */
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.n", 4);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.positives", 2);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.threshold", threshold);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.sensitivity", 0);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.specificity", 1);
    ASSERT_NULL(root, "$.splits.test.labels.effusion.ppv");
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.f1", 0);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.auroc", 0.75);
    /* nodule, test: 0+ 0- 0+ 3+ */
    ASSERT_NUMBER(root, "$.splits.test.labels['nodule, small'].auroc", 2.0 / 3);
    ASSERT_NULL(root, "$.splits.test.labels['nodule, small'].accuracy");
    ASSERT_NUMBER(root, "$.splits.test.mean.auroc", (0.75 + 2.0 / 3) / 2);
    ASSERT_NUMBER(root, "$.splits.test.mean.accuracy", 0.5); /* of the one label that has it */
    g_assert_cmpfloat_with_epsilon(auroc, (0.75 + 2.0 / 3) / 2, 1e-12);

    JsonObject *splits = json_object_get_object_member(json_node_get_object(root), "splits");
    JsonObject *split = json_object_get_object_member(splits, "valid");
    JsonArray *not_defined = json_object_get_array_member(split, "not_defined");
    g_assert_cmpuint(json_array_get_length(not_defined), ==, 1);
    g_assert_cmpstr(json_array_get_string_element(not_defined, 0), ==, "nodule, small");
    split = json_object_get_object_member(splits, "test");
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(split, "not_defined")), ==, 0);
    JsonObject *rule = json_object_get_object_member(json_node_get_object(root), "threshold");
    g_assert_cmpstr(json_object_get_string_member(rule, "from"), ==, "valid");
}

static void test_without_valid(Fixture *f, gconstpointer unused)
{
    DpcxrExperiment experiment = make_experiment();
    g_autoptr(DpcxrPredictions) test = make_predictions(test_cells, 5), none = dpcxr_predictions_new(0, 2);
    g_autoptr(GError) error = NULL;
    double auroc;

    g_assert_true(dpcxr_results_write(f->path, &experiment, NULL, test, &auroc, &error));
    g_autoptr(JsonNode) root = read_json(f->path);
    ASSERT_NULL(root, "$.threshold");
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.auroc", 0.75);
    ASSERT_NULL(root, "$.splits.test.labels.effusion.threshold");
    ASSERT_NULL(root, "$.splits.test.mean.f1");
    g_assert_false(
        json_object_has_member(json_object_get_object_member(json_node_get_object(root), "splits"), "valid"));

    g_assert_true(dpcxr_results_write(f->path, &experiment, none, none, &auroc, &error));
    g_assert_true(isnan(auroc));
    g_autoptr(JsonNode) empty = read_json(f->path);
    ASSERT_NULL(empty, "$.splits.test.loss");
    ASSERT_NULL(empty, "$.splits.test.mean.auroc");
    g_assert_true(dpcxr_results_write(f->path, &experiment, NULL, NULL, &auroc, &error));
    g_assert_true(isnan(auroc));
}

static void test_write_fails(Fixture *f, gconstpointer unused)
{
    DpcxrExperiment experiment = make_experiment();
    g_autoptr(GError) error = NULL;
    double auroc = -1;

    g_assert_false(dpcxr_results_write("/nonexistent/results.json", &experiment, NULL, NULL, &auroc, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_cmpfloat(auroc, ==, -1);
}

static void test_group_value(void)
{
    const char *cases[][2] = {
        {"0", "0-30"}, {"29.999", "0-30"}, {"30", "30-62.5"}, {"62.5", "62.5-100"}, {"100", "62.5-100"},
        {"100.1", ""}, {"-1", ""},         {"", ""},          {"nan", ""},          {"45 years", ""}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = dpcxr_group_value(&groups[1], cases[i][0]);
        g_assert_cmpstr(found, ==, cases[i][1]);
    }
    g_autofree char *plain = dpcxr_group_value(&groups[0], "F");
    g_assert_cmpstr(plain, ==, "F");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/results/predictions", test_predictions);
    ADD("/results/results", test_results);
    ADD("/results/without-valid", test_without_valid);
    ADD("/results/write-fails", test_write_fails);
    g_test_add_func("/results/group-value", test_group_value);
    return g_test_run();
}
