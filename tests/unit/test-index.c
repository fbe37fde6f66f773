/* SPDX-License-Identifier: MIT
 * The index: what goes in comes out, and what must not go in is refused. */
#include "config/experiment.h"
#include "data/index.h"
#include "data/labels.h"
#include <string.h>

static const char *const labels[] = {"edema", "mass", NULL};

static gsize add(DpcxrIndex *index, const char *sample, const char *patient, DpcxrSplit split)
{
    return dpcxr_index_add(
        index, &(DpcxrRow){.sample = sample, .patient = patient, .path = "a.png", .split = split});
}

static void test_round_trip(void)
{
    g_autoptr(DpcxrIndex) index = dpcxr_index_new(labels);
    g_autofree char *name = g_strdup("s0"); /* strings are copied */
    g_assert_cmpuint(dpcxr_index_add(index, &(DpcxrRow){.sample = name, .split = DPCXR_SPLIT_TEST}), ==, 0);
    name[0] = 'X';
    g_assert_cmpuint(add(index, "s1", "p1", DPCXR_SPLIT_TRAIN), ==, 1);
    dpcxr_index_set_label(index, 1, 1, DPCXR_LABEL_UNCERTAIN);
    dpcxr_index_set_label(index, 1, 0, DPCXR_LABEL_POSITIVE);
    dpcxr_index_set_column(index, 1, "age", "63");

    g_assert_cmpuint(dpcxr_index_count(index), ==, 2);
    g_assert_cmpstr(dpcxr_index_sample(index, 0), ==, "s0");
    g_assert_cmpstr(dpcxr_index_patient(index, 0), ==, "");
    g_assert_null(dpcxr_index_path(index, 0));
    g_assert_cmpstr(dpcxr_index_path(index, 1), ==, "a.png");
    g_assert_cmpint(dpcxr_index_split(index, 0), ==, DPCXR_SPLIT_TEST);
    g_assert_cmpuint(dpcxr_index_count_split(index, DPCXR_SPLIT_TRAIN), ==, 1);
    g_assert_cmpuint(dpcxr_index_count_split(index, DPCXR_SPLIT_VALID), ==, 0);
    g_assert_cmpint(dpcxr_index_label(index, 0, 0), ==, DPCXR_LABEL_MISSING);
    g_assert_cmpint(dpcxr_index_label(index, 1, 0), ==, DPCXR_LABEL_POSITIVE);
    g_assert_cmpint(dpcxr_index_label(index, 1, 1), ==, DPCXR_LABEL_UNCERTAIN);
    g_assert_cmpstr(dpcxr_index_column(index, 0, "age"), ==, "");
    g_assert_cmpstr(dpcxr_index_column(index, 1, "age"), ==, "63");
    g_assert_cmpstr(dpcxr_index_column(index, 1, "sex"), ==, "");
}

static void test_exclusions(void)
{
    g_autoptr(DpcxrIndex) index = dpcxr_index_new(labels);
    gsize count;
    dpcxr_index_exclude(index, "lateral view");
    dpcxr_index_exclude(index, "no labels");
    dpcxr_index_exclude(index, "lateral view");
    g_assert_cmpuint(dpcxr_index_n_excluded(index), ==, 2);
    g_assert_cmpstr(dpcxr_index_excluded(index, 0, &count), ==, "lateral view");
    g_assert_cmpuint(count, ==, 2);
    g_assert_cmpstr(dpcxr_index_excluded(index, 1, &count), ==, "no labels");
    g_assert_cmpuint(count, ==, 1);
}

static void test_finish(void)
{
    g_autoptr(DpcxrIndex) index = dpcxr_index_new(labels);
    g_autoptr(GError) error = NULL;
    g_assert_false(dpcxr_index_finish(index, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_clear_error(&error);
    add(index, "s1", "p", DPCXR_SPLIT_TRAIN);
    add(index, "s2", "p", DPCXR_SPLIT_TRAIN);
    g_assert_true(dpcxr_index_finish(index, &error));
    g_assert_no_error(error);
    add(index, "s1", "q", DPCXR_SPLIT_VALID);
    g_assert_false(dpcxr_index_finish(index, &error));
    g_assert_nonnull(strstr(error->message, "\"s1\""));
    g_clear_error(&error);

    g_autoptr(DpcxrIndex) unnamed = dpcxr_index_new(labels);
    add(unnamed, NULL, "p", DPCXR_SPLIT_TRAIN);
    g_assert_false(dpcxr_index_finish(unnamed, &error));
    g_assert_nonnull(strstr(error->message, "a.png"));
}

typedef enum {
    AS_IS,
    OTHER_PATIENT,
    OTHER_SPLIT,
    OTHER_LABEL,
    OTHER_COLUMN,
    SHIFTED_TEXT,
    OTHER_PATH
} Change;

static char *digest(Change change)
{
    g_autoptr(DpcxrIndex) index = dpcxr_index_new(labels);
    gsize row = dpcxr_index_add(
        index, &(DpcxrRow){.sample = change == SHIFTED_TEXT ? "s1p" : "s1",
                           .patient = change == OTHER_PATIENT  ? "p2"
                                      : change == SHIFTED_TEXT ? "1"
                                                               : "p1",
                           .path = change == OTHER_PATH ? "b.png" : "a.png",
                           .split = change == OTHER_SPLIT ? DPCXR_SPLIT_VALID : DPCXR_SPLIT_TRAIN});
    dpcxr_index_set_label(index, row, 0, change == OTHER_LABEL ? DPCXR_LABEL_NEGATIVE : DPCXR_LABEL_POSITIVE);
    dpcxr_index_set_column(index, row, "age", change == OTHER_COLUMN ? "41" : "40");
    dpcxr_index_set_column(index, row, "sex", "F");
    return dpcxr_index_digest(index);
}

static void test_digest(void)
{
    g_autofree char *first = digest(AS_IS), *again = digest(AS_IS), *moved = digest(OTHER_PATH);
    g_assert_cmpuint(strlen(first), ==, 64);
    g_assert_cmpstr(first, ==, again);
    g_assert_cmpstr(first, ==, moved); /* data may lie elsewhere */
    for (Change change = OTHER_PATIENT; change <= SHIFTED_TEXT; change++) {
        g_autofree char *other = digest(change);
        g_assert_cmpstr(first, !=, other);
    }
}

static void test_find(void)
{
    static const char *const names[] = {"No Finding", "Pleural Effusion", "AP/PA", "edema", NULL};
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(dpcxr_dataset_find("label", "Pleural Effusion", names, &error), ==, 1);
    g_assert_cmpint(dpcxr_dataset_find("label", "pleural_effusion", names, &error), ==, 1);
    g_assert_cmpint(dpcxr_dataset_find("label", "ap_pa", names, &error), ==, 2);
    g_assert_cmpint(dpcxr_dataset_find("label", "edema", names, &error), ==, 3);
    g_assert_no_error(error);
    g_assert_cmpint(dpcxr_dataset_find("label", "Edema", names, &error), ==, -1);
    g_assert_cmpstr(error->message, ==,
                    "no label \"Edema\"; the data set has: No Finding, Pleural Effusion, AP/PA, edema");
}

/* Target and mask of each label under each policy, written down from Irvin et al. 2019 and Pham
 * et al. 2021. */
static void test_policies(void)
{
    static const struct {
        DpcxrLabel label;
        DpcxrUncertain uncertain;
        DpcxrMissing missing;
        gboolean training;
        float target, mask;
    } cases[] = {
        {DPCXR_LABEL_POSITIVE, DPCXR_UNCERTAIN_ZEROS, DPCXR_MISSING_ZEROS, TRUE, 1, 1},
        {DPCXR_LABEL_NEGATIVE, DPCXR_UNCERTAIN_ONES, DPCXR_MISSING_IGNORE, TRUE, 0, 1},
        {DPCXR_LABEL_UNCERTAIN, DPCXR_UNCERTAIN_IGNORE, DPCXR_MISSING_ZEROS, TRUE, 0, 0},
        {DPCXR_LABEL_UNCERTAIN, DPCXR_UNCERTAIN_ONES, DPCXR_MISSING_ZEROS, FALSE, 1, 1},
        {DPCXR_LABEL_UNCERTAIN, DPCXR_UNCERTAIN_ZEROS, DPCXR_MISSING_IGNORE, TRUE, 0, 1},
        {DPCXR_LABEL_UNCERTAIN, DPCXR_UNCERTAIN_SMOOTH, DPCXR_MISSING_IGNORE, TRUE, 0.7f, 1},
        {DPCXR_LABEL_UNCERTAIN, DPCXR_UNCERTAIN_SMOOTH, DPCXR_MISSING_IGNORE, FALSE, 0, 0},
        {DPCXR_LABEL_MISSING, DPCXR_UNCERTAIN_ONES, DPCXR_MISSING_IGNORE, TRUE, 0, 0},
        {DPCXR_LABEL_MISSING, DPCXR_UNCERTAIN_ONES, DPCXR_MISSING_ZEROS, TRUE, 0, 1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        float target = -7, mask = -7;
        dpcxr_label_target(cases[i].label, cases[i].uncertain, cases[i].missing, cases[i].training, &target,
                           &mask);
        g_assert_cmpfloat(target, ==, cases[i].target);
        g_assert_cmpfloat(mask, ==, cases[i].mask);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index/round-trip", test_round_trip);
    g_test_add_func("/index/exclusions", test_exclusions);
    g_test_add_func("/index/finish", test_finish);
    g_test_add_func("/index/digest", test_digest);
    g_test_add_func("/index/find", test_find);
    g_test_add_func("/index/policies", test_policies);
    return g_test_run();
}
