/* SPDX-License-Identifier: MIT
 * Many numbers of a public random stream at once. */
#pragma once
#include <dpcxr/random.h>

/* The next @n words of the stream: what n / 2 calls of dpcxr_random_u64 give, low halves first. After an odd
 * @n, a word is lost where one of those calls finds half a number at the end of a block. */
void dpcxr_random_words(DpcxrRandom *random, guint32 *words, gsize n);
