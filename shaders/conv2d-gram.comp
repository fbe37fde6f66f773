#version 450
// SPDX-License-Identifier: MIT
// Parts of the squared norm of a gradient that is never formed (Goodfellow 2015; Rochette et al. 2019): for a pair of images of
// a unit, sum over positions t of one and s of the other of (x_t . x_s) (dy_t . dy_s), with x_t all inputs under the window at t.
// Two products of the same tile, multiplied element by element; each invocation writes the sum of its own elements, and the
// host adds those up in f64: out[at + (pair, tile, invocation)].
#define GEMM_CHUNKED
#include "common.glsl"
#include "batch.glsl"
#include "conv2d.glsl"
layout(set = 0, binding = 1) readonly buffer X { stored x[]; };
layout(set = 0, binding = 2) readonly buffer DY { stored dy[]; };
layout(set = 0, binding = 3) writeonly buffer Out { float parts[]; };

const int POSITIONS = OH * OW;
const bool A_ALONG_K = true, B_ALONG_K = true;

bool of_x;    // which of the two products
int LENGTH;   // of its segments
ivec2 images; // of the pair

int element(int image, ivec3 place, int tap)
{
    if (!of_x)
        return (image * POSITIONS + place.x) * O;
    int r = place.y + tap / KERNEL, s = place.z + tap % KERNEL;
    return r >= 0 && r < H && s >= 0 && s < W ? ((image * H + r) * W + s) * C : NOTHING;
}

// A position and the pixel under its tap 0.
ivec3 place_of(int position)
{
    return ivec3(position, position / OW * STRIDE - PADDING, position % OW * STRIDE - PADDING);
}

ivec3 a_row(int m) { return place_of(m); }
int a_base(ivec3 row, int tap) { return row.x < POSITIONS ? element(images.x, row, tap) : NOTHING; }
float value(int at) { return of_x ? float(x[at]) : float(dy[at]); }
float a_load(ivec3 row, int base, int k) { return value(base + k); }
int b_base(int tap, int n) { return n < POSITIONS ? element(images.y, place_of(n), tap) : NOTHING; }
float b_load(int base, int k) { return value(base + k); }
float segment_scale(int segment) { return 1; }

#include "gemm.glsl"

void main()
{
    const int column_tiles = (POSITIONS + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const int tiles = (POSITIONS + TILE_ROWS - 1) / TILE_ROWS * column_tiles;
    int pair = group_id() / tiles, tile = group_id() % tiles;
    if (pair >= batch.pairs)
        return;
    images = pair_rows(pair);
    int m0 = tile / column_tiles * TILE_ROWS, n0 = tile % column_tiles * TILE_COLUMNS;
    float x_sums[ROWS * TILE_N];
    clear();
    of_x = true;
    LENGTH = C;
    gemm(m0, n0, 0, TAPS);
    finish();
    [[unroll]] for (int i = 0; i < ROWS * TILE_N; i++) x_sums[i] = sums[i];
    clear();
    of_x = false;
    LENGTH = O;
    gemm(m0, n0, 0, 1);
    finish();
    float total = 0; // elements beyond the last position are 0
    [[unroll]] for (int i = 0; i < ROWS * TILE_N; i++) total += x_sums[i] * sums[i];
    parts[push.at + invocation_id()] = total;
}
