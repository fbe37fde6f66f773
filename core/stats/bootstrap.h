/* SPDX-License-Identifier: MIT
 * The bootstrap: every metric of every sample in every replicate. One set of resamples serves all samples, so
 * that differences between labels, groups and models are paired. A resample is multiplicities on samples that
 * are sorted already; a replicate is one pass over them. */
#pragma once
#include "base/workers.h"
#include "stats/metric.h"

/* A label of a group of images, judged at a threshold (NaN: none). */
typedef struct {
    const DpcxrScored *sample; /* rows count in the array of clusters */
    double threshold;
} DpcxrBootstrapItem;

typedef struct {
    gsize replicates;
    guint64 seed;
    /* leaves Brier score, calibration errors, slope and intercept NaN; takes a sixth of the time */
    gboolean no_calibration;
} DpcxrBootstrapOptions;

/* [n_items, DPCXR_N_METRICS, replicates] */
typedef struct {
    gsize n_items, replicates;
    double *values;
} DpcxrReplicates;

/* @cluster_of: the cluster (patient), 0 .. n_clusters - 1, of each row of the arrays that the samples were
 * made from. All clusters are drawn from, also those without a row in some sample. Same seed, same values,
 * whatever the number of workers and items. NaN where a metric is not defined in a resample. Bins of equal
 * mass keep the edges of the whole sample. DPCXR_ERROR_MEMORY where there is no room for the values. */
DpcxrReplicates *dpcxr_bootstrap(const DpcxrBootstrapItem *items, gsize n_items, const guint32 *cluster_of,
                                 gsize n_clusters, const DpcxrBootstrapOptions *options,
                                 DpcxrWorkers *workers, GError **error);
void dpcxr_replicates_free(DpcxrReplicates *replicates);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrReplicates, dpcxr_replicates_free)

/* [replicates] of one metric of one item. */
const double *dpcxr_replicates_of(const DpcxrReplicates *replicates, gsize item, DpcxrMetric metric);
