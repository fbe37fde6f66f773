/* SPDX-License-Identifier: MIT
 * dpcxr bench ops --tune: tiles of a Vulkan device beside each other. */
#include "base/json-write.h"
#include "bench.h"
#include "bench/tune.h"
#include <math.h>
#include <stdio.h>

static void put_all(JsonBuilder *json, const DpcxrOpsBench *bench, const GArray *all)
{
    g_autofree char *best = dpcxr_bench_best_tiles(all);
    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "size", (guint64)bench->size);
    dpcxr_json_put_count(json, "batch", (guint64)bench->batch);
    dpcxr_json_begin_array(json, "tiles");
    for (guint i = 0; i < all->len; i++) {
        const DpcxrTileTimes *times = &g_array_index(all, DpcxrTileTimes, i);
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "tile", times->tile);
        for (int tile = 0; tile < BENCH_N_TILES; tile++)
            dpcxr_json_put_number(json, dpcxr_bench_tile_name((BenchTile)tile), 1000 * times->seconds[tile]);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    dpcxr_json_put_string(json, "best", best);
    json_builder_end_object(json);
}

static void print_table(const GArray *all)
{
    printf("%-16s", "x,y,m,n,k");
    for (int tile = 0; tile < BENCH_N_TILES; tile++)
        printf(" %11s", dpcxr_bench_tile_name((BenchTile)tile));
    printf("\n");
    for (guint i = 0; i < all->len; i++) {
        const DpcxrTileTimes *times = &g_array_index(all, DpcxrTileTimes, i);
        printf("%-16s", times->tile);
        for (int tile = 0; tile < BENCH_N_TILES; tile++) {
            gboolean best = dpcxr_bench_best_tile(all, (BenchTile)tile) == (int)i;
            printf(" %10.3f%s", 1000 * times->seconds[tile], best ? "*" : " ");
        }
        printf("\n");
    }
}

/* As tuning.c has it: "8,1,1,8,0" without the numbers' spaces is how the environment has it. */
static void print_row(const GArray *all)
{
    printf("row of the table in core/backend/vulkan/tuning.c:\n");
    for (int tile = 0; tile < BENCH_N_TILES; tile++) {
        int best = dpcxr_bench_best_tile(all, (BenchTile)tile);
        if (best < 0)
            continue;
        g_auto(GStrv) numbers = g_strsplit(g_array_index(all, DpcxrTileTimes, best).tile, ",", -1);
        g_autofree char *list = g_strjoinv(", ", numbers);
        printf("     .%s = {%s},\n", dpcxr_bench_tile_name((BenchTile)tile), list);
    }
}

gboolean dpcxr_bench_run_tune(const DpcxrOpsBench *bench, JsonBuilder *json, GError **error)
{
    g_autoptr(GArray) all = dpcxr_bench_tune(bench, error);
    if (!all)
        return FALSE;
    if (json) {
        put_all(json, bench, all);
        return TRUE;
    }
    g_autofree char *best = dpcxr_bench_best_tiles(all);
    printf("convolutions and linear layers of resnet9, %d px, %d images at once: ms an image, *: the least\n",
           bench->size, bench->batch);
    print_table(all);
    printf("to use at once: DPCXR_VULKAN_TILES=\"%s\"\n", best);
    print_row(all);
    return TRUE;
}
