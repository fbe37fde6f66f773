// SPDX-License-Identifier: MIT
// relu and mish, and their gradients; the numbers are DpcxrActivation's.
float softplus(float v) { return max(v, 0) + log(1 + exp(-abs(v))); }

// tanh(softplus(v)) = n / (n + 2) with e = exp(v), n = e (e + 2); beyond 20 it is 1.
float tanh_softplus(float v)
{
    float e = exp(min(v, 20)), n = e * (e + 2);
    return v > 20 ? 1 : isnan(v) ? v : n / (n + 2);
}

float activate(int activation, float v)
{
    if (activation == 1)
        return v < 0 ? 0 : v; // a NaN stays one
    return activation == 2 ? v * tanh_softplus(v) : v;
}

float activation_gradient(int activation, float v, float dy)
{
    if (activation == 1)
        return v <= 0 ? 0 : dy;
    if (activation != 2)
        return dy;
    float t = tanh_softplus(v);
    return dy * (t + v * (1 - t * t) / (1 + exp(-v)));
}
