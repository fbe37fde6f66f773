#version 450
// SPDX-License-Identifier: MIT
// squares[at + unit * chunks + chunk] = sum in f64 of the squares of a chunk of a unit's integers; at least
// 1e280 where one does not fit.
#include "common.glsl"
#include "batch.glsl"
#include "grid.glsl"
layout(constant_id = 1) const int SIZE = 1;
layout(constant_id = 2) const int EACH = 16;
layout(set = 0, binding = 1) readonly buffer Slots { float slots[]; };
layout(set = 0, binding = 3) writeonly buffer Out { double squares[]; };

shared double sums[gl_WorkGroupSize.x];

void main()
{
    int size = int(gl_WorkGroupSize.x), chunk_size = size * EACH, chunks = (SIZE + chunk_size - 1) / chunk_size;
    int unit = group_id() / chunks, chunk = group_id() % chunks, t = int(gl_LocalInvocationIndex);
    if (unit >= units_here())
        return; // a whole group
    double c = coefficients[push.group * batch.units + push.unit_first + unit], sum = 0;
    for (int i = 0; i < EACH && c != 0; i++) {
        int e = chunk * chunk_size + i * size + t;
        float value = e < SIZE ? slots[unit * SIZE + e] : 0;
        double v = double(value) * c;
        double whole = is_finite(value) && on_grid(v) ? trunc(v) : 1e140lf; // whose square is above what can be
        sum += whole * whole;
    }
    sums[t] = sum;
    for (int half_size = size / 2; half_size > 0; half_size /= 2) {
        barrier();
        if (t < half_size)
            sums[t] += sums[t + half_size];
    }
    if (t == 0)
        squares[push.at + (push.unit_first + unit) * chunks + chunk] = sums[0];
}
