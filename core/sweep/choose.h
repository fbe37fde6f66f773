/* SPDX-License-Identifier: MIT
 * Which points are the best ones, by the validation split alone. */
#pragma once
#include "sweep/points.h"

/* Means and deviations over the runs of each point, from their outcomes. */
void dpcxr_sweep_measure(DpcxrSweep *sweep);

/* Marks as chosen the point with the largest mean of its runs' AUROC on the validation split, one for each
 * combination of the values of sweep.per; the first of equal ones. (transfer full, nullable) why nothing can
 * be chosen: a run that is not done, or has no such AUROC. */
char *dpcxr_sweep_choose(DpcxrSweep *sweep);
