/* SPDX-License-Identifier: MIT
 * Activations and sums that no norm has taken in. */
#include "backend/vulkan/internal.h"

static gint64 elements(const VulkanProgram *program, int s)
{
    return (gint64)dpcxr_shape_size(
        dpcxr_graph_layer(program->plan.graph, program->plan.steps[s].layer)->shape);
}

static VulkanOperation operation_of(const VulkanProgram *program, VulkanShader shader, int s,
                                    DpcxrActivation activation)
{
    const gint32 constants[] = {(gint32)elements(program, s), (gint32)activation};
    int n = shader == SHADER_ADD_FORWARD ? 1 : 2;
    VulkanKernel kernel = dpcxr_vulkan_kernel(program, shader, n, constants);
    kernel.way = dpcxr_vulkan_half(&program->plan, program->plan.steps[s].x);
    return (VulkanOperation){.kernel = kernel,
                             .bindings = {dpcxr_vulkan_whole(program->pass->lists)},
                             .of = VULKAN_ROWS,
                             .items = elements(program, s),
                             .group = program->plan.tuning->local};
}

static gboolean activation_forward(VulkanBuild *build, int s, GError **error)
{
    VulkanProgram *program = build->program;
    const DpcxrStep *step = &program->plan.steps[s];
    VulkanOperation operation = operation_of(program, SHADER_ACTIVATION_FORWARD, s, step->activation);
    operation.bindings[1] = dpcxr_vulkan_output(program, step->x);
    operation.bindings[2] = dpcxr_vulkan_output(program, step->y);
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error);
}

/* gradient of @x += gradient of the step's output, through @activation. */
static gboolean pass_on(VulkanBuild *build, int s, int x, DpcxrActivation activation, GError **error)
{
    VulkanProgram *program = build->program;
    if (!dpcxr_vulkan_wants(build, x))
        return TRUE;
    VulkanOperation operation = operation_of(program, SHADER_ACTIVATION_BACKWARD, s, activation);
    VulkanBinding dy = dpcxr_vulkan_dout(program, program->plan.steps[s].y);
    /* What came in is not kept where it is not looked at. */
    operation.bindings[1] = activation == DPCXR_ACTIVATION_IDENTITY ? dy : dpcxr_vulkan_output(program, x);
    operation.bindings[2] = dy;
    operation.bindings[3] = dpcxr_vulkan_dout(program, x);
    operation.push.accumulate = dpcxr_vulkan_accumulate(build, x);
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error);
}

static gboolean activation_backward(VulkanBuild *build, int s, GError **error)
{
    const DpcxrStep *step = &build->program->plan.steps[s];
    return pass_on(build, s, step->x, step->activation, error);
}

const VulkanOps dpcxr_vulkan_activation = {activation_forward, activation_backward};

static gboolean add_forward(VulkanBuild *build, int s, GError **error)
{
    VulkanProgram *program = build->program;
    const DpcxrStep *step = &program->plan.steps[s];
    VulkanOperation operation = operation_of(program, SHADER_ADD_FORWARD, s, DPCXR_ACTIVATION_IDENTITY);
    operation.bindings[1] = dpcxr_vulkan_output(program, step->x);
    operation.bindings[2] = dpcxr_vulkan_output(program, step->other);
    operation.bindings[3] = dpcxr_vulkan_output(program, step->y);
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error);
}

static gboolean add_backward(VulkanBuild *build, int s, GError **error)
{
    const DpcxrStep *step = &build->program->plan.steps[s];
    return pass_on(build, s, step->x, DPCXR_ACTIVATION_IDENTITY, error) &&
           pass_on(build, s, step->other, DPCXR_ACTIVATION_IDENTITY, error);
}

const VulkanOps dpcxr_vulkan_add = {add_forward, add_backward};
