/* SPDX-License-Identifier: MIT
 * Activations on one vector, for the loops that fuse them. */
#pragma once
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/vector.h"

/* tanh(softplus(x)) = w / (w + 2) with w = n (n + 2), n = e^x. Above 20 it is 1 in f32 and n is held there,
 * far from overflow; below -87 n counts as 0. */
INLINE Floats mish_exponential(Floats x)
{
    Floats low = splat(-87), high = splat(20);
    Floats held = choose(x > high, high, choose(x > low, x, low));
    return choose(x < low, splat(0), exponential(held));
}

INLINE Floats activation_value(DpcxrActivation activation, Floats x)
{
    if (activation == DPCXR_ACTIVATION_RELU)
        return choose(x < 0, splat(0), x); /* a NaN stays one */
    if (activation == DPCXR_ACTIVATION_MISH) {
        Floats n = mish_exponential(x), w = n * (n + 2);
        return x * (w / (w + 2));
    }
    return x;
}

/* dy times the derivative at x. mish'(x) = w / (w + 2) + x 4 n (n + 1) / (w + 2)^2; beyond +-20 the second
 * term vanishes with x held, and x - x is 0, or NaN where x is not finite. */
INLINE Floats activation_gradient(DpcxrActivation activation, Floats x, Floats dy)
{
    if (activation == DPCXR_ACTIVATION_RELU)
        return choose(x <= 0, splat(0), dy);
    if (activation == DPCXR_ACTIVATION_MISH) {
        Floats n = mish_exponential(x), w = n * (n + 2), inverse = 1 / (w + 2);
        Floats held = choose(x > 20, splat(20), x);
        return dy * (inverse * (w + held * (4 * n * (n + 1) * inverse)) + (x - x));
    }
    return dy;
}
