#version 450
// SPDX-License-Identifier: MIT
// parts[row, chunk, c] = (mean, sum of squared deviations from it) of a channel over a chunk of positions.
#include "common.glsl"
#include "batch.glsl"
#include "group-norm.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) writeonly buffer Parts { vec2 parts[]; };

void main()
{
    int id = invocation_id(), c = id % C, chunk = id / C % CHUNKS, row = id / C / CHUNKS;
    if (row >= rows_here())
        return;
    int first = chunk * CHUNK, last = min(first + CHUNK, POSITIONS);
    float mean = 0, squares = 0;
    for (int p = first; p < last; p++) mean += x[(row * POSITIONS + p) * C + c];
    mean /= float(last - first);
    for (int p = first; p < last; p++) {
        float d = x[(row * POSITIONS + p) * C + c] - mean;
        squares += d * d;
    }
    parts[id] = vec2(mean, squares);
}
