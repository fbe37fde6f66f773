/* SPDX-License-Identifier: MIT
 * Gaussian noise in double precision from the secret streams, with tails beyond 12 standard deviations. */
#pragma once
#include "base/workers.h"
#include "privacy/secret.h"

/* Most elements of one tensor: the other half of its stream holds the tail words. */
#define DPCXR_NOISE_MAX (DPCXR_SECRET_WORDS / 2)

/* out[i] = (float)(std * z_i), z standard normal, for elements 0 .. n-1 of the tensor at @address; bits depend neither on
 * the number of workers nor on the processor. @workers nullable. @std not above 0, or more than DPCXR_NOISE_MAX elements,
 * aborts: no noise is never an answer here. */
void dpcxr_noise_fill(const DpcxrSecret *secret, const DpcxrAddress *address, double std, float *out, gsize n,
                      DpcxrWorkers *workers);

/* Draws under its own purpose and checks mean, variance, fourth moment and tails against the normal law; catches a
 * standard deviation that is 5 % off. FALSE with DPCXR_ERROR_PRIVACY: training must not start. A good generator fails
 * with probability below 1e-9. */
gboolean dpcxr_noise_self_test(const DpcxrSecret *secret, GError **error);

/* The parts of the above, for tests. */

/* Turns words (noise-kernel.h; as many as @n rounded up to whole groups) into @n normals; the first word is the start of
 * group @first of the tensor at @address. Radius words that are tails get their further bits from @secret. */
void dpcxr_noise_transform(const DpcxrSecret *secret, const DpcxrAddress *address, guint64 first, const guint64 *words,
                           gsize n, double std, float *out);
/* The checks of the self test on @samples, DPCXR_NOISE_TEST_SAMPLES of them, which should be standard normal. */
#define DPCXR_NOISE_TEST_SAMPLES (1 << 20)
gboolean dpcxr_noise_check(const float *samples, GError **error);
