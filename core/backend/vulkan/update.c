/* SPDX-License-Identifier: MIT
 * The optimizer step. Noise is the host's, sent once a step; a sum that is not finite with it leaves all weights as they are. */
#include "backend/banks.h"
#include "backend/vulkan/internal.h"
#include "shared/rule.h"
#include <string.h>

static VulkanKernel of_parameter(const VulkanProgram *program, VulkanShader shader, int i)
{
    const VulkanGradient *gradient = &program->plan.gradients[i];
    const gint32 constants[] = {gradient->taps, gradient->in, gradient->out};
    return dpcxr_vulkan_kernel(program, shader, 3, constants);
}

static VulkanBinding noise_of(const VulkanProgram *program, int i)
{
    const VulkanGradient *gradient = &program->plan.gradients[i];
    return dpcxr_vulkan_whole(
        dpcxr_vulkan_part(program->noise, gradient->offset * sizeof(float), gradient->size * sizeof(float)));
}

static gboolean record_finite(VulkanProgram *program, VulkanRecording *recording, int i, GError **error)
{
    VulkanOperation operation = {.kernel = of_parameter(program, SHADER_FINITE, i),
                                 .bindings = {dpcxr_vulkan_whole(program->rule),
                                              dpcxr_vulkan_bank(program, DPCXR_BANK_SUM, i),
                                              noise_of(program, i), dpcxr_vulkan_whole(program->flags)},
                                 .push = {.at = 1 + i},
                                 .of = VULKAN_ONCE,
                                 .items = (gint64)program->plan.gradients[i].size,
                                 .group = program->plan.tuning->local};
    return dpcxr_vulkan_record_operation(program, recording, &operation, error);
}

/* A bank that this rule does without is not there; the sum stands in for it and is not touched. */
static VulkanBinding bank_or_sum(const VulkanProgram *program, DpcxrBank bank, int i)
{
    return dpcxr_vulkan_bank(program, program->banks[bank].bytes ? bank : DPCXR_BANK_SUM, i);
}

static gboolean record_rule(VulkanProgram *program, VulkanRecording *recording, int i, GError **error)
{
    VulkanOperation operation = {
        .kernel = of_parameter(program, SHADER_UPDATE, i),
        .bindings = {dpcxr_vulkan_whole(program->rule), dpcxr_vulkan_whole(program->flags),
                     dpcxr_vulkan_bank(program, DPCXR_BANK_SUM, i), noise_of(program, i),
                     dpcxr_vulkan_bank(program, DPCXR_BANK_WEIGHT, i),
                     bank_or_sum(program, DPCXR_BANK_MOMENT1, i), bank_or_sum(program, DPCXR_BANK_MOMENT2, i),
                     bank_or_sum(program, DPCXR_BANK_AVERAGE, i)},
        .of = VULKAN_ONCE,
        .items = (gint64)program->plan.gradients[i].size,
        .group = program->plan.tuning->local};
    return dpcxr_vulkan_record_operation(program, recording, &operation, error);
}

static gboolean record_update(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    if (program->noise.buffer != program->noise_host.buffer ||
        program->noise.offset != program->noise_host.offset)
        dpcxr_vulkan_record_copy(recording, program->noise_host, program->noise);
    dpcxr_vulkan_record_zero(recording, program->flags);
    for (int i = 0; i < program->base.n_parameters; i++)
        if (!record_finite(program, recording, i, error))
            return FALSE;
    for (int i = 0; i < program->base.n_parameters; i++)
        if (!record_rule(program, recording, i, error))
            return FALSE;
    dpcxr_vulkan_record_copy(recording, program->flags, program->flags_host);
    return TRUE;
}

static gboolean need_banks(VulkanProgram *program, const DpcxrUpdate *update, GError **error)
{
    gboolean second = update->rule == DPCXR_RULE_ADAPTIVE, first = second || update->momentum != 0;
    return (!first || dpcxr_vulkan_need_bank(program, DPCXR_BANK_MOMENT1, error)) &&
           (!second || dpcxr_vulkan_need_bank(program, DPCXR_BANK_MOMENT2, error)) &&
           (update->average_rate == 0 || dpcxr_vulkan_need_bank(program, DPCXR_BANK_AVERAGE, error));
}

/* Recorded again where a bank has come since. */
static gboolean need_update(VulkanProgram *program, GError **error)
{
    gboolean same = program->update != NULL;
    for (int bank = 0; bank < DPCXR_N_BANKS; bank++) {
        gboolean has = program->banks[bank].bytes != 0;
        same = same && program->update_has[bank] == has;
        program->update_has[bank] = has;
    }
    if (same)
        return TRUE;
    if (!dpcxr_vulkan_wait(&program->queue, error))
        return FALSE;
    g_clear_pointer(&program->update, dpcxr_vulkan_recording_free);
    return dpcxr_vulkan_need(program, &program->update, "update", record_update, 0, error);
}

static void write_rule(const VulkanProgram *program, const DpcxrUpdate *u)
{
    struct Rule *rule = program->rule.mapped;
    *rule = (struct Rule){.adaptive = u->rule == DPCXR_RULE_ADAPTIVE,
                          .momentum_on = u->momentum != 0,
                          .nesterov = u->nesterov != FALSE,
                          .first = u->first != FALSE,
                          .noise_on = u->noise != NULL,
                          .average_on = u->average_rate != 0,
                          .scale = (float)u->scale,
                          .weight_decay = (float)u->weight_decay,
                          .lr = (float)u->lr,
                          .momentum = (float)u->momentum,
                          .undamped = (float)(1 - u->dampening),
                          .kept = (float)(1 - u->decay),
                          .beta1 = (float)u->beta1,
                          .new1 = (float)(1 - u->beta1),
                          .beta2 = (float)u->beta2,
                          .new2 = (float)(1 - u->beta2),
                          .gradient_rate = (float)u->gradient_rate,
                          .moment_rate = (float)u->moment_rate,
                          .v_root = (float)u->v_root,
                          .eps = (float)u->eps,
                          .average_rate = (float)u->average_rate};
}

static void write_noise(const VulkanProgram *program, const DpcxrUpdate *update)
{
    float *to = program->noise_host.mapped;
    for (int i = 0; update->noise && i < program->base.n_parameters; i++) {
        const VulkanGradient *gradient = &program->plan.gradients[i];
        memcpy(to + gradient->offset, update->noise[i], gradient->size * sizeof(float));
    }
}

gboolean dpcxr_vulkan_update(DpcxrProgram *base, const DpcxrUpdate *update, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    if (!need_banks(program, update, error) || !need_update(program, error))
        return FALSE;
    write_rule(program, update); /* the last update was waited for */
    write_noise(program, update);
    if (!dpcxr_vulkan_run(program, program->update, error))
        return FALSE;
    const gint32 *flags = program->flags_host.mapped;
    for (int i = 0; i < base->n_parameters; i++)
        if (flags[1 + i]) {
            dpcxr_banks_fail_not_finite(base->graph, i, error);
            return FALSE;
        }
    return TRUE;
}
