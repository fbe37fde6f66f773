/* SPDX-License-Identifier: MIT
 * Gaussian noise as integers: round(2^30 z), z standard normal, from random bits and comparisons of integers alone. Karney
 * (2016), "Sampling exactly from the normal distribution", ACM TOMS 42(1):3, algorithm N, with strips 1/64 wide instead of
 * 1, so that the first comparison nearly always decides. docs/randomness.md says how, and why the law is the exact one. */
#pragma once
#include "base/workers.h"
#include "privacy/secret.h"

/* The standard deviation of the noise, in grid points, is 2^DPCXR_GRID_BITS: exactly. No deviate exceeds 16 of them. */
#define DPCXR_GRID_BITS 30
/* Most elements of one tensor: the other half of its stream is for elements whose own word does not decide. */
#define DPCXR_GRID_NOISE_MAX (DPCXR_SECRET_WORDS / 2)

/* out[i] = round(2^30 z_i) for elements 0 .. n-1 of the tensor at @address; the same on every machine and with any number of
 * workers. @workers nullable. The address must not be used by anything else, dpcxr_noise_fill included. */
void dpcxr_grid_noise_fill(const DpcxrSecret *secret, const DpcxrAddress *address, gint64 *out, gsize n,
                           DpcxrWorkers *workers);

/* As dpcxr_noise_self_test, under the same purpose, with the same checks and limits: rounding to 2^-30 moves nothing that
 * they look at. */
gboolean dpcxr_grid_noise_self_test(const DpcxrSecret *secret, GError **error);

/* The parts of the above, for tests. */

/* Elements and words come in blocks. Element i of block b has word 1024 b + i of the lower half of the stream, and all
 * undecided elements of the block share, in order, the words 1024 b .. 1024 b + 1023 of the upper half. */
#define DPCXR_GRID_BLOCK 1024

/* @out: the first @n elements of block @block of the tensor at @address, from their @words. Returns how many words of the
 * block's share in the upper half were used. */
gsize dpcxr_grid_noise_block(const DpcxrSecret *secret, const DpcxrAddress *address, guint64 block, const guint64 *words,
                             gsize n, gint64 *out);
