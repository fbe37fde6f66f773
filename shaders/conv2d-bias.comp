#version 450
// SPDX-License-Identifier: MIT
// out[row, o] = sum over positions of dy, line by line and then the lines, which errs less than one long sum.
#include "common.glsl"
#include "batch.glsl"
#include "conv2d.glsl"
layout(set = 0, binding = 1) readonly buffer DY { stored dy[]; };
layout(set = 0, binding = 2) writeonly buffer Out { float sums[]; };

void main()
{
    int id = invocation_id(), row = id / O, o = id % O;
    if (row >= rows_here())
        return;
    float total = 0;
    for (int r = 0; r < OH; r++) {
        float line = 0;
        for (int s = 0; s < OW; s++) line += dy[((row * OH + r) * OW + s) * O + o];
        total += line;
    }
    sums[id] = total;
}
