#version 450
// SPDX-License-Identifier: MIT
// y = activation(x); SIZE elements a row.
#include "common.glsl"
#include "batch.glsl"
#include "activation.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(constant_id = 2) const int ACTIVATION = 0;
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) writeonly buffer Y { stored y[]; };

void main()
{
    int id = invocation_id();
    if (id / SIZE < rows_here())
        y[id] = stored(activate(ACTIVATION, x[id]));
}
