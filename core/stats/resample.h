/* SPDX-License-Identifier: MIT
 * Bootstrap resamples of clusters (patients) as multiplicities: how often each was drawn. DPCXR_LANES
 * resamples lie side by side, so that all of them take one pass over the data. */
#pragma once
#include <glib.h>

#define DPCXR_LANES 16

/* Draws replicates @first .. @first + DPCXR_LANES - 1: n clusters with replacement each, into
 * @counts [n_clusters, DPCXR_LANES]. Replicate i of @seed is the same whatever else is drawn, on every
 * machine. @n_clusters below 2^32. */
void dpcxr_resample(guint64 seed, gsize first, gsize n_clusters, guint8 *counts);
