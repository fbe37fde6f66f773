/* SPDX-License-Identifier: MIT
 * Decoded, resized images on disk: DIR/KEY/NNNNN.shard. The key is a hash of what decides the bytes: the data set plugin (its
 * file's digest) with its options, the size, and of every row its sample and its file's size and time of change. So a changed
 * file, another size or another build of the plugin makes another set. A set may be built by several
 * processes at once, killed at any time, and read by any number; shards are whole or not there (data/shard.h). */
#pragma once
#include "data/index.h"
#include "data/resized.h"

typedef struct _DpcxrShardCache DpcxrShardCache;

/* Opens what there is of the set in @dir, which need not exist. @what: the part of the key that is not about rows; @pixels: size x
 * size; @channels: the most that an image may have. A shard that is damaged counts as not there; standard error says so. Never
 * fails: an empty cache is a cache. */
DpcxrShardCache *dpcxr_shard_cache_open(const char *dir, const char *what, const DpcxrIndex *index,
                                        gsize pixels, int channels);
void dpcxr_shard_cache_free(DpcxrShardCache *cache);

/* (transfer full) NULL where the row is not there, or damaged (standard error says so, once a shard). Thread-safe. */
DpcxrResized *dpcxr_shard_cache_get(DpcxrShardCache *cache, gsize row);

/* (transfer full) Makes the image of a row, of *bytes; NULL where that cannot be done. Called from several threads. */
typedef DpcxrResized *(*DpcxrMakeResized)(gpointer data, gsize row, gsize *bytes);

typedef struct {
    gsize shards, built;   /* of the set; by this call */
    gsize images, without; /* in the set; rows that could not be made */
    guint64 bytes;         /* on disk, the whole set */
} DpcxrShardCounts;

/* Makes the shards that are not there, and those again that lack an image which can be made now; @verify: also those with
 * a damaged record, which takes reading everything. @threads (0: one a processor) at a time, each with its own images in
 * memory (16 MiB). @counts is nullable. Not while images are taken by others. DPCXR_ERROR_FAILED where a shard cannot be
 * written; those that were stay. */
gboolean dpcxr_shard_cache_build(DpcxrShardCache *cache, int threads, gboolean verify, DpcxrMakeResized make,
                                 gpointer data, DpcxrShardCounts *counts, GError **error);
const char *dpcxr_shard_cache_folder(const DpcxrShardCache *cache); /* DIR/KEY */
/* Other sets beside this one: of other configurations, or of files that have changed since. */
int dpcxr_shard_cache_others(const DpcxrShardCache *cache);
