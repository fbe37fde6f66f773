#version 450
// SPDX-License-Identifier: MIT
// What the device's arithmetic can do at most: CHAINS independent chains of STEPS fma's an invocation, in registers. Two FLOP a
// fma. All of them end in what is written, so none can be left out.
#include "common.glsl"
layout(constant_id = 1) const int STEPS = 1;
layout(set = 0, binding = 0) writeonly buffer Out { float results[]; };

const int CHAINS = 8;   // also in core/backend/vulkan/probe.c; as many as hide an fma's latency and stay in registers
const int UNROLLED = 8; // divides STEPS

void main()
{
    float x[CHAINS];
    float factor = 1 - 9.5367e-7 * float(gl_LocalInvocationIndex), addend = 1e-3 * float(push.size);
    [[unroll]] for (int i = 0; i < CHAINS; i++) x[i] = float(i + push.at);
    for (int s = 0; s < STEPS; s += UNROLLED)
        [[unroll]] for (int u = 0; u < UNROLLED; u++)
            [[unroll]] for (int i = 0; i < CHAINS; i++) x[i] = fma(x[i], factor, addend);
    float sum = 0;
    [[unroll]] for (int i = 0; i < CHAINS; i++) sum += x[i];
    results[invocation_id()] = sum;
}
