/* SPDX-License-Identifier: MIT
 * The grid of `noise.type: grid`: how gradients become integers, and what a unit's integers may add up to. The bound that
 * the accountants rely on is one of integers; no rounding of a gradient, a norm, a coefficient or of the grid's own spacing
 * takes part in it. docs/privacy-model.md has the argument. */
#pragma once
#include <dpcxr/error.h>

typedef struct {
    double scale;   /* grid points in a gradient of 1; a unit's integers are trunc(coefficient * gradient * scale) */
    double spacing; /* 1 / scale: what a grid point is worth once there is noise */
    double limit;   /* largest sum of a unit's squared integers: at most (2^DPCXR_GRID_BITS / multiplier)^2 */
} DpcxrGrid;

/* Noise multipliers outside of these abort: gradients would not fit into the integers, or be nothing but rounding. */
#define DPCXR_GRID_MULTIPLIER_MIN 0x1p-10
#define DPCXR_GRID_MULTIPLIER_MAX 0x1p20

/* The grid on which noise of standard deviation 2^DPCXR_GRID_BITS has the multiplier @multiplier, for contributions of at
 * most @norm. They are scaled to 2^-20 less than the limit, so that none is lost to rounding. */
DpcxrGrid dpcxr_grid_new(double multiplier, double norm);

/* FALSE with DPCXR_ERROR_USAGE where sums of @units units could leave 64 bits (which would cost no privacy), or where
 * @multiplier is outside of the above. */
gboolean dpcxr_grid_check(double multiplier, guint64 units, GError **error);

/* Adds a unit's integers trunc(x * scale), @n of them, to @sum where their squares add up to at most the limit; FALSE, and
 * nothing added, where they do not or where a value is not finite. For contributions that are few and known to the host. */
gboolean dpcxr_grid_add(const DpcxrGrid *grid, const double *x, gsize n, gint64 *sum);
