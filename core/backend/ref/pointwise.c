/* SPDX-License-Identifier: MIT
 * Layers that look at one value at a time: relu, mish, add. */
#include "backend/ref/ref.h"
#include <math.h>

/* The gradient at 0 is 0, as in PyTorch; a NaN stays one. */
static void relu_forward(const DpcxrRefCall *call)
{
    for (gsize i = 0; i < dpcxr_shape_size(call->in); i++)
        call->y[i] = call->x[0][i] < 0 ? 0 : call->x[0][i];
}

static void relu_backward(const DpcxrRefCall *call)
{
    for (gsize i = 0; call->dx[0] && i < dpcxr_shape_size(call->in); i++)
        call->dx[0][i] += call->x[0][i] <= 0 ? 0 : call->dy[i];
}

const DpcxrRefOp dpcxr_ref_relu = {relu_forward, relu_backward};

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* mish(x) = x tanh(softplus(x)) */
static void mish_forward(const DpcxrRefCall *call)
{
    for (gsize i = 0; i < dpcxr_shape_size(call->in); i++)
        call->y[i] = (float)(call->x[0][i] * tanh(softplus(call->x[0][i])));
}

/* mish'(x) = t + x (1 - t^2) sigmoid(x), with t = tanh(softplus(x)) */
static void mish_backward(const DpcxrRefCall *call)
{
    for (gsize i = 0; call->dx[0] && i < dpcxr_shape_size(call->in); i++) {
        double x = call->x[0][i], t = tanh(softplus(x)), sigmoid = 1 / (1 + exp(-x));
        call->dx[0][i] += (float)(call->dy[i] * (t + x * (1 - t * t) * sigmoid));
    }
}

const DpcxrRefOp dpcxr_ref_mish = {mish_forward, mish_backward};

static void add_forward(const DpcxrRefCall *call)
{
    for (gsize i = 0; i < dpcxr_shape_size(call->in); i++)
        call->y[i] = call->x[0][i] + call->x[1][i];
}

static void add_backward(const DpcxrRefCall *call)
{
    for (int k = 0; k < 2; k++)
        for (gsize i = 0; call->dx[k] && i < dpcxr_shape_size(call->in); i++)
            call->dx[k][i] += call->dy[i];
}

const DpcxrRefOp dpcxr_ref_add = {add_forward, add_backward};
