/* SPDX-License-Identifier: MIT
 * A unit's gradient, rounded toward zero onto the grid and added to integers. */
#include "backend/grid.h"
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/table.h"
#include "backend/cpu/kernels/vector.h"
#include <math.h>

/* As many doubles as a register holds. */
enum { HALF = LANES / 2 };
typedef float Singles __attribute__((vector_size(4 * HALF), aligned(4), may_alias));
typedef double Reals __attribute__((vector_size(8 * HALF)));
typedef gint64 Longs __attribute__((vector_size(8 * HALF)));
typedef gint64 UnalignedLongs __attribute__((vector_size(8 * HALF), aligned(8), may_alias));

/* @x rounded toward zero, as integers and as doubles. Lanes that are not finite or not below 2^52 become 0 and clear
 * @good. */
INLINE Longs round_to_zero(Reals x, Reals *rounded, Longs *good)
{
    const Reals one = (Reals){0} + 1, magic = (Reals){0} + 0x1p52;
    Longs negative = x < 0;
    Reals size = (Reals)((Longs)x & G_MAXINT64);
    Longs inside = size < magic; /* false for a NaN */
    size = (Reals)((Longs)size & inside);
    Reals near = size + magic - magic; /* to the nearest integer */
    near -= (Reals)((near > size) & (Longs)one);
    Longs v = (Longs)(near + magic) -
              (Longs)magic; /* the low bits of a double between 2^52 and 2^53 are its integer */
    *rounded = near;
    *good &= inside;
    return (v ^ negative) - negative;
}

INLINE double grid(gint64 *x, double a, const float *y, gsize n, gboolean subtract)
{
    Reals sum[2] = {{0}};
    Longs good = ~(Longs){0};
    gsize i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < 2; k++) {
            UnalignedLongs *to = (UnalignedLongs *)(x + i + k * HALF);
            Reals rounded;
            Longs v = round_to_zero(__builtin_convertvector(*(const Singles *)(y + i + k * HALF), Reals) * a,
                                    &rounded, &good);
            sum[k] += rounded * rounded;
            *to = subtract ? *to - v : *to + v;
        }
    gboolean all = TRUE;
    double total = 0;
    for (int k = 0; k < HALF; k++) {
        all = all && good[k];
        total += sum[0][k] + sum[1][k];
    }
    for (; i < n; i++) {
        gint64 v;
        all = dpcxr_grid_round((double)y[i] * a, &v) && all;
        total += (double)v * (double)v;
        x[i] = (gint64)((guint64)x[i] + (guint64)(subtract ? -v : v));
    }
    return all ? total : INFINITY;
}

double KERNEL(grid)(gint64 *x, double a, const float *y, gsize n, gboolean subtract)
{
    return subtract ? grid(x, a, y, n, TRUE) : grid(x, a, y, n, FALSE);
}
