#version 450
// SPDX-License-Identifier: MIT
// y[p, o] = bias[o] + sum over taps and c of x[pixel(p, tap), c] w[tap, c, o]: an implicit GEMM over the positions of all rows.
#include "common.glsl"
#include "batch.glsl"
#include "conv2d.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) readonly buffer Weight { float w[]; };
layout(set = 0, binding = 3) readonly buffer Bias { float bias[]; }; // OPTION: there is one
layout(set = 0, binding = 4) writeonly buffer Y { stored y[]; };

const int LENGTH = C;
const bool A_ALONG_K = true, B_ALONG_K = false;

// The image, and the pixel under tap 0.
ivec3 a_row(int m)
{
    int p = m % (OH * OW);
    return m < rows_here() * OH * OW ? ivec3(m / (OH * OW), p / OW * STRIDE - PADDING, p % OW * STRIDE - PADDING)
                                     : ivec3(0, NOTHING, 0);
}

int a_base(ivec3 row, int tap)
{
    int r = row.y + tap / KERNEL, s = row.z + tap % KERNEL;
    return r >= 0 && r < H && s >= 0 && s < W ? ((row.x * H + r) * W + s) * C : NOTHING;
}

float a_load(ivec3 row, int base, int k) { return x[base + k]; }
int b_base(int tap, int n) { return n < O ? tap * C * O + n : NOTHING; }
float b_load(int base, int k) { return w[base + k * O]; }
float segment_scale(int segment) { return 1; }

#include "gemm.glsl"

void main()
{
    const int column_tiles = (O + TILE_COLUMNS - 1) / TILE_COLUMNS;
    int m0 = group_id() / column_tiles * TILE_ROWS, n0 = group_id() % column_tiles * TILE_COLUMNS;
    int rows = rows_here() * OH * OW;
    if (m0 >= rows)
        return;
    clear();
    gemm(m0, n0, 0, TAPS);
    finish();
    [[unroll]] for (int j = 0; j < TILE_N; j++) {
        int n = n0 + tile_column(j);
        if (n >= O)
            continue;
        float b = OPTION != 0 ? bias[n] : 0;
        [[unroll]] for (int i = 0; i < ROWS; i++) {
            int m = m0 + tile_row(i);
            if (m < rows)
                y[m * O + n] = stored(sums[i * TILE_N + j] + b);
        }
    }
}
