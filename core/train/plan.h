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
    guint64 allowed;        /* private runs with noise: steps that may be on the ledger in all, for epsilon to stay within
                               the target; of a run without lost steps until dpcxr_plan_allow */
    guint64 record_steps;   /* steps that are charged at once, in one record: an epoch's of shuffle, else 1 */
    double divisor;         /* the sum is divided by it: expected units of a step, public */
    double noise_multiplier; /* of a step whose schedule says 1; 0: no noise */
    double count_noise;     /* adaptive clipping: standard deviation of the noise on its count; else 0 */
    gboolean grid;          /* noise is added to integers: privacy.noise.type */
    DpcxrEvent counts;      /* the event of loss.pos_weight: private_counts; count = 0: none */
    double planned_epsilon; /* of the claiming accountant after `steps`; NaN where there is no claim */
    int physical;           /* images at once */
    GPtrArray *voids;       /* (element-type utf8) why there is no claim; empty: there is one */
} DpcxrPlan;

/* Reads the units from @index and calibrates. DPCXR_ERROR_PRIVACY, DPCXR_ERROR_USAGE, DPCXR_ERROR_DATA. */
DpcxrPlan *dpcxr_plan_new(const DpcxrExperiment *experiment, const DpcxrIndex *index, GError **error);
void dpcxr_plan_free(DpcxrPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrPlan, dpcxr_plan_free)

/* --- Single steps of private runs; @step is the optimizer's, 0 .. steps-1: a step that is done again is the same again --- */

/* What the record is that @step begins, count = record_steps. */
DpcxrEvent dpcxr_plan_event(const DpcxrPlan *plan, guint64 step);
/* Noise multiplier of the gradient alone: above the event's only with adaptive clipping. */
double dpcxr_plan_gradient_noise(const DpcxrPlan *plan, guint64 step);
/* The norm that @step clips to; with adaptive clipping, where it starts. */
double dpcxr_plan_clip_norm(const DpcxrPlan *plan, guint64 step);
/* DpcxrEvent: what steps @first .. @end-1 are charged as, in their order, neighbours with equal noise as one; @first
 * begins a record. (transfer full) */
GArray *dpcxr_plan_events(const DpcxrPlan *plan, guint64 first, guint64 end);
/* Smallest and largest noise multiplier of the planned steps. */
void dpcxr_plan_noise_range(const DpcxrPlan *plan, double *least, double *most);

/* Finds `allowed` anew for a process that goes on at step @first of a run whose ledger has @charged, @charged_steps of it
 * steps: lost steps and repeated counts leave room for fewer. DPCXR_ERROR_PRIVACY where @charged alone is beyond the
 * target. */
gboolean dpcxr_plan_allow(DpcxrPlan *plan, const DpcxrMechanism *charged, guint64 charged_steps, guint64 first,
                          GError **error);

/* Epochs that @steps are: expected passes over the units. */
double dpcxr_plan_epochs(const DpcxrPlan *plan, guint64 steps);
/* The next multiple of record_steps: what @steps without interruption are charged as. */
guint64 dpcxr_plan_charge(const DpcxrPlan *plan, guint64 steps);

gboolean dpcxr_plan_has_claim(const DpcxrPlan *plan);
/* Largest number of rows that one draw of one unit can have. */
gsize dpcxr_plan_rows_per_unit(const DpcxrPlan *plan);
