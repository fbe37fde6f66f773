#version 450
// SPDX-License-Identifier: MIT
// For the error bound of conv2d-gram: |x_t| and |dy_t| at each position t of each row. out[(row, t)] = (|x_t|, |dy_t|).
#include "common.glsl"
#include "batch.glsl"
#include "conv2d.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) readonly buffer DY { stored dy[]; };
layout(set = 0, binding = 3) writeonly buffer Out { vec2 lengths[]; };

void main()
{
    int id = invocation_id(), row = id / (OH * OW), t = id % (OH * OW);
    if (row >= rows_here())
        return;
    float x_square = 0, dy_square = 0;
    for (int tap = 0; tap < TAPS; tap++) {
        int r = t / OW * STRIDE - PADDING + tap / KERNEL, s = t % OW * STRIDE - PADDING + tap % KERNEL;
        if (r < 0 || r >= H || s < 0 || s >= W)
            continue;
        int at = ((row * H + r) * W + s) * C;
        for (int c = 0; c < C; c++) x_square += float(x[at + c]) * x[at + c];
    }
    for (int o = 0; o < O; o++) dy_square += float(dy[id * O + o]) * dy[id * O + o];
    lengths[push.at + push.row_first * OH * OW + id] = vec2(sqrt(x_square), sqrt(dy_square));
}
