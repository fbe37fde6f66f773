/* SPDX-License-Identifier: MIT
 * Which of this build's instruction sets may be used here: those that the processor has, up to what DPCXR_MAX_CPU_ISA=baseline|avx2|
 * avx512 allows (as ONEDNN_MAX_CPU_ISA does for oneDNN: a wide processor can run what a narrow one would). */
#pragma once
#include <glib.h>

typedef enum {
    DPCXR_ISA_BASELINE,
    DPCXR_ISA_AVX2,        /* with FMA */
    DPCXR_ISA_AVX512,      /* F, BW, DQ, VL */
    DPCXR_ISA_AVX512_BF16, /* its BF16 instructions on top */
} DpcxrIsa;

gboolean dpcxr_isa_has(DpcxrIsa isa);
