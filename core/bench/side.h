/* SPDX-License-Identifier: MIT
 * One program with its optimizer and buffers, that takes training steps on made-up images: what `dpcxr bench step`
 * times, and what takes them as the training loop does, phase by phase. */
#pragma once
#include "backend/program.h"
#include "base/workers.h"
#include "config/experiment.h"
#include "optim/optimizer.h"
#include "privacy/secret.h"

/* Parts of a step. What packs new weights for the kernels is inside of phase A, and measured apart
 * (dpcxr_bench_side_packing). */
typedef enum {
    BENCH_PHASE_A,
    BENCH_CLIP,
    BENCH_PHASE_B,
    BENCH_NOISE,
    BENCH_UPDATE, /* zeroing the sum too */
    BENCH_PACKING,
    BENCH_N_PHASES
} BenchPhase;

const char *dpcxr_bench_phase_name(BenchPhase phase); /* "phase_a", .. */

typedef struct {
    int batch, logical;  /* images at once; of a step */
    int threads;         /* 0: all */
    DpcxrPrecision precision;
    const char *backend; /* "auto", "cpu", ... */
    const char *device;  /* (nullable) which of the backend's devices */
    gboolean private;    /* FALSE: no norms, no clipping, no noise */
    gboolean grid;
    DpcxrClipType clip;  /* its clipping groups */
} BenchSideOptions;

typedef struct {
    DpcxrProgram *program;
    DpcxrOptimizer optimizer;
    DpcxrSecret *secret;   /* NULL: not private */
    DpcxrWorkers *workers; /* for noise */
    float **noise;
    gint64 *grid_noise; /* NULL: not on a grid */
    gboolean *dropped;
    int batch, logical;
    float *images, *targets, *mask, *row_weights, *losses, *logits, *coefficients;
    double *norms2;
    int *unit_offsets;
    double clip_norm; /* adaptive clipping moves it */
    double spared;    /* units of the step that kept their norm */
    guint64 step;
    double seconds[BENCH_N_PHASES]; /* of the last step; PACKING: 0 */
} BenchSide;

/* @side: zeroed; to be cleared also after an error. @graph: borrowed, outlives it. */
gboolean dpcxr_bench_side_open(BenchSide *side, const BenchSideOptions *options, const DpcxrGraph *graph, GError **error);
void dpcxr_bench_side_clear(BenchSide *side);

/* One logical step: as many physical batches as it takes, the last one as small as what is left; the images are the
 * same in each. @clip: of those that share the side's clipping groups. */
gboolean dpcxr_bench_side_step(BenchSide *side, DpcxrClipType clip, GError **error);

/* Seconds that the first pass after an update is longer than the next one, because it packs the weights. Takes a
 * step. */
gboolean dpcxr_bench_side_packing(BenchSide *side, double *seconds, GError **error);
