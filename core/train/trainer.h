/* SPDX-License-Identifier: MIT
 * One training step, private or not: draw, load, phase A, clip, phase B, charge, noise, update. The order of the last
 * three is the privacy claim: the event is on disk before the noise exists, and the noise goes once onto the clipped
 * sum. */
#pragma once
#include "backend/program.h"
#include "data/loader.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "privacy/ledger.h"
#include "privacy/secret.h"
#include "train/plan.h"

typedef struct _DpcxrTrainer DpcxrTrainer;

/* What a step did, for progress and metrics. All of it is private. */
typedef struct {
    guint64 images, units; /* images: with augment_multiplicity, views */
    double loss;          /* mean over images; NaN for an empty batch */
    double clip_norm;     /* of this step; changes with adaptive clipping and with a schedule */
    guint64 clipped;      /* units whose norm exceeded the clip norm */
    guint64 skipped;      /* units left out because their gradient was not finite */
    guint64 failed;       /* images that could not be decoded and counted as zero */
    char *problem;        /* (owned, nullable) the first of them */
} DpcxrStepReport;

/* Everything is borrowed and outlives the trainer. @ledger, @secret: NULL without noise. @optimizer is advanced by each
 * step. @step: the first one to do; @clip_norm: the norm it clips to where clipping is
 * adaptive (else the plan says it). DPCXR_ERROR_MEMORY where there is no room or no
 * thread for it. */
DpcxrTrainer *dpcxr_trainer_new(const DpcxrPlan *plan, DpcxrData *data, DpcxrProgram *program, DpcxrLedger *ledger,
                                const DpcxrSecret *secret, DpcxrOptimizer *optimizer, const DpcxrSchedule *schedule,
                                guint64 step, double clip_norm, GError **error);
void dpcxr_trainer_free(DpcxrTrainer *trainer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrTrainer, dpcxr_trainer_free)

/* The norm that the next step clips to. */
double dpcxr_trainer_clip_norm(const DpcxrTrainer *trainer);

/* Whether the next step is on the ledger already, as part of an epoch that was charged whole. */
gboolean dpcxr_trainer_is_charged(const DpcxrTrainer *trainer);

/* Does one step. On an error the weights are those of the step before. */
gboolean dpcxr_trainer_step(DpcxrTrainer *trainer, DpcxrStepReport *report, GError **error);
