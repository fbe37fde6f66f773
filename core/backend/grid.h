/* SPDX-License-Identifier: MIT
 * What phase_b_grid and settle do to one element, the same in all backends on the host. */
#pragma once
#include <glib.h>

/* One value of a unit on the grid: @x rounded toward zero. FALSE, and 0, where it is not finite or not below 2^52. */
static inline gboolean dpcxr_grid_round(double x, gint64 *value)
{
    gboolean good = x < 0x1p52 && x > -0x1p52; /* false for a NaN */
    *value = good ? (gint64)x : 0;
    return good;
}

/* An upper bound of a sum of @n squares below 2^104 that was computed in f64, in whatever order. Squares and sums are
 * rounded once each, by 2^-53 of themselves, and none is negative, so the computed sum is short of the exact one by less than
 * (n + 2) 2^-53 of it. */
static inline double dpcxr_grid_bound(double sum, gsize n)
{
    return sum * (1 + ((double)n + 8) * 0x1p-52);
}

/* (integer + noise) * spacing. The sum is modulo 2^64: where it overflows the result is useless, and as private as ever. */
static inline float dpcxr_grid_settled(gint64 integer, gint64 noise, double spacing)
{
    return (float)((double)(gint64)((guint64)integer + (guint64)noise) * spacing);
}
