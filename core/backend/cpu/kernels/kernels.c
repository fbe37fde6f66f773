/* SPDX-License-Identifier: MIT
 * Which copy of the kernels runs here. */
#include "backend/cpu/kernels/kernels.h"

extern const CpuKernels dpcxr_cpu_kernels_baseline;
#ifdef __x86_64__
extern const CpuKernels dpcxr_cpu_kernels_avx2, dpcxr_cpu_kernels_avx512;

static gboolean has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static gboolean has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

const CpuKernels *dpcxr_cpu_kernels(void)
{
#ifdef __x86_64__
    /* As DNNL_MAX_CPU_ISA does for oneDNN: a wide processor can run what a narrow one would. */
    const char *limit = g_getenv("DPCXR_MAX_CPU_ISA");
    gboolean baseline = g_strcmp0(limit, "baseline") == 0, avx2 = g_strcmp0(limit, "avx2") == 0;
    if (!baseline && !avx2 && has_avx512())
        return &dpcxr_cpu_kernels_avx512;
    if (!baseline && has_avx2())
        return &dpcxr_cpu_kernels_avx2;
#endif
    return &dpcxr_cpu_kernels_baseline;
}
