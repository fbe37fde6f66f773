/* SPDX-License-Identifier: MIT
 * Steps until the plan or the budget ends: checkpoints, progress, metrics, signals. */
#pragma once
#include "train/checkpoint.h"
#include "train/events.h"
#include "train/folder.h"
#include "train/trainer.h"

typedef struct {
    const DpcxrPlan *plan;
    const DpcxrFolder *folder;
    DpcxrData *data;
    DpcxrProgram *program;
    DpcxrLedger *ledger;   /* NULL without noise */
    DpcxrSecret *secret;   /* NULL without privacy */
    DpcxrOptimizer *optimizer;
    const DpcxrSchedule *schedule;
    DpcxrEvents *events;
    const char *data_digest, *config_digest;
    gboolean quiet;
    double clip_norm;      /* of the first step to do */
    guint64 step;          /* in: steps done so far; out: steps done */
} DpcxrLoop;

/* Trains to the end and leaves a checkpoint there. DPCXR_ERROR_STOPPED: a signal came, the step was finished and a
 * checkpoint written. */
gboolean dpcxr_loop_run(DpcxrLoop *loop, GError **error);
