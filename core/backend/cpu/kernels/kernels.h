/* SPDX-License-Identifier: MIT
 * The inner loops of the cpu backend as a table, one for each instruction set. Arrays are NHWC without N; @n,
 * @pixels and
 * @channels may be any size, pointers any alignment; in-place use is allowed only where said. What is void here is a tensor
 * of a row and has elements of the table's type, f32 or bf16; all else, and all arithmetic, is f32 or wider. */
#pragma once
#include "backend/program.h"
#include "backend/steps.h"

/* A stretch of neighbouring output positions under one tap of a window: outputs output .. output+length-1
 * read the pixels pixel, pixel+stride, ..; in the numbering of their residue class (window.h) member ..
 * member+length-1. */
typedef struct {
    int output, pixel, member, length;
} CpuRun;

typedef struct {
    const void *x, *residual; /* elements; residual nullable: added before the activation */
    gsize pixels;
    int channels;
    DpcxrActivation activation;
    const float *mean, *scale;  /* [channels]: of the channel's group; scale = 1 / sqrt(variance + eps) */
    const float *weight, *bias; /* [channels] */
} CpuNorm;

typedef struct {
    int height, width, channels, out_height, out_width;
    int kernel, stride, padding;
} CpuPool;

typedef struct {
    const char *isa;
    int lanes; /* a dot product of length k sums k / lanes products in a row, then log2(lanes) partial sums */

    gsize element; /* bytes of an element */

    /* Elements to f32 (y = x, y = a x) and back. */
    void (*expand)(const void *x, float *y, gsize n);
    void (*scale)(float a, const void *x, float *y, gsize n);
    void (*narrow)(const float *x, void *y, gsize n);

    /* Pointwise. add: x += y. axpy: x += a y. */
    void (*add)(float *x, const float *y, gsize n);
    void (*add_elements)(void *x, const void *y, gsize n);
    void (*axpy)(float *x, float a, const float *y, gsize n);
    void (*activate)(DpcxrActivation activation, const void *x, void *y, gsize n);
    void (*activate_backward)(DpcxrActivation activation, const void *x, const void *dy, void *dx, gsize n);

    /* x += or -= v, modulo 2^64, with v = a y rounded toward zero; returns the sum of v^2 in f64, or INFINITY where a y is
     * not finite or not below 2^52 (that element is left alone). */
    double (*grid)(gint64 *x, double a, const float *y, gsize n, gboolean subtract);

    /* Reductions. */
    double (*squares)(const float *x, gsize n);             /* sum of x^2 in f64 */
    double (*dot)(const float *x, const float *y, gsize n); /* sum of x y in f64 */
    gboolean (*moderate)(const float *x, gsize n); /* all |x| <= 1e38: finite, and so is a sum of two */
    void (*channel_sums)(const void *x, gsize pixels, int channels, double *sums);
    void (*channel_squares)(const void *x, gsize pixels, int channels, const float *mean, double *sums);

    /* y = activation((x - mean) scale weight + bias + residual) */
    void (*norm_forward)(const CpuNorm *norm, void *y);
    /* d = dy activation'(..), and by channel the f64 sums of d and of d xhat, xhat = (x - mean) scale. d may
     * be dy. */
    void (*norm_backward_sums)(const CpuNorm *norm, const void *dy, void *d, double *sum_d,
                               double *sum_dxhat);
    /* dx = scale (weight d - mean_d - xhat mean_dxhat), in place; mean_d, mean_dxhat [channels]: of the
     * group, weighted. */
    void (*norm_backward_data)(const CpuNorm *norm, void *d, const float *mean_d, const float *mean_dxhat);

    /* @winner: [outputs] number of the tap that won; nullable in forward. */
    void (*max_pool)(const CpuPool *pool, const void *x, void *y, gint32 *winner);
    void (*max_pool_backward)(const CpuPool *pool, const void *dy, const gint32 *winner, void *dx);

    /* g[i * ld + j] = a[i] . b[j], dot products of length k. @symmetric: a and b are the same rows. */
    void (*gram)(const float *const *a, int n, const float *const *b, int m, gsize k, gboolean symmetric,
                 float *g, gsize ld);
    /* g[t * ld + s] += member_gram[member(t) * member_ld + member(s)] for all t, s in the runs of one tap. */
    void (*add_shifted)(const CpuRun *runs, int n_runs, const float *member_gram, gsize member_ld, float *g,
                        gsize ld);

    /* As dpcxr_ref_update, bit for bit. */
    void (*update)(const DpcxrUpdate *update, gsize n, const float *sum, const float *noise, float *weight,
                   float *m, float *v);
} CpuKernels;

/* The table of the widest instruction set that this processor has, with f32 elements. */
const CpuKernels *dpcxr_cpu_kernels(void);
/* The one with bf16 elements; NULL where the processor has no instructions for them, or DPCXR_MAX_CPU_ISA forbids them. */
const CpuKernels *dpcxr_cpu_kernels_bf16(void);
