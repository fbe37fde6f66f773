/* SPDX-License-Identifier: MIT */
#include "bench/machine.h"
#include "backend/cpu/kernels/kernels.h"
#include <cblas.h>
#include <dnnl.h>
#include <sys/resource.h>

static const char *onednn_isa(void)
{
    static const struct {
        dnnl_cpu_isa_t isa;
        const char *name;
    } known[] = {{dnnl_cpu_isa_sse41, "sse41"},
                 {dnnl_cpu_isa_avx, "avx"},
                 {dnnl_cpu_isa_avx2, "avx2"},
                 {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
                 {dnnl_cpu_isa_avx512_core, "avx512_core"},
                 {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
                 {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
                 {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"}};
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++)
        if (known[i].isa == isa)
            return known[i].name;
    return "other";
}

DpcxrBenchIsa dpcxr_bench_isa(DpcxrPrecision precision)
{
    const CpuKernels *kernels = precision == DPCXR_PRECISION_BF16 ? dpcxr_cpu_kernels_bf16() : dpcxr_cpu_kernels();
    return (DpcxrBenchIsa){kernels ? kernels->isa : "none", onednn_isa(), openblas_get_corename()};
}

double dpcxr_bench_peak_memory_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}
