#version 450
// SPDX-License-Identifier: MIT
// y = largest value of the window; the first of equal ones, and a NaN before all. winner: its pixel in the image.
#include "common.glsl"
#include "batch.glsl"
#include "pool.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) writeonly buffer Y { stored y[]; };
layout(set = 0, binding = 3) writeonly buffer Winners { int winners[]; };

void main()
{
    int id = invocation_id(), c = id % C, s = id / C % OW, r = id / C / OW % OH, row = id / C / OW / OH;
    if (row >= rows_here())
        return;
    int best = NOTHING;
    float most = 0;
    for (int i = max(r * STRIDE - PADDING, 0); i < min(r * STRIDE - PADDING + KERNEL, H); i++)
        for (int j = max(s * STRIDE - PADDING, 0); j < min(s * STRIDE - PADDING + KERNEL, W); j++) {
            float v = x[((row * H + i) * W + j) * C + c];
            if (best == NOTHING || v > most || (isnan(v) && !isnan(most))) {
                best = i * W + j;
                most = v;
            }
        }
    y[id] = stored(most);
    winners[id] = best;
}
