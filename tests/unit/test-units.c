/* SPDX-License-Identifier: MIT
 * Units: who owns which training rows. */
#include "privacy/units.h"

/* "p1 train", ... in one string a row; "-" is a blank id. */
static DpcxrIndex *make_index(const char *const *rows)
{
    static const char *const labels[] = {"finding", NULL};
    DpcxrIndex *index = dpcxr_index_new(labels);
    for (int i = 0; rows[i] != NULL; i++) {
        g_auto(GStrv) words = g_strsplit(rows[i], " ", 2);
        g_autofree char *sample = g_strdup_printf("sample-%d", i);
        const DpcxrRow row = {.sample = sample,
                              .patient = g_str_equal(words[0], "-")   ? ""
                                         : g_str_equal(words[0], "_") ? " \t"
                                                                      : words[0],
                              .split = g_str_equal(words[1], "train")   ? DPCXR_SPLIT_TRAIN
                                       : g_str_equal(words[1], "valid") ? DPCXR_SPLIT_VALID
                                                                        : DPCXR_SPLIT_TEST};
        dpcxr_index_add(index, &row);
    }
    return index;
}

static void assert_units(const DpcxrUnits *units, gsize n, const gsize *offsets, const gsize *rows)
{
    g_assert_cmpuint(units->n, ==, n);
    g_assert_cmpmem(units->offsets, (n + 1) * sizeof *offsets, offsets, (n + 1) * sizeof *offsets);
    g_assert_cmpmem(units->rows, offsets[n] * sizeof *rows, rows, offsets[n] * sizeof *rows);
}

static const char *const mixed[] = {"v valid", "b train", "a train", "t test", "b train", "c train",
                                    "b valid", "a train", "b train", "d test", NULL};

static void test_patients(void)
{
    static const gsize offsets[] = {0, 3, 5, 6}, rows[] = {1, 4, 8, 2, 7, 5};
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrIndex) index = make_index(mixed);
    g_autoptr(DpcxrUnits) units = dpcxr_units_new(index, DPCXR_UNIT_PATIENT, &error);
    g_assert_no_error(error);
    assert_units(units, 3, offsets, rows);
    g_assert_cmpint(units->unit, ==, DPCXR_UNIT_PATIENT);
    g_assert_cmpuint(units->max_rows, ==, 3);
}

static void test_images(void)
{
    static const gsize offsets[] = {0, 1, 2, 3, 4, 5, 6}, rows[] = {1, 2, 4, 5, 7, 8};
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrIndex) index = make_index(mixed);
    g_autoptr(DpcxrUnits) units = dpcxr_units_new(index, DPCXR_UNIT_IMAGE, &error);
    g_assert_no_error(error);
    assert_units(units, 6, offsets, rows);
    g_assert_cmpint(units->unit, ==, DPCXR_UNIT_IMAGE);
    g_assert_cmpuint(units->max_rows, ==, 1);
}

/* Blank ids matter in the training split only, and for patients only. */
static void test_blank(void)
{
    static const char *const blank[] = {"- valid", "a train", "_ train", "- train", "b train", NULL};
    static const char *const elsewhere[] = {"- valid", "a train", "- test", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrIndex) index = make_index(blank), other = make_index(elsewhere);
    g_assert_null(dpcxr_units_new(index, DPCXR_UNIT_PATIENT, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_assert_nonnull(g_strstr_len(error->message, -1, "2 of 4"));
    g_assert_nonnull(g_strstr_len(error->message, -1, "\"sample-2\""));
    g_clear_error(&error);
    g_autoptr(DpcxrUnits) images = dpcxr_units_new(index, DPCXR_UNIT_IMAGE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(images->n, ==, 4);
    g_autoptr(DpcxrUnits) patients = dpcxr_units_new(other, DPCXR_UNIT_PATIENT, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(patients->n, ==, 1);
}

/* One image in two rows is one unit of a patient, but would be two of its own; elsewhere than in training it may be. */
static void test_repeated(void)
{
    static const char *const labels[] = {"finding", NULL};
    static const char *const paths[] = {"a.png", "b.png", "a.png", "c.png", "c.png"};
    g_autoptr(GError) error = NULL;
    for (int repeated = 0; repeated < 2; repeated++) {
        g_autoptr(DpcxrIndex) index = dpcxr_index_new(labels);
        for (int i = 0; i < 5; i++) {
            g_autofree char *sample = g_strdup_printf("s%d", i);
            dpcxr_index_add(index, &(DpcxrRow){.sample = sample,
                                               .patient = "p",
                                               .path = paths[i],
                                               .split = i < 2 + repeated ? DPCXR_SPLIT_TRAIN : DPCXR_SPLIT_TEST});
        }
        g_autoptr(DpcxrUnits) patients = dpcxr_units_new(index, DPCXR_UNIT_PATIENT, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(patients->n, ==, 1);
        g_autoptr(DpcxrUnits) images = dpcxr_units_new(index, DPCXR_UNIT_IMAGE, &error);
        g_assert_true((images == NULL) == repeated);
    }
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_assert_nonnull(g_strstr_len(error->message, -1, "1 of 3"));
    g_assert_nonnull(g_strstr_len(error->message, -1, "\"s2\""));
}

static void test_no_training_rows(void)
{
    static const char *const none[] = {"a valid", "b test", NULL};
    for (int unit = DPCXR_UNIT_PATIENT; unit <= DPCXR_UNIT_IMAGE; unit++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DpcxrIndex) index = make_index(none);
        g_assert_null(dpcxr_units_new(index, (DpcxrUnit)unit, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/units/patients", test_patients);
    g_test_add_func("/units/images", test_images);
    g_test_add_func("/units/blank", test_blank);
    g_test_add_func("/units/repeated", test_repeated);
    g_test_add_func("/units/no-training-rows", test_no_training_rows);
    return g_test_run();
}
