/* SPDX-License-Identifier: MIT
 * Which variants of the noise kernels this build has and this processor can run. */
#include "privacy/noise-kernel.h"
#include "base/isa.h"
#include "privacy/grid-noise-kernel.h"

static const DpcxrNoiseKernel kernels[] = {
    {"baseline", DPCXR_ISA_BASELINE, dpcxr_noise_run_baseline},
#if defined(__x86_64__)
    {"avx2", DPCXR_ISA_AVX2, dpcxr_noise_run_avx2},
    {"avx512", DPCXR_ISA_AVX512, dpcxr_noise_run_avx512},
#endif
};

const DpcxrNoiseKernel *dpcxr_noise_kernels(gsize *n)
{
    *n = G_N_ELEMENTS(kernels);
    return kernels;
}

const DpcxrNoiseKernel *dpcxr_noise_kernel(void)
{
    const DpcxrNoiseKernel *best = &kernels[0];
    for (gsize i = 1; i < G_N_ELEMENTS(kernels); i++)
        if (dpcxr_isa_has(kernels[i].isa))
            best = &kernels[i];
    return best;
}

static const DpcxrGridKernel grid_kernels[] = {
    {"baseline", dpcxr_grid_run_baseline},
#if defined(__x86_64__)
    {"avx2", dpcxr_grid_run_avx2},
    {"avx512", dpcxr_grid_run_avx512},
#endif
};
G_STATIC_ASSERT(G_N_ELEMENTS(grid_kernels) == G_N_ELEMENTS(kernels));

const DpcxrGridKernel *dpcxr_grid_kernels(gsize *n)
{
    *n = G_N_ELEMENTS(grid_kernels);
    return grid_kernels;
}
