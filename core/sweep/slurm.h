/* SPDX-License-Identifier: MIT
 * A sweep as a job array: a script, which nobody submits here. */
#pragma once
#include "sweep/work.h"

/* A bash script with a task for each run that is open: `dpcxr run`, with --resume where its folder is there
 * when the task starts. Slurm's signal before the time is up makes a run stop after a checkpoint; submitted
 * again, it goes on. @at_once: most tasks at a time; 0: no limit. (transfer full) DPCXR_ERROR_USAGE: nothing
 * is open. */
char *dpcxr_sweep_slurm(const DpcxrSweep *sweep, const char *program, int at_once, GError **error);
