/* SPDX-License-Identifier: MIT
 * A block of rows through the graph, forward and backward, on one worker. */
#include "backend/cpu/internal.h"
#include <string.h>

static void *at(const CpuRow *row, CpuTensor tensor)
{
    if (tensor.place == CPU_KEPT)
        return row->program->kept + (gsize)row->row * row->layout->kept + tensor.offset;
    return row->scratch + tensor.offset;
}

void *dpcxr_cpu_output(const CpuRow *row, int layer)
{
    CpuTensor tensor = row->layout->outputs[layer];
    return tensor.place == CPU_IMAGE ? (float *)row->image : at(row, tensor);
}

void *dpcxr_cpu_gradient(const CpuRow *row, int layer)
{
    CpuTensor tensor = row->layout->gradients[layer];
    return tensor.place == CPU_IMAGE ? row->image_gradient : at(row, tensor);
}

void *dpcxr_cpu_saved(const CpuRow *row, int step)
{
    return row->layout->saved[step].size ? at(row, row->layout->saved[step]) : NULL;
}

gboolean dpcxr_cpu_wants(const CpuRow *row, int layer)
{
    return row->image_gradient || row->program->plan.wants_gradient[layer];
}

void *dpcxr_cpu_gradient_begin(const CpuRow *row, int layer)
{
    if (row->written[layer] || !dpcxr_cpu_wants(row, layer))
        return row->worker->spare;
    return dpcxr_cpu_gradient(row, layer);
}

void dpcxr_cpu_gradient_end(const CpuRow *row, int layer)
{
    if (!dpcxr_cpu_wants(row, layer))
        return;
    if (row->written[layer])
        dpcxr_cpu_kernels_of(row, layer)
            ->add_elements(dpcxr_cpu_gradient(row, layer), row->worker->spare,
                           row->layout->gradients[layer].size);
    row->written[layer] = TRUE;
}

void dpcxr_cpu_gradient_add(const CpuRow *row, int layer, const void *elements)
{
    if (!dpcxr_cpu_wants(row, layer))
        return;
    CpuTensor tensor = row->layout->gradients[layer];
    if (row->written[layer])
        dpcxr_cpu_kernels_of(row, layer)->add_elements(dpcxr_cpu_gradient(row, layer), elements, tensor.size);
    else
        memcpy(dpcxr_cpu_gradient(row, layer), elements, tensor.bytes);
    row->written[layer] = TRUE;
}

float *dpcxr_cpu_slot(const CpuRow *row, int parameter)
{
    const CpuPlan *plan = &row->program->plan;
    return row->program->slots + (gsize)row->unit * plan->slot + plan->gradients[parameter].offset;
}

const CpuKernels *dpcxr_cpu_kernels_of(const CpuRow *row, int layer)
{
    return row->program->tables[row->program->plan.types[layer]];
}

const float *dpcxr_cpu_weight(const CpuRow *row, int parameter)
{
    return dpcxr_banks_tensor(&row->program->banks, DPCXR_BANK_WEIGHT, parameter);
}

void dpcxr_cpu_slot_add(const CpuRow *row, int parameter, const double *values)
{
    float *slot = dpcxr_cpu_slot(row, parameter);
    gsize n = row->program->plan.gradients[parameter].size;
    for (gsize i = 0; i < n; i++)
        slot[i] = row->first ? (float)values[i] : slot[i] + (float)values[i];
}

static const CpuOperation *const operations[DPCXR_N_LAYER_TYPES] = {
    [DPCXR_LAYER_CONV2D] = &dpcxr_cpu_conv2d,
    [DPCXR_LAYER_GROUP_NORM] = &dpcxr_cpu_group_norm,
    [DPCXR_LAYER_LINEAR] = &dpcxr_cpu_linear,
    [DPCXR_LAYER_RELU] = &dpcxr_cpu_activation,
    [DPCXR_LAYER_MISH] = &dpcxr_cpu_activation,
    [DPCXR_LAYER_ADD] = &dpcxr_cpu_add,
    [DPCXR_LAYER_MAX_POOL2D] = &dpcxr_cpu_max_pool2d,
    [DPCXR_LAYER_GLOBAL_AVERAGE_POOL] = &dpcxr_cpu_global_average_pool,
};

CpuRow dpcxr_cpu_row(CpuProgram *program, CpuWorker *worker, const CpuLayout *layout, int place)
{
    gsize layers = (gsize)dpcxr_graph_n_layers(program->base.graph);
    return (CpuRow){.program = program,
                    .worker = worker,
                    .layout = layout,
                    .scratch = worker->scratch + (gsize)place * layout->scratch,
                    .written = worker->written + (gsize)place * layers};
}

static gboolean forward(CpuRow *row, int s, GError **error)
{
    return operations[row->program->plan.steps[s].type]->forward(row, s, error);
}

gboolean dpcxr_cpu_rows_forward(CpuRow *rows, int n, GError **error)
{
    const CpuPlan *plan = &rows->program->plan;
    for (CpuRow *row = rows; row < rows + n; row++) {
        CpuTensor image = row->layout->outputs[0];
        if (image.place != CPU_IMAGE)
            dpcxr_cpu_kernels_of(row, 0)->narrow(row->image, at(row, image), image.size);
        for (int s = 0; s < plan->late; s++)
            if (!forward(row, s, error))
                return FALSE;
    }
    for (int s = plan->late; s < plan->n_steps; s++)
        for (CpuRow *row = rows; row < rows + n; row++)
            if (!forward(row, s, error))
                return FALSE;
    return TRUE;
}

static gboolean backward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    return !dpcxr_cpu_wants(row, step->y) || operations[step->type]->backward(row, s, error);
}

static void hand_out_image_gradient(const CpuRow *row)
{
    CpuTensor gradient = row->layout->gradients[0];
    if (row->image_gradient && gradient.place != CPU_IMAGE)
        dpcxr_cpu_kernels_of(row, 0)->expand(at(row, gradient), row->image_gradient, gradient.size);
}

gboolean dpcxr_cpu_rows_backward(CpuRow *rows, int n, GError **error)
{
    const CpuPlan *plan = &rows->program->plan;
    memset(rows->written, 0, (gsize)n * (gsize)dpcxr_graph_n_layers(plan->graph) * sizeof(gboolean));
    for (int s = plan->n_steps - 1; s >= plan->late; s--)
        for (CpuRow *row = rows; row < rows + n; row++)
            if (!backward(row, s, error))
                return FALSE;
    for (CpuRow *row = rows; row < rows + n; row++) {
        for (int s = plan->late - 1; s >= 0; s--)
            if (!backward(row, s, error))
                return FALSE;
        hand_out_image_gradient(row);
    }
    return TRUE;
}
