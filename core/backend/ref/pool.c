/* SPDX-License-Identifier: MIT
 * Max pooling (padding counts as -inf, the first of equal values takes the gradient, a NaN in the window wins) and global
 * average pooling. */
#include "backend/ref/ref.h"
#include <math.h>

/* Offset into x of the value that the window at output (@r, @s) picks in channel @c. */
static gsize winner(const DpcxrRefCall *call, int r, int s, int c)
{
    const DpcxrLayer *l = call->layer;
    gsize best = G_MAXSIZE;
    for (int i = 0; i < l->kernel; i++)
        for (int j = 0; j < l->kernel; j++) {
            int row = r * l->stride + i - l->padding, column = s * l->stride + j - l->padding;
            if (row < 0 || row >= call->in.height || column < 0 || column >= call->in.width)
                continue;
            gsize at = ((gsize)row * call->in.width + column) * call->in.channels + c;
            float value = call->x[0][at];
            if (best == G_MAXSIZE || value > call->x[0][best] || (isnan(value) && !isnan(call->x[0][best])))
                best = at;
        }
    return best;
}

static void max_pool(const DpcxrRefCall *call, gboolean backward)
{
    DpcxrShape out = call->layer->shape;
    gsize at = 0;
    for (int r = 0; r < out.height; r++)
        for (int s = 0; s < out.width; s++)
            for (int c = 0; c < out.channels; c++, at++) {
                gsize from = winner(call, r, s, c);
                if (backward)
                    call->dx[0][from] += call->dy[at];
                else
                    call->y[at] = call->x[0][from];
            }
}

static void max_pool_forward(const DpcxrRefCall *call)
{
    max_pool(call, FALSE);
}

static void max_pool_backward(const DpcxrRefCall *call)
{
    if (call->dx[0])
        max_pool(call, TRUE);
}

const DpcxrRefOp dpcxr_ref_max_pool2d = {max_pool_forward, max_pool_backward};

static void average_forward(const DpcxrRefCall *call)
{
    gsize positions = (gsize)call->in.height * call->in.width;
    for (int c = 0; c < call->in.channels; c++) {
        double sum = 0;
        for (gsize p = 0; p < positions; p++)
            sum += call->x[0][p * call->in.channels + c];
        call->y[c] = (float)(sum / (double)positions);
    }
}

static void average_backward(const DpcxrRefCall *call)
{
    gsize positions = (gsize)call->in.height * call->in.width;
    for (gsize p = 0; call->dx[0] && p < positions; p++)
        for (int c = 0; c < call->in.channels; c++)
            call->dx[0][p * call->in.channels + c] += call->dy[c] / (float)positions;
}

const DpcxrRefOp dpcxr_ref_global_average_pool = {average_forward, average_backward};
