#version 450
// SPDX-License-Identifier: MIT
// means[row, group] = means over the group of d and of d xhat, with d = weight dv.
#include "common.glsl"
#include "batch.glsl"
#include "group-norm.glsl"
layout(set = 0, binding = 1) readonly buffer DWeight { float dweight[]; };
layout(set = 0, binding = 2) readonly buffer DBias { float dbias[]; };
layout(set = 0, binding = 3) readonly buffer Weight { float weight[]; };
layout(set = 0, binding = 4) writeonly buffer Means { vec2 means[]; };

void main()
{
    int id = invocation_id(), group = id % GROUPS, row = id / GROUPS;
    if (row >= rows_here())
        return;
    vec2 sum = vec2(0);
    for (int c = group * WIDTH; c < (group + 1) * WIDTH; c++)
        sum += weight[c] * vec2(dbias[row * C + c], dweight[row * C + c]);
    means[id] = sum / (float(POSITIONS) * float(WIDTH));
}
