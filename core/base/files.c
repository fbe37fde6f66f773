/* SPDX-License-Identifier: MIT
 * Whole files or none. A file under construction is locked, so that what a killed process left behind can be
 * told from what a living one is still writing; the next writer of the same target clears it away. */
#include "base/files.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_PART "XXXXXX"

static gboolean fail(GError **error, const char *action, const char *path, int cause)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: cannot %s: %s", path, action, g_strerror(cause));
    return FALSE;
}

/* ".NAME.XXXXXX" in the folder of @path. */
static char *temporary_template(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *hidden = g_strconcat(".", name, "." RANDOM_PART, NULL);

    return g_build_filename(folder, hidden, NULL);
}

/* Removes unfinished files of the same target whose writer is gone (nobody holds their lock). */
static void remove_leftovers(const char *template)
{
    g_autofree char *folder = g_path_get_dirname(template);
    g_autofree char *name = g_path_get_basename(template);
    gsize length = strlen(name), fixed = length - strlen(RANDOM_PART);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *entry;

    while (dir && (entry = g_dir_read_name(dir))) {
        if (strlen(entry) != length || strncmp(entry, name, fixed) != 0)
            continue;
        g_autofree char *path = g_build_filename(folder, entry, NULL);
        int fd = g_open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
        if (fd < 0)
            continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            g_unlink(path);
        g_close(fd, NULL);
    }
}

/* Creates and locks a file of a fresh name. Between the two calls another writer may take it for a leftover;
 * then it has no name any more, and a new one is made. Returns -1 with errno. */
static int create_locked(const char *template, int mode, char **path)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        g_autofree char *candidate = g_strdup(template);
        int fd = g_mkstemp_full(candidate, O_RDWR | O_CLOEXEC, mode);
        struct stat status;

        if (fd < 0)
            return -1;
        /* A file system without locks never has its leftovers removed: there the lock cannot
         * be taken either. */
        gboolean lost = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        if (!lost && fstat(fd, &status) == 0 && status.st_nlink > 0) {
            *path = g_steal_pointer(&candidate);
            return fd;
        }
        g_close(fd, NULL);
    }
    errno = EAGAIN;
    return -1;
}

gboolean dpcxr_new_file_open(DpcxrNewFile *file, const char *path, int mode, GError **error)
{
    g_autofree char *template = temporary_template(path), *temporary = NULL;

    *file = (DpcxrNewFile){0};
    remove_leftovers(template);
    int fd = create_locked(template, mode, &temporary);
    if (fd < 0)
        return fail(error, "create", path, errno);
    FILE *stream = fdopen(fd, "w");
    if (!stream) {
        int cause = errno;
        g_close(fd, NULL);
        g_unlink(temporary);
        return fail(error, "create", path, cause);
    }
    *file = (DpcxrNewFile){stream, g_strdup(path), g_steal_pointer(&temporary), 0};
    return TRUE;
}

/* A rename is on disk when its folder is. Some network file systems cannot sync a folder (EINVAL): their
 * rename is synchronous. */
gboolean dpcxr_sync_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = g_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

    if (fd < 0)
        return fail(error, "open", folder, errno);
    int cause = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    g_close(fd, NULL);
    return cause == 0 || fail(error, "sync", folder, cause);
}

void dpcxr_new_file_write(DpcxrNewFile *file, const void *data, gsize n)
{
    if (n > 0 && file->cause == 0 && fwrite(data, 1, n, file->stream) != n)
        file->cause = errno;
}

/* Everything written and on disk? Returns 0 or the cause. */
static int flush(const DpcxrNewFile *file)
{
    gboolean earlier = ferror(file->stream) != 0;

    if (file->cause != 0)
        return file->cause;
    if (fflush(file->stream) != 0 || fsync(fileno(file->stream)) != 0)
        return errno;
    return earlier ? EIO : 0;
}

gboolean dpcxr_new_file_commit(DpcxrNewFile *file, GError **error)
{
    g_autofree char *path = g_strdup(file->path);
    int cause = flush(file);

    if (cause == 0 && g_rename(file->temporary, path) != 0)
        cause = errno;
    if (cause != 0) {
        dpcxr_new_file_abandon(file);
        return fail(error, "write", path, cause);
    }
    g_clear_pointer(&file->temporary, g_free); /* it is the target now: nothing to remove */
    dpcxr_new_file_abandon(file);
    return dpcxr_sync_folder(path, error);
}

void dpcxr_new_file_abandon(DpcxrNewFile *file)
{
    if (file->temporary)
        g_unlink(file->temporary);
    if (file->stream)
        fclose(file->stream);
    g_free(file->temporary);
    g_free(file->path);
    *file = (DpcxrNewFile){0};
}

gboolean dpcxr_write_file(const char *path, const char *content, gssize length, int mode, GError **error)
{
    DpcxrNewFile file;

    if (!dpcxr_new_file_open(&file, path, mode, error))
        return FALSE;
    dpcxr_new_file_write(&file, content, length < 0 ? strlen(content) : (gsize)length);
    return dpcxr_new_file_commit(&file, error);
}

gboolean dpcxr_make_folder(const char *path, int mode, GError **error)
{
    if (g_mkdir_with_parents(path, mode) != 0)
        return fail(error, "create folder", path, errno);
    return TRUE;
}

void dpcxr_remove_tree(const char *path)
{
    if (g_unlink(path) == 0) /* a file, or a link and not what it leads to */
        return;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        dpcxr_remove_tree(inner);
    }
    g_rmdir(path);
}
