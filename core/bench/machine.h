/* SPDX-License-Identifier: MIT
 * What a measurement ran on: instruction sets as the three parts of the cpu backend chose them, and memory. */
#pragma once
#include "base/precision.h"
#include <glib.h>

/* Names that live as long as the process; the environment may hold each down (docs/cpu-backend.md). */
typedef struct {
    const char *kernels;  /* our own loops: "avx512" */
    const char *onednn;   /* "avx512_core_bf16" */
    const char *openblas; /* what it takes the processor for: "SkylakeX" */
} DpcxrBenchIsa;

DpcxrBenchIsa dpcxr_bench_isa(DpcxrPrecision precision);
double dpcxr_bench_peak_memory_mb(void); /* of this process, so far */
