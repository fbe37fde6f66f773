/* SPDX-License-Identifier: MIT
 * One atomic pointer a row: set once, never changed. */
#include "data/memory-cache.h"
#include <unistd.h>

struct _DpcxrMemoryCache {
    gsize n_rows;
    gpointer *rows; /* DpcxrResized or NULL; atomic */
    gsize limit;
    gsize used; /* bytes; atomic; may pass the limit for a moment while a put gives back what it claimed */
};

gsize dpcxr_memory_cache_default_limit(void)
{
    gsize limit = (gsize)2 << 30;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0)
        limit = MIN(limit, (gsize)pages / 4 * (gsize)page);
    return limit;
}

DpcxrMemoryCache *dpcxr_memory_cache_new(gsize rows, gsize limit_bytes)
{
    DpcxrMemoryCache *cache = g_new0(DpcxrMemoryCache, 1);
    cache->n_rows = rows;
    cache->rows = g_new0(gpointer, MAX(rows, 1));
    cache->limit = limit_bytes;
    return cache;
}

void dpcxr_memory_cache_free(DpcxrMemoryCache *cache)
{
    if (!cache)
        return;
    for (gsize row = 0; row < cache->n_rows; row++)
        g_free(cache->rows[row]);
    g_free(cache->rows);
    g_free(cache);
}

const DpcxrResized *dpcxr_memory_cache_get(DpcxrMemoryCache *cache, gsize row)
{
    g_assert(row < cache->n_rows);
    return g_atomic_pointer_get(&cache->rows[row]);
}

gboolean dpcxr_memory_cache_put(DpcxrMemoryCache *cache, gsize row, DpcxrResized *image, gsize bytes)
{
    g_assert(row < cache->n_rows);
    gsize before = (gsize)g_atomic_pointer_add(&cache->used, (gssize)bytes);
    if (before + bytes <= cache->limit &&
        g_atomic_pointer_compare_and_exchange(&cache->rows[row], NULL, (gpointer)image))
        return TRUE;
    g_atomic_pointer_add(&cache->used, -(gssize)bytes);
    return FALSE;
}
