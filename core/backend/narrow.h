/* SPDX-License-Identifier: MIT
 * Which feature maps a 16-bit precision is about, the same on every backend. */
#pragma once
#include "base/precision.h"
#include "graph/layers.h"
#include <dpcxr/error.h>

/* By layer, whether its output and the gradient of that are kept in @precision's 16 bits; all FALSE with fp32. The head is not:
 * what global average pooling and linear layers put out is f32, and so is what activations, sums and norms make of that. Logits
 * of 16 bits would tie where f32 ranks. (transfer full) [layers]
 * NULL, DPCXR_ERROR_USAGE: a layer mixes both, or a convolution or pooling reads what is f32. */
gboolean *dpcxr_narrow_layers(const DpcxrGraph *graph, DpcxrPrecision precision, GError **error);
