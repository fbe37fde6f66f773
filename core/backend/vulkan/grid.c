/* SPDX-License-Identifier: MIT
 * Phase B on a grid: units as integers, in f64 and 64-bit integers on the device, with the same bits as core/backend/ref. First
 * every unit's integers are measured; then those of the units that stay within the limit are added. */
#include "backend/grid.h"
#include "backend/vulkan/internal.h"
#include <math.h>
#include <string.h>

static VulkanOperation of_slots(VulkanProgram *program, VulkanShader shader, int i, VulkanSpan to)
{
    return (VulkanOperation){.kernel = {.shader = shader},
                             .bindings = {dpcxr_vulkan_whole(program->pass->lists),
                                          dpcxr_vulkan_slots(program, i),
                                          dpcxr_vulkan_whole(program->coefficients), dpcxr_vulkan_whole(to)},
                             .push = {.group = program->base.options.group_of[i]}};
}

static gboolean record_measure(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    const VulkanTuning *tuning = program->plan.tuning;
    dpcxr_vulkan_record_copy(recording, program->coefficients_host, program->coefficients);
    for (int i = 0; i < program->base.n_parameters; i++) {
        const VulkanGradient *gradient = &program->plan.gradients[i];
        VulkanOperation operation = of_slots(program, SHADER_GRID_SQUARES, i, program->grid_squares);
        operation.kernel.n_constants = 3;
        operation.kernel.constants[0] = tuning->tree;
        operation.kernel.constants[1] = (gint32)gradient->size;
        operation.kernel.constants[2] = tuning->each;
        operation.push.at = (int)gradient->squares_at;
        operation.of = VULKAN_UNITS;
        operation.items = gradient->chunks;
        operation.group = 1;
        if (!dpcxr_vulkan_record_operation(program, recording, &operation, error))
            return FALSE;
    }
    dpcxr_vulkan_record_copy(recording, program->grid_squares, program->grid_squares_host);
    return TRUE;
}

static gboolean record_add(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    dpcxr_vulkan_record_copy(recording, program->coefficients_host, program->coefficients);
    for (int i = 0; i < program->base.n_parameters; i++) {
        const VulkanGradient *gradient = &program->plan.gradients[i];
        VulkanSpan integers = dpcxr_vulkan_part(program->integers, gradient->offset * sizeof(gint64),
                                                gradient->size * sizeof(gint64));
        const gint32 size = (gint32)gradient->size;
        VulkanOperation operation = of_slots(program, SHADER_GRID_SUM, i, integers);
        operation.kernel = dpcxr_vulkan_kernel(program, SHADER_GRID_SUM, 1, &size);
        operation.of = VULKAN_ONCE;
        operation.items = (gint64)gradient->size;
        operation.group = program->plan.tuning->local;
        if (!dpcxr_vulkan_record_operation(program, recording, &operation, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean need_recordings(VulkanProgram *program, GError **error)
{
    return dpcxr_vulkan_need(program, &program->grid_measure, "measure", record_measure, 0, error) &&
           dpcxr_vulkan_need(program, &program->grid_add, "add", record_add, 0, error);
}

static gboolean is_dropped(const VulkanProgram *program, int unit, double limit)
{
    const double *squares = program->grid_squares_host.mapped;
    double sum = 0;
    gsize terms = 0;
    for (int i = 0; i < program->base.n_parameters; i++) {
        const VulkanGradient *gradient = &program->plan.gradients[i];
        for (int k = 0; k < gradient->chunks; k++)
            sum += squares[gradient->squares_at + (gsize)unit * (gsize)gradient->chunks + (gsize)k];
        terms += gradient->size + (gsize)gradient->chunks;
    }
    /* Twice as many: the device's f64 may round by twice as much (norms.c). Where an element does not fit the sum is at least
     * 1e280, whatever the limit; of those that do it is far below. */
    return !(sum < 0x1p200 && dpcxr_grid_bound(sum, 2 * terms) <= limit);
}

gboolean dpcxr_vulkan_phase_b_grid(DpcxrProgram *base, const float *coefficients, double scale, double limit,
                                   gboolean *dropped, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    double *scaled = program->coefficients_host.mapped;
    if (!need_recordings(program, error) || !dpcxr_vulkan_wait(&program->queue, error))
        return FALSE;
    for (int i = 0; i < base->options.n_groups * base->units; i++)
        scaled[i] = coefficients[i] * scale / dpcxr_vulkan_loss_scale(program);
    dpcxr_vulkan_recording_fit(program->grid_measure, program->host.lists.mapped);
    dpcxr_vulkan_recording_fit(program->grid_add, program->host.lists.mapped);
    if (!dpcxr_vulkan_run(program, program->grid_measure, error))
        return FALSE;
    for (int unit = 0; unit < base->units; unit++) {
        dropped[unit] = is_dropped(program, unit, limit);
        for (int g = 0; dropped[unit] && g < base->options.n_groups; g++)
            scaled[g * base->units + unit] = 0;
    }
    return dpcxr_vulkan_submit(&program->queue, &program->grid_add, 1, error);
}

gboolean dpcxr_vulkan_read_grid(DpcxrProgram *base, int i, gint64 *values, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    const VulkanGradient *g = &program->plan.gradients[i];
    VulkanSpan device =
        dpcxr_vulkan_part(program->integers, g->offset * sizeof(gint64), g->size * sizeof(gint64));
    VulkanSpan host = dpcxr_vulkan_part(program->noise_host, sizeof(double), g->size * sizeof(gint64));
    VulkanRecording *recording = dpcxr_vulkan_record(&program->queue, "integers", error);
    if (!recording)
        return FALSE;
    dpcxr_vulkan_record_copy(recording, device, host);
    gboolean good = dpcxr_vulkan_record_end(recording, error) && dpcxr_vulkan_run(program, recording, error);
    const gint64 *from = host.mapped;
    for (gsize e = 0; good && e < g->size; e++) {
        gsize out = e % (gsize)g->out, in = e / (gsize)g->out % (gsize)g->in,
              tap = e / (gsize)g->out / (gsize)g->in;
        values[(out * (gsize)g->in + in) * (gsize)g->taps + tap] = from[e];
    }
    dpcxr_vulkan_recording_free(recording);
    return good;
}

static gboolean record_settle(VulkanProgram *program, VulkanRecording *recording, int i, GError **error)
{
    const VulkanGradient *g = &program->plan.gradients[i];
    const gint32 constants[] = {g->taps, g->in, g->out};
    const gsize bytes = sizeof(double) + g->size * sizeof(gint64); /* of the noise: this parameter's alone */
    VulkanOperation operation = {
        .kernel = dpcxr_vulkan_kernel(program, SHADER_GRID_SETTLE, 3, constants),
        .bindings = {dpcxr_vulkan_whole(dpcxr_vulkan_part(program->integers, g->offset * sizeof(gint64),
                                                          g->size * sizeof(gint64))),
                     dpcxr_vulkan_whole(dpcxr_vulkan_part(program->noise, 0, bytes)),
                     dpcxr_vulkan_bank(program, DPCXR_BANK_SUM, i)},
        .of = VULKAN_ONCE,
        .items = (gint64)g->size,
        .group = program->plan.tuning->local};
    if (program->noise.buffer != program->noise_host.buffer ||
        program->noise.offset != program->noise_host.offset)
        dpcxr_vulkan_record_copy(recording, dpcxr_vulkan_part(program->noise_host, 0, bytes),
                                 dpcxr_vulkan_part(program->noise, 0, bytes));
    return dpcxr_vulkan_record_operation(program, recording, &operation, error);
}

gboolean dpcxr_vulkan_settle(DpcxrProgram *base, int i, const gint64 *noise, double spacing, GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    gsize bytes = program->plan.gradients[i].size * sizeof(gint64);
    gint64 *to = (gint64 *)((char *)program->noise_host.mapped + sizeof(double));
    if (!dpcxr_vulkan_need(program, &program->settle[i], "settle", record_settle, i, error))
        return FALSE;
    if (!dpcxr_vulkan_wait(&program->queue, error)) /* the noise of another parameter is being read */
        return FALSE;
    memcpy(program->noise_host.mapped, &spacing, sizeof spacing);
    if (noise)
        memcpy(to, noise, bytes);
    else
        memset(to, 0, bytes);
    return dpcxr_vulkan_submit(&program->queue, &program->settle[i], 1, error);
}
