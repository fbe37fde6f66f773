#version 450
// SPDX-License-Identifier: MIT
// flags[at] |= whether sum + noise is not finite anywhere.
#include "common.glsl"
#include "update.glsl"
#include "shared/rule.h"
layout(set = 0, binding = 0) readonly buffer RuleBuffer { Rule rule; };
layout(set = 0, binding = 1) readonly buffer Sum { float sum[]; };
layout(set = 0, binding = 2) readonly buffer Noise { float noise[]; };
layout(set = 0, binding = 3) buffer Flags { int flags[]; }; // [0]: any; [1 + parameter]

void main()
{
    int e = invocation_id();
    if (e >= SIZE)
        return;
    float value = rule.noise_on != 0 ? sum[e] + noise[pytorch_place(e)] : sum[e];
    if (isinf(value) || isnan(value)) {
        atomicOr(flags[0], 1);
        atomicOr(flags[push.at], 1);
    }
}
