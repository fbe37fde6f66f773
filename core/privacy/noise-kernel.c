/* SPDX-License-Identifier: MIT
 * Which variants of the noise kernels this build has and this processor can run. */
#include "privacy/noise-kernel.h"
#include "privacy/grid-noise-kernel.h"

static gboolean always(void)
{
    return TRUE;
}

#if defined(__x86_64__)
static gboolean has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

static gboolean has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#endif

static const DpcxrNoiseKernel kernels[] = {
    {"baseline", always, dpcxr_noise_run_baseline},
#if defined(__x86_64__)
    {"avx2", has_avx2, dpcxr_noise_run_avx2},
    {"avx512", has_avx512, dpcxr_noise_run_avx512},
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
        if (kernels[i].available())
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
