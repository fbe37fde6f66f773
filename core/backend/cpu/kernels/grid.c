/* SPDX-License-Identifier: MIT
 * A unit's gradient, rounded toward zero onto the grid and added to integers. */
#include "backend/grid.h"
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/table.h"
#include "backend/cpu/kernels/vector.h"
#include <math.h>

typedef gint64 Longs __attribute__((vector_size(8 * LANES)));
typedef gint64 UnalignedLongs __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

INLINE double grid(gint64 *x, double a, const float *y, gsize n, gboolean subtract)
{
    Doubles sum = {0};
    Longs good = ~(Longs){0};
    const Longs flip = (Longs){0} - (subtract ? 1 : 0); /* -v = (v ^ -1) - -1 */
    gsize i = 0;
    for (; i + LANES <= n; i += LANES) {
        Doubles value = __builtin_convertvector(load(y + i, LANES), Doubles) * a;
        Longs inside = (value < 0x1p52) & (value > -0x1p52); /* false for a NaN */
        Longs v = __builtin_convertvector((Doubles)((Longs)value & inside), Longs);
        Doubles rounded = __builtin_convertvector(v, Doubles);
        sum += rounded * rounded;
        good &= inside;
        *(UnalignedLongs *)(x + i) += (v ^ flip) - flip;
    }
    gboolean all = TRUE;
    for (int k = 0; k < LANES; k++)
        all = all && good[k];
    double rest = 0;
    for (; i < n; i++) {
        gint64 v;
        all = dpcxr_grid_round((double)y[i] * a, &v) && all;
        rest += (double)v * (double)v;
        x[i] = (gint64)((guint64)x[i] + (guint64)(subtract ? -v : v));
    }
    return all ? sum_doubles(sum) + rest : INFINITY;
}

double KERNEL(grid)(gint64 *x, double a, const float *y, gsize n, gboolean subtract)
{
    return subtract ? grid(x, a, y, n, TRUE) : grid(x, a, y, n, FALSE);
}
