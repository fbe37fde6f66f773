/* SPDX-License-Identifier: MIT */
#include "train/event-file.h"
#include "base/crc32c.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "events.out.tfevents."
#define FLUSH_EVERY (10 * (gint64)G_USEC_PER_SEC) /* for whoever looks on */

struct _DpcxrEventFile {
    FILE *stream;
    char *path;
    int cause;      /* errno of the first write that failed; 0: none */
    gint64 flushed; /* microseconds, monotonic */
};

/* One above the largest number at the end of a name in @folder; 0 where there is none. */
static guint64 next_number(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint64 next = 0, number;
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        const char *dot = strrchr(name, '.');
        if (g_str_has_prefix(name, PREFIX) &&
            g_ascii_string_to_unsigned(dot + 1, 10, 0, G_MAXUINT32, &number, NULL))
            next = MAX(next, number + 1);
    }
    return next;
}

DpcxrEventFile *dpcxr_event_file_new(const char *folder, GError **error)
{
    g_autofree char *name = g_strdup_printf(PREFIX "%010" G_GINT64_FORMAT ".%04" G_GUINT64_FORMAT,
                                            g_get_real_time() / G_USEC_PER_SEC, next_number(folder));
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!stream) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    DpcxrEventFile *file = g_new(DpcxrEventFile, 1);
    *file = (DpcxrEventFile){stream, g_steal_pointer(&path), 0, g_get_monotonic_time()};
    return file;
}

static guint32 mask(guint32 crc)
{
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put(DpcxrEventFile *file, const void *data, gsize n)
{
    if (n > 0 && file->cause == 0 && fwrite(data, 1, n, file->stream) != n)
        file->cause = errno;
}

static void put_crc(DpcxrEventFile *file, const void *data, gsize n)
{
    guint32 crc = GUINT32_TO_LE(mask(dpcxr_crc32c(data, n)));
    put(file, &crc, sizeof crc);
}

static void flush(DpcxrEventFile *file)
{
    if (file->cause == 0 && fflush(file->stream) != 0)
        file->cause = errno;
    file->flushed = g_get_monotonic_time();
}

void dpcxr_event_file_append(DpcxrEventFile *file, const GByteArray *record)
{
    guint64 length = GUINT64_TO_LE((guint64)record->len);
    put(file, &length, sizeof length);
    put_crc(file, &length, sizeof length);
    put(file, record->data, record->len);
    put_crc(file, record->data, record->len);
    if (g_get_monotonic_time() - file->flushed >= FLUSH_EVERY)
        flush(file);
}

gboolean dpcxr_event_file_flush(DpcxrEventFile *file, GError **error)
{
    flush(file);
    if (file->cause == 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", file->path, g_strerror(file->cause));
    return FALSE;
}

void dpcxr_event_file_free(DpcxrEventFile *file)
{
    if (!file)
        return;
    fclose(file->stream);
    g_free(file->path);
    g_free(file);
}
