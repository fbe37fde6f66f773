#version 450
// SPDX-License-Identifier: MIT
// out[row, o] = sum over positions of dy, line by line and then the lines, which errs less than one long sum.
#include "common.glsl"
#include "batch.glsl"
#include "conv2d.glsl"
layout(set = 0, binding = 1) readonly buffer DY { stored dy[]; };
layout(set = 0, binding = 2) writeonly buffer Out { float sums[]; };

// Of large images as many in a round, in the same order: Mesa's software device ends all loops of an invocation after
// 65535 rounds, counted together, and says nothing (dpcxr_vulkan_line_rounds).
const int AT_ONCE = OH * OW > 4096 ? 32 : 1;

void main()
{
    int id = invocation_id(), row = id / O, o = id % O;
    if (row >= rows_here())
        return;
    float total = 0;
    for (int r = 0; r < OH; r++) {
        float line = 0;
        for (int first = 0; first < OW; first += AT_ONCE)
            [[unroll]] for (int k = 0; k < AT_ONCE; k++) {
                int s = first + k;
                if (s < OW)
                    line += dy[((row * OH + r) * OW + s) * O + o];
            }
        total += line;
    }
    sums[id] = total;
}
