/* SPDX-License-Identifier: MIT
 * Arithmetic that a training cannot do without. */
#pragma once
#include "graph/layers.h"

/* FLOP of one image through @layer once (forward; backward for data and for weights cost the same again each),
 * padding counted; 0 unless it is a convolution or linear. */
double dpcxr_bench_layer_flop(const DpcxrGraph *graph, int layer);
/* FLOP of one image's step: forward, backward for weights, and backward for data but for the first layer. */
double dpcxr_bench_step_flop(const DpcxrGraph *graph);
