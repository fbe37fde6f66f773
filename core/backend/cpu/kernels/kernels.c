/* SPDX-License-Identifier: MIT
 * Which copy of the kernels runs here. */
#include "backend/cpu/kernels/kernels.h"

extern const CpuKernels dpcxr_cpu_kernels_baseline;
#ifdef __x86_64__
extern const CpuKernels dpcxr_cpu_kernels_avx2, dpcxr_cpu_kernels_avx512, dpcxr_cpu_kernels_avx512_bf16;

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

/* As ONEDNN_MAX_CPU_ISA does for oneDNN: a wide processor can run what a narrow one would. */
static gboolean allowed(const char *isa)
{
    static const char *const order[] = {"baseline", "avx2", "avx512", NULL};
    const char *limit = g_getenv("DPCXR_MAX_CPU_ISA");
    for (int i = 0; order[i] && limit; i++) {
        if (g_str_equal(order[i], isa))
            return TRUE;
        if (g_str_equal(order[i], limit))
            return FALSE;
    }
    return TRUE;
}

const CpuKernels *dpcxr_cpu_kernels(void)
{
#ifdef __x86_64__
    if (allowed("avx512") && has_avx512())
        return &dpcxr_cpu_kernels_avx512;
    if (allowed("avx2") && has_avx2())
        return &dpcxr_cpu_kernels_avx2;
#endif
    return &dpcxr_cpu_kernels_baseline;
}

const CpuKernels *dpcxr_cpu_kernels_bf16(void)
{
#ifdef __x86_64__
    if (allowed("avx512_bf16") && has_avx512() && __builtin_cpu_supports("avx512bf16"))
        return &dpcxr_cpu_kernels_avx512_bf16;
#endif
    return NULL;
}
