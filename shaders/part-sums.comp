#version 450
// SPDX-License-Identifier: MIT
// slots[unit, e] = sum over PARTS of parts[unit, part, e], in order.
#include "common.glsl"
#include "batch.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(constant_id = 2) const int PARTS = 1;
layout(set = 0, binding = 1) readonly buffer Parts { float parts[]; };
layout(set = 0, binding = 2) writeonly buffer Slots { float slots[]; };

void main()
{
    int id = invocation_id(), e = id % SIZE, unit = id / SIZE;
    if (unit >= units_here())
        return;
    float sum = 0;
    for (int part = 0; part < PARTS; part++) sum += parts[(unit * PARTS + part) * SIZE + e];
    slots[id] = sum;
}
