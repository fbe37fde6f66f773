#version 450
// SPDX-License-Identifier: MIT
// sum[e] += sum over units of coefficient * slots[unit, e], in order. A unit whose coefficient is 0 is not read. The units of a
// batch are summed by themselves, so that batches that came before them or come later cost one rounding each.
#include "common.glsl"
#include "batch.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(constant_id = 2) const int FOLD = 0; // 1: the one unit is a bank, whatever the batch
layout(set = 0, binding = 1) readonly buffer Slots { float slots[]; };
layout(set = 0, binding = 2) readonly buffer Coefficients { float coefficients[]; }; // [groups, units]
layout(set = 0, binding = 3) buffer Sum { float sum[]; };

void main()
{
    int e = invocation_id(), units = FOLD != 0 ? 1 : units_here(), of_batch = FOLD != 0 ? 1 : batch.units;
    if (e >= SIZE)
        return;
    float total = 0;
    for (int unit = 0; unit < units; unit++) {
        float c = coefficients[push.group * of_batch + push.unit_first + unit];
        if (c != 0)
            total += c * slots[unit * SIZE + e];
    }
    sum[e] += total;
}
