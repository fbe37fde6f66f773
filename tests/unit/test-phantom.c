/* SPDX-License-Identifier: MIT
 * The phantom data set, as the program loads it: the same bits everywhere, patients as promised, and findings
 * that can be seen where they should be. */
#include "config/options.h"
#include "data/index.h"
#include <gmodule.h>
#include <string.h>

enum {
    CARDIOMEGALY,
    CONGESTION,
    EFFUSION_R,
    EFFUSION_L,
    INFILTRATES_R,
    INFILTRATES_L,
    ATELECTASIS_R,
    ATELECTASIS_L
};

static const char *const all_labels[] = {"cardiomegaly",
                                         "congestion",
                                         "pleural_effusion_right",
                                         "pleural_effusion_left",
                                         "pneumonic_infiltrates_right",
                                         "pneumonic_infiltrates_left",
                                         "atelectasis_right",
                                         "atelectasis_left",
                                         NULL};
enum { LABELS = G_N_ELEMENTS(all_labels) - 1 };
static const char *const all_columns[] = {"age", "sex", "view", NULL};

static const DpcxrPlugin *phantom;

static const DpcxrPlugin *load_plugin(void)
{
    g_autofree char *file = g_strdup_printf("%s/plugins/dpcxr-dataset-phantom.so", g_getenv("DPCXR_BUILD"));
    GModule *module = g_module_open(file, G_MODULE_BIND_LOCAL);
    gpointer plugin;

    if (!module || !g_module_symbol(module, "dpcxr_plugin_dataset_phantom", &plugin))
        g_error("%s", g_module_error());
    g_module_make_resident(module);
    return plugin;
}

typedef struct {
    gpointer self;
    DpcxrIndex *index;
} Set;

static gboolean try_open(Set *set, const char *yaml, const char *const *labels, const char *const *columns,
                         GError **error)
{
    const DpcxrDataset *dataset = phantom->feature;
    GError *failure = NULL;
    g_autoptr(DpcxrOptions) values = dpcxr_options_parse(phantom->options, yaml, &failure);

    g_assert_no_error(failure);
    set->index = dpcxr_index_new(labels);
    return dataset->open(values, labels, columns, set->index, &set->self, error) &&
           dpcxr_index_finish(set->index, error);
}

static void open_set(Set *set, const char *yaml)
{
    GError *error = NULL;
    gboolean opened = try_open(set, yaml, all_labels, all_columns, &error);
    g_assert_no_error(error);
    g_assert_true(opened);
}

static void close_set(Set *set)
{
    const DpcxrDataset *dataset = phantom->feature;
    dataset->close(set->self);
    dpcxr_index_free(set->index);
}

static void load_image(const Set *set, gsize row, DpcxrImage *image)
{
    const DpcxrDataset *dataset = phantom->feature;
    GError *error = NULL;
    gboolean loaded = dataset->load(set->self, set->index, row, 0, image, &error);
    g_assert_no_error(error);
    g_assert_true(loaded);
}

static void assert_sha256(GChecksum *checksum, const char *expected)
{
    g_assert_cmpstr(g_checksum_get_string(checksum), ==, expected);
    g_checksum_free(checksum);
}

/* --- Same bits everywhere --- */

/* These change with any change of the drawing, on purpose only: published results rest on them. */
static void test_pinned_images(void)
{
    static const struct {
        const char *yaml;
        const char *sha256; /* of rows 0 .. 19 */
    } cases[] = {
        {"{patients: 100}", "b6cfdfe830919954301a078919107fc3a8e3d00796bcf34d939160b056301405"},
        {"{patients: 100, seed: 7, size: 61, difficulty: 1, prevalence: 2}",
         "c7675b9666858439202b997085498430b2c28f3afc6e4978f79e4177060f56fe"},
    };

    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
        Set set;
        open_set(&set, cases[c].yaml);
        for (gsize row = 0; row < 20; row++) {
            DpcxrImage image;
            load_image(&set, row, &image);
            g_checksum_update(checksum, image.pixels, (gssize)image.width * image.height);
            dpcxr_image_clear(&image);
        }
        assert_sha256(checksum, cases[c].sha256);
        close_set(&set);
    }
}

static void test_pinned_index(void)
{
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    Set set;

    open_set(&set, "{}");
    for (gsize row = 0; row < dpcxr_index_count(set.index); row++) {
        GString *line = g_string_new(NULL);
        g_string_printf(line, "%s,%s,%d", dpcxr_index_sample(set.index, row),
                        dpcxr_index_patient(set.index, row), dpcxr_index_split(set.index, row));
        for (int i = 0; all_columns[i]; i++)
            g_string_append_printf(line, ",%s", dpcxr_index_column(set.index, row, all_columns[i]));
        for (gsize i = 0; i < LABELS; i++)
            g_string_append_printf(line, ",%d", dpcxr_index_label(set.index, row, i));
        g_string_append_c(line, '\n');
        g_checksum_update(checksum, (const guchar *)line->str, (gssize)line->len);
        g_string_free(line, TRUE);
    }
    assert_sha256(checksum, "43063b631ee567d020e54f662362438ede8ae78653ac6a20114a0e02d20c3517");
    close_set(&set);
}

/* A patient's images do not depend on how many patients or which labels there are. */
static void test_addressed(void)
{
    static const char *const one[] = {"atelectasis_left", NULL};
    static const char *const none[] = {NULL};
    Set large, small;
    DpcxrImage a, b;

    open_set(&large, "{patients: 200}");
    g_assert_true(try_open(&small, "{patients: 100}", one, none, NULL));
    for (gsize row = 0; row < dpcxr_index_count(small.index); row += 50) {
        g_assert_cmpstr(dpcxr_index_sample(small.index, row), ==, dpcxr_index_sample(large.index, row));
        g_assert_cmpint(dpcxr_index_split(small.index, row), ==, dpcxr_index_split(large.index, row));
        g_assert_cmpint(dpcxr_index_label(small.index, row, 0), ==,
                        dpcxr_index_label(large.index, row, ATELECTASIS_L));
        load_image(&large, row, &a);
        load_image(&small, row, &b);
        g_assert_cmpmem(a.pixels, 128 * 128, b.pixels, 128 * 128);
        dpcxr_image_clear(&a);
        dpcxr_image_clear(&b);
    }
    close_set(&large);
    close_set(&small);
}

typedef struct {
    const Set *set;
    gsize first;
    GPtrArray *expected; /* of pixels */
} Job;

static gpointer load_all(gpointer data)
{
    const Job *job = data;
    gsize n = job->expected->len;
    gsize wrong = 0;

    for (gsize i = 0; i < n; i++) {
        gsize row = (job->first + i) % n;
        DpcxrImage image;
        load_image(job->set, row, &image);
        wrong += memcmp(image.pixels, g_ptr_array_index(job->expected, row), 48 * 48) != 0;
        dpcxr_image_clear(&image);
    }
    return GSIZE_TO_POINTER(wrong);
}

static void test_threads(void)
{
    enum { THREADS = 4, IMAGES = 60 };
    g_autoptr(GPtrArray) expected = g_ptr_array_new_with_free_func(g_free);
    GThread *threads[THREADS];
    Job jobs[THREADS];
    Set set;

    open_set(&set, "{patients: 100, size: 48}");
    for (gsize row = 0; row < IMAGES; row++) {
        DpcxrImage image;
        load_image(&set, row, &image);
        g_ptr_array_add(expected, image.pixels);
    }
    for (int t = 0; t < THREADS; t++) {
        jobs[t] = (Job){&set, (gsize)t * 13, expected};
        threads[t] = g_thread_new("load", load_all, &jobs[t]);
    }
    for (int t = 0; t < THREADS; t++)
        g_assert_cmpuint(GPOINTER_TO_SIZE(g_thread_join(threads[t])), ==, 0);
    close_set(&set);
}

/* --- Patients --- */

static gboolean same_patient(const DpcxrIndex *index, gsize a, gsize b)
{
    return g_str_equal(dpcxr_index_patient(index, a), dpcxr_index_patient(index, b));
}

static void test_patients(void)
{
    int images[5] = {0}, splits[DPCXR_N_SPLITS] = {0}, patients = 0;
    Set set;

    open_set(&set, "{}");
    gsize n = dpcxr_index_count(set.index);
    for (gsize row = 0, next; row < n; row = next) {
        g_autofree char *id = g_strdup_printf("p%05d", patients++);
        for (next = row; next < n && same_patient(set.index, row, next); next++) {
            g_autofree char *sample = g_strdup_printf("%s_%d", id, (int)(next - row));
            g_assert_cmpstr(dpcxr_index_sample(set.index, next), ==, sample);
            g_assert_cmpstr(dpcxr_index_patient(set.index, next), ==, id);
            g_assert_cmpint(dpcxr_index_split(set.index, next), ==, dpcxr_index_split(set.index, row));
            for (int c = 0; c < 2; c++) /* age and sex */
                g_assert_cmpstr(dpcxr_index_column(set.index, next, all_columns[c]), ==,
                                dpcxr_index_column(set.index, row, all_columns[c]));
        }
        g_assert_cmpint(next - row, <=, 4);
        images[next - row]++;
        splits[dpcxr_index_split(set.index, row)]++;
    }
    g_assert_cmpint(patients, ==, 4000); /* bounds of the splits: 5 standard deviations */
    for (int i = 1; i <= 4; i++)
        g_assert_cmpint(images[i], >, 100);
    g_assert_cmpint(ABS(splits[DPCXR_SPLIT_TRAIN] - 2800), <, 145);
    g_assert_cmpint(ABS(splits[DPCXR_SPLIT_VALID] - 400), <, 95);
    g_assert_cmpint(ABS(splits[DPCXR_SPLIT_TEST] - 800), <, 127);
    close_set(&set);
}

static void test_columns(void)
{
    int women = 0, lying = 0, youngest = 200, oldest = 0;
    Set set;

    open_set(&set, "{}");
    gsize n = dpcxr_index_count(set.index);
    for (gsize row = 0; row < n; row++) {
        int age = (int)g_ascii_strtoll(dpcxr_index_column(set.index, row, "age"), NULL, 10);
        const char *sex = dpcxr_index_column(set.index, row, "sex");
        const char *view = dpcxr_index_column(set.index, row, "view");
        g_assert_true(g_str_equal(sex, "F") || g_str_equal(sex, "M"));
        g_assert_true(g_str_equal(view, "PA") || g_str_equal(view, "AP"));
        women += sex[0] == 'F';
        lying += view[0] == 'A';
        youngest = MIN(youngest, age);
        oldest = MAX(oldest, age);
    }
    g_assert_cmpint(youngest, >=, 18);
    g_assert_cmpint(youngest, <, 30);
    g_assert_cmpint(oldest, >, 85);
    g_assert_cmpint(oldest, <, 100);
    g_assert_cmpfloat_with_epsilon(women / (double)n, 0.45, 0.05);
    g_assert_cmpfloat_with_epsilon(lying / (double)n, 0.45, 0.10);
    close_set(&set);
}

/* --- Labels --- */

static void test_unknown_labels(void)
{
    Set set;
    open_set(&set, "{}");
    gsize n = dpcxr_index_count(set.index);
    for (gsize i = 0; i < LABELS; i++) {
        int uncertain = 0, missing = 0;
        for (gsize row = 0; row < n; row++) {
            uncertain += dpcxr_index_label(set.index, row, i) == DPCXR_LABEL_UNCERTAIN;
            missing += dpcxr_index_label(set.index, row, i) == DPCXR_LABEL_MISSING;
        }
        g_assert_cmpfloat_with_epsilon(uncertain / (double)n, 0.02, 0.01);
        g_assert_cmpfloat_with_epsilon(missing / (double)n, 0.02, 0.01);
    }
    close_set(&set);
}

/* Without unknown ones, all images of a patient have the same labels. */
static void test_labels_are_of_patients(void)
{
    Set set;
    open_set(&set, "{patients: 500, unknown: 0}");
    for (gsize row = 1; row < dpcxr_index_count(set.index); row++)
        for (gsize i = 0; i < LABELS; i++) {
            DpcxrLabel label = dpcxr_index_label(set.index, row, i);
            g_assert_true(label == DPCXR_LABEL_POSITIVE || label == DPCXR_LABEL_NEGATIVE);
            if (same_patient(set.index, row - 1, row))
                g_assert_cmpint(label, ==, dpcxr_index_label(set.index, row - 1, i));
        }
    close_set(&set);
}

/* Share of positives among the known labels @label of those from @low to @high years. */
static double prevalence(const Set *set, gsize label, int low, int high)
{
    int known = 0, positive = 0;
    for (gsize row = 0; row < dpcxr_index_count(set->index); row++) {
        int age = (int)g_ascii_strtoll(dpcxr_index_column(set->index, row, "age"), NULL, 10);
        DpcxrLabel value = dpcxr_index_label(set->index, row, label);
        if (value < 0 || age < low || age > high)
            continue;
        known++;
        positive += value == DPCXR_LABEL_POSITIVE;
    }
    return positive / (double)MAX(known, 1);
}

static void test_prevalence(void)
{
    Set set, none, twice;
    open_set(&set, "{}");
    open_set(&none, "{patients: 200, prevalence: 0}");
    open_set(&twice, "{prevalence: 2}");
    for (gsize i = 0; i < LABELS; i++) {
        double all = prevalence(&set, i, 0, 200);
        g_test_message("%s: %.3f, below 50 years %.3f, above 75 %.3f", all_labels[i], all,
                       prevalence(&set, i, 0, 49), prevalence(&set, i, 76, 200));
        g_assert_cmpfloat(all, >, 0.1);
        g_assert_cmpfloat(all, <, 0.5);
        g_assert_cmpfloat(prevalence(&set, i, 76, 200), >, prevalence(&set, i, 0, 49) + 0.02);
        g_assert_cmpfloat(prevalence(&none, i, 0, 200), ==, 0);
        g_assert_cmpfloat(prevalence(&twice, i, 0, 200), >, 1.5 * all);
    }
    close_set(&set);
    close_set(&none);
    close_set(&twice);
}

static void test_wrong_names(void)
{
    static const char *const labels[] = {"congestion", "edema", NULL};
    static const char *const columns[] = {"sex", "weight", NULL};
    g_autoptr(GError) label_error = NULL, column_error = NULL;
    Set set = {0};

    g_assert_false(try_open(&set, "{}", labels, all_columns, &label_error));
    g_assert_error(label_error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_assert_nonnull(strstr(label_error->message, "\"edema\""));
    g_assert_nonnull(strstr(label_error->message, "atelectasis_left"));
    dpcxr_index_free(set.index);
    g_assert_false(try_open(&set, "{}", all_labels, columns, &column_error));
    g_assert_error(column_error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_assert_nonnull(strstr(column_error->message, "\"weight\""));
    g_assert_nonnull(strstr(column_error->message, "view"));
    dpcxr_index_free(set.index);
}

/* --- Images --- */

static void test_sizes(void)
{
    static const int sizes[] = {32, 33, 97, 300};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *yaml = g_strdup_printf("{patients: 100, size: %d}", sizes[i]);
        DpcxrImage image;
        Set set;
        open_set(&set, yaml);
        load_image(&set, 3, &image);
        g_assert_cmpint(image.width, ==, sizes[i]);
        g_assert_cmpint(image.height, ==, sizes[i]);
        g_assert_cmpint(image.channels, ==, 1);
        g_assert_cmpint(image.depth, ==, 8);
        dpcxr_image_clear(&image);
        close_set(&set);
    }
}

static double mean_of(const guint8 *pixels, int size, double left, double top, double right, double bottom)
{
    double sum = 0, n = 0;
    for (int y = (int)(top * size); y < (int)(bottom * size); y++)
        for (int x = (int)(left * size); x < (int)(right * size); x++, n++)
            sum += pixels[y * size + x];
    return sum / n;
}

/* Exposures are of no patient's: neither of two images is all black or all white, and they differ. */
static void test_views_differ(void)
{
    Set set;
    open_set(&set, "{patients: 100}");
    for (gsize row = 1; row < 60; row++) {
        DpcxrImage a, b;
        if (!same_patient(set.index, row - 1, row))
            continue;
        load_image(&set, row - 1, &a);
        load_image(&set, row, &b);
        double mean = mean_of(a.pixels, 128, 0, 0, 1, 1);
        g_assert_cmpfloat(mean, >, 60);
        g_assert_cmpfloat(mean, <, 220);
        g_assert_true(memcmp(a.pixels, b.pixels, 128 * 128) != 0);
        dpcxr_image_clear(&a);
        dpcxr_image_clear(&b);
    }
    close_set(&set);
}

/* Where each sign is seen, in shares of the frame, on the image's left; the right one is its mirror image. */
typedef struct {
    gsize label;
    gboolean mirrored;
    double left, top, right, bottom;
} Place;

/* The chance that a positive is brighter at @place than a negative, against the brightness of the whole
 * image. */
static double auroc_at(const Set *set, guint8 *const *images, gsize n, int size, const Place *place,
                       gboolean other)
{
    g_autofree double *score = g_new(double, n);
    double wins = 0, pairs = 0;
    gboolean mirrored = place->mirrored != other;

    for (gsize i = 0; i < n; i++)
        score[i] = mean_of(images[i], size, mirrored ? 1 - place->right : place->left, place->top,
                           mirrored ? 1 - place->left : place->right, place->bottom) /
                   mean_of(images[i], size, 0.1, 0.05, 0.9, 0.95);
    for (gsize i = 0; i < n; i++) {
        for (gsize k = 0; k < n; k++) {
            if (dpcxr_index_label(set->index, i, place->label) != DPCXR_LABEL_POSITIVE ||
                dpcxr_index_label(set->index, k, place->label) != DPCXR_LABEL_NEGATIVE)
                continue;
            wins += score[i] > score[k] ? 1 : score[i] == score[k] ? 0.5 : 0;
            pairs++;
        }
    }
    return wins / pairs;
}

static const Place places[] = {
    {CARDIOMEGALY, TRUE, 0.22, 0.45, 0.38, 0.65},   {CONGESTION, FALSE, 0.25, 0.30, 0.42, 0.55},
    {EFFUSION_R, FALSE, 0.10, 0.60, 0.30, 0.80},    {EFFUSION_L, TRUE, 0.10, 0.60, 0.30, 0.80},
    {INFILTRATES_R, FALSE, 0.15, 0.35, 0.40, 0.65}, {INFILTRATES_L, TRUE, 0.15, 0.35, 0.40, 0.65},
    {ATELECTASIS_R, FALSE, 0.18, 0.58, 0.42, 0.72}, {ATELECTASIS_L, TRUE, 0.18, 0.58, 0.42, 0.72},
};

/* A finding can be told from the brightness of its own place, better than from that of the other side, and
 * worse where the data set is made difficult. The patient's right is on the image's left. */
static void test_signs(void)
{
    enum { IMAGES = 700, SIZE = 40 };
    static const char *const yaml[3] = {"{patients: 500, size: 40, difficulty: 0, unknown: 0}",
                                        "{patients: 500, size: 40, unknown: 0}",
                                        "{patients: 500, size: 40, difficulty: 1, unknown: 0}"};
    double auroc[3][LABELS], other[3][LABELS];

    for (int d = 0; d < 3; d++) {
        g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func(g_free);
        Set set;
        open_set(&set, yaml[d]);
        for (gsize row = 0; row < IMAGES; row++) {
            DpcxrImage image;
            load_image(&set, row, &image);
            g_ptr_array_add(images, image.pixels);
        }
        for (gsize i = 0; i < LABELS; i++) {
            auroc[d][i] = auroc_at(&set, (guint8 *const *)images->pdata, IMAGES, SIZE, &places[i], FALSE);
            other[d][i] = auroc_at(&set, (guint8 *const *)images->pdata, IMAGES, SIZE, &places[i], TRUE);
        }
        close_set(&set);
    }
    for (gsize i = 0; i < LABELS; i++) {
        g_test_message("%s: %.3f %.3f %.3f (other side %.3f)", all_labels[i], auroc[0][i], auroc[1][i],
                       auroc[2][i], other[1][i]);
        g_assert_cmpfloat(auroc[1][i], >, 0.58);
        g_assert_cmpfloat(auroc[1][i], <, 0.97);
        g_assert_cmpfloat(auroc[0][i], >, auroc[2][i] + 0.03);
        if (i >= EFFUSION_R)
            g_assert_cmpfloat(auroc[1][i], >, other[1][i] + 0.02);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    phantom = load_plugin();
    g_test_add_func("/phantom/pinned/images", test_pinned_images);
    g_test_add_func("/phantom/pinned/index", test_pinned_index);
    g_test_add_func("/phantom/addressed", test_addressed);
    g_test_add_func("/phantom/threads", test_threads);
    g_test_add_func("/phantom/patients", test_patients);
    g_test_add_func("/phantom/columns", test_columns);
    g_test_add_func("/phantom/labels/unknown", test_unknown_labels);
    g_test_add_func("/phantom/labels/of-patients", test_labels_are_of_patients);
    g_test_add_func("/phantom/labels/prevalence", test_prevalence);
    g_test_add_func("/phantom/labels/wrong-names", test_wrong_names);
    g_test_add_func("/phantom/images/sizes", test_sizes);
    g_test_add_func("/phantom/images/views-differ", test_views_differ);
    g_test_add_func("/phantom/images/signs", test_signs);
    return g_test_run();
}
