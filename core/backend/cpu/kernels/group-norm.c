/* SPDX-License-Identifier: MIT
 * Group normalisation with what usually follows it (a residual, an activation) in the same pass. What comes
 * before the activation is not stored: backward computes it again from x, which costs less
 * than reading it. */
#include "backend/cpu/kernels/pointwise.h"
#include "backend/cpu/kernels/table.h"

enum { FOLD = 32, BLOCK = 2 };

/* The parameters of a block of channels, in registers. */
typedef struct {
    Floats mean[BLOCK], scale[BLOCK], weight[BLOCK], bias[BLOCK];
} Channels;

INLINE Channels load_channels(const CpuNorm *norm, int c, int vectors, int last)
{
    Channels k = {0};
    for (int v = 0; v < vectors; v++) {
        int at = c + v * LANES;
        k.mean[v] = load(norm->mean + at, last);
        k.scale[v] = load(norm->scale + at, last);
        k.weight[v] = load(norm->weight + at, last);
        k.bias[v] = load(norm->bias + at, last);
    }
    return k;
}

INLINE void forward_block(const CpuNorm *norm, DpcxrActivation activation, gboolean residual, Element *y, int c,
                          int vectors, int last)
{
    const Element *x = norm->x, *added = norm->residual;
    Channels k = load_channels(norm, c, vectors, last);
    for (gsize p = 0; p < norm->pixels; p++)
        for (int v = 0; v < vectors; v++) {
            gsize at = p * norm->channels + c + v * LANES;
            Floats value = (load_elements(x + at, last) - k.mean[v]) * k.scale[v] * k.weight[v] + k.bias[v];
            if (residual)
                value += load_elements(added + at, last);
            store_elements(y + at, activation_value(activation, value), last);
        }
}

INLINE void forward(const CpuNorm *norm, DpcxrActivation activation, gboolean residual, Element *y)
{
    int c = 0;
    for (; c + BLOCK * LANES <= norm->channels; c += BLOCK * LANES)
        forward_block(norm, activation, residual, y, c, BLOCK, LANES);
    for (; c + LANES <= norm->channels; c += LANES)
        forward_block(norm, activation, residual, y, c, 1, LANES);
    if (c < norm->channels)
        forward_block(norm, activation, residual, y, c, 1, norm->channels - c);
}

/* One copy of the loop for each case, so that it has no branches inside. */
#define FOR_EACH_CASE(call)                                                                                  \
    switch ((int)norm->activation * 2 + (norm->residual != NULL)) {                                          \
    case DPCXR_ACTIVATION_IDENTITY * 2:                                                                                   \
        call(DPCXR_ACTIVATION_IDENTITY, FALSE);                                                                           \
        break;                                                                                               \
    case DPCXR_ACTIVATION_IDENTITY * 2 + 1:                                                                               \
        call(DPCXR_ACTIVATION_IDENTITY, TRUE);                                                                            \
        break;                                                                                               \
    case DPCXR_ACTIVATION_RELU * 2:                                                                                       \
        call(DPCXR_ACTIVATION_RELU, FALSE);                                                                               \
        break;                                                                                               \
    case DPCXR_ACTIVATION_RELU * 2 + 1:                                                                                   \
        call(DPCXR_ACTIVATION_RELU, TRUE);                                                                                \
        break;                                                                                               \
    case DPCXR_ACTIVATION_MISH * 2:                                                                                       \
        call(DPCXR_ACTIVATION_MISH, FALSE);                                                                               \
        break;                                                                                               \
    case DPCXR_ACTIVATION_MISH * 2 + 1:                                                                                   \
        call(DPCXR_ACTIVATION_MISH, TRUE);                                                                                \
        break;                                                                                               \
    default:                                                                                                 \
        g_assert_not_reached();                                                                              \
    }

void KERNEL(norm_forward)(const CpuNorm *norm, void *y){
#define FORWARD(activation, residual) forward(norm, activation, residual, y)
    FOR_EACH_CASE(FORWARD)}

INLINE void sums_block(const CpuNorm *norm, DpcxrActivation activation, gboolean residual, const Element *dy,
                       Element *d, double *sum_d, double *sum_dxhat, int c, int vectors, int last)
{
    const Element *x = norm->x, *added = norm->residual;
    Channels k = load_channels(norm, c, vectors, last);
    Doubles total_d[BLOCK] = {0}, total_dxhat[BLOCK] = {0};
    for (gsize p = 0; p < norm->pixels;) {
        Floats part_d[BLOCK] = {0}, part_dxhat[BLOCK] = {0};
        for (gsize end = MIN(p + FOLD, norm->pixels); p < end; p++)
            for (int v = 0; v < vectors; v++) {
                gsize at = p * norm->channels + c + v * LANES;
                Floats xhat = (load_elements(x + at, last) - k.mean[v]) * k.scale[v],
                       value = load_elements(dy + at, last);
                if (activation != DPCXR_ACTIVATION_IDENTITY) {
                    Floats before = xhat * k.weight[v] + k.bias[v];
                    if (residual)
                        before += load_elements(added + at, last);
                    value = activation_gradient(activation, before, value);
                }
                store_elements(d + at, value, last);
                part_d[v] += value;
                part_dxhat[v] += value * xhat;
            }
        for (int v = 0; v < vectors; v++) {
            total_d[v] += __builtin_convertvector(part_d[v], Doubles);
            total_dxhat[v] += __builtin_convertvector(part_dxhat[v], Doubles);
        }
    }
    for (int v = 0; v < vectors; v++) {
        memcpy(sum_d + c + v * LANES, &total_d[v], (gsize)last * sizeof(double));
        memcpy(sum_dxhat + c + v * LANES, &total_dxhat[v], (gsize)last * sizeof(double));
    }
}

INLINE void backward_sums(const CpuNorm *norm, DpcxrActivation activation, gboolean residual, const Element *dy,
                          Element *d, double *sum_d, double *sum_dxhat)
{
    int c = 0;
    for (; c + BLOCK * LANES <= norm->channels; c += BLOCK * LANES)
        sums_block(norm, activation, residual, dy, d, sum_d, sum_dxhat, c, BLOCK, LANES);
    for (; c + LANES <= norm->channels; c += LANES)
        sums_block(norm, activation, residual, dy, d, sum_d, sum_dxhat, c, 1, LANES);
    if (c < norm->channels)
        sums_block(norm, activation, residual, dy, d, sum_d, sum_dxhat, c, 1, norm->channels - c);
}

void KERNEL(norm_backward_sums)(const CpuNorm *norm, const void *dy, void *d, double *sum_d,
                                double *sum_dxhat){
#define SUMS(activation, residual) backward_sums(norm, activation, residual, dy, d, sum_d, sum_dxhat)
    FOR_EACH_CASE(SUMS)}

INLINE void data_block(const CpuNorm *norm, Element *d, const float *mean_d, const float *mean_dxhat, int c,
                       int vectors, int last)
{
    const Element *x = norm->x;
    Channels k = load_channels(norm, c, vectors, last);
    Floats of_d[BLOCK], of_dxhat[BLOCK];
    for (int v = 0; v < vectors; v++) {
        of_d[v] = load(mean_d + c + v * LANES, last);
        of_dxhat[v] = load(mean_dxhat + c + v * LANES, last);
    }
    for (gsize p = 0; p < norm->pixels; p++)
        for (int v = 0; v < vectors; v++) {
            gsize at = p * norm->channels + c + v * LANES;
            Floats xhat = (load_elements(x + at, last) - k.mean[v]) * k.scale[v];
            store_elements(d + at,
                           k.scale[v] *
                               (k.weight[v] * load_elements(d + at, last) - of_d[v] - xhat * of_dxhat[v]),
                           last);
        }
}

void KERNEL(norm_backward_data)(const CpuNorm *norm, void *d, const float *mean_d, const float *mean_dxhat)
{
    int c = 0;
    for (; c + BLOCK * LANES <= norm->channels; c += BLOCK * LANES)
        data_block(norm, d, mean_d, mean_dxhat, c, BLOCK, LANES);
    for (; c + LANES <= norm->channels; c += LANES)
        data_block(norm, d, mean_d, mean_dxhat, c, 1, LANES);
    if (c < norm->channels)
        data_block(norm, d, mean_d, mean_dxhat, c, 1, norm->channels - c);
}
