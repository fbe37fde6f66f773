/* SPDX-License-Identifier: MIT
 * Max pooling: padding counts as -inf, the first of equal values wins, and the first NaN wins over
 * everything. */
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/table.h"
#include "backend/cpu/kernels/vector.h"

/* Taps first .. end-1 of a window that starts at @start lie inside 0 .. length-1. */
typedef struct {
    int first, end;
} Inside;

INLINE Inside inside(int start, int kernel, int length)
{
    return (Inside){MAX(0, -start), MIN(kernel, length - start)};
}

INLINE void pool_vector(const CpuPool *pool, const Element *x, Inside rows, Inside columns, Element *y,
                        gint32 *winner, int n)
{
    Floats best = {0};
    Ints who = {0};
    gboolean any = FALSE;
    for (int i = rows.first; i < rows.end; i++)
        for (int j = columns.first; j < columns.end; j++) {
            Floats value = load_elements(x + ((gssize)i * pool->width + j) * pool->channels, n);
            Ints tap = (Ints){0} + (i * pool->kernel + j);
            Ints better = any ? (value > best) | ((value != value) & (best == best)) : ~(Ints){0};
            best = choose(better, value, best);
            who = (better & tap) | (~better & who);
            any = TRUE;
        }
    store_elements(y, best, n);
    if (winner)
        memcpy(winner, &who, (gsize)n * sizeof *winner);
}

void KERNEL(max_pool)(const CpuPool *pool, const void *inputs, void *outputs, gint32 *winner)
{
    const Element *x = inputs;
    Element *y = outputs;
    gsize at = 0;
    for (int r = 0; r < pool->out_height; r++)
        for (int s = 0; s < pool->out_width; s++, at += (gsize)pool->channels) {
            int top = r * pool->stride - pool->padding, left = s * pool->stride - pool->padding;
            Inside rows = inside(top, pool->kernel, pool->height),
                   columns = inside(left, pool->kernel, pool->width);
            const Element *window = x + ((gssize)top * pool->width + left) * pool->channels;
            int c = 0;
            for (; c + LANES <= pool->channels; c += LANES)
                pool_vector(pool, window + c, rows, columns, y + at + c, winner ? winner + at + c : NULL,
                            LANES);
            if (c < pool->channels)
                pool_vector(pool, window + c, rows, columns, y + at + c, winner ? winner + at + c : NULL,
                            pool->channels - c);
        }
}

INLINE void unpool_vector(const CpuPool *pool, const Element *dy, const gint32 *winner, Inside rows,
                          Inside columns, Element *dx, int n)
{
    Floats gradient = load_elements(dy, n);
    Ints who = {0};
    memcpy(&who, winner, (gsize)n * sizeof *winner);
    for (int i = rows.first; i < rows.end; i++)
        for (int j = columns.first; j < columns.end; j++) {
            Element *to = dx + ((gssize)i * pool->width + j) * pool->channels;
            Ints mine = who == i * pool->kernel + j;
            store_elements(to, load_elements(to, n) + (Floats)(mine & (Ints)gradient), n);
        }
}

void KERNEL(max_pool_backward)(const CpuPool *pool, const void *dys, const gint32 *winner, void *dxs)
{
    const Element *dy = dys;
    Element *dx = dxs;
    memset(dx, 0, (gsize)pool->height * pool->width * pool->channels * sizeof *dx);
    gsize at = 0;
    for (int r = 0; r < pool->out_height; r++)
        for (int s = 0; s < pool->out_width; s++, at += (gsize)pool->channels) {
            int top = r * pool->stride - pool->padding, left = s * pool->stride - pool->padding;
            Inside rows = inside(top, pool->kernel, pool->height),
                   columns = inside(left, pool->kernel, pool->width);
            Element *window = dx + ((gssize)top * pool->width + left) * pool->channels;
            int c = 0;
            for (; c + LANES <= pool->channels; c += LANES)
                unpool_vector(pool, dy + at + c, winner + at + c, rows, columns, window + c, LANES);
            if (c < pool->channels)
                unpool_vector(pool, dy + at + c, winner + at + c, rows, columns, window + c,
                              pool->channels - c);
        }
}
