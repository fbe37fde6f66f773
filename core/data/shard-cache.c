/* SPDX-License-Identifier: MIT */
#include "data/shard-cache.h"
#include "base/files.h"
#include "base/workers.h"
#include "data/shard.h"
#include <glib/gstdio.h>
#include <string.h>

enum { SHARD_BYTES = 16 << 20, SHARD_ROWS_LEAST = 64, SHARDS = 16, NAME_DIGITS = 32 };

struct _DpcxrShardCache {
    char *dir, *folder;
    guint8 key[DPCXR_SHARD_KEY];
    gsize n_rows, pixels;
    int channels;
    int rows_of_shard, n_shards;
    DpcxrShard **shards; /* [n_shards] or NULL; a build changes them, and then nobody else reads */
    gint *warned;        /* [n_shards] atomic */
};

/* --- The set --- */

static void hash_text(GChecksum *hash, const char *text)
{
    g_checksum_update(hash, (const guchar *)text, (gssize)strlen(text) + 1);
}

/* The path is left out, so that a data set may move, if it keeps its files' times. */
static void hash_row(GChecksum *hash, const DpcxrIndex *index, gsize row)
{
    const char *path = dpcxr_index_path(index, row);
    GStatBuf about = {0};
    gint64 file[3] = {-1, 0, 0};
    if (path && g_stat(path, &about) == 0) {
        file[0] = about.st_size;
        file[1] = about.st_mtim.tv_sec;
        file[2] = about.st_mtim.tv_nsec;
    }
    hash_text(hash, dpcxr_index_sample(index, row));
    g_checksum_update(hash, (const guchar *)file, sizeof file);
}

static void make_key(DpcxrShardCache *cache, const char *what, const DpcxrIndex *index)
{
    GChecksum *hash = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = sizeof cache->key;
    g_autofree char *own = g_strdup_printf("format %d, order %d, %d rows\n", DPCXR_SHARD_FORMAT, G_BYTE_ORDER,
                                           cache->rows_of_shard);
    hash_text(hash, own);
    hash_text(hash, what);
    for (gsize row = 0; row < cache->n_rows; row++)
        hash_row(hash, index, row);
    g_checksum_get_digest(hash, cache->key, &length);
    g_autofree char *name = g_strndup(g_checksum_get_string(hash), NAME_DIGITS);
    cache->folder = g_build_filename(cache->dir, name, NULL);
    g_checksum_free(hash);
}

static char *shard_path(const DpcxrShardCache *cache, int i)
{
    g_autofree char *name = g_strdup_printf("%05d.shard", i);
    return g_build_filename(cache->folder, name, NULL);
}

static int rows_in(const DpcxrShardCache *cache, int i)
{
    gsize first = (gsize)i * (gsize)cache->rows_of_shard;
    return (int)MIN((gsize)cache->rows_of_shard, cache->n_rows - first);
}

static DpcxrShard *open_shard(const DpcxrShardCache *cache, int i, GError **error)
{
    g_autofree char *path = shard_path(cache, i);
    gboolean missing;
    return dpcxr_shard_open(path, cache->key, rows_in(cache, i), cache->pixels, cache->channels, &missing,
                            error);
}

/* Few enough to be built in memory, many enough that a small set, too, is built by several threads. */
static int rows_of_shard(gsize rows, gsize image)
{
    gsize wanted = MAX((rows + SHARDS - 1) / SHARDS, SHARD_ROWS_LEAST);
    return (int)CLAMP(SHARD_BYTES / image, 1, wanted);
}

DpcxrShardCache *dpcxr_shard_cache_open(const char *dir, const char *what, const DpcxrIndex *index,
                                        gsize pixels, int channels)
{
    DpcxrShardCache *cache = g_new0(DpcxrShardCache, 1);
    cache->dir = g_strdup(dir);
    cache->n_rows = dpcxr_index_count(index);
    cache->pixels = pixels;
    cache->channels = channels;
    cache->rows_of_shard = rows_of_shard(cache->n_rows, pixels * (gsize)channels);
    cache->n_shards = (int)((cache->n_rows + (gsize)cache->rows_of_shard - 1) / (gsize)cache->rows_of_shard);
    cache->shards = g_new0(DpcxrShard *, MAX(cache->n_shards, 1));
    cache->warned = g_new0(gint, MAX(cache->n_shards, 1));
    make_key(cache, what, index);
    for (int i = 0; i < cache->n_shards; i++) {
        g_autoptr(GError) error = NULL;
        if (!(cache->shards[i] = open_shard(cache, i, &error)) && error)
            g_printerr("note: %s; it counts as not there\n", error->message);
    }
    return cache;
}

void dpcxr_shard_cache_free(DpcxrShardCache *cache)
{
    if (!cache)
        return;
    for (int i = 0; i < cache->n_shards; i++)
        dpcxr_shard_free(cache->shards[i]);
    g_free(cache->shards);
    g_free(cache->warned);
    g_free(cache->dir);
    g_free(cache->folder);
    g_free(cache);
}

const char *dpcxr_shard_cache_folder(const DpcxrShardCache *cache)
{
    return cache->folder;
}

static gboolean is_set_name(const char *name)
{
    return strlen(name) == NAME_DIGITS && strspn(name, "0123456789abcdef") == NAME_DIGITS;
}

int dpcxr_shard_cache_others(const DpcxrShardCache *cache)
{
    g_autoptr(GDir) dir = g_dir_open(cache->dir, 0, NULL);
    g_autofree char *own = g_path_get_basename(cache->folder);
    const char *name;
    int n = 0;
    while (dir && (name = g_dir_read_name(dir)))
        n += is_set_name(name) && !g_str_equal(name, own);
    return n;
}

DpcxrResized *dpcxr_shard_cache_get(DpcxrShardCache *cache, gsize row)
{
    int i = (int)(row / (gsize)cache->rows_of_shard);
    gboolean damaged;
    if (!cache->shards[i])
        return NULL;
    DpcxrResized *image =
        dpcxr_shard_read(cache->shards[i], (int)(row % (gsize)cache->rows_of_shard), &damaged);
    if (damaged && g_atomic_int_compare_and_exchange(&cache->warned[i], 0, 1)) {
        g_autofree char *path = shard_path(cache, i);
        g_printerr(
            "note: %s: a record cannot be read or does not agree with its checksum, and its image is decoded "
            "again; `dpcxr cache` repairs it\n",
            path);
    }
    return image;
}

/* --- Building --- */

typedef struct {
    DpcxrShardCache *cache;
    gboolean verify;
    DpcxrMakeResized make;
    gpointer data;
    int start;
    gint built; /* atomic */
    GMutex lock;
    GError *error; /* the first */
} Build;

/* The images of a shard, from what is there and from their files. */
typedef struct {
    DpcxrResized **images; /* [n] */
    gsize *bytes;
    int n, made; /* of the latter */
} Images;

static void images_clear(Images *images)
{
    for (int k = 0; k < images->n; k++)
        g_free(images->images[k]);
    g_free(images->images);
    g_free(images->bytes);
}

static gboolean failed(Build *build)
{
    g_mutex_lock(&build->lock);
    gboolean any = build->error != NULL;
    g_mutex_unlock(&build->lock);
    return any;
}

static void fail(Build *build, GError *error)
{
    g_mutex_lock(&build->lock);
    if (build->error)
        g_error_free(error);
    else
        build->error = error;
    g_mutex_unlock(&build->lock);
}

static gboolean is_complete(const Build *build, const DpcxrShard *shard, int n)
{
    for (int k = 0; shard && k < n; k++) {
        gboolean damaged = FALSE;
        if (!dpcxr_shard_has(shard, k))
            return FALSE;
        if (build->verify)
            g_free(dpcxr_shard_read(shard, k, &damaged));
        if (damaged)
            return FALSE;
    }
    return shard != NULL;
}

/* What an earlier build could not read is tried again: a file may have been repaired, or memory been short. */
static Images collect(const Build *build, int i)
{
    const DpcxrShardCache *cache = build->cache;
    int n = rows_in(cache, i);
    Images images = {.images = g_new0(DpcxrResized *, n), .bytes = g_new0(gsize, n), .n = n};
    for (int k = 0; k < n; k++) {
        gboolean damaged;
        if (cache->shards[i])
            images.images[k] = dpcxr_shard_read(cache->shards[i], k, &damaged);
        if (images.images[k]) {
            images.bytes[k] = sizeof(DpcxrResized) + (gsize)images.images[k]->channels * cache->pixels;
            continue;
        }
        images.images[k] =
            build->make(build->data, (gsize)i * (gsize)cache->rows_of_shard + (gsize)k, &images.bytes[k]);
        images.made += images.images[k] != NULL;
    }
    return images;
}

static gboolean write_shard(Build *build, int i, GError **error)
{
    DpcxrShardCache *cache = build->cache;
    g_autofree char *path = shard_path(cache, i);
    Images images = collect(build, i);
    gboolean news = images.made > 0 || !cache->shards[i];
    gboolean good = !news || dpcxr_shard_write(path, cache->key, (const DpcxrResized *const *)images.images,
                                               images.bytes, images.n, error);
    images_clear(&images);
    if (!good || !news)
        return good;
    g_atomic_int_inc(&build->built);
    dpcxr_shard_free(cache->shards[i]);
    cache->shards[i] = open_shard(cache, i, error);
    return cache->shards[i] || !*error; /* somebody may have deleted it meanwhile */
}

static void build_shard(gpointer data, int job, int thread)
{
    Build *build = data;
    DpcxrShardCache *cache = build->cache;
    int i = (build->start + job) % cache->n_shards;
    g_autoptr(GError) error = NULL;
    if (!cache->shards[i]) /* another process may have made it meanwhile */
        cache->shards[i] = open_shard(cache, i, NULL);
    if (is_complete(build, cache->shards[i], rows_in(cache, i)) || failed(build))
        return;
    if (!write_shard(build, i, &error))
        fail(build, g_steal_pointer(&error));
}

static void count(const DpcxrShardCache *cache, DpcxrShardCounts *counts)
{
    for (int i = 0; i < cache->n_shards; i++) {
        counts->bytes += cache->shards[i] ? dpcxr_shard_bytes(cache->shards[i]) : 0;
        for (int k = 0; cache->shards[i] && k < rows_in(cache, i); k++)
            *(dpcxr_shard_has(cache->shards[i], k) ? &counts->images : &counts->without) += 1;
    }
}

/* Two builders begin at different shards, so that they meet in the middle instead of doing everything twice. */
gboolean dpcxr_shard_cache_build(DpcxrShardCache *cache, int threads, gboolean verify, DpcxrMakeResized make,
                                 gpointer data, DpcxrShardCounts *counts, GError **error)
{
    Build build = {.cache = cache, .verify = verify, .make = make, .data = data};
    if (cache->n_shards > 0)
        build.start = (int)g_random_int_range(0, cache->n_shards);
    gboolean complete = !verify;
    for (int i = 0; complete && i < cache->n_shards; i++)
        complete = is_complete(&build, cache->shards[i], rows_in(cache, i));
    if (!complete) {
        g_autoptr(DpcxrWorkers) workers = NULL;
        if (!dpcxr_make_folder(cache->folder, 0700, error)) {
            g_prefix_error(error, "data.cache.dir: ");
            return FALSE;
        }
        if (!(workers = dpcxr_workers_new(threads, error)))
            return FALSE;
        g_mutex_init(&build.lock);
        dpcxr_workers_run(workers, cache->n_shards, build_shard, &build);
        g_mutex_clear(&build.lock);
    }
    if (build.error) {
        g_propagate_prefixed_error(error, build.error, "data.cache.dir: ");
        return FALSE;
    }
    if (counts) {
        *counts = (DpcxrShardCounts){.shards = (gsize)cache->n_shards, .built = (gsize)build.built};
        count(cache, counts);
    }
    return TRUE;
}
