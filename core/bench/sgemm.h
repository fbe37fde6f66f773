/* SPDX-License-Identifier: MIT
 * The yardstick: what this machine's libraries make of one large matrix product a thread. */
#pragma once
#include "base/workers.h"

/* FLOP/s over all threads at once; the best of a few, as peaks are. OpenBLAS does not know every processor and then
 * runs kernels for an older one, at half the rate; so there are two of them, and the limit is the faster one. */
typedef struct {
    double openblas, onednn;
} DpcxrSgemmRates;

DpcxrSgemmRates dpcxr_bench_sgemm(DpcxrWorkers *workers);
