/* SPDX-License-Identifier: MIT */
#include "count-allocations.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static gint count;
/* Open addressing; a place is taken by whoever swaps NULL for its address first. */
static gpointer places[MAX_CALLERS];

guint allocations_since(void)
{
    guint all = (guint)g_atomic_int_get(&count);
    g_atomic_int_set(&count, 0);
    return all;
}

gpointer *allocations_callers(guint *n)
{
    static gpointer callers[MAX_CALLERS];
    *n = 0;
    for (guint i = 0; i < MAX_CALLERS; i++)
        if (places[i])
            callers[(*n)++] = places[i];
    return callers;
}

void allocations_forget(void)
{
    memset(places, 0, sizeof places);
    g_atomic_int_set(&count, 0);
}

#ifdef SANITIZED
gboolean allocations_are_counted(void)
{
    return FALSE;
}
#else
/* glibc's, under the names that it keeps for those who stand in front. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

gboolean allocations_are_counted(void)
{
    return TRUE;
}

static void note(gpointer caller)
{
    guint at = (guint)(((gsize)caller * 0x9e3779b97f4a7c15u) >> 52);
    g_atomic_int_inc(&count);
    for (guint i = 0; i < MAX_CALLERS; i++) {
        gpointer *place = &places[(at + i) % MAX_CALLERS];
        if (g_atomic_pointer_get(place) == caller || g_atomic_pointer_compare_and_exchange(place, NULL, caller) ||
            g_atomic_pointer_get(place) == caller)
            return;
    }
}

void *malloc(size_t size)
{
    note(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    note(__builtin_return_address(0));
    return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    note(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
    note(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    note(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    note(__builtin_return_address(0));
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
#endif
