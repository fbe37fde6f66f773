/* SPDX-License-Identifier: MIT
 * Banks between the host's layout, PyTorch's, and the device's: weights as [taps, in, out]. */
#include "backend/vulkan/internal.h"
#include <string.h>

gboolean dpcxr_vulkan_need_bank(VulkanProgram *program, DpcxrBank bank, GError **error)
{
    if (program->banks[bank].bytes)
        return TRUE;
    if (!dpcxr_vulkan_allocate(&program->memory, VULKAN_DEVICE, program->plan.bank * sizeof(float),
                               "parameters", &program->banks[bank], error))
        return FALSE;
    return dpcxr_vulkan_zero(&program->base, bank, error);
}

static gboolean record_zero(VulkanProgram *program, VulkanRecording *recording, int bank, GError **error)
{
    dpcxr_vulkan_record_zero(recording, program->banks[bank]);
    if (bank == DPCXR_BANK_SUM && program->base.options.grid)
        dpcxr_vulkan_record_zero(recording, program->integers);
    return TRUE;
}

gboolean dpcxr_vulkan_zero(DpcxrProgram *base, DpcxrBank bank, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    if (!program->banks[bank].bytes) /* is zero when it comes */
        return dpcxr_vulkan_need_bank(program, bank, error);
    return dpcxr_vulkan_need(program, &program->zero[bank], "zero", record_zero, (int)bank, error) &&
           dpcxr_vulkan_submit(&program->queue, &program->zero[bank], 1, error);
}

gboolean dpcxr_vulkan_run(VulkanProgram *program, VulkanRecording *recording, GError **error)
{
    return dpcxr_vulkan_submit(&program->queue, &recording, 1, error) &&
           dpcxr_vulkan_wait(&program->queue, error);
}

/* Copies between the device and the host's end of the transfer, and waits. */
static gboolean transfer(VulkanProgram *program, VulkanSpan from, VulkanSpan to, GError **error)
{
    VulkanRecording *recording = dpcxr_vulkan_record(&program->queue, "transfer", error);
    if (!recording)
        return FALSE;
    dpcxr_vulkan_record_copy(recording, from, to);
    gboolean good = dpcxr_vulkan_record_end(recording, error) && dpcxr_vulkan_run(program, recording, error);
    if (!good) /* it may still be running */
        program->context->vk.vkDeviceWaitIdle(program->context->device);
    dpcxr_vulkan_recording_free(recording);
    return good;
}

/* Where PyTorch has an element of [taps, in, out]. */
static inline gsize pytorch_place(const VulkanGradient *g, gsize tap, gsize in, gsize out)
{
    return (out * (gsize)g->in + in) * (gsize)g->taps + tap;
}

static void to_device(const VulkanGradient *g, const float *values, float *device)
{
    for (gsize tap = 0; tap < (gsize)g->taps; tap++)
        for (gsize in = 0; in < (gsize)g->in; in++)
            for (gsize out = 0; out < (gsize)g->out; out++)
                *device++ = values[pytorch_place(g, tap, in, out)];
}

static void to_host(const VulkanGradient *g, const float *device, float *values)
{
    for (gsize tap = 0; tap < (gsize)g->taps; tap++)
        for (gsize in = 0; in < (gsize)g->in; in++)
            for (gsize out = 0; out < (gsize)g->out; out++)
                values[pytorch_place(g, tap, in, out)] = *device++;
}

gboolean dpcxr_vulkan_write(DpcxrProgram *base, DpcxrBank bank, int i, const float *values, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    const VulkanGradient *gradient = &program->plan.gradients[i];
    if (!dpcxr_vulkan_need_bank(program, bank, error))
        return FALSE;
    VulkanSpan host = dpcxr_vulkan_part(program->transfer, 0, gradient->size * sizeof(float));
    to_device(gradient, values, host.mapped);
    return transfer(program, host, dpcxr_vulkan_bank(program, bank, i).span, error);
}

gboolean dpcxr_vulkan_read(DpcxrProgram *base, DpcxrBank bank, int i, float *values, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    const VulkanGradient *gradient = &program->plan.gradients[i];
    if (!dpcxr_vulkan_need_bank(program, bank, error))
        return FALSE;
    VulkanSpan host = dpcxr_vulkan_part(program->transfer, 0, gradient->size * sizeof(float));
    if (!transfer(program, dpcxr_vulkan_bank(program, bank, i).span, host, error))
        return FALSE;
    to_host(gradient, host.mapped, values);
    return TRUE;
}
