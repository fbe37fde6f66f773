#version 450
// SPDX-License-Identifier: MIT
// y = activation(weight xhat + bias (+ other)), element by element.
#include "common.glsl"
#include "batch.glsl"
#include "activation.glsl"
#include "group-norm.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) readonly buffer Moments { vec2 moments[]; };
layout(set = 0, binding = 3) readonly buffer Weight { float weight[]; };
layout(set = 0, binding = 4) readonly buffer Bias { float bias[]; };
layout(set = 0, binding = 5) readonly buffer Other { stored other[]; };
layout(set = 0, binding = 6) writeonly buffer Y { stored y[]; };

void main()
{
    int id = invocation_id(), c = id % C, row = id / (POSITIONS * C);
    if (row >= rows_here())
        return;
    vec2 m = moments[row * GROUPS + c / WIDTH];
    float v = (x[id] - m.x) * m.y * weight[c] + bias[c];
    if (RESIDUAL != 0)
        v += other[id];
    y[id] = stored(activate(ACTIVATION, v));
}
