/* SPDX-License-Identifier: MIT
 * sweep.json: every point and run of a sweep, what was chosen and how, what it cost. Private,
 * as the validation results that are in it. docs/sweep.md has the members. */
#pragma once
#include "sweep/cost.h"
#include "sweep/work.h"

/* (transfer full) */
char *dpcxr_sweep_json(const DpcxrSweep *sweep, const DpcxrSweepCost *cost, const DpcxrSweepEnd *end);
/* That and the table (sweep/table.h) into the folder of the sweep, mode 0600. */
gboolean dpcxr_sweep_write(const DpcxrSweep *sweep, const DpcxrSweepCost *cost, const DpcxrSweepEnd *end,
                           GError **error);
/* Runs, NULL-terminated, whose test results have been read although their point is not chosen; there are some
 * where another point was chosen before, or the experiment was changed. (transfer container) */
GPtrArray *dpcxr_sweep_tested_beside(const DpcxrSweep *sweep);
