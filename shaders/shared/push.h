/* SPDX-License-Identifier: MIT
 * Push constants of every shader, seen by C and by GLSL: which rows and units of the batch a dispatch is about. Rows and units
 * beyond those of the batch are left alone. Arrays of rows are bound from @row_first on, arrays of units from @unit_first on. */
struct Push {
    int row_first, row_count;
    int unit_first, unit_count;
    int line_first, line_count; /* lines of positions that weights' gradients sum, through all rows from @row_first on */
    int accumulate; /* what is written is added to what is there */
    int group;      /* clipping group of the parameter */
    int at;         /* where a shader's results begin in an array that all dispatches share */
    int size;       /* elements, where a pipeline serves several sizes */
};
