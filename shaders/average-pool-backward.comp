#version 450
// SPDX-License-Identifier: MIT
// dx (+)= dy / pixels.
#include "common.glsl"
#include "batch.glsl"
#include "pool.glsl"
layout(set = 0, binding = 1) readonly buffer DY { float dy[]; };
layout(set = 0, binding = 2) buffer DX { stored dx[]; };

void main()
{
    int id = invocation_id(), c = id % C, row = id / (H * W * C);
    if (row >= rows_here())
        return;
    float d = dy[row * C + c] / float(H * W);
    dx[id] = stored(push.accumulate != 0 ? dx[id] + d : d);
}
