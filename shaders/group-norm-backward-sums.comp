#version 450
// SPDX-License-Identifier: MIT
// Gradients of one row: dweight[row, c] = sum of dv xhat, dbias[row, c] = sum of dv, from the parts, in order.
#include "common.glsl"
#include "batch.glsl"
#include "group-norm.glsl"
layout(set = 0, binding = 1) readonly buffer Parts { vec2 parts[]; };
layout(set = 0, binding = 2) writeonly buffer DWeight { float dweight[]; };
layout(set = 0, binding = 3) writeonly buffer DBias { float dbias[]; };

void main()
{
    int id = invocation_id(), c = id % C, row = id / C;
    if (row >= rows_here())
        return;
    vec2 sum = vec2(0);
    for (int chunk = 0; chunk < CHUNKS; chunk++) sum += parts[(row * CHUNKS + chunk) * C + c];
    dweight[id] = sum.y;
    dbias[id] = sum.x;
}
