/* SPDX-License-Identifier: MIT */
#include "stats/resample.h"
#include "base/random-words.h"
#include <string.h>

enum { AT_ONCE = 1024 }; /* words */

typedef struct {
    DpcxrRandom random;
    guint32 words[AT_ONCE];
    gsize used;
} Source;

static guint32 next_word(Source *source)
{
    if (source->used == AT_ONCE) {
        dpcxr_random_words(&source->random, source->words, AT_ONCE);
        source->used = 0;
    }
    return source->words[source->used++];
}

/* 0 .. n - 1, each as likely: the high half of word * n, but for the few low halves that would be too many
 * (Lemire 2019). @excess: 2^32 mod n. */
static guint32 below(Source *source, guint32 n, guint32 excess)
{
    guint64 product;

    do
        product = (guint64)next_word(source) * n;
    while ((guint32)product < excess);
    return (guint32)(product >> 32);
}

/* A count beyond 255 would wrap around: of n draws, so many fall on one cluster with a probability below
 * 1/256!. */
static void draw(Source *source, gsize n_clusters, guint8 *counts)
{
    guint32 n = (guint32)n_clusters, excess = (guint32)-n % n;

    for (gsize i = 0; i < n_clusters; i++)
        counts[(gsize)below(source, n, excess) * DPCXR_LANES]++;
}

void dpcxr_resample(guint64 seed, gsize first, gsize n_clusters, guint8 *counts)
{
    g_return_if_fail(n_clusters <= G_MAXUINT32);
    memset(counts, 0, n_clusters * DPCXR_LANES);
    for (gsize lane = 0; lane < DPCXR_LANES && n_clusters > 0; lane++) {
        Source source = {.used = AT_ONCE};
        dpcxr_random_init(&source.random, seed, "bootstrap", first + lane, 0);
        draw(&source, n_clusters, counts + lane);
    }
}
