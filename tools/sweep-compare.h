/* SPDX-License-Identifier: MIT
 * The comparison at the end of a sweep. */
#pragma once
#include "sweep/points.h"
#include <stdio.h>

/* Compares the runs that are done (report/compare.h) into @sweep's folder: on the test split where all of them have seen it, else
 * on valid, which is what a choice among them looks at. Writes to @stream where it is, or why there is none: runs that cannot be
 * compared are no reason for a sweep to fail. */
void dpcxr_sweep_compare(const DpcxrSweep *sweep, FILE *stream);
