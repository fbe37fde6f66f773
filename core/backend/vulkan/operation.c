/* SPDX-License-Identifier: MIT
 * Operations on arrays of rows and units: cut into slices that a shader may see, and what binds where. */
#include "backend/vulkan/internal.h"
#include <string.h>

gboolean dpcxr_vulkan_need(VulkanProgram *program, VulkanRecording **place, const char *name,
                           VulkanRecorder record, int which, GError **error)
{
    if (*place)
        return TRUE;
    VulkanRecording *recording = dpcxr_vulkan_record(&program->queue, name, error);
    if (recording && record(program, recording, which, error) && dpcxr_vulkan_record_end(recording, error)) {
        *place = recording;
        return TRUE;
    }
    dpcxr_vulkan_recording_free(recording);
    return FALSE;
}

VulkanBinding dpcxr_vulkan_whole(VulkanSpan span)
{
    return (VulkanBinding){.span = span};
}

static VulkanBinding rows_of(const VulkanProgram *program, VulkanSpan arena, VulkanPlace place)
{
    gsize bytes = place.row * (gsize)program->base.options.max_rows;
    return (VulkanBinding){.span = dpcxr_vulkan_part(arena, place.offset, bytes), .row = place.row};
}

VulkanBinding dpcxr_vulkan_output(const VulkanProgram *program, int layer)
{
    return rows_of(program, program->pass->arena, program->pass->layout->outputs[layer]);
}

VulkanBinding dpcxr_vulkan_dout(const VulkanProgram *program, int layer)
{
    gsize image = program->plan.evaluation.outputs[0].row;
    if (layer == 0) /* has a place of its own, in tests */
        return (VulkanBinding){.span = dpcxr_vulkan_part(program->input_gradient, 0,
                                                         image * (gsize)program->base.options.max_rows),
                               .row = image};
    return rows_of(program, program->douts, program->plan.douts[layer]);
}

VulkanBinding dpcxr_vulkan_saved(const VulkanProgram *program, int step)
{
    return rows_of(program, program->pass->arena, program->pass->layout->saved[step]);
}

VulkanBinding dpcxr_vulkan_bank(const VulkanProgram *program, DpcxrBank bank, int i)
{
    const VulkanGradient *gradient = &program->plan.gradients[i];
    return dpcxr_vulkan_whole(dpcxr_vulkan_part(program->banks[bank], gradient->offset * sizeof(float),
                                                gradient->size * sizeof(float)));
}

VulkanBinding dpcxr_vulkan_slots(const VulkanProgram *program, int i)
{
    return (VulkanBinding){.span = program->slots[i],
                           .unit = program->plan.gradients[i].size * sizeof(float)};
}

VulkanKernel dpcxr_vulkan_kernel(const VulkanProgram *program, VulkanShader shader, int n,
                                 const gint32 *constants)
{
    VulkanKernel kernel = {
        .shader = shader, .n_constants = n + 1, .constants = {program->plan.tuning->local}};
    for (int i = 0; i < n; i++)
        kernel.constants[i + 1] = constants[i];
    return kernel;
}

/* --- Slices --- */

static gsize common_divisor(gsize a, gsize b)
{
    return b ? common_divisor(b, a % b) : a;
}

/* All at once where they fit; else as many as fit, such that a slice of any of the arrays is a multiple of the alignment: an
 * array that would fit as a whole is cut where the others are. */
int dpcxr_vulkan_slice(const VulkanContext *context, const gsize *bytes, guint n, int most)
{
    const VkPhysicalDeviceLimits *limits = &context->properties.limits;
    gsize alignment = limits->minStorageBufferOffsetAlignment, fit = G_MAXSIZE, step = 1; /* a power of two */
    for (guint i = 0; i < n; i++)
        if (bytes[i]) {
            fit =
                MIN(fit, MIN(limits->maxStorageBufferRange, 1u << 31) / bytes[i]); /* shaders count in int */
            step = MAX(step, alignment / common_divisor(bytes[i], alignment));
        }
    return fit >= (gsize)most ? most : (int)(fit / step * step);
}

/* All at once where they fit; else as many as fit of every binding, where the slices of every binding may end. */
static int slice_of(const VulkanProgram *program, const VulkanOperation *operation, guint n, gboolean units)
{
    const DpcxrProgramOptions *options = &program->base.options;
    gsize bytes[VULKAN_MAX_BINDINGS];
    for (guint i = 0; i < n; i++)
        bytes[i] = units ? operation->bindings[i].unit : operation->bindings[i].row;
    return dpcxr_vulkan_slice(program->context, bytes, n, units ? options->max_units : options->max_rows);
}

static gboolean has(const VulkanOperation *operation, guint n, gboolean units)
{
    for (guint i = 0; i < n; i++)
        if (units ? operation->bindings[i].unit : operation->bindings[i].row)
            return TRUE;
    return FALSE;
}

static VulkanSpan slice_span(const VulkanBinding *binding, const struct Push *push)
{
    if (binding->row)
        return dpcxr_vulkan_part(binding->span, (gsize)push->row_first * binding->row,
                                 (gsize)push->row_count * binding->row);
    if (binding->unit)
        return dpcxr_vulkan_part(binding->span, (gsize)push->unit_first * binding->unit,
                                 (gsize)push->unit_count * binding->unit);
    return binding->span;
}

static gboolean record_slice(VulkanRecording *recording, const VulkanOperation *operation, guint n,
                             const struct Push *push, GError **error)
{
    VulkanDispatch dispatch = {.kernel = operation->kernel,
                               .push = *push,
                               .extent = {.of = operation->of,
                                          .items = operation->items,
                                          .group = operation->group,
                                          .times = operation->times}};
    if (operation->of == VULKAN_ROWS) {
        dispatch.extent.first = push->row_first;
        dispatch.extent.count = push->row_count;
    } else if (operation->of == VULKAN_UNITS) {
        dispatch.extent.first = push->unit_first;
        dispatch.extent.count = push->unit_count;
    } else {
        dispatch.extent.count = G_MAXINT;
    }
    for (guint i = 0; i < n; i++)
        dispatch.spans[i] = slice_span(&operation->bindings[i], push);
    return dpcxr_vulkan_record_dispatch(recording, &dispatch, error);
}

/* --- Rounds of loops --- */

/* A device that ends its loops early says nothing, and what it computes is wrong. */
static gboolean check_rounds(const VulkanProgram *program, const VulkanOperation *operation, GError **error)
{
    gint64 most = program->plan.tuning->rounds;
    if (!most || operation->rounds <= most)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "one image needs %" G_GINT64_FORMAT
                " rounds of a loop, and %s ends loops after %" G_GINT64_FORMAT
                "; use smaller images, or another device (device.type: cpu has no such limit)",
                operation->rounds, program->context->properties.deviceName, most);
    return FALSE;
}

/* Whole images, or as much of one: always the same lines together, or a unit's bits would hang on its place. */
static int lines_at_once(const VulkanProgram *program, const VulkanOperation *operation, int all)
{
    gint64 most = program->plan.tuning->rounds, fit = most ? most / operation->rounds : all;
    return (int)MIN(fit < operation->lines ? fit : fit / operation->lines * operation->lines, all);
}

/* Rows @push->row_first .. + row_count - 1, line by line where the operation has lines. */
static gboolean record_lines(const VulkanProgram *program, VulkanRecording *recording,
                             const VulkanOperation *operation, guint n, struct Push push, GError **error)
{
    if (!operation->lines)
        return record_slice(recording, operation, n, &push, error);
    int all = push.row_count * operation->lines, some = lines_at_once(program, operation, all);
    while (push.line_first < all) {
        int of_image = operation->lines - push.line_first % operation->lines;
        push.line_count = MIN(some, some < operation->lines ? of_image : all - push.line_first);
        if (!record_slice(recording, operation, n, &push, error))
            return FALSE;
        push.line_first += push.line_count;
    }
    return TRUE;
}

gboolean dpcxr_vulkan_record_operation(VulkanProgram *program, VulkanRecording *recording,
                                       const VulkanOperation *operation, GError **error)
{
    const DpcxrProgramOptions *options = &program->base.options;
    guint n = (guint)strlen(dpcxr_vulkan_shader(operation->kernel.shader)->access);
    int rows = options->max_rows, units = options->max_units;
    if (!check_rounds(program, operation, error))
        return FALSE;
    int row_slice = has(operation, n, FALSE) ? slice_of(program, operation, n, FALSE) : rows;
    int unit_slice = has(operation, n, TRUE) ? slice_of(program, operation, n, TRUE) : units;
    if (row_slice < 1 || unit_slice < 1) {
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
            "%s shows a shader at most %.0f MB at once, less than one image needs; use smaller images",
            program->context->properties.deviceName,
            (double)program->context->properties.limits.maxStorageBufferRange / 1e6);
        return FALSE;
    }
    struct Push push = operation->push;
    for (push.unit_first = 0; push.unit_first < units; push.unit_first += unit_slice)
        for (push.row_first = 0; push.row_first < rows; push.row_first += row_slice) {
            push.row_count = MIN(row_slice, rows - push.row_first);
            push.unit_count = MIN(unit_slice, units - push.unit_first);
            if (!record_lines(program, recording, operation, n, push, error))
                return FALSE;
        }
    return TRUE;
}

void dpcxr_vulkan_blame(const VulkanProgram *program, int s, GError **error)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(program->plan.graph, program->plan.steps[s].layer);
    const char *name = layer->parameters[0] >= 0
                           ? dpcxr_graph_parameter(program->plan.graph, layer->parameters[0])->name
                           : "";
    g_prefix_error(error, "%s%s%s of %d x %d x %d: ", dpcxr_layer_type_name(layer->type), *name ? " " : "",
                   name, layer->shape.height, layer->shape.width, layer->shape.channels);
}

/* --- What ops share --- */

gboolean dpcxr_vulkan_wants(const VulkanBuild *build, int layer)
{
    return layer == 0 ? build->image_gradient : layer > 0 && build->program->plan.wants_gradient[layer];
}

int dpcxr_vulkan_accumulate(VulkanBuild *build, int layer)
{
    gboolean before = build->written[layer];
    build->written[layer] = TRUE;
    return before != FALSE;
}

gboolean dpcxr_vulkan_record_unit_sums(VulkanBuild *build, int parameter, VulkanSpan rows, GError **error)
{
    VulkanProgram *program = build->program;
    const VulkanGradient *gradient = &program->plan.gradients[parameter];
    const gint32 constants[] = {(gint32)gradient->size};
    VulkanOperation sums = {.kernel = dpcxr_vulkan_kernel(program, SHADER_UNIT_SUMS, 1, constants),
                            .bindings = {dpcxr_vulkan_whole(program->pass->lists), dpcxr_vulkan_whole(rows),
                                         dpcxr_vulkan_slots(program, parameter)},
                            .of = VULKAN_UNITS,
                            .items = (gint64)gradient->size,
                            .group = program->plan.tuning->local};
    return dpcxr_vulkan_record_operation(program, build->recording, &sums, error);
}

gboolean dpcxr_vulkan_record_squares(VulkanProgram *program, VulkanRecording *recording, VulkanBinding values,
                                     int parameter, VulkanSpan out, gsize at, GError **error)
{
    const VulkanGradient *gradient = &program->plan.gradients[parameter];
    const VulkanTuning *tuning = program->plan.tuning;
    VulkanOperation squares = {
        .kernel = {.shader = SHADER_SQUARES,
                   .n_constants = 4,
                   .constants = {tuning->tree, (gint32)gradient->size, tuning->each, values.unit != 0}},
        .bindings = {dpcxr_vulkan_whole(program->pass->lists), values, dpcxr_vulkan_whole(out)},
        .push = {.at = (int)at},
        .of = values.unit ? VULKAN_UNITS : VULKAN_ONCE,
        .items = gradient->chunks,
        .group = 1};
    return dpcxr_vulkan_record_operation(program, recording, &squares, error);
}
