/* SPDX-License-Identifier: MIT
 * Writes what a finished run may or may not publish. release/ appears whole or not at all, and only under a claim. */
#pragma once
#include "backend/program.h"
#include "privacy/ledger.h"
#include "train/folder.h"
#include "train/plan.h"

/* Under a claim: release/ with model, ledger, card and config; *epsilon is the claimed number. Without: the model goes to
 * private/ and *epsilon is NaN. @done: steps done by the optimizer. */
gboolean dpcxr_release_write(const DpcxrFolder *folder, const DpcxrPlan *plan, DpcxrProgram *program,
                             DpcxrLedger *ledger, guint64 done, double *epsilon, GError **error);
