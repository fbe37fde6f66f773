#version 450
// SPDX-License-Identifier: MIT
// moments[row, group] = (mean, 1 / sqrt(variance + eps)), from the parts of its channels: their means in order, and then their
// deviations from the mean of all (Chan, Golub & LeVeque 1983, for equal weights but the last chunk's).
#include "common.glsl"
#include "batch.glsl"
#include "group-norm.glsl"
layout(set = 0, binding = 1) readonly buffer Parts { vec2 parts[]; };
layout(set = 0, binding = 2) writeonly buffer Moments { vec2 moments[]; };

float positions_of(int chunk) { return float(min(CHUNK, POSITIONS - chunk * CHUNK)); }

void main()
{
    int id = invocation_id(), group = id % GROUPS, row = id / GROUPS;
    if (row >= rows_here())
        return;
    float mean = 0, squares = 0;
    const float n = float(POSITIONS) * float(WIDTH);
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        float sum = 0;
        for (int c = 0; c < WIDTH; c++) sum += parts[(row * CHUNKS + chunk) * C + group * WIDTH + c].x;
        mean += sum * (positions_of(chunk) / n);
    }
    for (int chunk = 0; chunk < CHUNKS; chunk++) {
        float sum = 0;
        for (int c = 0; c < WIDTH; c++) {
            vec2 part = parts[(row * CHUNKS + chunk) * C + group * WIDTH + c];
            sum += part.y + positions_of(chunk) * (part.x - mean) * (part.x - mean);
        }
        squares += sum;
    }
    moments[id] = vec2(mean, 1 / sqrt(squares / n + EPS));
}
