/* SPDX-License-Identifier: MIT
 * Single operations of resnet9, each as a program of its own through the backend's seam: `dpcxr bench ops`. */
#pragma once
#include "backend/program.h"

typedef struct {
    int size, batch; /* pixels a side of the network's images; images at once */
    int threads;     /* at least 1; of no matter to vulkan */
    DpcxrPrecision precision;
    int repeats;     /* the fastest counts; at least 1 */
    const DpcxrBackend *backend; /* cpu: both ways to unit gradients are timed; any other: the one that it takes */
    const char *device;          /* (nullable) which of the backend's devices */
    gboolean weights_only;       /* convolutions and linear layers only */
    const char *tuning;          /* (nullable) as DpcxrProgramOptions.tuning */
} DpcxrOpsBench;

/* What of an operation is timed, in seconds an image; NaN where there is no such part. Parts that are not entries of
 * the seam are differences of two that are: forward from phase A, phase A from phase A with the images' gradient. What
 * entries copy between host and device is in the times. */
typedef enum {
    BENCH_OP_FORWARD,
    BENCH_OP_DATA,           /* backward to the input */
    BENCH_OP_DIRECT_WEIGHTS, /* the unit's weight gradient and its norm */
    BENCH_OP_DIRECT_SUM,     /* phase B from unit gradients */
    BENCH_OP_GRAM_NORM,      /* the norm from two Gram matrices */
    BENCH_OP_GRAM_PRODUCT,   /* phase B as one product */
    BENCH_OP_WEIGHTS,        /* of a backend with one way: the unit's norm, and its weight gradient where it is formed */
    BENCH_OP_SUM,            /* likewise: phase B */
    BENCH_N_OP_PARTS
} BenchOpPart;

const char *dpcxr_bench_op_part_name(BenchOpPart part); /* "forward", "backward_data", .. */

typedef struct {
    char *name;  /* of the layer's parameters in the model, or its type */
    char *shape; /* "56x56x64 > 28x28x128, 3x3 / 2" */
    double seconds[BENCH_N_OP_PARTS];
    double work[BENCH_N_OP_PARTS]; /* FLOP, or bytes where is_bytes: of an image; NaN: not counted */
    gboolean is_bytes;
    gboolean has_weights; /* a convolution or linear */
    gboolean takes_gram;  /* how unit norms are made */
    /* Of weights with two ways only: the seconds an image that both ways took; the cost model takes one. One way
     * is NaN where the model's costs are more than tenfold apart: the dearer one may not even fit into memory. */
    gboolean has_methods;
    double direct, gram;
} DpcxrOpTimes;

/* How much slower what the cost model takes is than the other way; below 1: it is right. NaN: not measured. */
double dpcxr_op_times_regret(const DpcxrOpTimes *times);

/* One entry for each convolution, linear layer, group norm (with what is fused to it) and pool. (transfer full)
 * [DpcxrOpTimes, cleared with the array] */
GArray *dpcxr_bench_ops(const DpcxrOpsBench *bench, GError **error);
