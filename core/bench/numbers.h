/* SPDX-License-Identifier: MIT
 * What every measurement needs: a clock, made-up values, and a middle that one disturbed repeat does not move. */
#pragma once
#include "backend/program.h"

double dpcxr_bench_now(void); /* seconds of a clock that only goes forward */
/* @n uniform values in [0, 1), the same for the same @stream. (transfer full) */
float *dpcxr_bench_values(gsize n, guint32 stream);
/* Gives @program the weights that its network would begin a training with. */
gboolean dpcxr_bench_initialise(DpcxrProgram *program, GError **error);
/* Of @n >= 1 values; the mean of the middle two where @n is even. */
double dpcxr_bench_median(const double *values, int n);
