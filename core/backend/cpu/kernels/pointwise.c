/* SPDX-License-Identifier: MIT
 * Loops that look at one value at a time. */
#include "backend/cpu/kernels/pointwise.h"
#include "backend/cpu/kernels/table.h"

void KERNEL(add)(float *x, const float *y, gsize n)
{
    gsize i = 0;
    for (; i + LANES <= n; i += LANES)
        store(x + i, load(x + i, LANES) + load(y + i, LANES), LANES);
    for (; i < n; i++)
        x[i] += y[i];
}

void KERNEL(axpy)(float *x, float a, const float *y, gsize n)
{
    gsize i = 0;
    for (; i + LANES <= n; i += LANES)
        store(x + i, load(x + i, LANES) + a * load(y + i, LANES), LANES);
    for (; i < n; i++)
        x[i] += a * y[i];
}

INLINE void activate(CpuActivation activation, const float *x, float *y, gsize n)
{
    gsize i = 0;
    for (; i + LANES <= n; i += LANES)
        store(y + i, activation_value(activation, load(x + i, LANES)), LANES);
    if (i < n)
        store(y + i, activation_value(activation, load(x + i, (int)(n - i))), (int)(n - i));
}

void KERNEL(activate)(CpuActivation activation, const float *x, float *y, gsize n)
{
    if (activation == CPU_MISH)
        activate(CPU_MISH, x, y, n);
    else
        activate(CPU_RELU, x, y, n);
}

INLINE void activate_backward(CpuActivation activation, const float *x, const float *dy, float *dx, gsize n)
{
    gsize i = 0;
    for (; i + LANES <= n; i += LANES)
        store(dx + i, activation_gradient(activation, load(x + i, LANES), load(dy + i, LANES)), LANES);
    if (i < n) {
        int rest = (int)(n - i);
        store(dx + i, activation_gradient(activation, load(x + i, rest), load(dy + i, rest)), rest);
    }
}

void KERNEL(activate_backward)(CpuActivation activation, const float *x, const float *dy, float *dx, gsize n)
{
    if (activation == CPU_MISH)
        activate_backward(CPU_MISH, x, dy, dx, n);
    else
        activate_backward(CPU_RELU, x, dy, dx, n);
}
