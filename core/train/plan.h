/* SPDX-License-Identifier: MIT
 * The constants of a training run, fixed before its first step: rate, steps, noise, divisor. Nothing here depends on
 * what will be drawn. */
#pragma once
#include "config/experiment.h"
#include "privacy/sampler.h"
#include "privacy/units.h"

typedef struct {
    const DpcxrExperiment *experiment; /* borrowed */
    DpcxrUnits *units;
    guint64 population;     /* N as declared */
    DpcxrSampler sampler;   /* private runs */
    guint64 steps;          /* planned */
    guint64 allowed;        /* private runs: steps that may be charged in all: epsilon stays within the target */
    guint64 record_steps;   /* steps that are charged at once, in one record: an epoch's of shuffle, else 1 */
    double divisor;         /* the sum is divided by it: expected units of a step, public */
    double noise_multiplier; /* 0: no noise */
    double gradient_noise;  /* noise multiplier of the gradient alone: below it only with adaptive clipping */
    double count_noise;     /* adaptive clipping: standard deviation of the noise on its count; else 0 */
    DpcxrEvent event;       /* what one record charges, count = record_steps; private runs with noise */
    DpcxrEvent counts;      /* the event of loss.pos_weight: private_counts; count = 0: none */
    double planned_epsilon; /* of the claiming accountant after `steps`; NaN where there is no claim */
    int physical;           /* images at once */
    GPtrArray *voids;       /* (element-type utf8) why there is no claim; empty: there is one */
} DpcxrPlan;

/* Reads the units from @index and calibrates. DPCXR_ERROR_PRIVACY, DPCXR_ERROR_USAGE, DPCXR_ERROR_DATA. */
DpcxrPlan *dpcxr_plan_new(const DpcxrExperiment *experiment, const DpcxrIndex *index, GError **error);
void dpcxr_plan_free(DpcxrPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrPlan, dpcxr_plan_free)

/* Finds `allowed` anew where the counts were charged @count times (a crash came between the event and its use). */
gboolean dpcxr_plan_recount(DpcxrPlan *plan, guint64 count, GError **error);

/* Epochs that @steps are: expected passes over the units. */
double dpcxr_plan_epochs(const DpcxrPlan *plan, guint64 steps);
/* The next multiple of record_steps: what @steps without interruption are charged as. */
guint64 dpcxr_plan_charge(const DpcxrPlan *plan, guint64 steps);

gboolean dpcxr_plan_has_claim(const DpcxrPlan *plan);
/* Largest number of rows that one draw of one unit can have. */
gsize dpcxr_plan_rows_per_unit(const DpcxrPlan *plan);
