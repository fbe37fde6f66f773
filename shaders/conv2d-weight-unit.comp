#version 450
// SPDX-License-Identifier: MIT
// dw[unit, part][tap, c, o] = sum over the unit's images, in order, of the sum over the positions of a part of the image of
// x[pixel, c] dy[position, o]. OPTION parts an image, by output rows, so that small gradients keep a large device busy. Each
// image's sum is made by itself and then added: the bits are those of a unit in pieces, in whatever batch. A dispatch
// goes through whole images, or through lines of a single one, whose sums are then added in order.
#include "common.glsl"
#include "batch.glsl"
#include "conv2d.glsl"
#include "conv2d-weight.glsl"
layout(set = 0, binding = 3) buffer DW { float dw[]; };

float segment_scale(int segment) { return 1; }

#include "gemm.glsl"

void add_image(int at, int m0, int n0, bool first)
{
    [[unroll]] for (int i = 0; i < ROWS; i++) {
        int m = m0 + tile_row(i);
        [[unroll]] for (int j = 0; j < TILE_N; j++) {
            int n = n0 + tile_column(j);
            if (m < TAPS * C && n < O) {
                int to = at + m * O + n;
                dw[to] = first ? sums[i * TILE_N + j] : dw[to] + sums[i * TILE_N + j];
            }
        }
    }
}

void main()
{
    const int column_tiles = (O + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const int tiles = (TAPS * C + TILE_ROWS - 1) / TILE_ROWS * column_tiles;
    int tile = group_id() % tiles, part = group_id() / tiles % OPTION, unit = group_id() / tiles / OPTION;
    if (unit >= units_here())
        return;
    int m0 = tile / column_tiles * TILE_ROWS, n0 = tile % column_tiles * TILE_COLUMNS;
    int at = (unit * OPTION + part) * TAPS * C * O;
    int begin = unit_offset(push.unit_first + unit), end = unit_offset(push.unit_first + unit + 1);
    int row_begin = push.row_first + push.line_first / OH;
    int row_end = push.row_first + (push.line_first + push.line_count + OH - 1) / OH;
    int lines = min(push.line_count, OH), high = (lines + OPTION - 1) / OPTION; // of an image; of a part
    for (int row = max(begin, row_begin); row < min(min(end, row_end), push.row_first + rows_here()); row++) {
        int of_image = max((row - push.row_first) * OH, push.line_first);
        clear();
        gemm(m0, n0, of_image + min(part * high, lines), of_image + min(part * high + high, lines));
        finish();
        add_image(at, m0, n0, row == begin && of_image % OH == 0 && batch.next_piece == 0);
    }
}
