/* SPDX-License-Identifier: MIT
 * What became of a run, as its folder says it. */
#pragma once
#include "config/experiment.h"

typedef enum {
    DPCXR_RUN_WAITING, /* not begun */
    DPCXR_RUN_STOPPED, /* begun, to be resumed */
    DPCXR_RUN_DONE,
    DPCXR_RUN_FAILED
} DpcxrRunStatus;

const char *dpcxr_run_status_name(DpcxrRunStatus status); /* "waiting", ... */

/* A mean AUROC over labels, with its bootstrap interval where the run has one; NAN where not. */
typedef struct {
    double value, low, high;
} DpcxrAuroc;

/* What one accountant says of a run, or of several together. */
typedef struct {
    double epsilon, delta; /* upper ends; NAN where it was refused */
    char *refused;         /* (nullable) */
    gboolean approximate;  /* no bound */
} DpcxrCharge;

typedef struct {
    DpcxrRunStatus status;
    int exit_status; /* of the process that this sweep ran; -1: none */
    char *message;   /* (nullable) why it failed */
    gboolean tested; /* its results have the test split */
    DpcxrAuroc valid, test;
    gboolean claimed;                        /* it has a release/ */
    double noise_multiplier, epsilon, delta; /* of its card; NAN where there is none */
    DpcxrCharge *charges; /* [n_charges] by sweep.accountants, in order; NULL: not asked, or no ledger */
    gsize n_charges;
} DpcxrOutcome;

/* Reads OUT/NAME, the run of @experiment; keeps exit_status and message. A run that was started with another
 * configuration has failed. */
void dpcxr_outcome_read(DpcxrOutcome *outcome, const char *out, const char *name,
                        const DpcxrExperiment *experiment);
void dpcxr_outcome_clear(DpcxrOutcome *outcome);

/* What @accountants (DpcxrFeature, [n]) say of the ledgers of @runs (folders, NULL-terminated) together;
 * (transfer full) [n]. @delta: NAN takes that of the runs. NULL with an error where they cannot be
 * composed. */
DpcxrCharge *dpcxr_charges_new(const char *const *runs, const DpcxrFeature *accountants, gsize n,
                               double delta, GError **error);
void dpcxr_charges_free(DpcxrCharge *charges, gsize n);
