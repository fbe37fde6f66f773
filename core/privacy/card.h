/* SPDX-License-Identifier: MIT
 * The privacy card: what is claimed, under which assumptions, and every touch of data that is not covered
 * (privacy.json, privacy.md). */
#pragma once
#include "config/experiment.h"
#include "privacy/ledger.h"

typedef struct {
    const DpcxrExperiment *experiment;
    DpcxrLedger *ledger;
    guint64 population, max_unit_rows; /* max_unit_rows is private: used for wording only where a public cap exists */
    double sampling_rate, noise_multiplier, clip_norm, divisor; /* noise, norm: where the schedule says 1 */
    guint64 cap;          /* of the sampler's events, 0 where it has none */
    guint64 record_steps; /* steps of an epoch that is charged whole; else 1, or 0 */
    const GArray *rest; /* (nullable) DpcxrEvent: planned steps that were not done, in their order */
    guint64 steps_planned, steps_done, steps_lost; /* lost: charged, and done again after a crash */
    const char *model_sha256;                      /* of release/model.safetensors */
} DpcxrCardFacts;

/* Why there is no claim, as one clause each ("privacy.enabled is false"); empty: the claim holds. (transfer full) */
GPtrArray *dpcxr_claim_voids(const DpcxrExperiment *experiment);

/* Before step 1. DPCXR_ERROR_PRIVACY: delta >= 1/@population without privacy.unsafe_delta. TRUE where privacy is off. */
gboolean dpcxr_claim_check(const DpcxrExperiment *experiment, guint64 population, GError **error);

/* Writes privacy.json and privacy.md into @folder. *epsilon: the claimed number, before rounding: everything on the
 * ledger, the ledger of private initial weights, and steps that were planned, within the target, but not done (a run
 * that a person stopped claims what it was calibrated for).
 * DPCXR_ERROR_PRIVACY: there is no claim to make, or ledger and experiment disagree. */
gboolean dpcxr_card_write(const char *folder, const DpcxrCardFacts *facts, double *epsilon, GError **error);
