/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/tuning.h"

static const VulkanTuning table[] = {
    /* A processor's vector unit of eight lanes: accumulators in registers and first-level cache, no barriers. */
    {.class = "software",
     .forward = {VULKAN_SUBGROUP, 8, 1, 4, 4, 0},
     .data = {VULKAN_SUBGROUP, 8, 1, 4, 4, 0},
     .weights = {VULKAN_SUBGROUP, 8, 1, 4, 4, 0},
     .gram = {VULKAN_SUBGROUP, 8, 1, 1, 2, 0},
     .local = 64,
     .tree = 8,
     .each = 512,
     .chunk = 64,
     .groups = 1},
    /* Tiles of 64 x 64 in shared memory, 16 results an invocation: what fits every GPU's registers and 16 KiB. */
    {.class = "gpu",
     .forward = {0, 16, 16, 4, 4, 16},
     .data = {0, 16, 16, 4, 4, 16},
     .weights = {0, 16, 16, 4, 4, 16},
     .gram = {0, 16, 16, 4, 4, 16},
     .matrix = {VULKAN_MATRIX, 32, 4, 2, 4, 32}, /* 128 x 64 results, 64 a lane */
     .local = 256,
     .tree = 256,
     .each = 16,
     .chunk = 64,
     .groups = 16},
};

static const VulkanTuning *row_for(const VulkanContext *context)
{
    const char *asked = g_getenv("DPCXR_VULKAN_TUNING");
    gboolean lanes = context->software && context->broadcasts && context->subgroup == 8;
    for (guint i = 0; asked && i < G_N_ELEMENTS(table); i++)
        if (g_str_equal(asked, table[i].class) && (lanes || !(table[i].forward.way & VULKAN_SUBGROUP)))
            return &table[i];
    return &table[lanes ? 0 : 1];
}

gboolean dpcxr_vulkan_tuning(const VulkanContext *context, const char *tiles, VulkanTuning *tuning,
                             GError **error)
{
    const char *asked = tiles ? tiles : g_getenv("DPCXR_VULKAN_TILES");
    /* Mesa's software device ends all loops of an invocation, without a word, once they have gone round 65535 times together
     * (LP_MAX_TGSI_LOOP_ITERATIONS in its gallivm). */
    const int rounds = 60000;
    *tuning = *row_for(context);
    tuning->rounds = context->software ? rounds : 0;
    tuning->matrix.x = context->matrices && tuning->matrix.x ? (int)context->subgroup : 0;
    if (tuning->matrix.x && !dpcxr_vulkan_check_tile(context, &tuning->matrix, NULL))
        tuning->matrix.x = 0;
    return !asked || dpcxr_vulkan_take_tiles(context, asked, tuning, error);
}

enum { SIDE = 16 }; /* of a cooperative matrix */

int dpcxr_vulkan_tile_rows(const VulkanTile *tile)
{
    if (tile->way & VULKAN_MATRIX)
        return tile->y * tile->m * SIDE;
    return tile->m * (tile->way & VULKAN_SUBGROUP ? tile->x : tile->y);
}

int dpcxr_vulkan_tile_columns(const VulkanTile *tile)
{
    return tile->n * (tile->way & VULKAN_MATRIX ? SIDE : tile->x);
}

int dpcxr_vulkan_tile_size(const VulkanTile *tile)
{
    return tile->x * tile->y;
}
