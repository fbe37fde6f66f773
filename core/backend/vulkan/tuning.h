/* SPDX-License-Identifier: MIT
 * Tiles and work groups by class of device. `dpcxr bench ops --tune` measures what else a device could do (docs/vulkan.md). */
#pragma once
#include "backend/vulkan/context.h"
#include "backend/vulkan/shaders.h"

/* Of gemm.glsl. VULKAN_SUBGROUP: x lanes, y 1, and m in units of lanes. VULKAN_MATRIX: y subgroups of x lanes, each with m x n
 * cooperative matrices. */
typedef struct {
    guint way; /* VULKAN_SUBGROUP, VULKAN_MATRIX, or 0: shared memory */
    int x, y, m, n, k;
} VulkanTile;

typedef struct {
    const char *class; /* of devices */
    VulkanTile forward, data, weights, gram;
    VulkanTile matrix; /* forward, data and weights of fp16, where context->matrices; x 0 in a row without */
    int local;         /* invocations of a work group, element by element */
    int tree;          /* of a work group that sums squares: a power of two */
    int each;          /* elements that an invocation of those sums */
    int chunk;         /* positions of a part of a norm's sums */
    int groups;        /* work groups that a gradient of weights should have for each unit, at least */
    int rounds; /* of all loops of an invocation that the device surely does; 0: no limit. Of the device, not of the row */
} VulkanTuning;

/* *@tuning <- the row of the table for @context; DPCXR_VULKAN_TUNING=CLASS asks for another (tests run both ways on any device).
 * Tiles of @tiles, or, where that is NULL, of DPCXR_VULKAN_TILES, take the row's place: see dpcxr_vulkan_take_tiles. */
gboolean dpcxr_vulkan_tuning(const VulkanContext *context, const char *tiles, VulkanTuning *tuning,
                             GError **error);

/* Puts what @text names into *@tuning: "forward=X,Y,M,N,K;data=..;weights=..;gram=..;matrix=.." in any order, none twice, any left out.
 * DPCXR_ERROR_USAGE: something else, or a tile that the shaders or the device cannot do (dpcxr_vulkan_check_tile). */
gboolean dpcxr_vulkan_take_tiles(const VulkanContext *context, const char *text, VulkanTuning *tuning,
                                 GError **error);
/* Of the way that @tile goes. Sums of norms are made of parts of k terms, and their bounds hold for 16 to 64. */
gboolean dpcxr_vulkan_check_tile(const VulkanContext *context, const VulkanTile *tile, GError **error);

/* Rows and columns of a tile; invocations of its work group. */
int dpcxr_vulkan_tile_rows(const VulkanTile *tile);
int dpcxr_vulkan_tile_columns(const VulkanTile *tile);
int dpcxr_vulkan_tile_size(const VulkanTile *tile);
