/* SPDX-License-Identifier: MIT
 * Tiles from outside of the table: read, checked against the device, and those that are worth a measurement. */
#include "backend/vulkan/tuning.h"
#include "backend/vulkan/vulkan.h"

enum { MOST_RESULTS = 16, LEAST_DEPTH = 16, MOST_DEPTH = 64 };

static gboolean fits_subgroup(const VulkanContext *context, const VulkanTile *tile)
{
    return tile->x == (int)context->subgroup && tile->y == 1 && tile->k == 0;
}

static gboolean fits_shared(const VulkanContext *context, const VulkanTile *tile)
{
    const VkPhysicalDeviceLimits *limits = &context->properties.limits;
    gint64 rows = dpcxr_vulkan_tile_rows(tile), columns = dpcxr_vulkan_tile_columns(tile);
    gint64 size = dpcxr_vulkan_tile_size(tile);
    return (size & (size - 1)) == 0 && size <= limits->maxComputeWorkGroupInvocations &&
           size <= limits->maxComputeWorkGroupSize[0] && tile->k >= LEAST_DEPTH && tile->k <= MOST_DEPTH &&
           (rows + columns) * tile->k * 4 + rows * 12 <= limits->maxComputeSharedMemorySize;
}

static gboolean fits_matrix(const VulkanContext *context, const VulkanTile *tile)
{
    const VkPhysicalDeviceLimits *limits = &context->properties.limits;
    gint64 rows = dpcxr_vulkan_tile_rows(tile), columns = dpcxr_vulkan_tile_columns(tile);
    gint64 size = dpcxr_vulkan_tile_size(tile);
    return context->matrices && tile->x == (int)context->subgroup &&
           size <= limits->maxComputeWorkGroupInvocations && size <= limits->maxComputeWorkGroupSize[0] &&
           tile->k % LEAST_DEPTH == 0 && tile->k >= LEAST_DEPTH && tile->k <= MOST_DEPTH &&
           (rows + columns) * tile->k * 2 + rows * 12 + tile->y * 1024 <= limits->maxComputeSharedMemorySize;
}

static char *describe_subgroup(const VulkanContext *context)
{
    return g_strdup_printf("x has to be its %u lanes, y 1, m and n 1 to %d, k 0", context->subgroup,
                           MOST_RESULTS);
}

static char *describe_shared(const VulkanContext *context)
{
    const VkPhysicalDeviceLimits *limits = &context->properties.limits;
    return g_strdup_printf(
        "x * y has to be a power of two up to %u, m and n 1 to %d, k %d to %d, and (rows + "
        "columns) * k * 4 + rows * 12 at most its %u bytes of shared memory, with y * m "
        "rows and x * n columns",
        MIN(limits->maxComputeWorkGroupInvocations, limits->maxComputeWorkGroupSize[0]), MOST_RESULTS,
        LEAST_DEPTH, MOST_DEPTH, limits->maxComputeSharedMemorySize);
}

static char *describe_matrix(const VulkanContext *context)
{
    const VkPhysicalDeviceLimits *limits = &context->properties.limits;
    return g_strdup_printf("x has to be its %u lanes, x * y at most %u, m and n 1 to %d, k a multiple of %d "
                           "up to %d, and (rows + columns) * k * 2 + rows * 12 + y * 1024 at most its %u "
                           "bytes of shared memory, with 16 * y * m rows and 16 * n columns",
                           context->subgroup, limits->maxComputeWorkGroupInvocations, MOST_RESULTS,
                           LEAST_DEPTH, MOST_DEPTH, limits->maxComputeSharedMemorySize);
}

gboolean dpcxr_vulkan_check_tile(const VulkanContext *context, const VulkanTile *tile, GError **error)
{
    const int most = 1024; /* keeps products in range */
    gboolean (*fits)(const VulkanContext *, const VulkanTile *) = fits_shared;
    char *(*describe)(const VulkanContext *) = describe_shared;
    if (tile->way & VULKAN_SUBGROUP)
        fits = fits_subgroup, describe = describe_subgroup;
    else if (tile->way & VULKAN_MATRIX)
        fits = fits_matrix, describe = describe_matrix;
    if (tile->x >= 1 && tile->x <= most && tile->y >= 1 && tile->y <= most && tile->m >= 1 &&
        tile->m <= MOST_RESULTS && tile->n >= 1 && tile->n <= MOST_RESULTS && fits(context, tile))
        return TRUE;
    g_autofree char *needs = describe(context);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s takes no tile %d,%d,%d,%d,%d: %s",
                context->properties.deviceName, tile->x, tile->y, tile->m, tile->n, tile->k, needs);
    return FALSE;
}

/* --- Reading --- */

static gboolean read_tile(const char *text, VulkanTile *tile)
{
    int *const numbers[] = {&tile->x, &tile->y, &tile->m, &tile->n, &tile->k};
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    if (g_strv_length(parts) != G_N_ELEMENTS(numbers))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        guint64 number;
        if (!g_ascii_string_to_unsigned(parts[i], 10, 0, 1024, &number, NULL))
            return FALSE;
        *numbers[i] = (int)number;
    }
    return TRUE;
}

/* The tile called @name; NULL: there is none. */
static VulkanTile *tile_named(VulkanTuning *tuning, const char *name)
{
    const char *const names[] = {"forward", "data", "weights", "gram", "matrix"};
    VulkanTile *const tiles[] = {&tuning->forward, &tuning->data, &tuning->weights, &tuning->gram,
                                 &tuning->matrix};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(names[i], name))
            return tiles[i]->x ? tiles[i] : NULL;
    return NULL;
}

static gboolean take_tile(const VulkanContext *context, const char *entry, guint *taken, VulkanTuning *tuning,
                          GError **error)
{
    g_auto(GStrv) sides = g_strsplit(entry, "=", 2);
    VulkanTile *to = sides[0] && sides[1] ? tile_named(tuning, sides[0]) : NULL;
    guint bit = to ? 1u << (to - &tuning->forward) : 0;
    VulkanTile tile = {.way = to ? to->way : 0};
    if (!to || (*taken & bit) || !read_tile(sides[1], &tile)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "DPCXR_VULKAN_TILES: \"%s\" is no tile: forward=X,Y,M,N,K, likewise data, weights, gram, "
                    "and matrix where the device has these, each once, with a \";\" between them",
                    entry);
        return FALSE;
    }
    *taken |= bit;
    if (dpcxr_vulkan_check_tile(context, &tile, error)) {
        *to = tile;
        return TRUE;
    }
    g_prefix_error(error, "DPCXR_VULKAN_TILES: %s: ", sides[0]);
    return FALSE;
}

gboolean dpcxr_vulkan_take_tiles(const VulkanContext *context, const char *text, VulkanTuning *tuning,
                                 GError **error)
{
    g_auto(GStrv) entries = g_strsplit(text, ";", -1);
    guint taken = 0;
    for (char **entry = entries; *entry; entry++)
        if (!take_tile(context, *entry, &taken, tuning, error))
            return FALSE;
    return TRUE;
}

/* --- Candidates --- */

static void add_candidate(const VulkanContext *context, VulkanTile tile, GPtrArray *all)
{
    g_autofree char *text = g_strdup_printf("%d,%d,%d,%d,%d", tile.x, tile.y, tile.m, tile.n, tile.k);
    if (!g_ptr_array_find_with_equal_func(all, text, g_str_equal, NULL) &&
        dpcxr_vulkan_check_tile(context, &tile, NULL))
        g_ptr_array_add(all, g_steal_pointer(&text));
}

static void add_subgroup(const VulkanContext *context, GPtrArray *all)
{
    for (int m = 1; m <= 4; m *= 2)
        for (int n = 1; n <= 8; n *= 2)
            if (m * n <= 8) /* what a vector unit's registers and first-level cache hold */
                add_candidate(context, (VulkanTile){VULKAN_SUBGROUP, (int)context->subgroup, 1, m, n, 0},
                              all);
}

static void add_shared(const VulkanContext *context, GPtrArray *all)
{
    static const VulkanTile tiles[] = {{0, 8, 8, 4, 4, 16},   {0, 8, 8, 8, 8, 16},   {0, 16, 8, 4, 4, 16},
                                       {0, 16, 8, 8, 4, 16},  {0, 16, 8, 8, 8, 16},  {0, 16, 16, 2, 2, 16},
                                       {0, 16, 16, 4, 4, 16}, {0, 16, 16, 4, 4, 32}, {0, 16, 16, 8, 4, 16},
                                       {0, 16, 16, 8, 8, 16}, {0, 32, 8, 4, 4, 16},  {0, 32, 8, 8, 4, 16}};
    for (guint i = 0; i < G_N_ELEMENTS(tiles); i++)
        add_candidate(context, tiles[i], all);
}

char **dpcxr_vulkan_tile_candidates(const char *device, GError **error)
{
    VulkanContext *context = dpcxr_vulkan_context_new(device, error);
    VulkanTuning tuning;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    gboolean good = context && dpcxr_vulkan_tuning(context, NULL, &tuning, error);
    if (good) {
        const VulkanTile *const own[] = {&tuning.forward, &tuning.data, &tuning.weights, &tuning.gram};
        for (guint i = 0; i < G_N_ELEMENTS(own); i++)
            add_candidate(context, *own[i], all);
        (tuning.forward.way & VULKAN_SUBGROUP ? add_subgroup : add_shared)(context, all);
    }
    dpcxr_vulkan_context_free(context);
    g_ptr_array_add(all, NULL);
    return good ? (char **)g_ptr_array_free(g_steal_pointer(&all), FALSE) : NULL;
}
