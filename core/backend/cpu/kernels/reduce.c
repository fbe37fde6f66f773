/* SPDX-License-Identifier: MIT
 * Sums in f64 over f32 data. */
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/table.h"
#include "backend/cpu/kernels/vector.h"

double KERNEL(dot)(const float *x, const float *y, gsize n)
{
    Doubles sum = {0};
    gsize i = 0;
    for (; i + LANES <= n; i += LANES)
        sum += __builtin_convertvector(load(x + i, LANES), Doubles) *
               __builtin_convertvector(load(y + i, LANES), Doubles);
    double rest = 0;
    for (; i < n; i++)
        rest += (double)x[i] * y[i];
    return sum_doubles(sum) + rest;
}

double KERNEL(squares)(const float *x, gsize n)
{
    return KERNEL(dot)(x, x, n);
}

gboolean KERNEL(moderate)(const float *x, gsize n)
{
    Ints good = ~(Ints){0};
    gsize i = 0;
    for (; i + LANES <= n; i += LANES) {
        Floats v = load(x + i, LANES);
        good &= (v <= splat(1e38f)) & (v >= splat(-1e38f));
    }
    for (; i < n; i++)
        if (!(x[i] <= 1e38f && x[i] >= -1e38f))
            return FALSE;
    for (int k = 0; k < LANES; k++)
        if (!good[k])
            return FALSE;
    return TRUE;
}

/* f32 sums over this many pixels are folded into f64. */
enum { FOLD = 32, BLOCK = 4 };

/* Sums of x or of (x - mean)^2 over pixels for @vectors vectors of channels, the last with @last lanes. */
INLINE void channel_block(const Element *x, gsize pixels, int channels, const float *mean, int vectors,
                          int last, double *sums)
{
    Doubles total[BLOCK] = {0};
    Floats center[BLOCK] = {0};
    for (int v = 0; mean && v < vectors; v++)
        center[v] = load(mean + v * LANES, last);
    for (gsize p = 0; p < pixels;) {
        Floats part[BLOCK] = {0};
        for (gsize end = MIN(p + FOLD, pixels); p < end; p++)
            for (int v = 0; v < vectors; v++) {
                Floats value = load_elements(x + p * channels + v * LANES, last);
                part[v] += mean ? (value - center[v]) * (value - center[v]) : value;
            }
        for (int v = 0; v < vectors; v++)
            total[v] += __builtin_convertvector(part[v], Doubles);
    }
    for (int v = 0; v < vectors; v++)
        memcpy(sums + v * LANES, &total[v], (gsize)last * sizeof(double));
}

void KERNEL(channel_sums)(const void *elements, gsize pixels, int channels, double *sums)
{
    const Element *x = elements;
    int c = 0;
    for (; c + BLOCK * LANES <= channels; c += BLOCK * LANES)
        channel_block(x + c, pixels, channels, NULL, BLOCK, LANES, sums + c);
    for (; c + LANES <= channels; c += LANES)
        channel_block(x + c, pixels, channels, NULL, 1, LANES, sums + c);
    if (c < channels)
        channel_block(x + c, pixels, channels, NULL, 1, channels - c, sums + c);
}

void KERNEL(channel_squares)(const void *elements, gsize pixels, int channels, const float *mean,
                             double *sums)
{
    const Element *x = elements;
    int c = 0;
    for (; c + BLOCK * LANES <= channels; c += BLOCK * LANES)
        channel_block(x + c, pixels, channels, mean + c, BLOCK, LANES, sums + c);
    for (; c + LANES <= channels; c += LANES)
        channel_block(x + c, pixels, channels, mean + c, 1, LANES, sums + c);
    if (c < channels)
        channel_block(x + c, pixels, channels, mean + c, 1, channels - c, sums + c);
}
