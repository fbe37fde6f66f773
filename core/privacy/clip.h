/* SPDX-License-Identifier: MIT
 * From norms to coefficients. */
#pragma once
#include <glib.h>

/* Flat clipping: coefficients[u] = the largest float c <= 1 with c * sqrt(sum over parameters of norms2[p, u]) <= C, also
 * after rounding; 0 for a unit whose norm is not finite. @norms2: [parameters, units] upper bounds.
 * Returns how many units were skipped as not finite (private). Source: Abadi et al. 2016, Algorithm 1. */
int dpcxr_clip_flat(const double *norms2, int parameters, int units, double clip_norm, float *coefficients);
