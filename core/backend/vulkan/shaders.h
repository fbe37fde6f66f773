/* SPDX-License-Identifier: MIT
 * The shaders of this build: one row of a table each, which shaders/meson.build makes. */
#pragma once
#include <glib.h>

typedef enum {
    SHADER_ACTIVATION_BACKWARD,
    SHADER_ACTIVATION_FORWARD,
    SHADER_ADD_FORWARD,
    SHADER_AVERAGE_POOL_BACKWARD,
    SHADER_AVERAGE_POOL_FORWARD,
    SHADER_CONV2D_BACKWARD_DATA,
    SHADER_CONV2D_BIAS,
    SHADER_CONV2D_FORWARD,
    SHADER_CONV2D_GRAM,
    SHADER_CONV2D_LENGTHS,
    SHADER_CONV2D_WEIGHT_SUM,
    SHADER_CONV2D_WEIGHT_UNIT,
    SHADER_FINITE,
    SHADER_GRID_SETTLE,
    SHADER_GRID_SQUARES,
    SHADER_GRID_SUM,
    SHADER_GROUP_NORM_BACKWARD_DATA,
    SHADER_GROUP_NORM_BACKWARD_MEANS,
    SHADER_GROUP_NORM_BACKWARD_PARTS,
    SHADER_GROUP_NORM_BACKWARD_SUMS,
    SHADER_GROUP_NORM_FORWARD,
    SHADER_GROUP_NORM_MOMENTS,
    SHADER_GROUP_NORM_PARTS,
    SHADER_LOSS,
    SHADER_MAX_POOL2D_BACKWARD,
    SHADER_MAX_POOL2D_FORWARD,
    SHADER_NARROW,
    SHADER_PART_SUMS,
    SHADER_PROBE_ARITHMETIC,
    SHADER_SLOT_SUM,
    SHADER_SQUARES,
    SHADER_UNIT_SUMS,
    SHADER_UPDATE,
    SHADER_WIDEN,
    N_SHADERS
} VulkanShader;

/* How a shader is compiled; flags. */
typedef enum {
    VULKAN_SUBGROUP = 1, /* gemm.glsl: values go from lane to lane */
    VULKAN_HALF = 2,     /* feature maps and their gradients are stored in f16 */
    VULKAN_MATRIX = 4,   /* gemm.glsl, with HALF: cooperative matrices */
    VULKAN_N_WAYS = 8
} VulkanWay;

typedef struct {
    const char *name;   /* of the file in shaders/ */
    const char *access; /* of binding 0, 1, ..: r reads, w writes, b both */
    struct {
        const guint32 *words; /* SPIR-V; NULL: not in this way */
        gsize bytes;
    } ways[VULKAN_N_WAYS];
} VulkanShaderInfo;

const VulkanShaderInfo *dpcxr_vulkan_shader(VulkanShader shader);
