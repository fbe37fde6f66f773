#version 450
// SPDX-License-Identifier: MIT
// y = a + b; SIZE elements a row.
#include "common.glsl"
#include "batch.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(set = 0, binding = 1) readonly buffer A { stored a[]; };
layout(set = 0, binding = 2) readonly buffer B { stored b[]; };
layout(set = 0, binding = 3) writeonly buffer Y { stored y[]; };

void main()
{
    int id = invocation_id();
    if (id / SIZE < rows_here())
        y[id] = stored(float(a[id]) + b[id]);
}
