#version 450
// SPDX-License-Identifier: MIT
// dx[pixel] (+)= sum of dy over the windows that it won, in order: gathered, so that nothing is added by chance of time.
#include "common.glsl"
#include "batch.glsl"
#include "pool.glsl"
layout(set = 0, binding = 1) readonly buffer DY { stored dy[]; };
layout(set = 0, binding = 2) readonly buffer Winners { int winners[]; };
layout(set = 0, binding = 3) buffer DX { stored dx[]; };

// The first window that covers a coordinate.
int first_window(int at) { return max(at + PADDING - KERNEL + STRIDE, 0) / STRIDE; }

void main()
{
    int id = invocation_id(), c = id % C, j = id / C % W, i = id / C / W % H, row = id / C / W / H;
    if (row >= rows_here())
        return;
    float sum = 0;
    for (int r = first_window(i); r <= min((i + PADDING) / STRIDE, OH - 1); r++)
        for (int s = first_window(j); s <= min((j + PADDING) / STRIDE, OW - 1); s++) {
            int window = ((row * OH + r) * OW + s) * C + c;
            if (winners[window] == i * W + j)
                sum += dy[window];
        }
    dx[id] = stored(push.accumulate != 0 ? dx[id] + sum : sum);
}
