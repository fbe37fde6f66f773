// SPDX-License-Identifier: MIT
// The batch at hand, always binding 0.
layout(set = 0, binding = 0) readonly buffer BatchBuffer { Batch batch; int batch_lists[]; };
const int BATCH_WORDS = 8;

int rows_here() { return clamp(batch.rows - push.row_first, 0, push.row_count); }
int units_here() { return clamp(batch.units - push.unit_first, 0, push.unit_count); }
int unit_offset(int unit) { return batch_lists[batch.unit_offsets + unit - BATCH_WORDS]; }
int unit_of_row(int row) { return batch_lists[batch.unit_of_row + row - BATCH_WORDS]; }
ivec2 pair_rows(int pair)
{
    int at = batch.pair_rows + 2 * pair - BATCH_WORDS;
    return ivec2(batch_lists[at], batch_lists[at + 1]);
}
