/* SPDX-License-Identifier: MIT
 * How long a training step takes, private (by any type of clipping) beside not private, in one process:
 * `dpcxr bench step`. */
#pragma once
#include "config/experiment.h"
#include <dpcxr/error.h>

typedef struct {
    int size, batch;     /* pixels a side; images, logical = physical */
    int threads;         /* 0: all */
    gboolean bf16;
    const char *backend; /* "auto", "cpu", ... */
    int repeats;         /* steps that are timed, of each kind, in turn; at least 1 */
    gboolean clips[DPCXR_N_CLIP_TYPES]; /* types of clipping to time beside flat */
    gboolean grid;       /* a flat step with noise on a grid, too */
} DpcxrStepBench;

typedef struct {
    double images_per_s;     /* batch / median step time; NaN: not measured */
    double cost_beside_flat; /* median over the rounds of step time / flat step time in the same round */
} DpcxrClipTimes;

typedef struct {
    double nonprivate_images_per_s; /* batch / median step time */
    DpcxrClipTimes clips[DPCXR_N_CLIP_TYPES]; /* private steps; flat is always among them */
    DpcxrClipTimes grid; /* flat steps on a grid, where asked for */
    double peak_memory_mb;  /* of this process while it did flat private steps only */
    double sgemm_rate;      /* FLOP/s of OpenBLAS's sgemm on as many threads */
    double image_flop;      /* FLOP of one image's step */
} DpcxrStepTimes;

/* resnet9 with 3 channels and 8 labels on random images; noise and nadam in the private step, nadam in the other. */
gboolean dpcxr_bench_step(const DpcxrStepBench *bench, DpcxrStepTimes *times, GError **error);
