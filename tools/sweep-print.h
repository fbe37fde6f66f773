/* SPDX-License-Identifier: MIT
 * What came of a sweep, for a person. */
#pragma once
#include "sweep/cost.h"
#include "sweep/work.h"
#include <stdio.h>

/* A line for each point, what was chosen, what saw the test split, what it cost, what failed. */
void dpcxr_sweep_print(FILE *stream, const DpcxrSweep *sweep, const DpcxrSweepCost *cost,
                       const DpcxrSweepEnd *end);
