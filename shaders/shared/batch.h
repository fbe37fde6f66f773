/* SPDX-License-Identifier: MIT
 * The head of what the host says of a batch, seen by C and by GLSL. Lists follow in the same buffer, each at an offset in words:
 * unit_offsets [units + 1], unit_of_row [rows], pair_rows [2 pairs]. */
struct Batch {
    int rows, units, pairs;
    int next_piece; /* the only unit goes on: its gradient is added to what there is */
    int unit_offsets, unit_of_row, pair_rows, unused;
};
