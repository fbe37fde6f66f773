/* SPDX-License-Identifier: MIT
 * The words of every shader, as glslc has written them, and the table of them. */
#include "backend/vulkan/shaders.h"

static const guint32 spirv_activation_backward[] =
#include "activation-backward.inc"
    ;
static const guint32 spirv_activation_forward[] =
#include "activation-forward.inc"
    ;
static const guint32 spirv_add_forward[] =
#include "add-forward.inc"
    ;
static const guint32 spirv_average_pool_backward[] =
#include "average-pool-backward.inc"
    ;
static const guint32 spirv_average_pool_forward[] =
#include "average-pool-forward.inc"
    ;
static const guint32 spirv_conv2d_backward_data[] =
#include "conv2d-backward-data.inc"
    ;
static const guint32 spirv_conv2d_backward_data_subgroup[] =
#include "conv2d-backward-data-subgroup.inc"
    ;
static const guint32 spirv_conv2d_bias[] =
#include "conv2d-bias.inc"
    ;
static const guint32 spirv_conv2d_forward[] =
#include "conv2d-forward.inc"
    ;
static const guint32 spirv_conv2d_forward_subgroup[] =
#include "conv2d-forward-subgroup.inc"
    ;
static const guint32 spirv_conv2d_gram[] =
#include "conv2d-gram.inc"
    ;
static const guint32 spirv_conv2d_gram_subgroup[] =
#include "conv2d-gram-subgroup.inc"
    ;
static const guint32 spirv_conv2d_lengths[] =
#include "conv2d-lengths.inc"
    ;
static const guint32 spirv_conv2d_weight_sum[] =
#include "conv2d-weight-sum.inc"
    ;
static const guint32 spirv_conv2d_weight_sum_subgroup[] =
#include "conv2d-weight-sum-subgroup.inc"
    ;
static const guint32 spirv_conv2d_weight_unit[] =
#include "conv2d-weight-unit.inc"
    ;
static const guint32 spirv_conv2d_weight_unit_subgroup[] =
#include "conv2d-weight-unit-subgroup.inc"
    ;
static const guint32 spirv_finite[] =
#include "finite.inc"
    ;
static const guint32 spirv_grid_settle[] =
#include "grid-settle.inc"
    ;
static const guint32 spirv_grid_squares[] =
#include "grid-squares.inc"
    ;
static const guint32 spirv_grid_sum[] =
#include "grid-sum.inc"
    ;
static const guint32 spirv_group_norm_backward_data[] =
#include "group-norm-backward-data.inc"
    ;
static const guint32 spirv_group_norm_backward_means[] =
#include "group-norm-backward-means.inc"
    ;
static const guint32 spirv_group_norm_backward_parts[] =
#include "group-norm-backward-parts.inc"
    ;
static const guint32 spirv_group_norm_backward_sums[] =
#include "group-norm-backward-sums.inc"
    ;
static const guint32 spirv_group_norm_forward[] =
#include "group-norm-forward.inc"
    ;
static const guint32 spirv_group_norm_moments[] =
#include "group-norm-moments.inc"
    ;
static const guint32 spirv_group_norm_parts[] =
#include "group-norm-parts.inc"
    ;
static const guint32 spirv_loss[] =
#include "loss.inc"
    ;
static const guint32 spirv_max_pool2d_backward[] =
#include "max-pool2d-backward.inc"
    ;
static const guint32 spirv_max_pool2d_forward[] =
#include "max-pool2d-forward.inc"
    ;
static const guint32 spirv_part_sums[] =
#include "part-sums.inc"
    ;
static const guint32 spirv_probe_arithmetic[] =
#include "probe-arithmetic.inc"
    ;
static const guint32 spirv_slot_sum[] =
#include "slot-sum.inc"
    ;
static const guint32 spirv_squares[] =
#include "squares.inc"
    ;
static const guint32 spirv_unit_sums[] =
#include "unit-sums.inc"
    ;
static const guint32 spirv_update[] =
#include "update.inc"
    ;

#define ROW(words) words, NULL, sizeof words, 0
#define ROW_OF_TWO(words) words, words##_subgroup, sizeof words, sizeof words##_subgroup

static const VulkanShaderInfo shaders[N_SHADERS] = {
    [SHADER_ACTIVATION_BACKWARD] = {"activation-backward", "rrrb", ROW(spirv_activation_backward)},
    [SHADER_ACTIVATION_FORWARD] = {"activation-forward", "rrw", ROW(spirv_activation_forward)},
    [SHADER_ADD_FORWARD] = {"add-forward", "rrrw", ROW(spirv_add_forward)},
    [SHADER_AVERAGE_POOL_BACKWARD] = {"average-pool-backward", "rrb", ROW(spirv_average_pool_backward)},
    [SHADER_AVERAGE_POOL_FORWARD] = {"average-pool-forward", "rrw", ROW(spirv_average_pool_forward)},
    [SHADER_CONV2D_BACKWARD_DATA] = {"conv2d-backward-data", "rrrb", ROW_OF_TWO(spirv_conv2d_backward_data)},
    [SHADER_CONV2D_BIAS] = {"conv2d-bias", "rrw", ROW(spirv_conv2d_bias)},
    [SHADER_CONV2D_FORWARD] = {"conv2d-forward", "rrrrw", ROW_OF_TWO(spirv_conv2d_forward)},
    [SHADER_CONV2D_GRAM] = {"conv2d-gram", "rrrw", ROW_OF_TWO(spirv_conv2d_gram)},
    [SHADER_CONV2D_LENGTHS] = {"conv2d-lengths", "rrrw", ROW(spirv_conv2d_lengths)},
    [SHADER_CONV2D_WEIGHT_SUM] = {"conv2d-weight-sum", "rrrrb", ROW_OF_TWO(spirv_conv2d_weight_sum)},
    [SHADER_CONV2D_WEIGHT_UNIT] = {"conv2d-weight-unit", "rrrb", ROW_OF_TWO(spirv_conv2d_weight_unit)},
    [SHADER_FINITE] = {"finite", "rrrb", ROW(spirv_finite)},
    [SHADER_GRID_SETTLE] = {"grid-settle", "rrw", ROW(spirv_grid_settle)},
    [SHADER_GRID_SQUARES] = {"grid-squares", "rrrw", ROW(spirv_grid_squares)},
    [SHADER_GRID_SUM] = {"grid-sum", "rrrb", ROW(spirv_grid_sum)},
    [SHADER_GROUP_NORM_BACKWARD_DATA] = {"group-norm-backward-data", "rrrrrrb",
                                         ROW(spirv_group_norm_backward_data)},
    [SHADER_GROUP_NORM_BACKWARD_MEANS] = {"group-norm-backward-means", "rrrrw",
                                          ROW(spirv_group_norm_backward_means)},
    [SHADER_GROUP_NORM_BACKWARD_PARTS] = {"group-norm-backward-parts", "rrrrrrbbw",
                                          ROW(spirv_group_norm_backward_parts)},
    [SHADER_GROUP_NORM_BACKWARD_SUMS] = {"group-norm-backward-sums", "rrww",
                                         ROW(spirv_group_norm_backward_sums)},
    [SHADER_GROUP_NORM_FORWARD] = {"group-norm-forward", "rrrrrrw", ROW(spirv_group_norm_forward)},
    [SHADER_GROUP_NORM_MOMENTS] = {"group-norm-moments", "rrw", ROW(spirv_group_norm_moments)},
    [SHADER_GROUP_NORM_PARTS] = {"group-norm-parts", "rrw", ROW(spirv_group_norm_parts)},
    [SHADER_LOSS] = {"loss", "rrrrrrww", ROW(spirv_loss)},
    [SHADER_MAX_POOL2D_BACKWARD] = {"max-pool2d-backward", "rrrb", ROW(spirv_max_pool2d_backward)},
    [SHADER_MAX_POOL2D_FORWARD] = {"max-pool2d-forward", "rrww", ROW(spirv_max_pool2d_forward)},
    [SHADER_PART_SUMS] = {"part-sums", "rrw", ROW(spirv_part_sums)},
    [SHADER_PROBE_ARITHMETIC] = {"probe-arithmetic", "w", ROW(spirv_probe_arithmetic)},
    [SHADER_SLOT_SUM] = {"slot-sum", "rrrb", ROW(spirv_slot_sum)},
    [SHADER_SQUARES] = {"squares", "rrw", ROW(spirv_squares)},
    [SHADER_UNIT_SUMS] = {"unit-sums", "rrb", ROW(spirv_unit_sums)},
    [SHADER_UPDATE] = {"update", "rrrrbbbb", ROW(spirv_update)},
};

const VulkanShaderInfo *dpcxr_vulkan_shader(VulkanShader shader)
{
    return &shaders[shader];
}
