/* SPDX-License-Identifier: MIT
 * Gram matrices for unit norms. The lanes run along the dot product, so at most k / LANES products are summed one after
 * the other: that keeps the error bound, which clipping must add to every norm, small. */
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/table.h"
#include "backend/cpu/kernels/vector.h"

/* A block of ROWS x COLUMNS = LANES dot products is in registers at a time. */
enum { ROWS = LANES == 4 ? 2 : 4, COLUMNS = LANES / ROWS };

INLINE void accumulate(const float *const a[ROWS], const float *const b[COLUMNS], gsize at, int n, Floats sums[LANES])
{
    Floats right[COLUMNS];
    for (int j = 0; j < COLUMNS; j++)
        right[j] = load(b[j] + at, n);
    for (int i = 0; i < ROWS; i++) {
        Floats left = load(a[i] + at, n);
        for (int j = 0; j < COLUMNS; j++)
            sums[i * COLUMNS + j] += left * right[j];
    }
}

INLINE Floats block(const float *const a[ROWS], const float *const b[COLUMNS], gsize k)
{
    Floats sums[LANES] = {0};
    gsize at = 0;
    for (; at + LANES <= k; at += LANES)
        accumulate(a, b, at, LANES, sums);
    if (at < k)
        accumulate(a, b, at, (int)(k - at), sums);
    for (int width = LANES; width > 1; width /= 2)
        for (int i = 0; i < width / 2; i++)
            sums[i] = add_neighbours(sums[2 * i], sums[2 * i + 1]);
    return sums[0];
}

void KERNEL(gram)(const float *const *a, int n, const float *const *b, int m, gsize k, gboolean symmetric, float *g,
                  gsize ld)
{
    for (int i0 = 0; i0 < n; i0 += ROWS)
        for (int j0 = symmetric ? i0 / COLUMNS * COLUMNS : 0; j0 < m; j0 += COLUMNS) {
            const float *left[ROWS], *right[COLUMNS];
            for (int i = 0; i < ROWS; i++)
                left[i] = a[MIN(i0 + i, n - 1)];
            for (int j = 0; j < COLUMNS; j++)
                right[j] = b[MIN(j0 + j, m - 1)];
            Floats sums = block(left, right, k);
            for (int i = i0; i < MIN(i0 + ROWS, n); i++)
                for (int j = j0; j < MIN(j0 + COLUMNS, m); j++) {
                    float value = sums[(i - i0) * COLUMNS + j - j0];
                    g[(gsize)i * ld + j] = value;
                    if (symmetric)
                        g[(gsize)j * ld + i] = value;
                }
        }
}

void KERNEL(add_shifted)(const CpuRun *runs, int n_runs, const float *member_gram, gsize member_ld, float *g, gsize ld)
{
    for (const CpuRun *row = runs; row < runs + n_runs; row++)
        for (int i = 0; i < row->length; i++) {
            float *to = g + (gsize)(row->output + i) * ld;
            const float *from = member_gram + (gsize)(row->member + i) * member_ld;
            for (const CpuRun *column = runs; column < runs + n_runs; column++)
                for (int j = 0; j < column->length; j++)
                    to[column->output + j] += from[column->member + j];
        }
}
