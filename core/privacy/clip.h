/* SPDX-License-Identifier: MIT
 * From norms to coefficients. */
#pragma once
#include <glib.h>

/* Clip norms outside of these abort: beyond them squares leave the range where the bound can be decided exactly. */
#define DPCXR_CLIP_NORM_MIN 1e-60
#define DPCXR_CLIP_NORM_MAX 1e60

/* Flat clipping: coefficients[u] = the largest float c <= 1 with c * sqrt(sum over parameters of norms2[p, u]) <= C, also
 * after rounding; 0 for a unit with a norm that is not finite (or negative, which no norm is). Sums that a double cannot
 * hold are rounded up. @norms2: [parameters, units] upper bounds.
 * Returns how many units were skipped as not finite (private). Source: Abadi et al. 2016, Algorithm 1. */
int dpcxr_clip_flat(const double *norms2, int parameters, int units, double clip_norm, float *coefficients);
