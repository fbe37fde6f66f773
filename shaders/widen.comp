#version 450
// SPDX-License-Identifier: MIT
// What is stored in 16 bits goes to the host as f32; SIZE elements a row.
#include "common.glsl"
#include "batch.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) writeonly buffer Y { float y[]; };

void main()
{
    int id = invocation_id();
    if (id / SIZE < rows_here())
        y[id] = x[id];
}
