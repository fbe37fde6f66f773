/* SPDX-License-Identifier: MIT
 * What a program keeps feature maps and their gradients in (device.precision). Weights, sums, norms, the head and everything
 * that the optimizer touches are f32 or wider in each of them. */
#pragma once
#include <glib.h>

typedef enum {
    DPCXR_PRECISION_FP32,
    DPCXR_PRECISION_BF16, /* 8 bits of precision, the range of f32; cpu */
    DPCXR_PRECISION_FP16, /* 11 bits, up to 65504; vulkan */
    DPCXR_N_PRECISIONS
} DpcxrPrecision;

/* "fp32", "bf16", "fp16" */
const char *dpcxr_precision_name(DpcxrPrecision precision);
/* FALSE where @name is none of these. */
gboolean dpcxr_precision_parse(const char *name, DpcxrPrecision *precision);
