/* SPDX-License-Identifier: MIT
 * Which copy of the kernels runs here. */
#include "backend/cpu/kernels/kernels.h"

extern const CpuKernels dpcxr_cpu_kernels_baseline;
#ifdef DPCXR_CPU_X86
extern const CpuKernels dpcxr_cpu_kernels_avx2, dpcxr_cpu_kernels_avx512;
#endif

const CpuKernels *dpcxr_cpu_kernels(void)
{
#ifdef DPCXR_CPU_X86
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return &dpcxr_cpu_kernels_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &dpcxr_cpu_kernels_avx2;
#endif
    return &dpcxr_cpu_kernels_baseline;
}
