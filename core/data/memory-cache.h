/* SPDX-License-Identifier: MIT
 * Decoded and resized images kept in memory, by row. What fits stays until the end (an epoch visits every image, so
 * throwing out old ones to keep new ones would gain nothing); what does not fit is decoded again each time. The cached
 * bytes are the ones the decoder made: results do not depend on what is cached. Lives in memory only, never on disk. */
#pragma once
#include "data/resized.h"

typedef struct _DpcxrMemoryCache DpcxrMemoryCache;

/* The default limit: 2 GiB, or a quarter of the machine's memory where that is less. */
gsize dpcxr_memory_cache_default_limit(void);

DpcxrMemoryCache *dpcxr_memory_cache_new(gsize rows, gsize limit_bytes);
void dpcxr_memory_cache_free(DpcxrMemoryCache *cache);

/* NULL where the row is not there; else valid until the cache is freed. Thread-safe, without locks. */
const DpcxrResized *dpcxr_memory_cache_get(DpcxrMemoryCache *cache, gsize row);
/* Takes @image (of @bytes) and returns TRUE, or leaves it with the caller where the cache is full or has the row. */
gboolean dpcxr_memory_cache_put(DpcxrMemoryCache *cache, gsize row, DpcxrResized *image, gsize bytes);
