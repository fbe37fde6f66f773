/* SPDX-License-Identifier: MIT
 * One file of decoded, resized images. It is written once, whole or not at all, and never changed. Numbers are in the byte
 * order of the machine that wrote it. Records are read, not mapped: a file that is cut or cannot be read is then an answer, and
 * not a signal that ends the process.
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

/* Reads the table of a shard of @n records, of images of @pixels = size x size and up to @channels. NULL with DPCXR_ERROR_DATA
 * where the file is not there (*missing TRUE, no error), no regular file, cut, of another set or format, or where its
 * table is damaged. */
DpcxrShard *dpcxr_shard_open(const char *path, const guint8 *key, int n, gsize pixels, int channels,
                             gboolean *missing, GError **error);
void dpcxr_shard_free(DpcxrShard *shard);

gboolean dpcxr_shard_has(const DpcxrShard *shard, int i); /* whether there is a record, good or not */
guint64 dpcxr_shard_bytes(const DpcxrShard *shard);       /* of the file, when it was opened */

/* (transfer full) Record @i; NULL where there is none, or where it cannot be read or does not agree with its checksum (*damaged
 * TRUE). Thread-safe. */
DpcxrResized *dpcxr_shard_read(const DpcxrShard *shard, int i, gboolean *damaged);
