/* SPDX-License-Identifier: MIT
 * Sixteen blocks of ChaCha20 side by side: vector i holds word i of all of them. Compiled with AVX-512, in which a rotation is
 * one instruction. */
#include "privacy/chacha20.h"
#include <string.h>

enum { LANES = 16, WORDS = 16, BLOCK = 64 };
typedef guint32 Vector __attribute__((vector_size(4 * LANES)));

#define INLINE static inline __attribute__((always_inline))

INLINE Vector rotate(Vector x, int n)
{
    return x << n | x >> (32 - n);
}

INLINE void quarter_round(Vector *a, Vector *b, Vector *c, Vector *d)
{
    *a += *b;
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 12);
    *a += *b;
    *d = rotate(*d ^ *a, 8);
    *c += *d;
    *b = rotate(*b ^ *c, 7);
}

/* Columns, then diagonals. */
INLINE void double_round(Vector x[WORDS])
{
    for (int i = 0; i < 4; i++)
        quarter_round(&x[i], &x[4 + i], &x[8 + i], &x[12 + i]);
    for (int i = 0; i < 4; i++)
        quarter_round(&x[i], &x[4 + (i + 1) % 4], &x[8 + (i + 2) % 4], &x[12 + (i + 3) % 4]);
}

/* In each quarter of 128 bits by itself: x[0..3] are the rows of a matrix of 4 x 4 and become its columns. */
INLINE void transpose(Vector x[4])
{
    Vector low01 =
        __builtin_shufflevector(x[0], x[1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    Vector high01 =
        __builtin_shufflevector(x[0], x[1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    Vector low23 =
        __builtin_shufflevector(x[2], x[3], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    Vector high23 =
        __builtin_shufflevector(x[2], x[3], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    x[0] = __builtin_shufflevector(low01, low23, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
    x[1] = __builtin_shufflevector(low01, low23, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    x[2] = __builtin_shufflevector(high01, high23, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
    x[3] =
        __builtin_shufflevector(high01, high23, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}

/* After the transposition quarter q of vector 4 w + b has words 4 w .. 4 w + 3 of block 4 q + b. */
INLINE void put(Vector x[WORDS], guint8 *out)
{
    for (int w = 0; w < WORDS; w += 4)
        transpose(x + w);
    for (int b = 0; b < 4; b++)
        for (int q = 0; q < 4; q++)
            for (int w = 0; w < 4; w++)
                memcpy(out + (4 * q + b) * BLOCK + 16 * w, (const guint8 *)&x[4 * w + b] + 16 * q, 16);
}

/* Words 0 .. 15 of sixteen blocks from @block on, before the rounds. */
INLINE void initialise(Vector start[WORDS], const guint8 key[32], const guint8 nonce[12])
{
    static const guint32 constants[4] = {0x61707865, 0x3320646e, 0x79622d32,
                                         0x6b206574}; /* "expand 32-byte k" */
    for (int i = 0; i < WORDS; i++) {
        guint32 word = i < 4 ? constants[i] : 0; /* this processor is little-endian, as the cipher is */
        if (i >= 4 && i != 12)
            memcpy(&word, i < 12 ? key + 4 * (i - 4) : nonce + 4 * (i - 13), sizeof word);
        start[i] = (Vector){0} + word;
    }
}

INLINE void sixteen_blocks(const Vector start[WORDS], guint32 block, Vector x[WORDS], guint8 *out)
{
    Vector counter = (Vector){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + block;
    memcpy(x, start, WORDS * sizeof *x);
    x[12] = counter;
    for (int round = 0; round < 10; round++)
        double_round(x);
    for (int i = 0; i < WORDS; i++)
        x[i] += i == 12 ? counter : start[i];
    put(x, out);
}

void dpcxr_chacha20_avx512(const guint8 key[32], const guint8 nonce[12], guint32 block, guint8 *out,
                           gsize blocks)
{
    Vector start[WORDS], x[WORDS];
    initialise(start, key, nonce);
    gsize done = 0;
    for (; done + LANES <= blocks; done += LANES)
        sixteen_blocks(start, block + (guint32)done, x, out + done * BLOCK);
    if (done < blocks) {
        guint8 last[LANES * BLOCK]; /* counters past the end, if any, are thrown away with it */
        sixteen_blocks(start, block + (guint32)done, x, last);
        memcpy(out + done * BLOCK, last, (blocks - done) * BLOCK);
        explicit_bzero(last, sizeof last);
    }
    explicit_bzero(start, sizeof start); /* the key is in it */
    explicit_bzero(x, sizeof x);
}
