/* SPDX-License-Identifier: MIT */
#include "bench/sgemm.h"
#include "backend/cpu/onednn.h"
#include "bench/numbers.h"
#include <cblas.h>

enum { SIDE = 1024, REPEATS = 8 };

typedef struct {
    float *a, *b, *c; /* [threads] matrices after each other */
} Gemm;

static void openblas_task(gpointer data, int i, int thread)
{
    Gemm *gemm = data;
    gsize at = (gsize)i * SIDE * SIDE;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, gemm->a + at, SIDE, gemm->b + at, SIDE, 0,
                gemm->c + at, SIDE);
}

static void onednn_task(gpointer data, int i, int thread)
{
    Gemm *gemm = data;
    gsize at = (gsize)i * SIDE * SIDE;
    dpcxr_onednn_enter();
    dnnl_sgemm('N', 'N', SIDE, SIDE, SIDE, 1, gemm->a + at, SIDE, gemm->b + at, SIDE, 0, gemm->c + at, SIDE);
}

static double rate(DpcxrWorkers *workers, DpcxrTask task, Gemm *gemm)
{
    int n = dpcxr_workers_threads(workers);
    double best = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double start = dpcxr_bench_now();
        dpcxr_workers_run(workers, n, task, gemm);
        best = MAX(best, 2.0 * n * SIDE * SIDE * (double)SIDE / (dpcxr_bench_now() - start));
    }
    return best;
}

DpcxrSgemmRates dpcxr_bench_sgemm(DpcxrWorkers *workers)
{
    gsize size = (gsize)dpcxr_workers_threads(workers) * SIDE * SIDE;
    Gemm gemm = {dpcxr_bench_values(size, 2), dpcxr_bench_values(size, 3), g_new0(float, size)};
    openblas_set_num_threads(1);
    DpcxrSgemmRates rates = {rate(workers, openblas_task, &gemm), rate(workers, onednn_task, &gemm)};
    g_free(gemm.a);
    g_free(gemm.b);
    g_free(gemm.c);
    return rates;
}
