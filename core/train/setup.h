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

/* Opens data, plans, builds and compiles. @threads of the device section apply. */
gboolean dpcxr_setup_open(DpcxrSetup *setup, const DpcxrExperiment *experiment, GError **error);
void dpcxr_setup_clear(DpcxrSetup *setup); /* safe on a zeroed or half-open one */

/* The numbers of the run as lines for a person: data, model, steps, privacy or why there is none. */
void dpcxr_setup_print(const DpcxrSetup *setup);

/* Every image file of the index is there and not empty. Patients in two splits are an error, too: such a test says
 * nothing. DPCXR_ERROR_DATA names the first ones. */
gboolean dpcxr_setup_check_files(const DpcxrSetup *setup, GError **error);
