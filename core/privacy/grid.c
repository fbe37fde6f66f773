/* SPDX-License-Identifier: MIT */
#include "privacy/grid.h"
#include "backend/grid.h"
#include "privacy/grid-noise.h"
#include <math.h>

static gboolean in_range(double multiplier)
{
    return multiplier >= DPCXR_GRID_MULTIPLIER_MIN && multiplier <= DPCXR_GRID_MULTIPLIER_MAX;
}

DpcxrGrid dpcxr_grid_new(double multiplier, double norm)
{
    if (!in_range(multiplier) || !(norm > 0 && isfinite(norm)))
        g_error("grid: noise multiplier %g, norm %g", multiplier, norm);
    /* One rounding of 2^-53 each: the product is below (2^bits / multiplier)^2. */
    double radius = ldexp(1, DPCXR_GRID_BITS) / multiplier;
    double scale = radius / norm * (1 - 0x1p-20);
    return (DpcxrGrid){.scale = scale, .spacing = 1 / scale, .limit = radius * radius * (1 - 0x1p-50)};
}

gboolean dpcxr_grid_check(double multiplier, guint64 units, GError **error)
{
    if (!in_range(multiplier)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "privacy.noise.type: grid takes noise multipliers from %g to %g, and the gradient would get %g; use "
                    "gaussian",
                    DPCXR_GRID_MULTIPLIER_MIN, DPCXR_GRID_MULTIPLIER_MAX, multiplier);
        return FALSE;
    }
    if ((double)units / multiplier < ldexp(1, 62 - DPCXR_GRID_BITS))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "privacy.noise.type: sums over %" G_GUINT64_FORMAT " units with noise multiplier %g do not fit into the "
                "integers of grid; use gaussian",
                units, multiplier);
    return FALSE;
}

gboolean dpcxr_grid_add(const DpcxrGrid *grid, const double *x, gsize n, gint64 *sum)
{
    double squares = 0;
    gint64 value;
    for (gsize i = 0; i < n; i++) {
        if (!dpcxr_grid_round(x[i] * grid->scale, &value))
            return FALSE;
        squares += (double)value * (double)value;
    }
    if (!(dpcxr_grid_bound(squares, n) <= grid->limit))
        return FALSE;
    for (gsize i = 0; i < n; i++) {
        dpcxr_grid_round(x[i] * grid->scale, &value);
        sum[i] = (gint64)((guint64)sum[i] + (guint64)value);
    }
    return TRUE;
}
