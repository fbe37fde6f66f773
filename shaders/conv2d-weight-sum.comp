#version 450
// SPDX-License-Identifier: MIT
// sum[tap, c, o] += sum over images and positions of x[pixel, c] c_u dy[position, o], with c_u the coefficient of the image's unit.
// A unit whose coefficient is 0 is not read.
#include "common.glsl"
#include "batch.glsl"
#include "conv2d.glsl"
#include "conv2d-weight.glsl"
layout(set = 0, binding = 3) readonly buffer Coefficients { float coefficients[]; }; // [groups, units]
layout(set = 0, binding = 4) buffer Sum { float sum[]; };

float segment_scale(int segment)
{
    return coefficients[push.group * batch.units + unit_of_row(push.row_first + segment / OH)];
}

#define GEMM_B float // dy and its coefficient
#include "gemm.glsl"

void main()
{
    const int column_tiles = (O + TILE_COLUMNS - 1) / TILE_COLUMNS;
    int m0 = group_id() / column_tiles * TILE_ROWS, n0 = group_id() % column_tiles * TILE_COLUMNS;
    clear();
    gemm(m0, n0, push.line_first, min(push.line_first + push.line_count, rows_here() * OH));
    finish();
    [[unroll]] for (int i = 0; i < ROWS; i++) {
        int m = m0 + tile_row(i);
        [[unroll]] for (int j = 0; j < TILE_N; j++) {
            int n = n0 + tile_column(j);
            if (m < TAPS * C && n < O)
                sum[m * O + n] += sums[i * TILE_N + j];
        }
    }
}
