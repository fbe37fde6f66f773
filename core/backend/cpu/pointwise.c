/* SPDX-License-Identifier: MIT
 * Activations and sums that no norm has taken into its step. */
#include "backend/cpu/internal.h"
#include <string.h>

static gboolean activation_forward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    dpcxr_cpu_kernels_of(row, step->x)
        ->activate(step->activation, dpcxr_cpu_output(row, step->x), dpcxr_cpu_output(row, step->y),
                   row->layout->outputs[step->y].size);
    return TRUE;
}

static gboolean activation_backward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    dpcxr_cpu_kernels_of(row, step->x)
        ->activate_backward(step->activation, dpcxr_cpu_output(row, step->x),
                            dpcxr_cpu_gradient(row, step->y), dpcxr_cpu_gradient_begin(row, step->x),
                            row->layout->outputs[step->y].size);
    dpcxr_cpu_gradient_end(row, step->x);
    return TRUE;
}

const CpuOperation dpcxr_cpu_activation = {activation_forward, activation_backward};

static gboolean add_forward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    CpuTensor tensor = row->layout->outputs[step->y];
    void *y = dpcxr_cpu_output(row, step->y);
    memcpy(y, dpcxr_cpu_output(row, step->x), tensor.bytes);
    dpcxr_cpu_kernels_of(row, step->y)->add_elements(y, dpcxr_cpu_output(row, step->other), tensor.size);
    return TRUE;
}

static gboolean add_backward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    dpcxr_cpu_gradient_add(row, step->x, dpcxr_cpu_gradient(row, step->y));
    dpcxr_cpu_gradient_add(row, step->other, dpcxr_cpu_gradient(row, step->y));
    return TRUE;
}

const CpuOperation dpcxr_cpu_add = {add_forward, add_backward};
