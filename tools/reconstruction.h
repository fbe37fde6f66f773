/* SPDX-License-Identifier: MIT
 * --reconstruction KAPPA of dpcxr eps and dpcxr account. */
#pragma once
#include "accountants.h"
#include "privacy/reconstruction.h"

typedef struct {
    const DpcxrAnswer *answer; /* whose curve was taken: the bound with the least upper end */
    DpcxrReconstruction bound;
    DpcxrReconstructionSampling sampling;
} DpcxrCmdReconstruction;

/* The bound with the least upper end, for what follows from a curve. (nullable) */
const DpcxrAnswer *dpcxr_answers_best(const GPtrArray *answers);

/* @prior: what --reconstruction says. DPCXR_ERROR_PRIVACY: none of @answers is a bound. */
gboolean dpcxr_cmd_reconstruction(const GPtrArray *answers, const DpcxrMechanism *mechanism, double prior,
                                  DpcxrCmdReconstruction *reconstruction, GError **error);
void dpcxr_cmd_reconstruction_print(const DpcxrCmdReconstruction *reconstruction);
void dpcxr_cmd_reconstruction_add(JsonBuilder *json, const DpcxrCmdReconstruction *reconstruction);
