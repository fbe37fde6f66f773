/* SPDX-License-Identifier: MIT
 * Which variants of the bootstrap's loops this build has and this processor can run. */
#include "stats/bootstrap-kernel.h"

static const DpcxrBootstrapKernel *const kernels[] = {
    &dpcxr_bootstrap_baseline,
#if defined(__x86_64__)
    &dpcxr_bootstrap_avx2,
    &dpcxr_bootstrap_avx512,
#endif
};

const DpcxrBootstrapKernel *const *dpcxr_bootstrap_kernels(gsize *n)
{
    *n = G_N_ELEMENTS(kernels);
    return kernels;
}

const DpcxrBootstrapKernel *dpcxr_bootstrap_kernel(void)
{
    const DpcxrBootstrapKernel *best = kernels[0];

    for (gsize i = 1; i < G_N_ELEMENTS(kernels); i++)
        if (dpcxr_isa_has(kernels[i]->isa))
            best = kernels[i];
    return best;
}
