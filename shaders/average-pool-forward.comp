#version 450
// SPDX-License-Identifier: MIT
// y[row, c] = mean over all pixels, line by line.
#include "common.glsl"
#include "batch.glsl"
#include "pool.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) writeonly buffer Y { float y[]; };

void main()
{
    int id = invocation_id(), c = id % C, row = id / C;
    if (row >= rows_here())
        return;
    float sum = 0;
    for (int i = 0; i < H; i++) {
        float line = 0;
        for (int j = 0; j < W; j++) line += x[((row * H + i) * W + j) * C + c];
        sum += line;
    }
    y[id] = sum / float(H * W);
}
