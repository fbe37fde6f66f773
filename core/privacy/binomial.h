/* SPDX-License-Identifier: MIT
 * Tails of the binomial law: how many of n units come into a Poisson sample. */
#pragma once
#include <glib.h>

/* Relative error of the probabilities below, rounding included, for n up to 2^35 (where they are normal
 * doubles). */
#define DPCXR_BINOMIAL_ERROR 1e-9

/* log P(X = @k) for X ~ Bin(@n, @q), 0 <= k <= n, 0 <= q <= 1 (Loader 2000: no difference of large numbers). */
double dpcxr_binomial_log_mass(guint64 n, double q, guint64 k);

/* P(X >= @k), 1 <= k <= n, and *ratio = P(X >= k) / P(X = k) >= 1, INFINITY where it is too large. Both within
 * DPCXR_BINOMIAL_ERROR; the ratio also where the probabilities underflow to 0. */
double dpcxr_binomial_tail(guint64 n, double q, guint64 k, double *ratio);
