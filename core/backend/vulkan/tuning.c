/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/tuning.h"

static const VulkanTuning table[] = {
    /* A processor's vector unit of eight lanes: accumulators in registers and first-level cache, no barriers. */
    {.class = "software",
     .subgroup = TRUE,
     .forward = {8, 1, 4, 4, 0},
     .data = {8, 1, 4, 4, 0},
     .weights = {8, 1, 4, 4, 0},
     .gram = {8, 1, 1, 2, 0},
     .local = 64,
     .tree = 8,
     .each = 512,
     .chunk = 64,
     .groups = 1},
    /* Tiles of 64 x 64 in shared memory, 16 results an invocation: what fits every GPU's registers and 16 KiB. */
    {.class = "gpu",
     .forward = {16, 16, 4, 4, 16},
     .data = {16, 16, 4, 4, 16},
     .weights = {16, 16, 4, 4, 16},
     .gram = {16, 16, 4, 4, 16},
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
        if (g_str_equal(asked, table[i].class) && (lanes || !table[i].subgroup))
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
    return !asked || dpcxr_vulkan_take_tiles(context, asked, tuning, error);
}

int dpcxr_vulkan_tile_rows(const VulkanTuning *tuning, const VulkanTile *tile)
{
    return tile->m * (tuning->subgroup ? tile->x : tile->y);
}

int dpcxr_vulkan_tile_columns(const VulkanTile *tile)
{
    return tile->x * tile->n;
}

int dpcxr_vulkan_tile_size(const VulkanTile *tile)
{
    return tile->x * tile->y;
}
