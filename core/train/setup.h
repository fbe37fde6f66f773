/* SPDX-License-Identifier: MIT
 * What a run consists of before its first step; shared by real and dry runs. */
#pragma once
#include "backend/program.h"
#include "data/data.h"
#include "train/plan.h"

typedef struct {
    const DpcxrExperiment *experiment;
    DpcxrData *data;
    DpcxrPlan *plan;
    DpcxrGraph *graph;
    DpcxrProgram *program;
} DpcxrSetup;

/* Opens data, plans, builds and compiles. The device section says with what. */
gboolean dpcxr_setup_open(DpcxrSetup *setup, const DpcxrExperiment *experiment, GError **error);
void dpcxr_setup_clear(DpcxrSetup *setup); /* safe on a zeroed or half-open one */

/* The numbers of the run as lines for a person: data, model, steps, privacy or why there is none. */
void dpcxr_setup_print(const DpcxrSetup *setup);

/* What a run must not start with: patients in two splits (such a test says nothing) and, where @files, images that cannot
 * be read; reads them all, which fills the caches, on disk and in memory. DPCXR_ERROR_DATA names the first ones. */
gboolean dpcxr_setup_check_data(const DpcxrSetup *setup, gboolean files, GError **error);
