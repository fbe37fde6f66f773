#version 450
// SPDX-License-Identifier: MIT
// out[at + unit * CHUNKS + chunk] = sum of squares of a chunk of a unit's gradient: EACH elements an invocation, then a tree.
// The host adds the chunks up in f64.
#include "common.glsl"
#include "batch.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(constant_id = 2) const int EACH = 16;
layout(constant_id = 3) const int UNITS = 0; // 1: of slots of units; 0: of one tensor
layout(set = 0, binding = 1) readonly buffer Slots { float slots[]; };
layout(set = 0, binding = 2) writeonly buffer Out { float squares[]; };

shared float sums[gl_WorkGroupSize.x];

void main()
{
    int size = int(gl_WorkGroupSize.x), chunk_size = size * EACH, chunks = (SIZE + chunk_size - 1) / chunk_size;
    int unit = group_id() / chunks, chunk = group_id() % chunks, t = int(gl_LocalInvocationIndex);
    if (unit >= (UNITS != 0 ? units_here() : 1))
        return; // a whole group
    float sum = 0;
    for (int i = 0; i < EACH; i++) {
        int e = chunk * chunk_size + i * size + t;
        float value = e < SIZE ? slots[unit * SIZE + e] : 0;
        sum += value * value;
    }
    sums[t] = sum;
    for (int half_size = size / 2; half_size > 0; half_size /= 2) {
        barrier();
        if (t < half_size)
            sums[t] += sums[t + half_size];
    }
    if (t == 0)
        squares[push.at + (push.unit_first + unit) * chunks + chunk] = sums[0];
}
