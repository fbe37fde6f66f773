/* SPDX-License-Identifier: MIT
 * A program uses its four tiles in different parts of a step, so one run times a candidate as each of the four. */
#include "bench/tune.h"
#include "backend/vulkan/vulkan.h"
#include <math.h>

const char *dpcxr_bench_tile_name(BenchTile tile)
{
    static const char *const names[BENCH_N_TILES] = {"forward", "data", "weights", "gram"};
    return names[tile];
}

static void clear_tile(gpointer data)
{
    g_free(((DpcxrTileTimes *)data)->tile);
}

/* A part that there is not is NaN. */
static void add(double *sum, double seconds)
{
    if (!isnan(seconds))
        *sum = isnan(*sum) ? seconds : *sum + seconds;
}

static void add_op(DpcxrTileTimes *sums, const DpcxrOpTimes *times)
{
    if (!times->has_weights)
        return;
    add(&sums->seconds[BENCH_TILE_FORWARD], times->seconds[BENCH_OP_FORWARD]);
    add(&sums->seconds[BENCH_TILE_DATA], times->seconds[BENCH_OP_DATA]);
    if (times->takes_gram)
        add(&sums->seconds[BENCH_TILE_GRAM], times->seconds[BENCH_OP_WEIGHTS]);
    add(&sums->seconds[BENCH_TILE_WEIGHTS],
        times->seconds[times->takes_gram ? BENCH_OP_SUM : BENCH_OP_WEIGHTS]);
}

static gboolean time_tile(const DpcxrOpsBench *bench, const char *tile, GArray *all, GError **error)
{
    g_autofree char *tuning =
        g_strdup_printf("forward=%s;data=%s;weights=%s;gram=%s", tile, tile, tile, tile);
    DpcxrOpsBench with = *bench;
    with.tuning = tuning;
    with.weights_only = TRUE;
    g_autoptr(GArray) ops = dpcxr_bench_ops(&with, error);
    if (!ops)
        return FALSE;
    DpcxrTileTimes times = {.tile = g_strdup(tile), .seconds = {NAN, NAN, NAN, NAN}};
    for (guint i = 0; i < ops->len; i++)
        add_op(&times, &g_array_index(ops, DpcxrOpTimes, i));
    g_array_append_val(all, times);
    return TRUE;
}

GArray *dpcxr_bench_tune(const DpcxrOpsBench *bench, GError **error)
{
    g_auto(GStrv) tiles = dpcxr_vulkan_tile_candidates(bench->device, error);
    if (!tiles)
        return NULL;
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(DpcxrTileTimes));
    g_array_set_clear_func(all, clear_tile);
    for (char **tile = tiles; *tile; tile++)
        if (!time_tile(bench, *tile, all, error))
            return NULL;
    return g_steal_pointer(&all);
}

int dpcxr_bench_best_tile(const GArray *all, BenchTile tile)
{
    int best = -1;
    double least = INFINITY;
    for (guint i = 0; i < all->len; i++) {
        double seconds = g_array_index(all, DpcxrTileTimes, i).seconds[tile];
        if (seconds < least) {
            least = seconds;
            best = (int)i;
        }
    }
    return best;
}

char *dpcxr_bench_best_tiles(const GArray *all)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int tile = 0; tile < BENCH_N_TILES; tile++) {
        int best = dpcxr_bench_best_tile(all, (BenchTile)tile);
        if (best >= 0)
            g_string_append_printf(text, "%s%s=%s", text->len ? ";" : "",
                                   dpcxr_bench_tile_name((BenchTile)tile),
                                   g_array_index(all, DpcxrTileTimes, best).tile);
    }
    return g_strdup(text->str);
}
