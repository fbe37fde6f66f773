/* SPDX-License-Identifier: MIT
 * Gaussian noise in double precision from the secret streams, with tails beyond 12 standard deviations. */
#pragma once
#include "base/workers.h"
#include "privacy/secret.h"

/* out[i] = (float)(std * z_i), z standard normal, for elements 0 .. n-1 of the tensor at @address; bits do not depend on
 * the number of workers. @workers nullable. */
void dpcxr_noise_fill(const DpcxrSecret *secret, const DpcxrAddress *address, double std, float *out, gsize n,
                      DpcxrWorkers *workers);

/* Draws under its own purpose and checks mean, variance, fourth moment and tails against the normal law; catches a
 * standard deviation that is 5 % off. FALSE with DPCXR_ERROR_PRIVACY: training must not start. A good generator fails
 * with probability below 1e-9. */
gboolean dpcxr_noise_self_test(const DpcxrSecret *secret, GError **error);
