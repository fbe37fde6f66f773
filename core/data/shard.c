/* SPDX-License-Identifier: MIT */
#include "data/shard.h"
#include "base/files.h"
#include <string.h>
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
    GMappedFile *file;
    const char *start;
    const Entry *entries;
    int n;
    gsize pixels; /* of a channel */
    gint *state;  /* [n] atomic: 0 not looked at, 1 good, 2 damaged */
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

/* What is wrong with the file, or NULL. */
static const char *look(const DpcxrShard *shard, gsize length, const guint8 *key)
{
    int n = shard->n;
    gsize one = sizeof(DpcxrResized) + shard->pixels, three = one + 2 * shard->pixels;
    const Header *header = (const Header *)shard->start;
    gsize table = (gsize)n * sizeof(Entry);
    if (length < sizeof *header || memcmp(header->magic, magic, sizeof magic) != 0)
        return "it is no shard of images";
    if (header->byte_order != byte_order || header->format != DPCXR_SHARD_FORMAT)
        return "it has another format or byte order";
    if (memcmp(header->key, key, sizeof header->key) != 0 || header->records != (guint32)n)
        return "it belongs to another set";
    if (length < sizeof *header + table)
        return "it is cut";
    if (checksum(shard->entries, table) != header->table_crc)
        return "its table does not agree with its checksum";
    for (int i = 0; i < n; i++) {
        Entry entry = shard->entries[i];
        if (entry.offset > length || entry.bytes > length - entry.offset)
            return "it is cut";
        if (entry.bytes != 0 && ((entry.bytes != one && entry.bytes != three) || entry.offset % LINE != 0))
            return "its records have another size";
    }
    return NULL;
}

DpcxrShard *dpcxr_shard_open(const char *path, const guint8 *key, int n, gsize pixels, gboolean *missing,
                             GError **error)
{
    g_autoptr(GError) cause = NULL;
    *missing = FALSE;
    GMappedFile *file = g_mapped_file_new(path, FALSE, &cause);
    if (!file) {
        *missing = g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
                   g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOTDIR);
        if (!*missing)
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s", cause->message);
        return NULL;
    }
    DpcxrShard *shard = g_new0(DpcxrShard, 1);
    *shard = (DpcxrShard){.file = file, .start = g_mapped_file_get_contents(file), .n = n, .pixels = pixels};
    shard->entries = (const Entry *)(shard->start + sizeof(Header));
    shard->state = g_new0(gint, MAX(n, 1));
    const char *problem = look(shard, g_mapped_file_get_length(file), key);
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
    g_mapped_file_unref(shard->file);
    g_free(shard->state);
    g_free(shard);
}

static gboolean is_good(const DpcxrShard *shard, const Entry *entry)
{
    const DpcxrResized *image = (const DpcxrResized *)(shard->start + entry->offset);
    gsize pixels = (gsize)entry->bytes - sizeof *image;
    return checksum(image, entry->bytes) == entry->crc && pixels == (gsize)image->channels * shard->pixels;
}

const DpcxrResized *dpcxr_shard_get(DpcxrShard *shard, int i, gboolean *damaged)
{
    const Entry *entry = &shard->entries[i];
    *damaged = FALSE;
    if (entry->bytes == 0)
        return NULL;
    if (g_atomic_int_get(&shard->state[i]) == 0)
        g_atomic_int_set(&shard->state[i], is_good(shard, entry) ? 1 : 2);
    *damaged = g_atomic_int_get(&shard->state[i]) == 2;
    return *damaged ? NULL : (const DpcxrResized *)(shard->start + entry->offset);
}
