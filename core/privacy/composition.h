/* SPDX-License-Identifier: MIT
 * Runs as they are on disk, composed: what somebody learns who has all of them. */
#pragma once
#include "privacy/ledger.h"

typedef struct {
    char *path;          /* as given */
    char *ledger_path;   /* the file that was read */
    DpcxrLedger *ledger;
    double delta;        /* of its card, else of its configuration; NAN where there is neither */
    guint64 rest;        /* steps that were planned and not done, and are claimed: the run was stopped, or goes on */
    char *note;          /* (nullable) what to say beside its numbers: it has no claim, or not yet */
} DpcxrComposedRun;

typedef struct {
    GPtrArray *runs; /* DpcxrComposedRun */
    const char *unit;
    guint64 population;
    double delta; /* that of all runs that name one; NAN where none does, or two differ */
    GArray *events;
    DpcxrMechanism mechanism;
} DpcxrComposition;

/* @paths: NULL-terminated, at least one. Each is a run folder (its release/ledger.jsonl, else private/ledger.jsonl), a folder
 * with a ledger.jsonl, or a ledger.
 * DPCXR_ERROR_USAGE: no ledger there; the same run twice. DPCXR_ERROR_PRIVACY: a chain that does not hold; runs of different
 * adjacency, unit or population; a card that is not about its ledger; a run that began from the weights of one that is not
 * among @paths. */
DpcxrComposition *dpcxr_composition_read(const char *const *paths, GError **error);
void dpcxr_composition_free(DpcxrComposition *composition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrComposition, dpcxr_composition_free)
