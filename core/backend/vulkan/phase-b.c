/* SPDX-License-Identifier: MIT
 * Phase B: the sum over units of coefficient * gradient. It is not waited for: the next images are sent, or the noise is made,
 * while it runs. */
#include "backend/vulkan/internal.h"
#include <float.h>

static gboolean record_slot_sum(VulkanProgram *program, VulkanRecording *recording, int i, DpcxrBank bank,
                                VulkanBinding slots, gboolean fold, GError **error)
{
    const VulkanGradient *gradient = &program->plan.gradients[i];
    const gint32 constants[] = {(gint32)gradient->size, fold != FALSE};
    VulkanOperation operation = {.kernel = dpcxr_vulkan_kernel(program, SHADER_SLOT_SUM, 2, constants),
                                 .bindings = {dpcxr_vulkan_whole(program->pass->lists), slots,
                                              dpcxr_vulkan_whole(program->coefficients),
                                              dpcxr_vulkan_bank(program, bank, i)},
                                 .push = {.group = program->base.options.group_of[i]},
                                 .of = VULKAN_ONCE,
                                 .items = (gint64)gradient->size,
                                 .group = program->plan.tuning->local};
    return dpcxr_vulkan_record_operation(program, recording, &operation, error);
}

static gboolean record_phase_b(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    DpcxrBank bank = (DpcxrBank)which;
    dpcxr_vulkan_record_copy(recording, program->coefficients_host, program->coefficients);
    for (int i = 0; i < program->base.n_parameters; i++) {
        const VulkanGradient *gradient = &program->plan.gradients[i];
        gboolean good =
            gradient->method == VULKAN_GRAM
                ? dpcxr_vulkan_record_weight_sum(program, recording, gradient->step, bank, error)
                : record_slot_sum(program, recording, i, bank, dpcxr_vulkan_slots(program, i), FALSE, error);
        if (!good) {
            dpcxr_vulkan_blame(program, gradient->step, error);
            return FALSE;
        }
    }
    return TRUE;
}

/* Coefficients that an earlier one may still be reading are left alone. @scale: what the gradients that they are for have been
 * multiplied with, a power of two; what a division by it would round becomes 0. */
static gboolean submit(VulkanProgram *program, VulkanRecording *recording, const float *coefficients, gsize n,
                       float scale, GError **error)
{
    if (program->coefficients_used > program->queue.waited && !dpcxr_vulkan_wait(&program->queue, error))
        return FALSE;
    float *to = program->coefficients_host.mapped;
    for (gsize i = 0; i < n; i++)
        to[i] = scale == 1 || coefficients[i] >= FLT_MIN * scale ? coefficients[i] / scale : 0;
    if (!dpcxr_vulkan_submit(&program->queue, &recording, 1, error))
        return FALSE;
    program->coefficients_used = program->queue.submitted;
    return TRUE;
}

gboolean dpcxr_vulkan_phase_b(DpcxrProgram *base, DpcxrBank bank, const float *coefficients, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    VulkanRecording **recording = &program->phase_b[bank];
    if (!dpcxr_vulkan_need_bank(program, bank, error) ||
        !dpcxr_vulkan_need(program, recording, "phase B", record_phase_b, (int)bank, error))
        return FALSE;
    dpcxr_vulkan_recording_fit(*recording, program->host.lists.mapped);
    return submit(program, *recording, coefficients, (gsize)base->options.n_groups * (gsize)base->units,
                  dpcxr_vulkan_loss_scale(program), error);
}

static gboolean record_fold(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    dpcxr_vulkan_record_copy(recording, program->coefficients_host, program->coefficients);
    for (int i = 0; i < program->base.n_parameters; i++)
        if (!record_slot_sum(program, recording, i, DPCXR_BANK_SUM,
                             dpcxr_vulkan_bank(program, DPCXR_BANK_UNIT, i), TRUE, error))
            return FALSE;
    return TRUE;
}

gboolean dpcxr_vulkan_fold(DpcxrProgram *base, const float *coefficients, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    if (!dpcxr_vulkan_need_bank(program, DPCXR_BANK_UNIT, error) ||
        !dpcxr_vulkan_need(program, &program->fold, "fold", record_fold, 0, error))
        return FALSE;
    return submit(program, program->fold, coefficients, (gsize)base->options.n_groups, 1, error);
}

static gboolean record_bank_norms(VulkanProgram *program, VulkanRecording *recording, int which,
                                  GError **error)
{
    DpcxrBank bank = (DpcxrBank)which;
    for (int i = 0; i < program->base.n_parameters; i++)
        if (!dpcxr_vulkan_record_squares(program, recording, dpcxr_vulkan_bank(program, bank, i), i,
                                         program->results.chunks, program->plan.gradients[i].chunks_at,
                                         error))
            return FALSE;
    dpcxr_vulkan_record_copy(recording, program->results.chunks, program->read.chunks);
    return TRUE;
}

gboolean dpcxr_vulkan_bank_norms(DpcxrProgram *base, DpcxrBank bank, double *norms2, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    VulkanRecording **recording = &program->bank_norms[bank];
    if (!dpcxr_vulkan_need_bank(program, bank, error) ||
        !dpcxr_vulkan_need(program, recording, "norms of a bank", record_bank_norms, (int)bank, error) ||
        !dpcxr_vulkan_run(program, *recording, error))
        return FALSE;
    for (int i = 0; i < base->n_parameters; i++) {
        const VulkanGradient *gradient = &program->plan.gradients[i];
        norms2[i] = dpcxr_vulkan_norm2_bound(&program->plan,
                                             (float *)program->read.chunks.mapped + gradient->chunks_at,
                                             gradient->chunks, gradient->size, (4 + VULKAN_LATER) * 0x1p-23);
    }
    return TRUE;
}
