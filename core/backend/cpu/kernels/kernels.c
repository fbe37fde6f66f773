/* SPDX-License-Identifier: MIT
 * Which copy of the kernels runs here. */
#include "backend/cpu/kernels/kernels.h"
#include "base/isa.h"

extern const CpuKernels dpcxr_cpu_kernels_baseline;
#ifdef __x86_64__
extern const CpuKernels dpcxr_cpu_kernels_avx2, dpcxr_cpu_kernels_avx512, dpcxr_cpu_kernels_avx512_bf16;
#endif

const CpuKernels *dpcxr_cpu_kernels(void)
{
#ifdef __x86_64__
    if (dpcxr_isa_has(DPCXR_ISA_AVX512))
        return &dpcxr_cpu_kernels_avx512;
    if (dpcxr_isa_has(DPCXR_ISA_AVX2))
        return &dpcxr_cpu_kernels_avx2;
#endif
    return &dpcxr_cpu_kernels_baseline;
}

const CpuKernels *dpcxr_cpu_kernels_bf16(void)
{
#ifdef __x86_64__
    if (dpcxr_isa_has(DPCXR_ISA_AVX512_BF16))
        return &dpcxr_cpu_kernels_avx512_bf16;
#endif
    return NULL;
}
