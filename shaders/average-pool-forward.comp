#version 450
// SPDX-License-Identifier: MIT
// y[row, c] = mean over all pixels, line by line.
#include "common.glsl"
#include "batch.glsl"
#include "pool.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) writeonly buffer Y { float y[]; };

// Of large images as many in a round, in the same order: Mesa's software device ends all loops of an invocation after
// 65535 rounds, counted together, and says nothing (dpcxr_vulkan_line_rounds).
const int AT_ONCE = H * W > 4096 ? 32 : 1;

void main()
{
    int id = invocation_id(), c = id % C, row = id / C;
    if (row >= rows_here())
        return;
    float sum = 0;
    for (int i = 0; i < H; i++) {
        float line = 0;
        for (int first = 0; first < W; first += AT_ONCE)
            [[unroll]] for (int k = 0; k < AT_ONCE; k++) {
                int j = first + k;
                if (j < W)
                    line += x[((row * H + i) * W + j) * C + c];
            }
        sum += line;
    }
    y[id] = sum / float(H * W);
}
