/* SPDX-License-Identifier: MIT
 * Group norm with the addition and the activation behind it. */
#include "backend/vulkan/internal.h"
#include <string.h>

static const DpcxrLayer *layer_of(const VulkanProgram *program, int s)
{
    return dpcxr_graph_layer(program->plan.graph, program->plan.steps[s].layer);
}

/* @wants_other: constant WANTS_OTHER of the shaders. */
static VulkanKernel kernel_of(const VulkanProgram *program, VulkanShader shader, int s, int wants_other)
{
    const DpcxrStep *step = &program->plan.steps[s];
    const DpcxrLayer *layer = layer_of(program, s);
    gint32 eps;
    memcpy(&eps, &layer->eps, sizeof eps);
    const gint32 constants[] = {layer->shape.height * layer->shape.width,
                                layer->shape.channels,
                                layer->groups,
                                dpcxr_vulkan_norm_chunk(&program->plan, layer),
                                eps,
                                (gint32)step->activation,
                                step->other >= 0,
                                wants_other};
    VulkanKernel kernel = dpcxr_vulkan_kernel(program, shader, 8, constants);
    if (dpcxr_vulkan_shader(shader)->ways[VULKAN_HALF].words) /* the others see sums alone */
        kernel.way = dpcxr_vulkan_half(&program->plan, step->x);
    return kernel;
}

static VulkanOperation operation_of(const VulkanProgram *program, VulkanShader shader, int s, gint64 items)
{
    return (VulkanOperation){.kernel = kernel_of(program, shader, s, 0),
                             .bindings = {dpcxr_vulkan_whole(program->pass->lists)},
                             .of = VULKAN_ROWS,
                             .items = items,
                             .group = program->plan.tuning->local};
}

/* What a step binds, forward and backward. */
typedef struct {
    VulkanBinding x, y, dx, dy, other, dother, moments, weight, bias, parts, means, dweight, dbias;
    gint64 elements, channels, groups, chunks; /* of a row */
} Bindings;

static VulkanBinding rows(VulkanSpan span, gint64 floats)
{
    return (VulkanBinding){.span = span, .row = (gsize)floats * sizeof(float)};
}

static Bindings bindings_of(const VulkanProgram *program, int s)
{
    const DpcxrStep *step = &program->plan.steps[s];
    const DpcxrLayer *layer = layer_of(program, s);
    Bindings b = {.elements = (gint64)dpcxr_shape_size(layer->shape),
                  .channels = layer->shape.channels,
                  .groups = layer->groups};
    b.chunks = b.channels * dpcxr_vulkan_norm_chunks(&program->plan, layer);
    b.x = dpcxr_vulkan_output(program, step->x);
    b.y = dpcxr_vulkan_output(program, step->y);
    b.other = step->other >= 0 ? dpcxr_vulkan_output(program, step->other) : b.x;
    b.moments = dpcxr_vulkan_saved(program, s);
    b.weight = dpcxr_vulkan_bank(program, DPCXR_BANK_WEIGHT, layer->parameters[0]);
    b.bias = dpcxr_vulkan_bank(program, DPCXR_BANK_WEIGHT, layer->parameters[1]);
    b.parts = rows(program->parts, 2 * b.chunks);
    return b;
}

static gboolean forward(VulkanBuild *build, int s, GError **error)
{
    VulkanProgram *program = build->program;
    Bindings b = bindings_of(program, s);
    VulkanOperation parts = operation_of(program, SHADER_GROUP_NORM_PARTS, s, b.chunks);
    parts.bindings[1] = b.x;
    parts.bindings[2] = b.parts;
    VulkanOperation moments = operation_of(program, SHADER_GROUP_NORM_MOMENTS, s, b.groups);
    moments.bindings[1] = b.parts;
    moments.bindings[2] = b.moments;
    parts.rounds = 2 * (gint64)dpcxr_vulkan_norm_chunk(&program->plan, layer_of(program, s));
    moments.rounds = dpcxr_vulkan_norm_rounds(layer_of(program, s), (int)(b.chunks / b.channels));
    VulkanOperation apply = operation_of(program, SHADER_GROUP_NORM_FORWARD, s, b.elements);
    const VulkanBinding of_apply[] = {b.x, b.moments, b.weight, b.bias, b.other, b.y};
    memcpy(apply.bindings + 1, of_apply, sizeof of_apply);
    return dpcxr_vulkan_record_operation(program, build->recording, &parts, error) &&
           dpcxr_vulkan_record_operation(program, build->recording, &moments, error) &&
           dpcxr_vulkan_record_operation(program, build->recording, &apply, error);
}

/* dv takes dy's place, goes to the residual, and is summed in parts. */
static gboolean backward_parts(VulkanBuild *build, int s, const Bindings *b, GError **error)
{
    VulkanProgram *program = build->program;
    int other = program->plan.steps[s].other;
    gboolean wants = other >= 0 && dpcxr_vulkan_wants(build, other);
    VulkanOperation parts = operation_of(program, SHADER_GROUP_NORM_BACKWARD_PARTS, s, b->chunks);
    parts.kernel = kernel_of(program, SHADER_GROUP_NORM_BACKWARD_PARTS, s,
                             wants ? 1 + dpcxr_vulkan_accumulate(build, other) : 0);
    const VulkanBinding of_parts[] = {b->x,
                                      b->moments,
                                      b->weight,
                                      b->bias,
                                      b->other,
                                      b->dy,
                                      wants ? dpcxr_vulkan_dout(program, other) : b->dy,
                                      b->parts};
    memcpy(parts.bindings + 1, of_parts, sizeof of_parts);
    return dpcxr_vulkan_record_operation(program, build->recording, &parts, error);
}

static gboolean backward_sums(VulkanBuild *build, int s, const Bindings *b, GError **error)
{
    VulkanProgram *program = build->program;
    const DpcxrLayer *layer = layer_of(program, s);
    VulkanOperation sums = operation_of(program, SHADER_GROUP_NORM_BACKWARD_SUMS, s, b->channels);
    sums.bindings[1] = b->parts;
    sums.bindings[2] = b->dweight;
    sums.bindings[3] = b->dbias;
    return dpcxr_vulkan_record_operation(program, build->recording, &sums, error) &&
           dpcxr_vulkan_record_unit_sums(build, layer->parameters[0], b->dweight.span, error) &&
           dpcxr_vulkan_record_unit_sums(build, layer->parameters[1], b->dbias.span, error);
}

static gboolean backward_data(VulkanBuild *build, int s, const Bindings *b, GError **error)
{
    VulkanProgram *program = build->program;
    int x = program->plan.steps[s].x;
    VulkanOperation means = operation_of(program, SHADER_GROUP_NORM_BACKWARD_MEANS, s, b->groups);
    const VulkanBinding of_means[] = {b->dweight, b->dbias, b->weight, b->means};
    memcpy(means.bindings + 1, of_means, sizeof of_means);
    VulkanOperation data = operation_of(program, SHADER_GROUP_NORM_BACKWARD_DATA, s, b->elements);
    const VulkanBinding of_data[] = {b->x,     b->moments, b->weight,
                                     b->means, b->dy,      dpcxr_vulkan_dout(program, x)};
    memcpy(data.bindings + 1, of_data, sizeof of_data);
    data.push.accumulate = dpcxr_vulkan_accumulate(build, x);
    return dpcxr_vulkan_record_operation(program, build->recording, &means, error) &&
           dpcxr_vulkan_record_operation(program, build->recording, &data, error);
}

static gboolean backward(VulkanBuild *build, int s, GError **error)
{
    VulkanProgram *program = build->program;
    Bindings b = bindings_of(program, s);
    b.dy = dpcxr_vulkan_dout(program, program->plan.steps[s].y);
    b.dweight = rows(program->row_gradients[0], b.channels);
    b.dbias = rows(program->row_gradients[1], b.channels);
    b.means = rows(program->means, 2 * b.groups);
    return backward_parts(build, s, &b, error) && backward_sums(build, s, &b, error) &&
           (!dpcxr_vulkan_wants(build, program->plan.steps[s].x) || backward_data(build, s, &b, error));
}

const VulkanOps dpcxr_vulkan_group_norm = {forward, backward};
