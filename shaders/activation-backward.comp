#version 450
// SPDX-License-Identifier: MIT
// dx (+)= dy activation'(x); SIZE elements a row. ACTIVATION 0 passes the gradient on: the backward of an addition.
#include "common.glsl"
#include "batch.glsl"
#include "activation.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(constant_id = 2) const int ACTIVATION = 0;
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) readonly buffer DY { stored dy[]; };
layout(set = 0, binding = 3) buffer DX { stored dx[]; };

void main()
{
    int id = invocation_id();
    if (id / SIZE >= rows_here())
        return;
    float d = ACTIVATION != 0 ? activation_gradient(ACTIVATION, x[id], dy[id]) : float(dy[id]);
    dx[id] = stored(push.accumulate != 0 ? dx[id] + d : d);
}
