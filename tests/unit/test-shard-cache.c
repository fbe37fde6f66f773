/* SPDX-License-Identifier: MIT
 * The cache on disk: what comes out is what was made; a changed file, a flipped byte, a cut shard or a killed builder never
 * shows in it; and a full disk is an error that leaves nothing behind. */
#include "base/files.h"
#include "data/shard-cache.h"
#include "data/shard.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

enum { ROWS = 150, PIXELS = 20 * 20, UNREADABLE = 77 };

typedef struct {
    char *folder, *cache;
    DpcxrIndex *index;
} Fixture;

static char *file_of(const Fixture *f, int row)
{
    return g_strdup_printf("%s/image-%d", f->folder, row);
}

static void write_file(const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

static void set_up(Fixture *f, gconstpointer unused)
{
    static const char *const labels[] = {"mass", NULL};
    g_autoptr(GError) error = NULL;
    f->folder = g_dir_make_tmp("dpcxr-shards-XXXXXX", &error);
    g_assert_no_error(error);
    f->cache = g_build_filename(f->folder, "cache", NULL);
    f->index = dpcxr_index_new(labels);
    for (int row = 0; row < ROWS; row++) {
        g_autofree char *path = file_of(f, row), *sample = g_strdup_printf("sample-%d", row);
        write_file(path, "pixels");
        dpcxr_index_add(f->index, &(DpcxrRow){.sample = sample, .patient = sample, .path = path});
    }
    dpcxr_index_finish(f->index, &error);
    g_assert_no_error(error);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    dpcxr_remove_tree(f->folder);
    dpcxr_index_free(f->index);
    g_free(f->folder);
    g_free(f->cache);
}

static gint n_made; /* atomic */

/* @data: NULL, or an int, the row that cannot be read instead. */
static DpcxrResized *make(gpointer data, gsize row, gsize *bytes)
{
    g_atomic_int_inc(&n_made);
    if (row == (data ? (gsize) * (int *)data : UNREADABLE))
        return NULL;
    gint32 channels = row % 2 ? 3 : 1;
    *bytes = sizeof(DpcxrResized) + (gsize)channels * PIXELS;
    DpcxrResized *image = g_malloc(*bytes);
    image->channels = channels;
    for (gsize i = 0; i < (gsize)channels * PIXELS; i++)
        image->pixels[i] = (guint8)(row * 31 + i * 7);
    return image;
}

static DpcxrShardCache *open_cache(const Fixture *f)
{
    return dpcxr_shard_cache_open(f->cache, "test 1.0", f->index, PIXELS, 3);
}

static DpcxrShardCounts build(DpcxrShardCache *cache)
{
    g_autoptr(GError) error = NULL;
    DpcxrShardCounts counts;
    dpcxr_shard_cache_build(cache, 2, FALSE, make, NULL, &counts, &error);
    g_assert_no_error(error);
    return counts;
}

/* Every row's image is the one that was made; returns how many are there. */
static int check_images(DpcxrShardCache *cache)
{
    int n = 0;
    for (gsize row = 0; row < ROWS; row++) {
        gsize bytes = 0;
        g_autofree DpcxrResized *got = dpcxr_shard_cache_get(cache, row);
        int none = -1;
        g_autofree DpcxrResized *wanted = make(&none, row, &bytes);
        n += got != NULL;
        if (got)
            g_assert_cmpmem(got, bytes, wanted, bytes);
    }
    return n;
}

static int count_files(const char *folder, const char *suffix)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    int n = 0;
    while (dir && (name = g_dir_read_name(dir)))
        n += g_str_has_suffix(name, suffix);
    return n;
}

static void test_round_trip(Fixture *f, gconstpointer unused)
{
    DpcxrShardCache *cache = open_cache(f);
    g_assert_cmpint(check_images(cache), ==, 0);
    DpcxrShardCounts counts = build(cache);
    g_assert_cmpuint(counts.shards, ==, 3);
    g_assert_cmpuint(counts.built, ==, 3);
    g_assert_cmpuint(counts.images, ==, ROWS - 1);
    g_assert_cmpuint(counts.without, ==, 1);
    g_assert_cmpint(check_images(cache), ==, ROWS - 1);
    g_assert_null(dpcxr_shard_cache_get(cache, UNREADABLE));
    struct stat about;
    g_assert_cmpint(stat(dpcxr_shard_cache_folder(cache), &about), ==, 0);
    g_assert_cmpint(about.st_mode & 0777, ==, 0700);
    g_autofree char *shard = g_build_filename(dpcxr_shard_cache_folder(cache), "00000.shard", NULL);
    g_assert_cmpint(stat(shard, &about), ==, 0);
    g_assert_cmpint(about.st_mode & 0777, ==, 0600);
    dpcxr_shard_cache_free(cache);

    cache = open_cache(f);
    g_assert_cmpint(check_images(cache), ==, ROWS - 1);
    int before = g_atomic_int_get(&n_made);
    g_assert_cmpuint(build(cache).built, ==, 0);
    g_assert_cmpint(g_atomic_int_get(&n_made), ==, before + 1); /* what could not be read is tried again */
    dpcxr_shard_cache_free(cache);
}

/* An image that can be read by now comes in, without decoding the others of its shard. */
static void test_repaired_file(Fixture *f, gconstpointer unused)
{
    int none = -1;
    DpcxrShardCache *cache = open_cache(f);
    build(cache);
    int before = g_atomic_int_get(&n_made);
    DpcxrShardCounts counts;
    g_assert_true(dpcxr_shard_cache_build(cache, 1, FALSE, make, &none, &counts, NULL));
    g_assert_cmpint(g_atomic_int_get(&n_made), ==, before + 1);
    g_assert_cmpuint(counts.built, ==, 1);
    g_assert_cmpuint(counts.images, ==, ROWS);
    g_autofree DpcxrResized *image = dpcxr_shard_cache_get(cache, UNREADABLE);
    g_assert_nonnull(image);
    g_assert_cmpint(check_images(cache), ==, ROWS);
    dpcxr_shard_cache_free(cache);
}

/* Another size or time of a file, another plugin, another sample: another set, and the old one stays as it was. */
static void test_changes(Fixture *f, gconstpointer unused)
{
    DpcxrShardCache *cache = open_cache(f);
    build(cache);
    g_autofree char *first = g_strdup(dpcxr_shard_cache_folder(cache)), *path = file_of(f, 3);
    dpcxr_shard_cache_free(cache);

    write_file(path, "other pixels");
    cache = open_cache(f);
    g_assert_cmpstr(dpcxr_shard_cache_folder(cache), !=, first);
    g_assert_cmpint(check_images(cache), ==, 0);
    g_assert_cmpint(dpcxr_shard_cache_others(cache), ==, 1);
    g_autofree char *second = g_strdup(dpcxr_shard_cache_folder(cache));
    dpcxr_shard_cache_free(cache);

    g_assert_cmpint(utime(path, &(struct utimbuf){1000, 1000}), ==, 0);
    cache = open_cache(f);
    g_assert_cmpstr(dpcxr_shard_cache_folder(cache), !=, second);
    dpcxr_shard_cache_free(cache);

    cache = dpcxr_shard_cache_open(f->cache, "test 1.1", f->index, PIXELS, 3);
    g_assert_cmpstr(dpcxr_shard_cache_folder(cache), !=, first);
    g_assert_cmpint(dpcxr_shard_cache_others(cache), ==, 1);
    dpcxr_shard_cache_free(cache);
}

static void patch(const char *path, gsize at, char change)
{
    FILE *file = fopen(path, "r+b");
    g_assert_nonnull(file);
    g_assert_cmpint(fseek(file, (long)at, SEEK_SET), ==, 0);
    int old = fgetc(file);
    g_assert_cmpint(fseek(file, (long)at, SEEK_SET), ==, 0);
    fputc(old ^ change, file);
    fclose(file);
}

/* A byte of a record: that record is gone and the others are there. A byte of the table or of the header, a cut, a foreign file:
 * the shard counts as not there and is built anew. */
static void test_damage(Fixture *f, gconstpointer unused)
{
    DpcxrShardCache *cache = open_cache(f);
    build(cache);
    g_autofree char *shard = g_build_filename(dpcxr_shard_cache_folder(cache), "00001.shard", NULL);
    dpcxr_shard_cache_free(cache);
    struct stat about;
    g_assert_cmpint(stat(shard, &about), ==, 0);

    patch(shard, (gsize)about.st_size - 100, 1);
    cache = open_cache(f);
    g_assert_cmpint(check_images(cache), ==, ROWS - 2);
    int before = g_atomic_int_get(&n_made);
    DpcxrShardCounts counts;
    g_assert_true(dpcxr_shard_cache_build(cache, 1, TRUE, make, NULL, &counts, NULL));
    g_assert_cmpint(g_atomic_int_get(&n_made), ==, before + 2); /* that record's, and the unreadable one */
    g_assert_cmpuint(counts.built, ==, 1);
    g_assert_cmpint(check_images(cache), ==, ROWS - 1);

    /* Cut under an open cache: what is gone is missing, and nobody dies. */
    g_assert_cmpint(truncate(shard, about.st_size / 2), ==, 0);
    g_assert_cmpint(check_images(cache), <, ROWS - 1);
    dpcxr_shard_cache_free(cache);

    /* A pipe in its place is not waited for. */
    g_unlink(shard);
    g_assert_cmpint(mkfifo(shard, 0600), ==, 0);
    cache = open_cache(f);
    g_assert_cmpint(check_images(cache), ==, 64 + 22);
    g_assert_cmpuint(build(cache).built, ==, 1);
    dpcxr_shard_cache_free(cache);

    static const gsize headers[] = {0, 8, 12, 16, 20, 24, 70, 76};
    for (guint i = 0; i < G_N_ELEMENTS(headers); i++) {
        patch(shard, headers[i], 1);
        cache = open_cache(f);
        g_assert_cmpint(check_images(cache), ==, 64 + 22);
        g_assert_cmpuint(build(cache).built, ==, 1);
        g_assert_cmpint(check_images(cache), ==, ROWS - 1);
        dpcxr_shard_cache_free(cache);
    }
    static const gsize lengths[] = {0, 10, 64, 500, 5000};
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_assert_cmpint(truncate(shard, (off_t)lengths[i]), ==, 0);
        cache = open_cache(f);
        g_assert_cmpuint(build(cache).built, ==, 1);
        g_assert_cmpint(check_images(cache), ==, ROWS - 1);
        dpcxr_shard_cache_free(cache);
    }
}

static DpcxrResized *make_slowly(gpointer data, gsize row, gsize *bytes)
{
    g_usleep(2000);
    return make(data, row, bytes);
}

static pid_t fork_builder(const Fixture *f)
{
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child != 0)
        return child;
    DpcxrShardCache *cache = open_cache(f);
    _exit(dpcxr_shard_cache_build(cache, 1, FALSE, make_slowly, NULL, NULL, NULL) &&
                  check_images(cache) == ROWS - 1
              ? 0
              : 1);
}

/* Three processes at once: all end well, and one whole set is there. */
static void test_concurrent(Fixture *f, gconstpointer unused)
{
    pid_t children[3];
    for (int i = 0; i < 3; i++)
        children[i] = fork_builder(f);
    for (int i = 0; i < 3; i++) {
        int status;
        g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    DpcxrShardCache *cache = open_cache(f);
    g_assert_cmpint(check_images(cache), ==, ROWS - 1);
    g_assert_cmpint(count_files(dpcxr_shard_cache_folder(cache), ""), ==, 3);
    dpcxr_shard_cache_free(cache);
}

/* Killed at twenty moments, then built: whole, and nothing left over. */
static void test_killed(Fixture *f, gconstpointer unused)
{
    for (int i = 0; i < 20; i++) {
        pid_t child = fork_builder(f);
        g_usleep((gulong)(20000 * i));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        DpcxrShardCache *cache = open_cache(f);
        int there = check_images(cache);
        g_assert_true(there == 0 || there == 64 || there == 63 || there == 22 || there == 64 + 63 ||
                      there == 64 + 22 || there == 63 + 22 || there == ROWS - 1);
        dpcxr_shard_cache_free(cache);
    }
    DpcxrShardCache *cache = open_cache(f);
    build(cache);
    g_assert_cmpint(check_images(cache), ==, ROWS - 1);
    g_assert_cmpint(count_files(dpcxr_shard_cache_folder(cache), ".shard"), ==, 3);
    g_assert_cmpint(count_files(dpcxr_shard_cache_folder(cache), ""), ==, 3);
    dpcxr_shard_cache_free(cache);
}

static void test_full_disk(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    struct rlimit whole, small;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &whole);
    small = (struct rlimit){5000, whole.rlim_max}; /* less than any shard */
    DpcxrShardCache *cache = open_cache(f);
    setrlimit(RLIMIT_FSIZE, &small);
    g_assert_false(dpcxr_shard_cache_build(cache, 1, FALSE, make, NULL, NULL, &error));
    setrlimit(RLIMIT_FSIZE, &whole);
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_true(g_str_has_prefix(error->message, "data.cache.dir: "));
    g_assert_nonnull(strstr(error->message, ".shard"));
    g_assert_cmpint(count_files(dpcxr_shard_cache_folder(cache), ""), ==, 0);
    g_assert_cmpuint(build(cache).built, ==, 3);
    dpcxr_shard_cache_free(cache);
}

static void test_no_folder(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    write_file(f->cache, "in the way");
    DpcxrShardCache *cache = open_cache(f);
    g_assert_false(dpcxr_shard_cache_build(cache, 1, FALSE, make, NULL, NULL, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, f->cache));
    dpcxr_shard_cache_free(cache);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/shard-cache/round-trip", Fixture, NULL, set_up, test_round_trip, tear_down);
    g_test_add("/shard-cache/repaired-file", Fixture, NULL, set_up, test_repaired_file, tear_down);
    g_test_add("/shard-cache/changes", Fixture, NULL, set_up, test_changes, tear_down);
    g_test_add("/shard-cache/damage", Fixture, NULL, set_up, test_damage, tear_down);
    g_test_add("/shard-cache/concurrent", Fixture, NULL, set_up, test_concurrent, tear_down);
    g_test_add("/shard-cache/killed", Fixture, NULL, set_up, test_killed, tear_down);
    g_test_add("/shard-cache/full-disk", Fixture, NULL, set_up, test_full_disk, tear_down);
    g_test_add("/shard-cache/no-folder", Fixture, NULL, set_up, test_no_folder, tear_down);
    return g_test_run();
}
