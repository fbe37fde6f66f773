#version 450
// SPDX-License-Identifier: MIT
// integers[e] += sum over units of their integers, modulo 2^64. The host has set the coefficients of dropped units to 0.
#include "common.glsl"
#include "batch.glsl"
#include "grid.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(set = 0, binding = 1) readonly buffer Slots { float slots[]; };
layout(set = 0, binding = 3) buffer Integers { int64_t integers[]; };

void main()
{
    int e = invocation_id();
    if (e >= SIZE)
        return;
    int64_t total = integers[e];
    for (int unit = 0; unit < units_here(); unit++) {
        double c = coefficients[push.group * batch.units + push.unit_first + unit];
        if (c != 0)
            total += int64_t(double(slots[unit * SIZE + e]) * c);
    }
    integers[e] = total;
}
