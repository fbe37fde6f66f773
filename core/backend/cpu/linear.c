/* SPDX-License-Identifier: MIT
 * y = W x + b on one vector, in f32 whatever x is kept in. The weights' gradient is an outer product: formed
 * here where direct, else kept as x and dy. */
#include "backend/cpu/internal.h"
#include <cblas.h>
#include <string.h>

static const float *f32_input(const CpuRow *row, const DpcxrStep *step)
{
    const void *x = dpcxr_cpu_output(row, step->x);
    if (row->program->plan.types[step->x] == CPU_F32)
        return x;
    dpcxr_cpu_kernels_of(row, step->x)->expand(x, row->worker->wide, row->layout->outputs[step->x].size);
    return row->worker->wide;
}

static gboolean forward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    const DpcxrLayer *layer = dpcxr_graph_layer(row->program->base.graph, step->layer);
    int in = row->program->plan.windows[s]->in.channels, out = layer->shape.channels;
    float *y = dpcxr_cpu_output(row, step->y);
    memcpy(y, dpcxr_cpu_weight(row, layer->parameters[1]), (gsize)out * sizeof *y);
    cblas_sgemv(CblasRowMajor, CblasNoTrans, out, in, 1, dpcxr_cpu_weight(row, layer->parameters[0]), in,
                f32_input(row, step), 1, 1, y, 1);
    return TRUE;
}

static void backward_parameters(CpuRow *row, int s, const DpcxrLayer *layer, const float *dy)
{
    const CpuKernels *kernels = row->program->kernels;
    int in = row->program->plan.windows[s]->in.channels, out = layer->shape.channels;
    float *bias = dpcxr_cpu_slot(row, layer->parameters[1]);
    if (row->first)
        memset(bias, 0, (gsize)out * sizeof *bias);
    kernels->add(bias, dy, (gsize)out);
    if (dpcxr_cpu_plan_is_gram(&row->program->plan, s))
        return;
    const float *x = f32_input(row, &row->program->plan.steps[s]);
    float *weight = dpcxr_cpu_slot(row, layer->parameters[0]);
    if (row->first)
        memset(weight, 0, (gsize)in * out * sizeof *weight);
    for (int o = 0; o < out; o++)
        kernels->axpy(weight + (gsize)o * in, dy[o], x, (gsize)in);
}

static gboolean backward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    const DpcxrLayer *layer = dpcxr_graph_layer(row->program->base.graph, step->layer);
    int in = row->program->plan.windows[s]->in.channels, out = layer->shape.channels;
    const float *dy = dpcxr_cpu_gradient(row, step->y);
    backward_parameters(row, s, layer, dy);
    if (!dpcxr_cpu_wants(row, step->x))
        return TRUE;
    void *to = dpcxr_cpu_gradient_begin(row, step->x);
    gboolean f32 = row->program->plan.types[step->x] == CPU_F32;
    float *dx = f32 ? to : row->worker->wide;
    memset(dx, 0, (gsize)in * sizeof *dx);
    cblas_sgemv(CblasRowMajor, CblasTrans, out, in, 1, dpcxr_cpu_weight(row, layer->parameters[0]), in, dy, 1,
                1, dx, 1);
    if (!f32)
        dpcxr_cpu_kernels_of(row, step->x)->narrow(dx, to, (gsize)in);
    dpcxr_cpu_gradient_end(row, step->x);
    return TRUE;
}

const CpuOperation dpcxr_cpu_linear = {forward, backward};
