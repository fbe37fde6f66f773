/* SPDX-License-Identifier: MIT
 * Two-dimensional convolution (cross-correlation, as in PyTorch) with square kernels and zero padding:
 * y[p, o] = bias[o] + sum over taps k and input channels c of x[p * stride + k - padding, c] w[o, c, k]. */
#include "backend/ref/ref.h"

/* OIHW in f64 with the tap outermost and the channel of the caller's inner loop innermost: [tap, in, out], or
 * [tap, out, in] where @input_innermost. A sum inside the inner loop could not be vectorised, neighbouring sums can. */
static double *unpack(const DpcxrRefCall *call, gboolean input_innermost)
{
    int taps = call->layer->kernel * call->layer->kernel, in = call->in.channels, out = call->layer->shape.channels;
    gsize in_step = input_innermost ? 1 : out, out_step = input_innermost ? in : 1;
    double *w = g_new(double, (gsize)taps * in * out);
    for (int o = 0; o < out; o++)
        for (int c = 0; c < in; c++)
            for (int k = 0; k < taps; k++)
                w[(gsize)k * in * out + c * in_step + o * out_step] = call->weight[((gsize)o * in + c) * taps + k];
    return w;
}

/* The input pixel under tap (@i, @j) of the window at output (@r, @s), as an offset into x; FALSE in the padding. */
static gboolean input_pixel(const DpcxrRefCall *call, int r, int s, int i, int j, gsize *offset)
{
    int row = r * call->layer->stride + i - call->layer->padding;
    int column = s * call->layer->stride + j - call->layer->padding;
    if (row < 0 || row >= call->in.height || column < 0 || column >= call->in.width)
        return FALSE;
    *offset = ((gsize)row * call->in.width + column) * call->in.channels;
    return TRUE;
}

static void forward(const DpcxrRefCall *call)
{
    const DpcxrLayer *l = call->layer;
    int in = call->in.channels, out = l->shape.channels;
    g_autofree double *w = unpack(call, FALSE), *sum = g_new(double, out);
    float *y = call->y;
    for (int r = 0; r < l->shape.height; r++)
        for (int s = 0; s < l->shape.width; s++, y += out) {
            for (int o = 0; o < out; o++)
                sum[o] = call->bias ? call->bias[o] : 0;
            for (int i = 0; i < l->kernel; i++)
                for (int j = 0; j < l->kernel; j++) {
                    gsize at;
                    if (!input_pixel(call, r, s, i, j, &at))
                        continue;
                    const double *tap = w + (gsize)(i * l->kernel + j) * in * out;
                    for (int c = 0; c < in; c++)
                        for (int o = 0; o < out; o++)
                            sum[o] += call->x[0][at + c] * tap[(gsize)c * out + o];
                }
            for (int o = 0; o < out; o++)
                y[o] = (float)sum[o];
        }
}

/* dx[p * stride + k - padding, c] += sum over o of dy[p, o] w[o, c, k] */
static void backward_data(const DpcxrRefCall *call)
{
    const DpcxrLayer *l = call->layer;
    int in = call->in.channels, out = l->shape.channels;
    g_autofree double *w = unpack(call, TRUE), *dx = g_new0(double, dpcxr_shape_size(call->in));
    const float *dy = call->dy;
    for (int r = 0; r < l->shape.height; r++)
        for (int s = 0; s < l->shape.width; s++, dy += out)
            for (int i = 0; i < l->kernel; i++)
                for (int j = 0; j < l->kernel; j++) {
                    gsize at;
                    if (!input_pixel(call, r, s, i, j, &at))
                        continue;
                    const double *tap = w + (gsize)(i * l->kernel + j) * in * out;
                    double *pixel = dx + at;
                    for (int o = 0; o < out; o++, tap += in)
                        for (int c = 0; c < in; c++)
                            pixel[c] += dy[o] * tap[c];
                }
    for (gsize i = 0; i < dpcxr_shape_size(call->in); i++)
        call->dx[0][i] += (float)dx[i];
}

/* dw[o, c, k] += sum over positions p of x[p * stride + k - padding, c] dy[p, o] */
static void backward_weight(const DpcxrRefCall *call)
{
    const DpcxrLayer *l = call->layer;
    int taps = l->kernel * l->kernel, in = call->in.channels, out = l->shape.channels;
    g_autofree double *dw = g_new0(double, (gsize)taps * in * out);
    const float *dy = call->dy;
    for (int r = 0; r < l->shape.height; r++)
        for (int s = 0; s < l->shape.width; s++, dy += out)
            for (int i = 0; i < l->kernel; i++)
                for (int j = 0; j < l->kernel; j++) {
                    gsize at;
                    if (!input_pixel(call, r, s, i, j, &at))
                        continue;
                    double *tap = dw + (gsize)(i * l->kernel + j) * in * out;
                    for (int c = 0; c < in; c++) {
                        double x = call->x[0][at + c];
                        for (int o = 0; o < out; o++)
                            tap[(gsize)c * out + o] += x * dy[o];
                    }
                }
    for (int o = 0; o < out; o++)
        for (int c = 0; c < in; c++)
            for (int k = 0; k < taps; k++)
                call->dweight[((gsize)o * in + c) * taps + k] += (float)dw[((gsize)k * in + c) * out + o];
}

static void backward_bias(const DpcxrRefCall *call)
{
    int out = call->layer->shape.channels;
    gsize positions = (gsize)call->layer->shape.height * call->layer->shape.width;
    for (int o = 0; o < out; o++) {
        double sum = 0;
        for (gsize p = 0; p < positions; p++)
            sum += call->dy[p * out + o];
        call->dbias[o] += (float)sum;
    }
}

static void backward(const DpcxrRefCall *call)
{
    if (call->dx[0])
        backward_data(call);
    if (call->dweight)
        backward_weight(call);
    if (call->dbias)
        backward_bias(call);
}

const DpcxrRefOp dpcxr_ref_conv2d = {forward, backward};
