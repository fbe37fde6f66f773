/* SPDX-License-Identifier: MIT
 * The shaders of this build: one row of a table each. */
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
    SHADER_PART_SUMS,
    SHADER_PROBE_ARITHMETIC,
    SHADER_SLOT_SUM,
    SHADER_SQUARES,
    SHADER_UNIT_SUMS,
    SHADER_UPDATE,
    N_SHADERS
} VulkanShader;

typedef struct {
    const char *name;                      /* of the file in shaders/ */
    const char *access;                    /* of binding 0, 1, ..: r reads, w writes, b both */
    const guint32 *words, *subgroup_words; /* SPIR-V; subgroup_words: NULL where there is one way only */
    gsize bytes, subgroup_bytes;
} VulkanShaderInfo;

const VulkanShaderInfo *dpcxr_vulkan_shader(VulkanShader shader);
