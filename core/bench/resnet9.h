/* SPDX-License-Identifier: MIT
 * The network that is measured: the resnet9 plugin with its default options, 3 channels and 8 labels, as the peers
 * run it. */
#pragma once
#include "graph/layers.h"

enum { BENCH_CHANNELS = 3, BENCH_LABELS = 8 };

/* @size: pixels a side. DPCXR_ERROR_USAGE where the plugin is not found or the size makes no network.
 * (transfer full) */
DpcxrGraph *dpcxr_bench_resnet9(int size, GError **error);
