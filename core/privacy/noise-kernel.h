/* SPDX-License-Identifier: MIT
 * The inner loop of the noise, compiled once for each instruction set. All variants give the same bits. */
#pragma once
#include "base/isa.h"

/* Words and normals come in groups: DPCXR_NOISE_PAIRS radius words, then as many angle words, become as many cosine
 * normals and then as many sine normals. So vectors load and store without shuffling. */
#define DPCXR_NOISE_PAIRS 64
#define DPCXR_NOISE_GROUP (2 * DPCXR_NOISE_PAIRS)

/* out = (float)(std * z) for @groups groups of @words. Returns how many radius words are tails: their outputs are not
 * valid and are the caller's to replace. */
typedef gsize (*DpcxrNoiseKernelRun)(const guint64 *words, gsize groups, double std, float *out);

typedef struct {
    const char *name; /* "baseline", "avx2", "avx512" */
    DpcxrIsa isa;     /* that it needs */
    DpcxrNoiseKernelRun run;
} DpcxrNoiseKernel;

/* All kernels of this build, slowest first; the first one is always available. */
const DpcxrNoiseKernel *dpcxr_noise_kernels(gsize *n);
/* The fastest one that is available here. */
const DpcxrNoiseKernel *dpcxr_noise_kernel(void);

gsize dpcxr_noise_run_baseline(const guint64 *words, gsize groups, double std, float *out);
gsize dpcxr_noise_run_avx2(const guint64 *words, gsize groups, double std, float *out);
gsize dpcxr_noise_run_avx512(const guint64 *words, gsize groups, double std, float *out);
