/* SPDX-License-Identifier: MIT
 * Addressed streams of public random numbers. The seed and the purpose are hashed into a ChaCha20 key, the
 * address is the nonce, and the block counter runs along one stream, so no two addresses share a block. */
#include "base/random-words.h"
#include <math.h>
#include <sodium.h>
#include <string.h>

#define WORDS G_N_ELEMENTS(((DpcxrRandom *)0)->block)

G_STATIC_ASSERT(sizeof(((DpcxrRandom *)0)->key) == crypto_stream_chacha20_ietf_KEYBYTES);
G_STATIC_ASSERT(sizeof(((DpcxrRandom *)0)->key) == crypto_hash_sha256_BYTES);
G_STATIC_ASSERT(sizeof(((DpcxrRandom *)0)->nonce) == crypto_stream_chacha20_ietf_NONCEBYTES);

static void words_from_bytes(guint32 *words, gsize n)
{
    for (gsize i = 0; i < n; i++)
        words[i] = GUINT32_FROM_LE(words[i]);
}

static void words_to_bytes(const guint32 *words, guint32 *bytes, gsize n)
{
    for (gsize i = 0; i < n; i++)
        bytes[i] = GUINT32_TO_LE(words[i]);
}

void dpcxr_random_init(DpcxrRandom *random, guint64 seed, const char *purpose, guint64 a, guint32 b)
{
    g_return_if_fail(random && purpose);
    guint64 seed_bytes =
        GUINT64_TO_LE(seed); /* of fixed length and in front: no two pairs hash the same text */
    crypto_hash_sha256_state hash;

    memset(random, 0, sizeof(*random));
    crypto_hash_sha256_init(&hash);
    crypto_hash_sha256_update(&hash, (const guint8 *)&seed_bytes, sizeof(seed_bytes));
    crypto_hash_sha256_update(&hash, (const guint8 *)purpose, strlen(purpose));
    crypto_hash_sha256_final(&hash, (guint8 *)random->key);
    words_from_bytes(random->key, G_N_ELEMENTS(random->key));
    random->nonce[0] = (guint32)a;
    random->nonce[1] = (guint32)(a >> 32);
    random->nonce[2] = b;
    random->used = WORDS;
}

/* The next @n blocks of the stream into @words [16 n]. */
static void make_blocks(DpcxrRandom *random, guint32 *words, gsize n)
{
    guint32 key[G_N_ELEMENTS(random->key)], nonce[G_N_ELEMENTS(random->nonce)];
    gsize bytes = n * sizeof random->block;

    /* A wrapped counter would repeat the stream. 2^32 blocks are 256 GiB, so nobody gets here
     * by honest work. */
    g_assert(n <= G_MAXUINT32 - random->counter);
    words_to_bytes(random->key, key, G_N_ELEMENTS(key));
    words_to_bytes(random->nonce, nonce, G_N_ELEMENTS(nonce));
    memset(words, 0, bytes);
    crypto_stream_chacha20_ietf_xor_ic((guint8 *)words, (const guint8 *)words, bytes, (const guint8 *)nonce,
                                       random->counter, (const guint8 *)key);
    random->counter += (guint32)n;
    words_from_bytes(words, n * WORDS);
}

static void refill(DpcxrRandom *random)
{
    make_blocks(random, random->block, 1);
    random->used = 0;
}

void dpcxr_random_words(DpcxrRandom *random, guint32 *words, gsize n)
{
    for (; n > 0 && random->used < WORDS; n--)
        *words++ = random->block[random->used++];
    gsize whole = n / WORDS;
    make_blocks(random, words, whole);
    words += whole * WORDS;
    n -= whole * WORDS;
    if (n > 0)
        refill(random);
    for (; n > 0; n--)
        *words++ = random->block[random->used++];
}

guint64 dpcxr_random_u64(DpcxrRandom *random)
{
    if (random->used + 2 > WORDS)
        refill(random);
    guint64 low = random->block[random->used], high = random->block[random->used + 1];
    random->used += 2;
    return low | high << 32;
}

double dpcxr_random_uniform(DpcxrRandom *random)
{
    return (double)(dpcxr_random_u64(random) >> 11) * 0x1p-53;
}

guint64 dpcxr_random_below(DpcxrRandom *random, guint64 n)
{
    g_return_val_if_fail(n > 0, 0);
    guint64 excess =
        (G_MAXUINT64 - n + 1) % n; /* 2^64 mod n: so many of the lowest numbers would be too many */
    guint64 drawn;

    do
        drawn = dpcxr_random_u64(random);
    while (drawn < excess);
    return drawn % n;
}

double dpcxr_random_normal(DpcxrRandom *random)
{
    /* Box-Muller. 1 - u is in (0, 1], so the logarithm is finite. */
    double radius = sqrt(-2 * log(1 - dpcxr_random_uniform(random)));
    return radius * cos(2 * G_PI * dpcxr_random_uniform(random));
}
