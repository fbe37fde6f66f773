/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/internal.h"

static VulkanOperation operation_of(const VulkanProgram *program, VulkanShader shader, int s, DpcxrShape over)
{
    const DpcxrStep *step = &program->plan.steps[s];
    const DpcxrLayer *layer = dpcxr_graph_layer(program->plan.graph, step->layer);
    DpcxrShape in = dpcxr_graph_layer(program->plan.graph, step->x)->shape;
    const gint32 constants[] = {in.height,          in.width,      in.channels,   layer->shape.height,
                                layer->shape.width, layer->kernel, layer->stride, layer->padding};
    VulkanKernel kernel = dpcxr_vulkan_kernel(program, shader, 8, constants);
    kernel.way = dpcxr_vulkan_half(&program->plan, step->x); /* what averages are is f32 */
    return (VulkanOperation){.kernel = kernel,
                             .bindings = {dpcxr_vulkan_whole(program->pass->lists)},
                             .of = VULKAN_ROWS,
                             .items = (gint64)dpcxr_shape_size(over),
                             .group = program->plan.tuning->local};
}

static DpcxrShape in_of(const VulkanProgram *program, int s)
{
    return dpcxr_graph_layer(program->plan.graph, program->plan.steps[s].x)->shape;
}

static DpcxrShape out_of(const VulkanProgram *program, int s)
{
    return dpcxr_graph_layer(program->plan.graph, program->plan.steps[s].layer)->shape;
}

static gboolean max_forward(VulkanBuild *build, int s, GError **error)
{
    VulkanProgram *program = build->program;
    VulkanOperation operation = operation_of(program, SHADER_MAX_POOL2D_FORWARD, s, out_of(program, s));
    operation.bindings[1] = dpcxr_vulkan_output(program, program->plan.steps[s].x);
    operation.bindings[2] = dpcxr_vulkan_output(program, program->plan.steps[s].y);
    operation.bindings[3] = dpcxr_vulkan_saved(program, s);
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error);
}

/* @saved: the step's, as a binding between the two gradients. */
static gboolean backward(VulkanBuild *build, int s, VulkanShader shader, gboolean saved, GError **error)
{
    VulkanProgram *program = build->program;
    int x = program->plan.steps[s].x;
    if (!dpcxr_vulkan_wants(build, x))
        return TRUE;
    VulkanOperation operation = operation_of(program, shader, s, in_of(program, s));
    operation.bindings[1] = dpcxr_vulkan_dout(program, program->plan.steps[s].y);
    if (saved)
        operation.bindings[2] = dpcxr_vulkan_saved(program, s);
    operation.bindings[saved ? 3 : 2] = dpcxr_vulkan_dout(program, x);
    operation.push.accumulate = dpcxr_vulkan_accumulate(build, x);
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error);
}

static gboolean max_backward(VulkanBuild *build, int s, GError **error)
{
    return backward(build, s, SHADER_MAX_POOL2D_BACKWARD, TRUE, error);
}

const VulkanOps dpcxr_vulkan_max_pool2d = {max_forward, max_backward};

static gboolean average_forward(VulkanBuild *build, int s, GError **error)
{
    VulkanProgram *program = build->program;
    VulkanOperation operation = operation_of(program, SHADER_AVERAGE_POOL_FORWARD, s, out_of(program, s));
    operation.bindings[1] = dpcxr_vulkan_output(program, program->plan.steps[s].x);
    operation.bindings[2] = dpcxr_vulkan_output(program, program->plan.steps[s].y);
    operation.rounds = dpcxr_vulkan_line_rounds(in_of(program, s));
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error);
}

static gboolean average_backward(VulkanBuild *build, int s, GError **error)
{
    return backward(build, s, SHADER_AVERAGE_POOL_BACKWARD, FALSE, error);
}

const VulkanOps dpcxr_vulkan_average_pool = {average_forward, average_backward};
