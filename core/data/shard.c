/* SPDX-License-Identifier: MIT */
#include "data/shard.h"
#include "base/files.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { LINE = 64 };
static const char magic[8] = "DPCXRIMG";
static const guint32 byte_order = 0x01020304;

typedef struct {
    char magic[8];
    guint32 byte_order, format, records, table_crc;
    guint8 key[DPCXR_SHARD_KEY];
    guint8 padding[8];
} Header;
G_STATIC_ASSERT(sizeof(Header) == LINE);

typedef struct {
    guint64 offset, bytes;
    guint32 crc, padding;
} Entry;

struct _DpcxrShard {
    char *path;
    Entry *entries; /* [n] */
    int n;
    gsize pixels; /* of a channel */
    guint64 bytes;
};

static guint32 checksum(gconstpointer data, gsize n)
{
    return (guint32)crc32_z(0, data, n);
}

static guint64 whole_lines(guint64 bytes)
{
    return (bytes + LINE - 1) & ~(guint64)(LINE - 1);
}

/* --- Writing --- */

static Entry *make_table(const DpcxrResized *const *images, const gsize *bytes, int n)
{
    Entry *entries = g_new0(Entry, MAX(n, 1));
    guint64 end = whole_lines(sizeof(Header) + (guint64)n * sizeof(Entry));
    for (int i = 0; i < n; i++) {
        if (!images[i])
            continue;
        entries[i] = (Entry){.offset = end, .bytes = bytes[i], .crc = checksum(images[i], bytes[i])};
        end += whole_lines(bytes[i]);
    }
    return entries;
}

static void pad(DpcxrNewFile *file, guint64 written)
{
    static const char zeros[LINE];
    dpcxr_new_file_write(file, zeros, (gsize)(whole_lines(written) - written));
}

gboolean dpcxr_shard_write(const char *path, const guint8 *key, const DpcxrResized *const *images,
                           const gsize *bytes, int n, GError **error)
{
    DpcxrNewFile file;
    if (!dpcxr_new_file_open(&file, path, 0600, error))
        return FALSE;
    g_autofree Entry *entries = make_table(images, bytes, n);
    gsize table = (gsize)n * sizeof *entries;
    Header header = {.byte_order = byte_order,
                     .format = DPCXR_SHARD_FORMAT,
                     .records = (guint32)n,
                     .table_crc = checksum(entries, table)};
    memcpy(header.magic, magic, sizeof magic);
    memcpy(header.key, key, sizeof header.key);
    dpcxr_new_file_write(&file, &header, sizeof header);
    dpcxr_new_file_write(&file, entries, table);
    pad(&file, sizeof header + table);
    for (int i = 0; i < n; i++) {
        if (!images[i])
            continue;
        dpcxr_new_file_write(&file, images[i], bytes[i]);
        pad(&file, bytes[i]);
    }
    return dpcxr_new_file_commit(&file, error);
}

/* --- Reading --- */

/* At @offset, all of it. */
static gboolean read_at(int fd, void *to, gsize n, guint64 offset)
{
    for (gsize done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)to + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return FALSE;
        done += (gsize)got;
    }
    return TRUE;
}

/* What is wrong with the file, or NULL, and the table is read. */
static const char *read_table(int fd, DpcxrShard *shard, const guint8 *key, int channels)
{
    Header header;
    int n = shard->n;
    gsize table = (gsize)n * sizeof(Entry), one = sizeof(DpcxrResized) + shard->pixels;
    gsize three = one + 2 * shard->pixels;
    if (!read_at(fd, &header, sizeof header, 0) || memcmp(header.magic, magic, sizeof magic) != 0)
        return "it is no shard of images";
    if (header.byte_order != byte_order || header.format != DPCXR_SHARD_FORMAT)
        return "it has another format or byte order";
    if (memcmp(header.key, key, sizeof header.key) != 0 || header.records != (guint32)n)
        return "it belongs to another set";
    if (!read_at(fd, shard->entries, table, sizeof header))
        return "it is cut";
    if (checksum(shard->entries, table) != header.table_crc)
        return "its table does not agree with its checksum";
    for (int i = 0; i < n; i++) {
        Entry entry = shard->entries[i];
        if (entry.offset > shard->bytes || entry.bytes > shard->bytes - entry.offset)
            return "it is cut";
        if (entry.bytes != 0 && entry.bytes != one && (entry.bytes != three || channels < 3))
            return "its records have another size";
    }
    return NULL;
}

/* -1 with errno. A pipe or a device under the name of a shard is not waited for. */
static int open_file(const char *path)
{
    return g_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
}

DpcxrShard *dpcxr_shard_open(const char *path, const guint8 *key, int n, gsize pixels, int channels,
                             gboolean *missing, GError **error)
{
    struct stat about;
    int fd = open_file(path);
    *missing = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (fd < 0) {
        if (!*missing)
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: cannot be read: %s", path,
                        g_strerror(errno));
        return NULL;
    }
    DpcxrShard *shard = g_new0(DpcxrShard, 1);
    *shard =
        (DpcxrShard){.path = g_strdup(path), .entries = g_new0(Entry, MAX(n, 1)), .n = n, .pixels = pixels};
    const char *problem = "it is no regular file";
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        shard->bytes = (guint64)about.st_size;
        problem = read_table(fd, shard, key, channels);
    }
    g_close(fd, NULL);
    if (!problem)
        return shard;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: %s", path, problem);
    dpcxr_shard_free(shard);
    return NULL;
}

void dpcxr_shard_free(DpcxrShard *shard)
{
    if (!shard)
        return;
    g_free(shard->path);
    g_free(shard->entries);
    g_free(shard);
}

gboolean dpcxr_shard_has(const DpcxrShard *shard, int i)
{
    return shard->entries[i].bytes != 0;
}

guint64 dpcxr_shard_bytes(const DpcxrShard *shard)
{
    return shard->bytes;
}

static gboolean read_record(const DpcxrShard *shard, const Entry *entry, DpcxrResized *image)
{
    int fd = open_file(shard->path);
    gboolean good = fd >= 0 && read_at(fd, image, entry->bytes, entry->offset);
    if (fd >= 0)
        g_close(fd, NULL);
    return good && checksum(image, entry->bytes) == entry->crc &&
           entry->bytes - sizeof *image == (gsize)image->channels * shard->pixels;
}

DpcxrResized *dpcxr_shard_read(const DpcxrShard *shard, int i, gboolean *damaged)
{
    const Entry *entry = &shard->entries[i];
    *damaged = FALSE;
    if (entry->bytes == 0)
        return NULL;
    DpcxrResized *image = g_try_malloc(entry->bytes);
    if (image && read_record(shard, entry, image))
        return image;
    *damaged = TRUE;
    g_free(image);
    return NULL;
}
