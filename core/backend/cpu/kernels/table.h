/* SPDX-License-Identifier: MIT
 * Prototypes of one instruction set's copy of the kernels, and its table. */
#pragma once
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/vector.h"

void KERNEL(add)(float *x, const float *y, gsize n);
void KERNEL(add_elements)(void *x, const void *y, gsize n);
void KERNEL(expand)(const void *x, float *y, gsize n);
void KERNEL(scale)(float a, const void *x, float *y, gsize n);
void KERNEL(narrow)(const float *x, void *y, gsize n);
void KERNEL(axpy)(float *x, float a, const float *y, gsize n);
void KERNEL(activate)(DpcxrActivation activation, const void *x, void *y, gsize n);
void KERNEL(activate_backward)(DpcxrActivation activation, const void *x, const void *dy, void *dx, gsize n);
double KERNEL(grid)(gint64 *x, double a, const float *y, gsize n, gboolean subtract);
double KERNEL(squares)(const float *x, gsize n);
double KERNEL(dot)(const float *x, const float *y, gsize n);
gboolean KERNEL(moderate)(const float *x, gsize n);
void KERNEL(channel_sums)(const void *x, gsize pixels, int channels, double *sums);
void KERNEL(channel_squares)(const void *x, gsize pixels, int channels, const float *mean, double *sums);
void KERNEL(norm_forward)(const CpuNorm *norm, void *y);
void KERNEL(norm_backward_sums)(const CpuNorm *norm, const void *dy, void *d, double *sum_d,
                                double *sum_dxhat);
void KERNEL(norm_backward_data)(const CpuNorm *norm, void *d, const float *mean_d, const float *mean_dxhat);
void KERNEL(max_pool)(const CpuPool *pool, const void *x, void *y, gint32 *winner);
void KERNEL(max_pool_backward)(const CpuPool *pool, const void *dy, const gint32 *winner, void *dx);
void KERNEL(gram)(const float *const *a, int n, const float *const *b, int m, gsize k, gboolean symmetric,
                  float *g, gsize ld);
void KERNEL(add_shifted)(const CpuRun *runs, int n_runs, const float *member_gram, gsize member_ld, float *g,
                         gsize ld);
void KERNEL(update)(const DpcxrUpdate *update, gsize n, const float *sum, const float *noise, float *weight,
                    float *m, float *v);

extern const CpuKernels KERNEL(kernels);
