/* SPDX-License-Identifier: MIT
 * data.json: who was found, left out, and is in each split. */
#include "eval/data-flow.h"
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const label_names[] = {"effusion", NULL};
static char *labels[] = {(char *)"effusion", NULL};
static double age_bins[] = {0, 30, 60};
static DpcxrGroup groups[] = {{(char *)"sex", (char *)"sex", NULL, 0},
                              {(char *)"age", (char *)"years", age_bins, 3}};

/* Two images of one patient, one of another who is in two splits, one without a patient. */
static DpcxrIndex *make_index(void)
{
    const struct {
        DpcxrRow row;
        const char *sex, *years;
        DpcxrLabel label;
    } rows[] = {
        {{"s1", "p1", NULL, NULL, DPCXR_SPLIT_TRAIN}, "M", "40", DPCXR_LABEL_POSITIVE},
        {{"s2", "p1", NULL, NULL, DPCXR_SPLIT_TRAIN}, "M", "41", DPCXR_LABEL_UNCERTAIN},
        {{"s3", "p2", NULL, NULL, DPCXR_SPLIT_TRAIN}, "F", "7", DPCXR_LABEL_NEGATIVE},
        {{"s4", "p2", NULL, NULL, DPCXR_SPLIT_TEST}, "F", "8", DPCXR_LABEL_MISSING},
        {{"s5", "", NULL, NULL, DPCXR_SPLIT_TEST}, "", "80", DPCXR_LABEL_NEGATIVE},
        {{"s6", "", NULL, NULL, DPCXR_SPLIT_TEST}, "", "", DPCXR_LABEL_NEGATIVE},
    };
    DpcxrIndex *index = dpcxr_index_new(label_names);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        gsize row = dpcxr_index_add(index, &rows[i].row);
        dpcxr_index_set_column(index, row, "sex", rows[i].sex);
        dpcxr_index_set_column(index, row, "years", rows[i].years);
        dpcxr_index_set_label(index, row, 0, rows[i].label);
    }
    for (int i = 0; i < 3; i++)
        dpcxr_index_exclude(index, i ? "lateral \"view\"" : "unreadable");
    return index;
}

/* The member at the end of these keys, as compact text. (transfer full) */
static char *look(JsonNode *root, const char *first, ...)
{
    va_list keys;
    JsonNode *node = json_object_get_member(json_node_get_object(root), first);
    va_start(keys, first);
    for (const char *key; (key = va_arg(keys, const char *));) {
        g_assert_nonnull(node);
        node = json_object_get_member(json_node_get_object(node), key);
    }
    va_end(keys);
    g_assert_nonnull(node);
    return json_to_string(node, FALSE);
}

#define ASSERT_AT(EXPECTED, ...)                                                                             \
    do {                                                                                                     \
        g_autofree char *text = look(root, __VA_ARGS__, NULL);                                               \
        g_assert_cmpstr(text, ==, EXPECTED);                                                                 \
    } while (0)

static void test_flow(void)
{
    DpcxrExperiment experiment = {.name = (char *)"flow"};
    g_autoptr(DpcxrIndex) index = make_index();
    g_autofree char *folder = g_dir_make_tmp("dpcxr-flow-XXXXXX", NULL),
                    *path = g_build_filename(folder, "data.json", NULL);
    g_autoptr(GError) error = NULL;
    GStatBuf info;
    experiment.data.dataset.type = (char *)"fake";
    experiment.data.labels = labels;
    experiment.data.n_labels = 1;
    experiment.data.groups = groups;
    experiment.data.n_groups = 2;
    dpcxr_data_flow_write(path, &experiment, index, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
    g_autoptr(JsonParser) parser = json_parser_new();
    json_parser_load_from_file(parser, path, &error);
    g_assert_no_error(error);
    JsonNode *root = json_parser_get_root(parser);
    ASSERT_AT("9", "found");
    ASSERT_AT("[{\"reason\":\"unreadable\",\"images\":1},{\"reason\":\"lateral \\\"view\\\"\",\"images\":2}]",
              "excluded");
    ASSERT_AT("1", "patients_in_several_splits");
    ASSERT_AT("3", "splits", "train", "images");
    ASSERT_AT("2", "splits", "train", "patients");
    ASSERT_AT("3", "splits", "test", "patients");
    /* Names in their order, what is not known last, the same values in every split; bins in theirs. */
    ASSERT_AT("{\"F\":{\"images\":1,\"patients\":1},\"M\":{\"images\":2,\"patients\":1},\"\":{\"images\":0,"
              "\"patients\":0}}",
              "splits", "train", "groups", "sex");
    ASSERT_AT("{\"0-30\":{\"images\":1,\"patients\":1},\"30-60\":{\"images\":0,\"patients\":0},"
              "\"\":{\"images\":2,\"patients\":2}}",
              "splits", "test", "groups", "age");
    ASSERT_AT("{\"positive\":1,\"negative\":1,\"uncertain\":1,\"missing\":0}", "splits", "train", "labels",
              "effusion");
    g_assert_false(
        json_object_has_member(json_object_get_object_member(json_node_get_object(root), "splits"), "valid"));
    g_unlink(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/data-flow", test_flow);
    return g_test_run();
}
