/* SPDX-License-Identifier: MIT
 * Group normalisation, with a residual and an activation in the same step where the graph has them (plan.c).
 * Moments are exact in the sense of two passes and f64 sums; the rest is f32, whatever tensors are kept in. */
#include "backend/cpu/internal.h"
#include <math.h>

static CpuNorm norm_of(const CpuRow *row, int s)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    const DpcxrLayer *layer = dpcxr_graph_layer(row->program->base.graph, step->layer);
    const float *saved = dpcxr_cpu_saved(row, s);
    return (CpuNorm){.x = dpcxr_cpu_output(row, step->x),
                     .residual = step->other >= 0 ? dpcxr_cpu_output(row, step->other) : NULL,
                     .pixels = (gsize)layer->shape.height * layer->shape.width,
                     .channels = layer->shape.channels,
                     .activation = step->activation,
                     .mean = saved,
                     .scale = saved + layer->shape.channels,
                     .weight = dpcxr_cpu_weight(row, layer->parameters[0]),
                     .bias = dpcxr_cpu_weight(row, layer->parameters[1])};
}

/* values[c] = sum over the group of c */
static void sum_groups(double *values, int channels, int groups)
{
    int width = channels / groups;
    for (int g = 0; g < groups; g++) {
        double sum = 0;
        for (int c = g * width; c < (g + 1) * width; c++)
            sum += values[c];
        for (int c = g * width; c < (g + 1) * width; c++)
            values[c] = sum;
    }
}

static gboolean forward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    const CpuKernels *kernels = dpcxr_cpu_kernels_of(row, step->x);
    const DpcxrLayer *layer = dpcxr_graph_layer(row->program->base.graph, step->layer);
    CpuNorm norm = norm_of(row, s);
    float *mean = dpcxr_cpu_saved(row, s), *scale = mean + norm.channels;
    double *sums = row->worker->sums, n = (double)norm.pixels * (norm.channels / layer->groups);
    kernels->channel_sums(norm.x, norm.pixels, norm.channels, sums);
    sum_groups(sums, norm.channels, layer->groups);
    for (int c = 0; c < norm.channels; c++)
        mean[c] = (float)(sums[c] / n);
    kernels->channel_squares(norm.x, norm.pixels, norm.channels, mean, sums);
    sum_groups(sums, norm.channels, layer->groups);
    for (int c = 0; c < norm.channels; c++)
        scale[c] = (float)(1 / sqrt(sums[c] / n + (double)layer->eps));
    kernels->norm_forward(&norm, dpcxr_cpu_output(row, step->y));
    return TRUE;
}

static gboolean backward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    const CpuKernels *kernels = dpcxr_cpu_kernels_of(row, step->x);
    const DpcxrLayer *layer = dpcxr_graph_layer(row->program->base.graph, step->layer);
    CpuNorm norm = norm_of(row, s);
    void *d = dpcxr_cpu_gradient_begin(row, step->x);
    float *means = row->worker->gram;
    double *sum_d = row->worker->sums, *sum_dxhat = sum_d + norm.channels;
    double n = (double)norm.pixels * (norm.channels / layer->groups);
    kernels->norm_backward_sums(&norm, dpcxr_cpu_gradient(row, step->y), d, sum_d, sum_dxhat);
    dpcxr_cpu_slot_add(row, layer->parameters[0], sum_dxhat);
    dpcxr_cpu_slot_add(row, layer->parameters[1], sum_d);
    if (step->other >= 0)
        dpcxr_cpu_gradient_add(row, step->other, d);
    if (!dpcxr_cpu_wants(row, step->x))
        return TRUE;
    for (int c = 0; c < norm.channels; c++) {
        sum_d[c] *= (double)norm.weight[c];
        sum_dxhat[c] *= (double)norm.weight[c];
    }
    sum_groups(sum_d, norm.channels, layer->groups);
    sum_groups(sum_dxhat, norm.channels, layer->groups);
    for (int c = 0; c < norm.channels; c++) {
        means[c] = (float)(sum_d[c] / n);
        means[norm.channels + c] = (float)(sum_dxhat[c] / n);
    }
    kernels->norm_backward_data(&norm, d, means, means + norm.channels);
    dpcxr_cpu_gradient_end(row, step->x);
    return TRUE;
}

const CpuOperation dpcxr_cpu_group_norm = {forward, backward};
