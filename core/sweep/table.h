/* SPDX-License-Identifier: MIT
 * sweep.csv, RFC 4180 but for the line ends. docs/sweep.md has the columns. */
#pragma once
#include "sweep/cost.h"

/* A row for each run. (transfer full) */
char *dpcxr_sweep_csv(const DpcxrSweep *sweep, const DpcxrSweepCost *cost);
