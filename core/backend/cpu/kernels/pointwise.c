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

void KERNEL(add_elements)(void *x, const void *y, gsize n)
{
    Element *to = x;
    const Element *from = y;
    for (gsize i = 0; i < n; i += LANES) {
        int part = (int)MIN(LANES, n - i);
        store_elements(to + i, load_elements(to + i, part) + load_elements(from + i, part), part);
    }
}

void KERNEL(expand)(const void *x, float *y, gsize n)
{
    const Element *from = x;
    for (gsize i = 0; i < n; i += LANES) {
        int part = (int)MIN(LANES, n - i);
        store(y + i, load_elements(from + i, part), part);
    }
}

void KERNEL(scale)(float a, const void *x, float *y, gsize n)
{
    const Element *from = x;
    for (gsize i = 0; i < n; i += LANES) {
        int part = (int)MIN(LANES, n - i);
        store(y + i, a * load_elements(from + i, part), part);
    }
}

void KERNEL(narrow)(const float *x, void *y, gsize n)
{
    Element *to = y;
    for (gsize i = 0; i < n; i += LANES) {
        int part = (int)MIN(LANES, n - i);
        store_elements(to + i, load(x + i, part), part);
    }
}

void KERNEL(axpy)(float *x, float a, const float *y, gsize n)
{
    gsize i = 0;
    for (; i + LANES <= n; i += LANES)
        store(x + i, load(x + i, LANES) + a * load(y + i, LANES), LANES);
    for (; i < n; i++)
        x[i] += a * y[i];
}

INLINE void activate(DpcxrActivation activation, const Element *x, Element *y, gsize n)
{
    for (gsize i = 0; i < n; i += LANES) {
        int part = (int)MIN(LANES, n - i);
        store_elements(y + i, activation_value(activation, load_elements(x + i, part)), part);
    }
}

void KERNEL(activate)(DpcxrActivation activation, const void *x, void *y, gsize n)
{
    if (activation == DPCXR_ACTIVATION_MISH)
        activate(DPCXR_ACTIVATION_MISH, x, y, n);
    else
        activate(DPCXR_ACTIVATION_RELU, x, y, n);
}

INLINE void activate_backward(DpcxrActivation activation, const Element *x, const Element *dy, Element *dx,
                              gsize n)
{
    for (gsize i = 0; i < n; i += LANES) {
        int part = (int)MIN(LANES, n - i);
        store_elements(
            dx + i, activation_gradient(activation, load_elements(x + i, part), load_elements(dy + i, part)),
            part);
    }
}

void KERNEL(activate_backward)(DpcxrActivation activation, const void *x, const void *dy, void *dx, gsize n)
{
    if (activation == DPCXR_ACTIVATION_MISH)
        activate_backward(DPCXR_ACTIVATION_MISH, x, dy, dx, n);
    else
        activate_backward(DPCXR_ACTIVATION_RELU, x, dy, dx, n);
}
