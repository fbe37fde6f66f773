/* SPDX-License-Identifier: MIT
 * Whole files or none: replaced at once, with the mode asked for, untouched by a full disk, nothing left
 * behind. */
#include "base/files.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *folder, *path;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    f->folder = g_dir_make_tmp("dpcxr-files-XXXXXX", &error);
    g_assert_no_error(error);
    f->path = g_build_filename(f->folder, "target.json", NULL);
}

static guint count_entries(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir))
        n++;
    return n;
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    const char *entry;

    while ((entry = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(f->folder, entry, NULL);
        g_remove(path);
    }
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->path);
}

static void assert_content(const char *path, const char *expected)
{
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &content, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(content, ==, expected);
}

static void write_ok(const char *path, const char *content, int mode)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(dpcxr_write_file(path, content, -1, mode, &error));
    g_assert_no_error(error);
}

static void test_replaces_at_commit(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    DpcxrNewFile file;

    write_ok(f->path, "old", 0600);
    g_assert_true(dpcxr_new_file_open(&file, f->path, 0600, &error));
    fputs("new", file.stream);
    fflush(file.stream);
    assert_content(f->path, "old");
    g_assert_cmpuint(count_entries(f->folder), ==, 2);
    g_assert_true(dpcxr_new_file_commit(&file, &error));
    assert_content(f->path, "new");
    g_assert_cmpuint(count_entries(f->folder), ==, 1);
    dpcxr_new_file_abandon(&file); /* allowed after commit, and must not remove the target */
    assert_content(f->path, "new");
}

static void test_abandon(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    DpcxrNewFile file, zeroed = {0};

    g_assert_true(dpcxr_new_file_open(&file, f->path, 0600, &error));
    fputs("half", file.stream);
    dpcxr_new_file_abandon(&file);
    dpcxr_new_file_abandon(&file);
    dpcxr_new_file_abandon(&zeroed);
    g_assert_cmpuint(count_entries(f->folder), ==, 0);
}

static int mode_of(const char *path)
{
    struct stat status;

    g_assert_cmpint(stat(path, &status), ==, 0);
    return status.st_mode & 07777;
}

static void test_modes(Fixture *f, gconstpointer unused)
{
    mode_t before = umask(022);
    write_ok(f->path, "", 0600);
    g_assert_cmpint(mode_of(f->path), ==, 0600);
    umask(027);
    write_ok(f->path, "", 0644); /* a replaced file gets the mode of the new one */
    g_assert_cmpint(mode_of(f->path), ==, 0640);
    umask(before);
}

static void test_length(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *content = NULL;
    gsize length;

    g_assert_true(dpcxr_write_file(f->path, "a\0b", 3, 0600, &error));
    g_assert_true(g_file_get_contents(f->path, &content, &length, NULL));
    g_assert_cmpmem(content, length, "a\0b", 3);
}

/* A limit on the size of files stands for the full disk: write() fails in the middle in both cases. */
static void limit_file_size(rlim_t bytes, struct rlimit *before)
{
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, before), ==, 0);
    struct rlimit limit = {bytes, before->rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void test_full_disk(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL, late = NULL;
    g_autofree char *large = g_strnfill(1 << 20, 'x');
    DpcxrNewFile file;
    struct rlimit before;

    write_ok(f->path, "old", 0600);
    g_assert_true(dpcxr_new_file_open(&file, f->path, 0600, &late));
    limit_file_size(65536, &before);
    gboolean at_once = dpcxr_write_file(f->path, large, -1, 0600, &error);
    for (int i = 0; i < 1000; i++)
        fputs("some text that a caller writes without looking at every result, as one does with streams\n",
              file.stream);
    setrlimit(RLIMIT_FSIZE, &before);
    gboolean by_stream = dpcxr_new_file_commit(&file, &late); /* there is room again, but a part is lost */

    g_assert_false(at_once);
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, f->path));
    g_assert_nonnull(strstr(error->message, g_strerror(EFBIG)));
    g_assert_false(by_stream);
    g_assert_error(late, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    assert_content(f->path, "old");
    g_assert_cmpuint(count_entries(f->folder), ==, 1);
}

static void test_target_is_folder(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir(f->path, 0700), ==, 0);
    g_assert_false(dpcxr_write_file(f->path, "x", -1, 0600, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_cmpuint(count_entries(f->folder), ==, 1);
}

static void test_no_folder(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(f->folder, "missing", "target", NULL);

    g_assert_false(dpcxr_write_file(path, "x", -1, 0600, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, g_strerror(ENOENT)));
}

/* A killed writer leaves its temporary file; a living one holds a lock on it. */
static void test_leftovers(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *stale = g_build_filename(f->folder, ".target.json.AbC123", NULL);
    g_autofree char *other = g_build_filename(f->folder, ".tarpit.json.AbC123", NULL);
    DpcxrNewFile living;

    g_assert_true(g_file_set_contents(stale, "half", -1, NULL));
    g_assert_true(g_file_set_contents(other, "half", -1, NULL));
    g_assert_true(dpcxr_new_file_open(&living, f->path, 0600, &error));
    g_assert_false(g_file_test(stale, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(other, G_FILE_TEST_EXISTS));

    write_ok(f->path, "of another writer", 0600);
    g_assert_true(g_file_test(living.temporary, G_FILE_TEST_EXISTS));
    fputs("of the living", living.stream);
    g_assert_true(dpcxr_new_file_commit(&living, &error));
    assert_content(f->path, "of the living");
    g_assert_cmpuint(count_entries(f->folder), ==, 2);
}

static void test_make_folder(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *deep = g_build_filename(f->path, "a", NULL);
    g_autofree char *below_a_file = NULL;

    g_assert_true(dpcxr_make_folder(deep, 0700, &error));
    g_assert_cmpint(mode_of(deep), ==, 0700);
    g_assert_true(dpcxr_make_folder(deep, 0755, &error));
    g_assert_cmpint(mode_of(deep), ==, 0700);
    g_assert_cmpint(g_rmdir(deep), ==, 0);
    write_ok(deep, "", 0600);
    below_a_file = g_build_filename(deep, "b", NULL);
    g_assert_false(dpcxr_make_folder(below_a_file, 0700, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_false(dpcxr_make_folder(deep, 0700, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_cmpint(g_unlink(deep), ==, 0);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

/* All of a folder, and a link without what it leads to. */
static void test_remove_tree(Fixture *f, gconstpointer unused)
{
    g_autofree char *tree = g_build_filename(f->folder, "tree", NULL), *deep = g_build_filename(tree, "a", "b", NULL);
    g_autofree char *file = g_build_filename(deep, "file", NULL), *link = g_build_filename(tree, "link", NULL);
    g_autofree char *kept = g_build_filename(f->folder, "kept", NULL), *inside = g_build_filename(kept, "file", NULL);
    g_assert_true(dpcxr_make_folder(deep, 0700, NULL) && dpcxr_make_folder(kept, 0700, NULL));
    g_assert_true(dpcxr_write_file(file, "x", -1, 0600, NULL) && dpcxr_write_file(inside, "kept", -1, 0600, NULL));
    g_assert_cmpint(symlink(kept, link), ==, 0);
    dpcxr_remove_tree(tree);
    g_assert_false(g_file_test(tree, G_FILE_TEST_EXISTS));
    assert_content(inside, "kept");
    dpcxr_remove_tree(kept);
    dpcxr_remove_tree(kept); /* not there: nothing to do */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/files/replaces-at-commit", test_replaces_at_commit);
    ADD("/files/abandon", test_abandon);
    ADD("/files/modes", test_modes);
    ADD("/files/length", test_length);
    ADD("/files/full-disk", test_full_disk);
    ADD("/files/target-is-folder", test_target_is_folder);
    ADD("/files/no-folder", test_no_folder);
    ADD("/files/leftovers", test_leftovers);
    ADD("/files/make-folder", test_make_folder);
    g_test_add("/files/remove-tree", Fixture, NULL, set_up, test_remove_tree, tear_down);
    return g_test_run();
}
