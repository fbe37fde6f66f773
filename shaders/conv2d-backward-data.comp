#version 450
// SPDX-License-Identifier: MIT
// dx[q, c] (+)= sum over taps and o of dy[position(q, tap), o] w[tap, c, o]. With a stride, only some taps reach a pixel: pixels
// are handled by their residue modulo the stride, so that a whole tile has the same taps.
#include "common.glsl"
#include "batch.glsl"
#include "conv2d.glsl"
layout(set = 0, binding = 1) readonly buffer DY { stored dy[]; };
layout(set = 0, binding = 2) readonly buffer Weight { float w[]; };
layout(set = 0, binding = 3) buffer DX { stored dx[]; };

const int LENGTH = O;
const bool A_ALONG_K = true, B_ALONG_K = true;
const int SOME_H = (H + STRIDE - 1) / STRIDE, SOME_W = (W + STRIDE - 1) / STRIDE; // pixels of a residue, at most

ivec2 residue;

ivec3 pixel(int m)
{
    int q = m % (SOME_H * SOME_W);
    return ivec3(m / (SOME_H * SOME_W), q / SOME_W * STRIDE + residue.x, q % SOME_W * STRIDE + residue.y);
}

ivec3 a_row(int m) { return m < rows_here() * SOME_H * SOME_W ? pixel(m) : ivec3(0, NOTHING / 2, 0); }

// The caller makes sure that the stride divides.
int a_base(ivec3 row, int tap)
{
    int r = row.y + PADDING - tap / KERNEL, s = row.z + PADDING - tap % KERNEL;
    return r >= 0 && r < OH * STRIDE && s >= 0 && s < OW * STRIDE ? ((row.x * OH + r / STRIDE) * OW + s / STRIDE) * O
                                                                 : NOTHING;
}

float a_load(ivec3 row, int base, int k) { return dy[base + k]; }
int b_base(int tap, int n) { return n < C ? (tap * C + n) * O : NOTHING; }
float b_load(int base, int k) { return w[base + k]; }

float segment_scale(int tap)
{
    return (residue.x + PADDING - tap / KERNEL + KERNEL * STRIDE) % STRIDE == 0 &&
                   (residue.y + PADDING - tap % KERNEL + KERNEL * STRIDE) % STRIDE == 0
               ? 1
               : 0;
}

#include "gemm.glsl"

void main()
{
    const int column_tiles = (C + TILE_COLUMNS - 1) / TILE_COLUMNS;
    int id = group_id() / column_tiles, n0 = group_id() % column_tiles * TILE_COLUMNS;
    int rows = rows_here() * SOME_H * SOME_W, row_tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    if (row_tiles == 0 || id >= row_tiles * STRIDE * STRIDE)
        return;
    residue = ivec2(id / row_tiles / STRIDE, id / row_tiles % STRIDE);
    int m0 = id % row_tiles * TILE_ROWS;
    clear();
    gemm(m0, n0, 0, TAPS);
    finish();
    [[unroll]] for (int i = 0; i < ROWS; i++) {
        int m = m0 + tile_row(i);
        ivec3 q = pixel(m);
        if (m >= rows || q.y >= H || q.z >= W)
            continue;
        int at = ((q.x * H + q.y) * W + q.z) * C;
        [[unroll]] for (int j = 0; j < TILE_N; j++) {
            int n = n0 + tile_column(j);
            if (n < C)
                dx[at + n] = stored(push.accumulate != 0 ? dx[at + n] + sums[i * TILE_N + j] : sums[i * TILE_N + j]);
        }
    }
}
