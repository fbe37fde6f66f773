#version 450
// SPDX-License-Identifier: MIT
// sum[e] = (integers[e] + noise) * spacing, the sum modulo 2^64.
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#include "common.glsl"
#include "update.glsl"
layout(set = 0, binding = 0) readonly buffer Integers { int64_t integers[]; };
layout(set = 0, binding = 1) readonly buffer Noise { double spacing; int64_t noise[]; };
layout(set = 0, binding = 2) writeonly buffer Sum { float sum[]; };

void main()
{
    int e = invocation_id();
    if (e < SIZE)
        sum[e] = float(double(integers[e] + noise[pytorch_place(e)]) * spacing);
}
