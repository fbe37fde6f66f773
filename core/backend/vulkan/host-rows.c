/* SPDX-License-Identifier: MIT
 * Arrays of rows on their way from and to the host, where they are f32; on the device they may be f16, and then a shader stands
 * between. And the scale that gradients in f16 have. */
#include "backend/vulkan/internal.h"
#include <math.h>
#include <string.h>

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

static gboolean record_kept(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    VulkanBinding wide = dpcxr_vulkan_wide(program, program->wide_out, 0);
    dpcxr_vulkan_record_copy(recording, program->evaluated_host, program->pass->lists);
    if (!dpcxr_vulkan_record_from_host(program, recording, program->images, 0,
                                       dpcxr_vulkan_output(program, 0), error) ||
        !dpcxr_vulkan_record_convert(program, recording, SHADER_WIDEN, 0, dpcxr_vulkan_output(program, 0),
                                     wide, error))
        return FALSE;
    gsize bytes = MIN(wide.row, program->transfer.bytes);
    dpcxr_vulkan_record_copy(recording, dpcxr_vulkan_part(wide.span, 0, bytes),
                             dpcxr_vulkan_part(program->transfer, 0, bytes));
    return TRUE;
}

/* Vulkan 1.2 lets a shader say that it keeps NaN of one width only (glslang of 2022), and that is f32's. */
gboolean dpcxr_vulkan_check_narrow(VulkanProgram *program, GError **error)
{
    const float given[] = {NAN, -INFINITY, 0x1p-20f, 1.5f}; /* the third is subnormal in f16 */
    gsize n = MIN(G_N_ELEMENTS(given),
                  MIN(dpcxr_vulkan_image_bytes(program), program->transfer.bytes) / sizeof(float));
    float *to = program->images.mapped;
    struct Batch *batch = program->evaluated_host.mapped;
    VulkanRecording *recording = NULL;
    if (!program->plan.narrow[0])
        return TRUE;
    program->pass = &program->evaluation;
    memset(to, 0, dpcxr_vulkan_image_bytes(program));
    memcpy(to, given, n * sizeof(float));
    *batch = (struct Batch){.rows = 1};
    gboolean good = dpcxr_vulkan_need(program, &recording, "NaN in f16", record_kept, 0, error);
    if (good)
        dpcxr_vulkan_recording_fit(recording, batch);
    good = good && dpcxr_vulkan_run(program, recording, error);
    dpcxr_vulkan_recording_free(recording);
    program->pass = program->base.options.training ? &program->training : &program->evaluation;
    const float *got = program->transfer.mapped;
    for (gsize i = 0; good && i < n; i++)
        if (isnan(given[i]) ? !isnan(got[i]) : got[i] != given[i]) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                        "device.precision: %s loses values in 16 bits, by which spoilt images are known and "
                        "norms are bounds (%g became %g); use fp32",
                        program->context->properties.deviceName, (double)given[i], (double)got[i]);
            return FALSE;
        }
    return good;
}

/* Gradients of late positions are as small as 1e-6, where f16 has few bits or none (below 6e-8); those of the head are at most
 * about 1. A power of two: nothing else is rounded by it. */
float dpcxr_vulkan_loss_scale(const VulkanProgram *program)
{
    return program->base.options.precision == DPCXR_PRECISION_FP16 ? 1024 : 1;
}
