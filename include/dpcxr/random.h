/* SPDX-License-Identifier: MIT
 * Addressed random streams for what is not secret (augmentation, initial weights, synthetic data): ChaCha20 keyed by
 * a public seed. The same address gives the same numbers on every machine, in any order, after any resume.
 * Nothing here ever feeds noise or the sampling of units; those come from core/privacy. */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    guint32 key[8], nonce[3], counter;
    guint32 block[16];
    guint used; /* words of block already given out */
} DpcxrRandom;

/* A stream of its own for each (seed, purpose, a, b): e.g. purpose "hflip", a = step, b = sample. @purpose is hashed
 * into the key together with the seed. */
void dpcxr_random_init(DpcxrRandom *random, guint64 seed, const char *purpose, guint64 a, guint32 b);
guint64 dpcxr_random_u64(DpcxrRandom *random);
double dpcxr_random_uniform(DpcxrRandom *random);             /* 53 bits, [0, 1) */
guint64 dpcxr_random_below(DpcxrRandom *random, guint64 n);   /* unbiased, 0 .. n-1; n > 0 */
double dpcxr_random_normal(DpcxrRandom *random);              /* uses libm: not bit-equal across machines */

G_END_DECLS
