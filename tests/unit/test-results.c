/* SPDX-License-Identifier: MIT
 * predictions-SPLIT.csv and results.json: quoting, groups, what is not known, thresholds from the validation
 * split. */
#include "base/files.h"
#include "eval/evaluation.h"
#include "eval/predictions.h"
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
    experiment.device.threads = 1;
    experiment.stage_evaluate = experiment.evaluate.valid = experiment.evaluate.test = TRUE;
    experiment.evaluate.threshold_value = NAN;
    experiment.evaluate.ci_method = DPCXR_CI_BOOTSTRAP;
    experiment.evaluate.ci_replicates = 50;
    experiment.evaluate.ci_level = 0.95;
    experiment.evaluate.min_n = experiment.evaluate.min_pos = 1;
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
    char *folder, *path, *results;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->folder = g_dir_make_tmp("dpcxr-results-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "file", NULL);
    f->results = g_build_filename(f->folder, "results.json", NULL);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    dpcxr_remove_tree(f->folder);
    g_free(f->folder);
    g_free(f->path);
    g_free(f->results);
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
    g_assert_cmpfloat(dpcxr_predictions_loss(p), ==, 3);
    p->mask[0] = 0; /* and with that the first row knows nothing */
    g_assert_cmpfloat(dpcxr_predictions_loss(p), ==, 3.5);
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

static void write_predictions(const Fixture *f, const DpcxrExperiment *experiment, DpcxrSplit split,
                              const Cell *cells)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrData) data = dpcxr_data_open(experiment, &error);
    g_autoptr(DpcxrPredictions) p = make_predictions(cells, 5);
    g_autofree char *path = dpcxr_evaluation_predictions_path(f->folder, split);

    dpcxr_predictions_write(p, path, experiment, data, &error);
    g_assert_no_error(error);
}

static void evaluate(const Fixture *f, const DpcxrExperiment *experiment, double *auroc)
{
    DpcxrEvaluation evaluation = {.folder = f->folder, .experiment = experiment, .losses = {NAN, 2.5, NAN}};
    g_autoptr(GError) error = NULL;

    dpcxr_evaluation_write(&evaluation, auroc, &error);
    g_assert_no_error(error);
}

static void test_results(Fixture *f, gconstpointer unused)
{
    DpcxrExperiment experiment = make_experiment();
    double auroc, losses[DPCXR_N_SPLITS];

    write_predictions(f, &experiment, DPCXR_SPLIT_VALID, valid_cells);
    write_predictions(f, &experiment, DPCXR_SPLIT_TEST, test_cells);
    evaluate(f, &experiment, &auroc);
    assert_private(f->results);
    g_autoptr(JsonNode) root = read_json(f->results);

    /* effusion, valid: scores 2+ 1+ 1- -3-; both 2 and 1 have Youden index 1/2, the higher wins */
    ASSERT_NUMBER(root, "$.schema", 2);
    ASSERT_NUMBER(root, "$.thresholds.labels.effusion", 1 / (1 + exp(-2.0)));
    ASSERT_NUMBER(root, "$.splits.valid.n", 5);
    ASSERT_NUMBER(root, "$.splits.valid.patients", 4); /* the row without an id is one of its own */
    ASSERT_NUMBER(root, "$.splits.valid.without_patient", 1);
    ASSERT_NUMBER(root, "$.splits.valid.labels.effusion.metrics.auroc.value", 3.5 / 4);
    ASSERT_NUMBER(root, "$.splits.valid.labels.effusion.metrics.accuracy.value", 0.75);
    ASSERT_NUMBER(root, "$.splits.valid.loss", 2.5);
    ASSERT_NULL(root, "$.splits.test.loss");
    /* nodule, valid: one row known (0.5 is not a truth), one class */
    ASSERT_NUMBER(root, "$.splits.valid.labels['nodule, small'].n", 1);
    ASSERT_NUMBER(root, "$.splits.valid.labels['nodule, small'].positives", 1);
    ASSERT_NUMBER(root, "$.splits.valid.labels['nodule, small'].missing", 4);
    ASSERT_NULL(root, "$.splits.valid.labels['nodule, small'].metrics.auroc.value");
    ASSERT_NULL(root, "$.thresholds.labels['nodule, small']");
    ASSERT_NULL(root, "$.splits.valid.labels['nodule, small'].confusion");
    ASSERT_NUMBER(root, "$.splits.valid.mean.auroc.value", 3.5 / 4);

    /* effusion, test, at valid's threshold: 1.5+ 1.2- -1- 0.5+ are all below it */
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.n", 4);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.negatives", 2);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.metrics.sensitivity.value", 0);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.metrics.specificity.value", 1);
    ASSERT_NULL(root, "$.splits.test.labels.effusion.metrics.ppv.value");
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.metrics.f1.value", 0);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.metrics.auroc.value", 0.75);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.confusion.fn", 2);
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.confusion.tn", 2);
    /* nodule, test: 0+ 0- 0+ 3+ */
    ASSERT_NUMBER(root, "$.splits.test.labels['nodule, small'].metrics.auroc.value", 2.0 / 3);
    ASSERT_NULL(root, "$.splits.test.labels['nodule, small'].metrics.accuracy.value");
    ASSERT_NUMBER(root, "$.splits.test.mean.auroc.value", (0.75 + 2.0 / 3) / 2);
    ASSERT_NUMBER(root, "$.splits.test.mean.accuracy.value", 0.5); /* of the one label that has it */
    g_assert_cmpfloat_with_epsilon(auroc, (0.75 + 2.0 / 3) / 2, 1e-12);
    /* groups: sex is "F", "", "M", "M", "M"; age 0-30, 30-62.5, 62.5-100, not known twice */
    ASSERT_NUMBER(root, "$.splits.test.groups.sex.unknown", 1);
    ASSERT_NUMBER(root, "$.splits.test.groups.sex.values.M.n", 3);
    ASSERT_NUMBER(root, "$.splits.test.groups.sex.values.M.patients", 2);
    ASSERT_NUMBER(root, "$.splits.test.groups['sex x age'].values['M x 62.5-100'].n", 1);
    ASSERT_NULL(root, "$.splits.test.groups.sex.gaps.labels.effusion.auroc.value");

    dpcxr_results_read_losses(f->results, losses);
    g_assert_true(losses[DPCXR_SPLIT_VALID] == 2.5 && isnan(losses[DPCXR_SPLIT_TEST]));
}

static JsonObject *split_of(JsonNode *root, const char *split)
{
    JsonObject *splits = json_object_get_object_member(json_node_get_object(root), "splits");

    return json_object_has_member(splits, split) ? json_object_get_object_member(splits, split) : NULL;
}

static void test_not_defined(Fixture *f, gconstpointer unused)
{
    DpcxrExperiment experiment = make_experiment();
    double auroc;

    experiment.evaluate.no_finding = labels[0];
    write_predictions(f, &experiment, DPCXR_SPLIT_VALID, valid_cells);
    write_predictions(f, &experiment, DPCXR_SPLIT_TEST, test_cells);
    evaluate(f, &experiment, &auroc);
    g_autoptr(JsonNode) root = read_json(f->results);
    JsonArray *not_defined = json_object_get_array_member(split_of(root, "valid"), "not_defined");
    g_assert_cmpuint(json_array_get_length(not_defined), ==, 1);
    g_assert_cmpstr(json_array_get_string_element(not_defined, 0), ==, "nodule, small");
    not_defined = json_object_get_array_member(split_of(root, "test"), "not_defined");
    g_assert_cmpuint(json_array_get_length(not_defined), ==, 0);
    g_assert_cmpstr(json_object_get_string_member(split_of(root, "test"), "underdiagnosis_label"), ==,
                    "effusion");
    /* F: one image, whose effusion is known to be there: nobody to be told too little */
    ASSERT_NULL(root, "$.splits.test.groups.sex.values.F.underdiagnosis_rate.value");
}

/* What is written is read again, to the last digit. */
static void test_thresholds(Fixture *f, gconstpointer unused)
{
    DpcxrExperiment experiment = make_experiment();
    g_autoptr(DpcxrThresholds) read = NULL;
    g_autoptr(GError) error = NULL;
    double auroc;

    experiment.evaluate.threshold_rule = DPCXR_THRESHOLD_SENSITIVITY;
    experiment.evaluate.threshold_value = 0.9;
    write_predictions(f, &experiment, DPCXR_SPLIT_VALID, valid_cells);
    evaluate(f, &experiment, &auroc);
    g_assert_true(dpcxr_thresholds_read(f->results, &read, &error));
    g_assert_cmpint(read->rule, ==, DPCXR_THRESHOLD_SENSITIVITY);
    g_assert_cmpfloat(read->rule_value, ==, 0.9);
    g_assert_cmpfloat(dpcxr_thresholds_get(read, "effusion"), ==, 1 / (1 + exp(-1.0)));
    g_assert_true(isnan(dpcxr_thresholds_get(read, "nodule, small")) &&
                  isnan(dpcxr_thresholds_get(read, "other")));
    g_assert_true(isnan(auroc)); /* no test split */

    /* frozen ones are not chosen again */
    read->values[0] = 0.123;
    DpcxrEvaluation again = {.folder = f->folder, .experiment = &experiment, .freeze = TRUE, .frozen = read};
    g_assert_true(dpcxr_evaluation_write(&again, &auroc, &error));
    g_autoptr(JsonNode) root = read_json(f->results);
    ASSERT_NUMBER(root, "$.thresholds.labels.effusion", 0.123);

    g_assert_true(g_file_set_contents(f->path, "{\"schema\": 1}", -1, NULL));
    g_clear_pointer(&read, dpcxr_thresholds_free);
    g_assert_false(dpcxr_thresholds_read(f->path, &read, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
}

static void test_without_valid(Fixture *f, gconstpointer unused)
{
    DpcxrExperiment experiment = make_experiment();
    g_autoptr(DpcxrThresholds) read = NULL;
    double auroc;

    write_predictions(f, &experiment, DPCXR_SPLIT_TEST, test_cells);
    evaluate(f, &experiment, &auroc);
    g_autoptr(JsonNode) root = read_json(f->results);
    ASSERT_NULL(root, "$.thresholds");
    ASSERT_NUMBER(root, "$.splits.test.labels.effusion.metrics.auroc.value", 0.75);
    ASSERT_NULL(root, "$.splits.test.labels.effusion.metrics.sensitivity.value");
    ASSERT_NULL(root, "$.splits.test.mean.f1.value");
    g_assert_null(split_of(root, "valid"));
    g_assert_true(dpcxr_thresholds_read(f->results, &read, NULL));
    g_assert_null(read);

    experiment.evaluate.test = FALSE; /* not wanted, though the file is there */
    evaluate(f, &experiment, &auroc);
    g_assert_true(isnan(auroc));
    g_autoptr(JsonNode) empty = read_json(f->results);
    g_assert_null(split_of(empty, "test"));
}

static void test_write_fails(Fixture *f, gconstpointer unused)
{
    DpcxrExperiment experiment = make_experiment();
    DpcxrEvaluation evaluation = {.folder = "/nonexistent", .experiment = &experiment};
    g_autoptr(GError) error = NULL;
    double auroc;

    g_assert_false(dpcxr_evaluation_write(&evaluation, &auroc, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
}

/* The data set has two images of p3 in its test split, and none in valid. */
static void test_delong_refused(Fixture *f, gconstpointer unused)
{
    DpcxrExperiment experiment = make_experiment();
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrData) data = dpcxr_data_open(&experiment, &error);

    g_assert_true(dpcxr_evaluation_check(&experiment, dpcxr_data_index(data), &error));
    experiment.evaluate.ci_method = DPCXR_CI_DELONG;
    g_assert_false(dpcxr_evaluation_check(&experiment, dpcxr_data_index(data), &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_assert_nonnull(strstr(error->message, "a patient of the test split has several"));
    experiment.evaluate.test = FALSE;
    g_assert_true(dpcxr_evaluation_check(&experiment, dpcxr_data_index(data), NULL));
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
    ADD("/results/not-defined", test_not_defined);
    ADD("/results/thresholds", test_thresholds);
    ADD("/results/without-valid", test_without_valid);
    ADD("/results/delong-refused", test_delong_refused);
    ADD("/results/write-fails", test_write_fails);
    g_test_add_func("/results/group-value", test_group_value);
    return g_test_run();
}
