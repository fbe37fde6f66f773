/* SPDX-License-Identifier: MIT
 * The inner loops of the bootstrap, over DPCXR_LANES resamples at once, compiled once for each instruction
 * set. All variants give the same bits. */
#pragma once
#include "base/isa.h"
#include "stats/calibration.h"
#include "stats/resample.h"

#define DPCXR_MOST_SEGMENTS (DPCXR_N_BIN_KINDS * DPCXR_CALIBRATION_BINS)

/* A sample as the loops want it, from the highest score down. */
typedef struct {
    gsize n;
    const gsize *counts_at; /* [n] where the row's cluster begins in the counts */
    const guint8 *truths;   /* [n] */
    const guint8 *tied;     /* [n] whether the next row has the same score */
    const double *scores;   /* [n] */
    const double *logits;   /* [n] */
    gsize called;           /* rows at or above the threshold; a run of equal scores is whole */
    gsize n_segments;       /* runs of rows between edges of bins, of both kinds together */
    gsize segment_ends[DPCXR_MOST_SEGMENTS]; /* increasing, the last one n */
} DpcxrBootstrapRows;

/* What the ranking of a resample sums up to. Counts are whole numbers. */
typedef struct {
    double positives[DPCXR_LANES], negatives[DPCXR_LANES];
    double tp[DPCXR_LANES], fp[DPCXR_LANES]; /* at the threshold */
    double wrong[DPCXR_LANES];               /* twice the pairs in the wrong order, ties half */
    double precision[DPCXR_LANES];           /* sum over positives of the precision at their score */
} DpcxrRankSums;

typedef struct {
    double squares[DPCXR_LANES];                       /* sum of (score - truth)^2 */
    double segments[DPCXR_MOST_SEGMENTS][DPCXR_LANES]; /* sums of (score - truth) */
} DpcxrResidualSums;

/* Gradient and information of logit P = offset + slope * logit, each lane at its own parameters. */
typedef struct {
    double g[2][DPCXR_LANES], h[3][DPCXR_LANES];
} DpcxrLogisticSums;

typedef struct {
    const char *name; /* "baseline", "avx2", "avx512" */
    DpcxrIsa isa;
    void (*rank)(const DpcxrBootstrapRows *rows, const guint8 *counts, DpcxrRankSums *sums);
    void (*residuals)(const DpcxrBootstrapRows *rows, const guint8 *counts, DpcxrResidualSums *sums);
    /* What `logistic` gives where all lanes have the same parameters: @rests [n] are truth - P there,
     * @weights [n] P (1 - P). */
    void (*common)(const DpcxrBootstrapRows *rows, const guint8 *counts, const double *rests,
                   const double *weights, DpcxrLogisticSums *sums);
    /* g[0] and h[0] where the slope is 1: @odds [n] are e^logit, @factor [DPCXR_LANES] e^offset. */
    void (*shifted)(const DpcxrBootstrapRows *rows, const guint8 *counts, const double *odds,
                    const double *factor, DpcxrLogisticSums *sums);
    void (*logistic)(const DpcxrBootstrapRows *rows, const guint8 *counts, const double *offset,
                     const double *slope, DpcxrLogisticSums *sums);
} DpcxrBootstrapKernel;

/* All kernels of this build, slowest first; the first one is always available. */
const DpcxrBootstrapKernel *const *dpcxr_bootstrap_kernels(gsize *n);
/* The fastest one that is available here. */
const DpcxrBootstrapKernel *dpcxr_bootstrap_kernel(void);

extern const DpcxrBootstrapKernel dpcxr_bootstrap_baseline, dpcxr_bootstrap_avx2, dpcxr_bootstrap_avx512;
