/* SPDX-License-Identifier: MIT
 * The reference backend: plain C, one image at a time, sums in f64. It is the specification that every other backend is
 * compared with (tests/opcheck, and two images at the start of each training). Clarity first; nothing here is tuned. */
#pragma once
#include "backend/program.h"

extern const DpcxrBackend dpcxr_backend_ref;

/* One layer on one image. Arrays are NHWC without N; parameters and their gradients in PyTorch's layout. */
typedef struct {
    const DpcxrLayer *layer;
    DpcxrShape in;      /* of x[0] (and of x[1], where there is one) */
    const float *x[2];  /* inputs */
    float *y;           /* output: written by forward, read by backward */
    const float *weight, *bias; /* NULL where the layer has none */
    const float *dy;            /* gradient of the output */
    float *dx[2];               /* += gradient of the inputs; NULL: not wanted */
    float *dweight, *dbias;     /* += gradient of the parameters; NULL where the layer has none */
} DpcxrRefCall;

typedef struct {
    void (*forward)(const DpcxrRefCall *call);
    void (*backward)(const DpcxrRefCall *call);
} DpcxrRefOp;

extern const DpcxrRefOp dpcxr_ref_conv2d, dpcxr_ref_group_norm, dpcxr_ref_linear, dpcxr_ref_relu, dpcxr_ref_mish,
    dpcxr_ref_add, dpcxr_ref_max_pool2d, dpcxr_ref_global_average_pool;

/* BCE with logits of one image, mean over known labels, as torch.nn.BCEWithLogitsLoss with pos_weight computes each term:
 * (1 - y) x + (1 + (p - 1) y) softplus(-x). Returns the loss (0 where no label is known) and writes
 * @gradient [n] = row_weight * d loss / d logits. @pos_weight nullable. */
float dpcxr_ref_bce(const float *logits, const float *targets, const float *mask, const float *pos_weight, int n,
                    float row_weight, float *gradient);

/* Whether every element of sum + noise is finite; @noise nullable. */
gboolean dpcxr_ref_noised_finite(gsize n, const float *sum, const float *noise);
/* One parameter tensor of n values through DpcxrUpdate; m, v: moments (NULL where the rule has none), noise nullable. */
void dpcxr_ref_update(const DpcxrUpdate *update, gsize n, const float *sum, const float *noise, float *weight, float *m,
                      float *v);
/* average += rate * (weight - average) */
void dpcxr_ref_average(double rate, gsize n, const float *weight, float *average);
