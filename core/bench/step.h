/* SPDX-License-Identifier: MIT
 * How long a training step takes, private (by any type of clipping) beside not private, in one process:
 * `dpcxr bench step`. */
#pragma once
#include "bench/sgemm.h"
#include "bench/side.h"

typedef struct {
    int size;            /* pixels a side */
    int batch, logical;  /* images at once; of a step */
    int threads;         /* 0: all */
    DpcxrPrecision precision;
    const char *backend; /* "auto", "cpu", ... */
    const char *device;  /* (nullable) which of the backend's devices */
    int repeats;         /* steps that are timed, of each kind, in turn; at least 1 */
    gboolean memory_only; /* two flat private steps for peak_memory_mb; all else stays NAN */
    gboolean clips[DPCXR_N_CLIP_TYPES]; /* types of clipping to time beside flat */
    gboolean grid;       /* a flat step with noise on a grid, too */
} DpcxrStepBench;

typedef struct {
    double images_per_s;     /* logical / median step time; NaN: not measured */
    double cost_beside_flat; /* median over the rounds of step time / flat step time in the same round */
} DpcxrClipTimes;

typedef struct {
    int threads;                    /* that there were */
    double nonprivate_images_per_s; /* logical / median step time */
    DpcxrClipTimes clips[DPCXR_N_CLIP_TYPES]; /* private steps; flat is always among them */
    DpcxrClipTimes grid; /* flat steps on a grid, where asked for */
    double phases[BENCH_N_PHASES]; /* seconds of a flat private step, medians; packing is taken out of phase A */
    double peak_memory_mb;  /* of this process while it did flat private steps only */
    DpcxrSgemmRates sgemm;  /* on as many threads */
    double image_flop;      /* FLOP of one image's step */
} DpcxrStepTimes;

/* resnet9 with 3 channels and 8 labels on random images; noise and nadam in the private step, nadam in the other. The
 * first thing it does is the flat private side, so that peak_memory_mb is a training's where the process is fresh. */
gboolean dpcxr_bench_step(const DpcxrStepBench *bench, DpcxrStepTimes *times, GError **error);
