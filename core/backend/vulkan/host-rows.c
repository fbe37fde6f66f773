/* SPDX-License-Identifier: MIT
 * Arrays of rows on their way from and to the host, where they are f32; on the device they may be f16, and then a shader stands
 * between. And the scale that gradients in f16 have. */
#include "backend/vulkan/internal.h"

VulkanBinding dpcxr_vulkan_wide(const VulkanProgram *program, VulkanSpan span, int layer)
{
    DpcxrShape shape = dpcxr_graph_layer(program->base.graph, layer)->shape;
    gsize row = dpcxr_shape_size(shape) * sizeof(float);
    return (VulkanBinding){.span = dpcxr_vulkan_part(span, 0, row * (gsize)program->base.options.max_rows),
                           .row = row};
}

gboolean dpcxr_vulkan_record_convert(VulkanProgram *program, VulkanRecording *recording, VulkanShader shader,
                                     int layer, VulkanBinding from, VulkanBinding to, GError **error)
{
    const gint32 size = (gint32)dpcxr_shape_size(dpcxr_graph_layer(program->base.graph, layer)->shape);
    VulkanOperation operation = {.kernel = dpcxr_vulkan_kernel(program, shader, 1, &size),
                                 .bindings = {dpcxr_vulkan_whole(program->pass->lists), from, to},
                                 .of = VULKAN_ROWS,
                                 .items = size,
                                 .group = program->plan.tuning->local};
    operation.kernel.way = VULKAN_HALF;
    return dpcxr_vulkan_record_operation(program, recording, &operation, error);
}

gboolean dpcxr_vulkan_record_from_host(VulkanProgram *program, VulkanRecording *recording, VulkanSpan host,
                                       int layer, VulkanBinding to, GError **error)
{
    VulkanBinding wide = to;
    if (program->plan.narrow[layer])
        wide = dpcxr_vulkan_wide(program, program->wide_in, layer);
    dpcxr_vulkan_record_copy(recording, dpcxr_vulkan_part(host, 0, wide.span.bytes), wide.span);
    return !program->plan.narrow[layer] ||
           dpcxr_vulkan_record_convert(program, recording, SHADER_NARROW, layer, wide, to, error);
}

gboolean dpcxr_vulkan_record_to_host(VulkanProgram *program, VulkanRecording *recording, int layer,
                                     VulkanBinding from, VulkanSpan host, GError **error)
{
    VulkanBinding wide = from;
    if (program->plan.narrow[layer]) {
        wide = dpcxr_vulkan_wide(program, program->wide_out, layer);
        if (!dpcxr_vulkan_record_convert(program, recording, SHADER_WIDEN, layer, from, wide, error))
            return FALSE;
    }
    dpcxr_vulkan_record_copy(recording, wide.span, dpcxr_vulkan_part(host, 0, wide.span.bytes));
    return TRUE;
}

/* Gradients of late positions are as small as 1e-6, where f16 has few bits or none (below 6e-8); those of the head are at most
 * about 1. A power of two: nothing else is rounded by it. */
float dpcxr_vulkan_loss_scale(const VulkanProgram *program)
{
    return program->base.options.precision == DPCXR_PRECISION_FP16 ? 1024 : 1;
}
