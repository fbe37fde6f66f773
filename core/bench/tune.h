/* SPDX-License-Identifier: MIT
 * What the tiles of matrix products on a Vulkan device cost: `dpcxr bench ops --tune`. */
#pragma once
#include "bench/ops.h"

/* As in VulkanTuning. */
typedef enum { BENCH_TILE_FORWARD, BENCH_TILE_DATA, BENCH_TILE_WEIGHTS, BENCH_TILE_GRAM, BENCH_N_TILES } BenchTile;

const char *dpcxr_bench_tile_name(BenchTile tile); /* "forward", "data", .. */

typedef struct {
    char *tile; /* "8,1,1,8,0": x, y, m, n, k */
    /* Of an image, over those operations of resnet9 that use such a tile; NaN where none does. WEIGHTS: where a unit's gradient
     * is formed, that and its norm; else phase B. */
    double seconds[BENCH_N_TILES];
} DpcxrTileTimes;

/* Every candidate of the device (dpcxr_vulkan_tile_candidates), for all four at once. @bench: its backend is vulkan's, its
 * tuning is not read. (transfer full) [DpcxrTileTimes, cleared with the array] */
GArray *dpcxr_bench_tune(const DpcxrOpsBench *bench, GError **error);
/* Index of the fastest for @tile; -1: nothing uses such a tile. */
int dpcxr_bench_best_tile(const GArray *all, BenchTile tile);
/* What to put into DPCXR_VULKAN_TILES for the fastest of each. (transfer full) */
char *dpcxr_bench_best_tiles(const GArray *all);
