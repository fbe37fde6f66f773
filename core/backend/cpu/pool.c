/* SPDX-License-Identifier: MIT
 * Max pooling, which remembers the winning tap of each window, and global average pooling, whose output is f32
 * whatever its input. */
#include "backend/cpu/internal.h"
#include <string.h>

static CpuPool pool_of(const CpuRow *row, int s)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    const DpcxrLayer *layer = dpcxr_graph_layer(row->program->base.graph, step->layer);
    DpcxrShape in = dpcxr_graph_layer(row->program->base.graph, step->x)->shape;
    return (CpuPool){in.height,          in.width,      in.channels,   layer->shape.height,
                     layer->shape.width, layer->kernel, layer->stride, layer->padding};
}

static gboolean max_forward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    CpuPool pool = pool_of(row, s);
    dpcxr_cpu_kernels_of(row, step->x)
        ->max_pool(&pool, dpcxr_cpu_output(row, step->x), dpcxr_cpu_output(row, step->y),
                   dpcxr_cpu_saved(row, s));
    return TRUE;
}

static gboolean max_backward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    CpuPool pool = pool_of(row, s);
    dpcxr_cpu_kernels_of(row, step->x)
        ->max_pool_backward(&pool, dpcxr_cpu_gradient(row, step->y), dpcxr_cpu_saved(row, s),
                            dpcxr_cpu_gradient_begin(row, step->x));
    dpcxr_cpu_gradient_end(row, step->x);
    return TRUE;
}

const CpuOperation dpcxr_cpu_max_pool2d = {max_forward, max_backward};

static gboolean average_forward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    DpcxrShape in = dpcxr_graph_layer(row->program->base.graph, step->x)->shape;
    gsize pixels = (gsize)in.height * in.width;
    dpcxr_cpu_kernels_of(row, step->x)
        ->channel_sums(dpcxr_cpu_output(row, step->x), pixels, in.channels, row->worker->sums);
    float *y = dpcxr_cpu_output(row, step->y);
    for (int c = 0; c < in.channels; c++)
        y[c] = (float)(row->worker->sums[c] / (double)pixels);
    return TRUE;
}

static gboolean average_backward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    DpcxrShape in = dpcxr_graph_layer(row->program->base.graph, step->x)->shape;
    gsize pixels = (gsize)in.height * in.width;
    const float *dy = dpcxr_cpu_gradient(row, step->y);
    const CpuKernels *kernels = dpcxr_cpu_kernels_of(row, step->x);
    gsize bytes = (gsize)in.channels * kernels->element;
    char *dx = dpcxr_cpu_gradient_begin(row, step->x);
    float *pixel = row->worker->gram;
    for (int c = 0; c < in.channels; c++)
        pixel[c] = dy[c] / (float)pixels;
    kernels->narrow(pixel, dx, (gsize)in.channels);
    for (gsize p = 1; p < pixels; p++)
        memcpy(dx + p * bytes, dx, bytes);
    dpcxr_cpu_gradient_end(row, step->x);
    return TRUE;
}

const CpuOperation dpcxr_cpu_global_average_pool = {average_forward, average_backward};
