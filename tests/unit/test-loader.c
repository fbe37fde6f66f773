/* SPDX-License-Identifier: MIT
 * dpcxr_data_load, the loader threads and the check, over a data set that lives in this file: images are made
 * from the row's number, one of them does not decode, and an augmentation writes down what it was given. */
#include "data/data.h"
#include "data/loader.h"
#include <glib/gstdio.h>
#include <string.h>

enum { SIZE = 12, ROWS = 40, BROKEN = 7, SIDE = 30 };

/* How often load() was called, in all tests. */
static int n_loads;

/* Whether there is one more sample, in front of all others. */
static gboolean one_more;

static const char *const labels[] = {"edema", "mass", NULL};

static gboolean open_fake(const DpcxrOptions *options, const char *const *names, const char *const *columns,
                          DpcxrIndex *index, gpointer *self, GError **error)
{
    if (one_more)
        dpcxr_index_add(index, &(DpcxrRow){.sample = "new", .patient = "new", .split = DPCXR_SPLIT_TRAIN});
    for (int row = 0; row < ROWS; row++) {
        g_autofree char *sample = g_strdup_printf("s%d", row), *patient = g_strdup_printf("p%d", row / 2);
        dpcxr_index_add(index, &(DpcxrRow){.sample = sample,
                                           .patient = patient,
                                           .split = row < 21 ? DPCXR_SPLIT_TRAIN : DPCXR_SPLIT_VALID});
        dpcxr_index_set_label(index, row + one_more, 0,
                              row % 3 == 0 ? DPCXR_LABEL_POSITIVE : DPCXR_LABEL_NEGATIVE);
        dpcxr_index_set_label(index, row + one_more, 1, row < 21 ? DPCXR_LABEL_NEGATIVE : DPCXR_LABEL_UNCERTAIN);
    }
    *self = NULL;
    return TRUE;
}

/* Odd rows are RGB, so that both ways to the experiment's channels are taken. */
static gboolean load_fake(gpointer self, const DpcxrIndex *index, gsize row, int min_size, DpcxrImage *image,
                          GError **error)
{
    g_atomic_int_inc(&n_loads);
    if (row == BROKEN) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "/images/7.png: cut");
        return FALSE;
    }
    *image = (DpcxrImage){.width = SIDE, .height = SIDE, .channels = row % 2 ? 3 : 1, .depth = 8};
    if (!dpcxr_image_allocate(image, error))
        return FALSE;
    for (int i = 0; i < SIDE * SIDE * image->channels; i++)
        ((guint8 *)image->pixels)[i] = (guint8)(row * 6 + i % 7 + (image->channels == 3 ? i % 3 * 4 : 0));
    return TRUE;
}

/* Adds to every pixel what its stream draws, and the background; marks the labels. */
static void apply_fake(gconstpointer self, DpcxrSample *sample, DpcxrRandom *random)
{
    float shift = (float)dpcxr_random_uniform(random) + sample->background;
    for (int i = 0; i < sample->height * sample->width * sample->channels; i++)
        sample->pixels[i] += shift;
    sample->targets[0] = 1 - sample->targets[0];
}

static gboolean open_augmentation(const DpcxrOptions *options, const char *const *names, gpointer *self,
                                  GError **error)
{
    if (strcmp(names[0], "edema") != 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "unknown label %s", names[0]);
        return FALSE;
    }
    return TRUE;
}

static const DpcxrDataset dataset = {.open = open_fake, .load = load_fake};
static const DpcxrPlugin dataset_plugin = {.name = "fake", .feature = &dataset};
static const DpcxrPluginEntry dataset_entry = {.plugin = &dataset_plugin};
static const DpcxrAugmentation augmentation = {.open = open_augmentation, .apply = apply_fake};
static const DpcxrPlugin augmentation_plugin = {.name = "shift", .feature = &augmentation};
static const DpcxrPluginEntry augmentation_entry = {.plugin = &augmentation_plugin};

typedef struct {
    DpcxrExperiment experiment;
    DpcxrFeature augment[2];
} Fixture;

static void fixture_init(Fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->augment[0] = fixture->augment[1] =
        (DpcxrFeature){.type = (char *)"shift", .entry = &augmentation_entry};
    fixture->experiment.seed = 5;
    fixture->experiment.data.dataset = (DpcxrFeature){.type = (char *)"fake", .entry = &dataset_entry};
    fixture->experiment.data.labels = (char **)labels;
    fixture->experiment.data.n_labels = 2;
    fixture->experiment.data.size = SIZE;
    fixture->experiment.data.channels = 1;
    fixture->experiment.data.augment = fixture->augment;
    fixture->experiment.data.n_augment = 2;
    fixture->experiment.stage_evaluate = TRUE;
    fixture->experiment.evaluate.valid = fixture->experiment.evaluate.test = TRUE;
}

static DpcxrData *open_data(const Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    DpcxrData *data = dpcxr_data_open(&fixture->experiment, &error);
    g_assert_no_error(error);
    return data;
}

typedef struct {
    float pixels[SIZE * SIZE * 3], targets[2], mask[2];
} Row;

static Row load_row(DpcxrData *data, gsize row, guint64 step, guint32 view, gboolean augment)
{
    g_autoptr(GError) error = NULL;
    Row out = {0};
    g_assert_true(dpcxr_data_load(data, &(DpcxrDraw){row, step, view, augment}, out.pixels, out.targets,
                                  out.mask, &error));
    g_assert_no_error(error);
    return out;
}

static void test_load(void)
{
    Fixture fixture;
    fixture_init(&fixture);
    g_autoptr(DpcxrData) data = open_data(&fixture);
    Row row = load_row(data, 4, 0, 0, FALSE);
    for (int i = 0; i < SIZE * SIZE; i++) {
        g_assert_cmpfloat(row.pixels[i], >=, 24 / 255.f);
        g_assert_cmpfloat(row.pixels[i], <=, 30 / 255.f);
    }
    g_assert_cmpfloat(row.targets[0], ==, 0);
    g_assert_cmpfloat(row.mask[1], ==, 1);
    row = load_row(data, 21, 0, 0, FALSE);
    g_assert_cmpfloat(row.targets[0], ==, 1);
    g_assert_cmpfloat(row.mask[1], ==, 0);             /* uncertain, ignored */
    g_assert_cmpfloat(row.pixels[SIZE * SIZE], ==, 0); /* one channel, though the file has three */
}

/* Three channels from gray by repetition, from RGB as they are. */
static void test_channels(void)
{
    Fixture fixture;
    fixture_init(&fixture);
    fixture.experiment.data.channels = 3;
    g_autoptr(DpcxrData) data = open_data(&fixture);
    Row gray = load_row(data, 2, 0, 0, FALSE), rgb = load_row(data, 3, 0, 0, FALSE);
    int different = 0;
    for (int i = 0; i < SIZE * SIZE; i++) {
        g_assert_cmpfloat(gray.pixels[3 * i], ==, gray.pixels[3 * i + 1]);
        g_assert_cmpfloat(gray.pixels[3 * i], ==, gray.pixels[3 * i + 2]);
        different += rgb.pixels[3 * i] != rgb.pixels[3 * i + 1];
    }
    g_assert_cmpint(different, >, SIZE * SIZE / 2);
}

/* A stream for each link of the chain, step, sample and view, and the same one each time. */
static void test_augment(void)
{
    Fixture fixture;
    fixture_init(&fixture);
    g_autoptr(DpcxrData) data = open_data(&fixture);
    Row plain = load_row(data, 2, 3, 1, FALSE), once = load_row(data, 2, 3, 1, TRUE);
    double shifts[2];
    static const char *const purposes[] = {"augment:0:shift", "augment:1:shift"};
    for (int i = 0; i < 2; i++) {
        DpcxrRandom random;
        dpcxr_random_init(&random, 5, purposes[i], 3 | (guint64)1 << 48, 0x551b410 /* FNV-1a of "s2" */);
        shifts[i] = dpcxr_random_uniform(&random);
    }
    g_assert_cmpfloat_with_epsilon(once.pixels[9] - plain.pixels[9], shifts[0] + shifts[1], 1e-6);
    g_assert_cmpfloat(once.targets[0], ==, plain.targets[0]); /* changed twice */
    Row again = load_row(data, 2, 3, 1, TRUE), step = load_row(data, 2, 4, 1, TRUE),
        view = load_row(data, 2, 3, 2, TRUE);
    g_assert_cmpmem(&once, sizeof once, &again, sizeof again);
    g_assert_cmpfloat(once.pixels[0], !=, step.pixels[0]);
    g_assert_cmpfloat(once.pixels[0], !=, view.pixels[0]);

    fixture.experiment.data.normalise = DPCXR_NORMALISE_XRV;
    g_autoptr(DpcxrData) xrv = open_data(&fixture);
    plain = load_row(xrv, 2, 3, 1, FALSE);
    once = load_row(xrv, 2, 3, 1, TRUE);
    g_assert_cmpfloat_with_epsilon(once.pixels[9] - plain.pixels[9], shifts[0] + shifts[1] - 2048, 1e-3);
}

/* One patient more must not change what another one contributes. */
static void test_neighbours(void)
{
    Fixture fixture;
    fixture_init(&fixture);
    g_autoptr(DpcxrData) data = open_data(&fixture);
    one_more = TRUE;
    g_autoptr(DpcxrData) larger = open_data(&fixture);
    one_more = FALSE;
    Row plain = load_row(data, 2, 3, 1, FALSE), shifted = load_row(data, 2, 3, 1, TRUE);
    Row same = load_row(larger, 3, 3, 1, FALSE), same_shifted = load_row(larger, 3, 3, 1, TRUE);
    g_assert_cmpfloat_with_epsilon(shifted.pixels[0] - plain.pixels[0], same_shifted.pixels[0] - same.pixels[0],
                                   1e-6);
}

static void test_cache(void)
{
    Fixture fixture;
    fixture_init(&fixture);
    g_autoptr(DpcxrData) with = open_data(&fixture), without = open_data(&fixture);
    dpcxr_data_limit_cache(without, 0);
    for (int round = 0; round < 2; round++)
        for (gsize row = 0; row < ROWS; row++) {
            if (row == BROKEN)
                continue;
            int before = g_atomic_int_get(&n_loads);
            Row a = load_row(with, row, round, 0, TRUE);
            g_assert_cmpint(g_atomic_int_get(&n_loads) - before, ==, round == 0);
            Row b = load_row(without, row, round, 0, TRUE);
            g_assert_cmpint(g_atomic_int_get(&n_loads) - before, ==, round == 0 ? 2 : 1);
            g_assert_cmpmem(&a, sizeof a, &b, sizeof b);
        }
    dpcxr_data_limit_cache(with, 4 * (SIZE * SIZE + sizeof(int))); /* room for four */
    int before = g_atomic_int_get(&n_loads);
    for (int round = 0; round < 2; round++)
        for (gsize row = 10; row < 20; row++)
            load_row(with, row, 0, 0, FALSE);
    g_assert_cmpint(g_atomic_int_get(&n_loads) - before, ==, 10 + 6);
}

/* With images on disk, rows are the same to the bit, and nothing is decoded but what could not be stored. */
static void test_shards(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("dpcxr-loader-XXXXXX", NULL);
    Fixture fixture;
    fixture_init(&fixture);
    g_autoptr(DpcxrData) without = open_data(&fixture);
    fixture.experiment.data.cache_dir = folder;
    g_autoptr(DpcxrData) with = open_data(&fixture);
    DpcxrShardCounts counts;
    dpcxr_data_build_cache(with, 2, FALSE, &counts, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(counts.images, ==, ROWS - 1);
    for (gsize row = 0; row < ROWS; row++) {
        if (row == BROKEN) {
            g_assert_false(dpcxr_data_prepare(with, row, &error));
            g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
            continue;
        }
        int before = g_atomic_int_get(&n_loads);
        Row a = load_row(with, row, 3, 0, TRUE);
        g_assert_cmpint(g_atomic_int_get(&n_loads), ==, before);
        Row b = load_row(without, row, 3, 0, TRUE);
        g_assert_cmpmem(&a, sizeof a, &b, sizeof b);
    }
    g_autofree char *shard = g_build_filename(dpcxr_shard_cache_folder(dpcxr_data_shards(with)), "00000.shard", NULL);
    g_unlink(shard);
    g_rmdir(dpcxr_shard_cache_folder(dpcxr_data_shards(with)));
    g_rmdir(folder);
}

static void test_refusals(void)
{
    Fixture fixture;
    fixture_init(&fixture);
    g_autoptr(GError) error = NULL;
    static const char *const others[] = {"mass", "edema", NULL};
    fixture.experiment.data.labels = (char **)others;
    g_assert_null(dpcxr_data_open(&fixture.experiment, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "data.augment.0 (shift): unknown label mass"));
}

static void request_all(DpcxrLoader *loader, gsize n)
{
    g_autofree DpcxrDraw *draws = g_new(DpcxrDraw, n);
    for (gsize i = 0; i < n; i++)
        draws[i] = (DpcxrDraw){.row = i * 13 % ROWS, .step = i, .augment = TRUE};
    dpcxr_loader_request(loader, draws, n);
}

static void check_taken(DpcxrData *data, DpcxrLoader *loader, gsize first, gsize n)
{
    gsize pixels = SIZE * SIZE;
    g_autofree float *images = g_new(float, n *pixels), *targets = g_new(float, n * 2),
                     *mask = g_new(float, n * 2);
    g_autofree gboolean *ok = g_new(gboolean, n);
    g_autofree char *problem = NULL;
    gboolean any_broken = FALSE;
    dpcxr_loader_take(loader, n, images, targets, mask, ok, &problem);
    for (gsize i = 0; i < n; i++) {
        gsize number = first + i, row = number * 13 % ROWS;
        Row want = {0};
        if (row != BROKEN)
            want = load_row(data, row, number, 0, TRUE);
        any_broken = any_broken || row == BROKEN;
        g_assert_cmpint(ok[i], ==, row != BROKEN);
        g_assert_cmpmem(images + i * pixels, pixels * sizeof(float), want.pixels, pixels * sizeof(float));
        g_assert_cmpmem(targets + 2 * i, 2 * sizeof(float), want.targets, sizeof want.targets);
        g_assert_cmpmem(mask + 2 * i, 2 * sizeof(float), want.mask, sizeof want.mask);
    }
    g_assert_cmpint(problem != NULL, ==, any_broken);
    if (problem)
        g_assert_cmpstr(problem, ==, "sample s7: /images/7.png: cut");
}

/* In order, with the same bits, for any number of threads and slots, also when more is taken than fits. */
static void test_order(void)
{
    static const struct {
        int threads, capacity;
    } cases[] = {{1, 1}, {1, 8}, {4, 1}, {4, 3}, {8, 64}, {0, 5}};
    Fixture fixture;
    fixture_init(&fixture);
    for (gsize k = 0; k < G_N_ELEMENTS(cases); k++) {
        g_autoptr(DpcxrData) data = open_data(&fixture);
        if (k % 2)
            dpcxr_data_limit_cache(data, 0);
        g_autoptr(DpcxrLoader) loader = dpcxr_loader_new(data, cases[k].threads, cases[k].capacity, NULL);
        gsize taken = 0;
        for (gsize batch = 1; batch < 60; batch += 9) {
            g_autofree DpcxrDraw *draws = g_new(DpcxrDraw, batch);
            for (gsize i = 0; i < batch; i++)
                draws[i] = (DpcxrDraw){.row = (taken + i) * 13 % ROWS, .step = taken + i, .augment = TRUE};
            dpcxr_loader_request(loader, draws, batch);
            gsize half = batch / 2;
            check_taken(data, loader, taken, half);
            check_taken(data, loader, taken + half, batch - half);
            taken += batch;
        }
    }
}

/* Freed at any moment: with nothing asked for, with everything waiting, after a part was taken. */
static void test_shutdown(void)
{
    Fixture fixture;
    fixture_init(&fixture);
    g_autoptr(DpcxrData) data = open_data(&fixture);
    for (gsize taken = 0; taken < 40; taken++) {
        g_autoptr(DpcxrLoader) loader = dpcxr_loader_new(data, 3, 4, NULL);
        if (taken > 0)
            request_all(loader, 200);
        if (taken > 20)
            check_taken(data, loader, 0, taken);
    }
}

static gboolean has_line(const GPtrArray *lines, const char *line)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *)lines, line, g_str_equal, NULL);
}

static void test_check(void)
{
    Fixture fixture;
    fixture_init(&fixture);
    g_autoptr(DpcxrData) data = open_data(&fixture);
    g_autofree char *summary = NULL;
    g_autoptr(GPtrArray) problems = dpcxr_data_check(data, 3, &summary);
    for (guint i = 0; i < problems->len; i++)
        g_test_message("%s", (const char *)problems->pdata[i]);
    g_test_message("%s", summary);
    g_assert_true(has_line(problems, "sample s7: /images/7.png: cut"));
    g_assert_true(has_line(problems, "1 patient is in both train and valid: p10"));
    g_assert_true(has_line(problems, "split test has no rows"));
    g_assert_true(has_line(problems, "label mass has no positives in split train"));
    g_assert_true(has_line(problems, "label mass has no positives and no negatives in split valid"));
    g_assert_cmpuint(problems->len, ==, 5);
    g_assert_nonnull(strstr(summary, "train         21        11\n"));
    g_assert_nonnull(strstr(summary, "files: 40 read, 1 of them unusable\n"));
    g_autofree char *mass = g_strdup_printf("%-32s %-6s %9d %9d %9d %9d\n", "mass", "valid", 0, 0, 19, 0);
    g_assert_nonnull(strstr(summary, mass));
    g_autoptr(GPtrArray) files = dpcxr_data_check_files(data, 1);
    g_assert_cmpuint(files->len, ==, 1);
}

/* Splits that the experiment does not use may lack rows and labels. */
static void test_check_unused(void)
{
    Fixture fixture;
    fixture_init(&fixture);
    fixture.experiment.evaluate.valid = fixture.experiment.evaluate.test = FALSE;
    g_autoptr(DpcxrData) data = open_data(&fixture);
    g_autoptr(GPtrArray) problems = dpcxr_data_check(data, 1, NULL);
    g_assert_true(has_line(problems, "label mass has no positives in split train"));
    g_assert_false(has_line(problems, "split test has no rows"));
    g_assert_false(has_line(problems, "label mass has no positives and no negatives in split valid"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/data/load", test_load);
    g_test_add_func("/data/channels", test_channels);
    g_test_add_func("/data/augment", test_augment);
    g_test_add_func("/data/neighbours", test_neighbours);
    g_test_add_func("/data/cache", test_cache);
    g_test_add_func("/data/shards", test_shards);
    g_test_add_func("/data/refusals", test_refusals);
    g_test_add_func("/data/check", test_check);
    g_test_add_func("/data/check-unused", test_check_unused);
    g_test_add_func("/loader/order", test_order);
    g_test_add_func("/loader/shutdown", test_shutdown);
    return g_test_run();
}
