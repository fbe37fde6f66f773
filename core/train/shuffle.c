/* SPDX-License-Identifier: MIT */
#include "train/shuffle.h"
#include <dpcxr/random.h>

void dpcxr_shuffle_init(DpcxrShuffle *shuffle, const DpcxrUnits *units, guint64 seed, gsize batch, int images_per_unit)
{
    *shuffle = (DpcxrShuffle){.units = units, .seed = seed, .batch = batch, .images_per_unit = images_per_unit};
}

void dpcxr_shuffle_clear(DpcxrShuffle *shuffle)
{
    g_clear_pointer(&shuffle->order, g_free);
}

/* Fisher-Yates. */
static void permute(DpcxrShuffle *shuffle, guint64 epoch)
{
    gsize n = shuffle->units->n;
    if (!shuffle->order)
        shuffle->order = g_new(guint32, n);
    for (gsize i = 0; i < n; i++)
        shuffle->order[i] = (guint32)i;
    DpcxrRandom random;
    dpcxr_random_init(&random, shuffle->seed, "shuffle", epoch, 0);
    for (gsize i = n; i > 1; i--) {
        gsize k = dpcxr_random_below(&random, i);
        guint32 other = shuffle->order[k];
        shuffle->order[k] = shuffle->order[i - 1];
        shuffle->order[i - 1] = other;
    }
    shuffle->epoch = epoch;
}

/* All rows of the unit, or `images_per_unit` of them by a partial Fisher-Yates. */
static void append_rows(const DpcxrShuffle *shuffle, guint64 step, gsize unit, DpcxrUnitDraw *draw)
{
    const gsize *rows = shuffle->units->rows + shuffle->units->offsets[unit];
    gsize n = shuffle->units->offsets[unit + 1] - shuffle->units->offsets[unit];
    gsize take = shuffle->images_per_unit ? MIN(n, (gsize)shuffle->images_per_unit) : n;
    guint first = draw->rows->len;
    g_array_append_vals(draw->rows, rows, (guint)n);
    if (take < n) {
        gsize *mine = &g_array_index(draw->rows, gsize, first);
        DpcxrRandom random;
        dpcxr_random_init(&random, shuffle->seed, "shuffle images", step, (guint32)unit);
        for (gsize i = 0; i < take; i++) {
            gsize k = i + dpcxr_random_below(&random, n - i), other = mine[k];
            mine[k] = mine[i];
            mine[i] = other;
        }
        g_array_set_size(draw->rows, first + (guint)take);
    }
}

void dpcxr_shuffle_draw(DpcxrShuffle *shuffle, guint64 step, DpcxrUnitDraw *draw)
{
    gsize zero = 0;
    g_array_set_size(draw->rows, 0);
    g_array_set_size(draw->units, 0);
    g_array_set_size(draw->unit_offsets, 0);
    g_array_append_val(draw->unit_offsets, zero);
    for (gsize i = 0; i < shuffle->batch; i++) {
        guint64 position = step * shuffle->batch + i, epoch = position / shuffle->units->n;
        if (!shuffle->order || shuffle->epoch != epoch)
            permute(shuffle, epoch);
        gsize unit = shuffle->order[position % shuffle->units->n];
        append_rows(shuffle, step, unit, draw);
        gsize end = draw->rows->len;
        g_array_append_val(draw->units, unit);
        g_array_append_val(draw->unit_offsets, end);
    }
}
