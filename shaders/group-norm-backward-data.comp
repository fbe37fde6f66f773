#version 450
// SPDX-License-Identifier: MIT
// dx (+)= scale (d - mean(d) - xhat mean(d xhat)), with d = weight dv, element by element.
#include "common.glsl"
#include "batch.glsl"
#include "group-norm.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) readonly buffer Moments { vec2 moments[]; };
layout(set = 0, binding = 3) readonly buffer Weight { float weight[]; };
layout(set = 0, binding = 4) readonly buffer Means { vec2 means[]; };
layout(set = 0, binding = 5) readonly buffer DV { stored dv[]; };
layout(set = 0, binding = 6) buffer DX { stored dx[]; };

void main()
{
    int id = invocation_id(), c = id % C, row = id / (POSITIONS * C);
    if (row >= rows_here())
        return;
    vec2 m = moments[row * GROUPS + c / WIDTH], mean = means[row * GROUPS + c / WIDTH];
    float d = m.y * (weight[c] * dv[id] - mean.x - (x[id] - m.x) * m.y * mean.y);
    dx[id] = stored(push.accumulate != 0 ? dx[id] + d : d);
}
