/* SPDX-License-Identifier: MIT */
#include "base/isa.h"

static gboolean processor_has(DpcxrIsa isa)
{
    switch (isa) {
    case DPCXR_ISA_BASELINE:
        return TRUE;
#ifdef __x86_64__
    case DPCXR_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case DPCXR_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case DPCXR_ISA_AVX512_BF16:
        return processor_has(DPCXR_ISA_AVX512) && __builtin_cpu_supports("avx512bf16");
#endif
    default:
        return FALSE;
    }
}

gboolean dpcxr_isa_has(DpcxrIsa isa)
{
    static const char *const names[] = {"baseline", "avx2", "avx512"};
    const char *limit = g_getenv("DPCXR_MAX_CPU_ISA");
    for (guint i = 0; limit && i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(limit, names[i]) && isa > (DpcxrIsa)i)
            return FALSE;
    return processor_has(isa);
}
