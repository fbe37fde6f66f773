/* SPDX-License-Identifier: MIT
 * One file of decoded, resized images. It is written once, whole or not at all, and never changed; it is read through a
 * memory map. Numbers are in the byte order of the machine that wrote it.
 *
 *     header   64 bytes: magic, format, number of records, key of the set, CRC-32 of the table
 *     table    [records] offset, bytes, CRC-32 of each; 0 bytes: the image could not be made
 *     records  DpcxrResized each, on cache lines */
#pragma once
#include "data/resized.h"
#include <dpcxr/error.h>

enum { DPCXR_SHARD_FORMAT = 1, DPCXR_SHARD_KEY = 32 };

typedef struct _DpcxrShard DpcxrShard;

/* @images [n], NULL where there is none, and their sizes in @bytes. Mode 0600. DPCXR_ERROR_FAILED: no room, no right; nothing is
 * left under @path then. */
gboolean dpcxr_shard_write(const char *path, const guint8 *key, const DpcxrResized *const *images,
                           const gsize *bytes, int n, GError **error);

/* Maps a shard of @n records of images that have @pixels = size x size. NULL with DPCXR_ERROR_DATA where the file is not there
 * (*missing TRUE, no error), cut, of another set or format, or where its table is damaged. */
DpcxrShard *dpcxr_shard_open(const char *path, const guint8 *key, int n, gsize pixels, gboolean *missing,
                             GError **error);
void dpcxr_shard_free(DpcxrShard *shard);

/* Record @i, valid until the shard is freed; NULL where there is none, or where it does not agree with its checksum (*damaged
 * TRUE). The checksum is looked at once. Thread-safe. */
const DpcxrResized *dpcxr_shard_get(DpcxrShard *shard, int i, gboolean *damaged);
