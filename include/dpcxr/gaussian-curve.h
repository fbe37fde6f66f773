/* SPDX-License-Identifier: MIT
 * The privacy curve of one Gaussian mechanism, N(0, 1) against N(mu, 1), rounded to a chosen side (Balle & Wang 2018,
 * Theorem 8):
 *
 *     delta(epsilon) = Q(a) - e^epsilon Q(b),  a = epsilon/mu - mu/2,  b = epsilon/mu + mu/2,
 *
 * Q the upper tail of the normal distribution. */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/* log delta at @epsilon >= 0, not below the truth where @side is 1, not above it where @side is -1. @mu > 0 is rounded to
 * that side already. -INFINITY (@side -1) or -1e299 where delta is too small for its logarithm. */
double dpcxr_gaussian_log_delta(double epsilon, double mu, int side);

/* epsilon at which delta is @delta in (0, 1), rounded to @side like mu: the last one that bisection has seen on that
 * side. INFINITY where mu is too large for numbers. */
double dpcxr_gaussian_epsilon(double delta, double mu, int side);

G_END_DECLS
