/* SPDX-License-Identifier: MIT
 * y = W x + b on a vector; W [out, in]. */
#include "backend/ref/ref.h"

static void forward(const DpcxrRefCall *call)
{
    int in = call->in.channels;
    for (int o = 0; o < call->layer->shape.channels; o++) {
        double sum = call->bias[o];
        for (int c = 0; c < in; c++)
            sum += (double)call->weight[(gsize)o * in + c] * call->x[0][c];
        call->y[o] = (float)sum;
    }
}

static void backward(const DpcxrRefCall *call)
{
    int in = call->in.channels, out = call->layer->shape.channels;
    for (int c = 0; call->dx[0] && c < in; c++) {
        double sum = 0;
        for (int o = 0; o < out; o++)
            sum += (double)call->weight[(gsize)o * in + c] * call->dy[o];
        call->dx[0][c] += (float)sum;
    }
    for (int o = 0; call->dweight && o < out; o++)
        for (int c = 0; c < in; c++)
            call->dweight[(gsize)o * in + c] += call->dy[o] * call->x[0][c];
    for (int o = 0; call->dbias && o < out; o++)
        call->dbias[o] += call->dy[o];
}

const DpcxrRefOp dpcxr_ref_linear = {forward, backward};
