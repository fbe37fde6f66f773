/* SPDX-License-Identifier: MIT
 * What a sweep costs in privacy: each run by several accountants, and all of them together. The claim of a
 * sweep is the composition of all its runs: which of them is published was chosen by looking at all. */
#pragma once
#include "sweep/points.h"

typedef struct {
    const DpcxrFeature *accountants; /* borrowed: sweep.accountants, or the one that makes the claims */
    gsize n;
    char **labels;         /* [n] */
    DpcxrCharge *together; /* [n] of all private runs; NULL: problem says why */
    char *problem;         /* (nullable) */
    guint runs;            /* private ones, that have touched the data */
    const char *unclaimed; /* (nullable) a run that makes no claim, so that all together have none */
} DpcxrSweepCost;

/* Also fills the charges of each run that makes a claim. */
void dpcxr_sweep_cost_init(DpcxrSweepCost *cost, DpcxrSweep *sweep);
void dpcxr_sweep_cost_clear(DpcxrSweepCost *cost);
