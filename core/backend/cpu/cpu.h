/* SPDX-License-Identifier: MIT
 * The cpu backend: oneDNN convolutions and products, own vectorised loops for the rest. Each worker runs units of
 * its own, a block of images at a time; nothing is parallel inside one image. */
#pragma once
#include "backend/program.h"

extern const DpcxrBackend dpcxr_backend_cpu;

/* The same with one way of unit gradients for all layers, where the cost model would choose. For tests. */
extern const DpcxrBackend dpcxr_backend_cpu_direct, dpcxr_backend_cpu_gram;

/* Whether this processor computes with bf16 elements; not where DPCXR_MAX_CPU_ISA or ONEDNN_MAX_CPU_ISA forbids it. */
gboolean dpcxr_cpu_has_bf16(void);

/* What the cost model expects of the two ways to the unit gradient of a layer's weights, in multiply-adds a unit of
 * one image, and which one it takes. What it takes depends on shapes alone and never on a clock: results must not. */
typedef struct {
    double direct, gram;
    gboolean takes_gram;
} DpcxrCpuCost;

/* FALSE where @layer has no weights with two ways: it is neither a convolution nor linear. */
gboolean dpcxr_cpu_cost(const DpcxrGraph *graph, int layer, DpcxrCpuCost *cost);
