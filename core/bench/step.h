/* SPDX-License-Identifier: MIT
 * How long a training step takes, private beside not private, in one process: `dpcxr bench step`. */
#pragma once
#include <dpcxr/error.h>

typedef struct {
    int size, batch;     /* pixels a side; images, logical = physical */
    int threads;         /* 0: all */
    gboolean bf16;
    const char *backend; /* "auto", "cpu", ... */
    int repeats;         /* steps that are timed, of each kind, in turn; at least 1 */
} DpcxrStepBench;

typedef struct {
    double private_images_per_s, nonprivate_images_per_s; /* batch / median step time */
    double peak_memory_mb;  /* of this process while it did private steps only */
    double sgemm_fraction;  /* arithmetic rate of the private step / OpenBLAS's sgemm rate on as many threads */
} DpcxrStepTimes;

/* resnet9 with 3 channels and 8 labels on random images; noise and nadam in the private step, nadam in the other. */
gboolean dpcxr_bench_step(const DpcxrStepBench *bench, DpcxrStepTimes *times, GError **error);
