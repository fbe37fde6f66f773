#version 450
// SPDX-License-Identifier: MIT
// slots[unit, e] = sum of the values of the unit's rows, in order; SIZE values a row. The bits are those of a unit in pieces.
#include "common.glsl"
#include "batch.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(set = 0, binding = 1) readonly buffer Values { float values[]; };
layout(set = 0, binding = 2) buffer Slots { float slots[]; };

void main()
{
    int id = invocation_id(), e = id % SIZE, unit = id / SIZE;
    if (unit >= units_here())
        return;
    int first = unit_offset(push.unit_first + unit), last = unit_offset(push.unit_first + unit + 1);
    bool fresh = batch.next_piece == 0;
    float sum = fresh ? values[first * SIZE + e] : slots[id] + values[first * SIZE + e];
    for (int row = first + 1; row < last; row++) sum += values[row * SIZE + e];
    slots[id] = sum;
}
