/* SPDX-License-Identifier: MIT
 * Whether there is a claim at all: decided by the experiment alone, before and after training by the same
 * rules. */
#include "privacy/card.h"

GPtrArray *dpcxr_claim_voids(const DpcxrExperiment *experiment)
{
    GPtrArray *reasons = g_ptr_array_new_with_free_func(g_free);
    if (!experiment->privacy.enabled) {
        g_ptr_array_add(reasons, g_strdup("privacy.enabled is false"));
        return reasons;
    }
    if (experiment->privacy.noise_source == DPCXR_SOURCE_SEEDED)
        g_ptr_array_add(reasons, g_strdup("privacy.noise.source is seeded, so the noise can be made again"));
    if (experiment->privacy.unsafe_no_noise || experiment->privacy.noise_multiplier == 0)
        g_ptr_array_add(reasons, g_strdup("privacy.unsafe_no_noise: no noise is added"));
    if (experiment->loss.pos_weight_type == DPCXR_POS_WEIGHT_EXACT)
        g_ptr_array_add(reasons,
                        g_strdup("loss.pos_weight is exact: counts of private labels without noise"));
    if (experiment->model.init && !experiment->model.init_public && !experiment->model.init_ledger)
        g_ptr_array_add(reasons,
                        g_strdup("model.init comes from undeclared private data: model.init_data is neither "
                                 "public nor the ledger of the run that made it"));
    return reasons;
}

gboolean dpcxr_claim_check(const DpcxrExperiment *experiment, guint64 population, GError **error)
{
    double delta = experiment->privacy.delta;
    if (!experiment->privacy.enabled || experiment->privacy.unsafe_delta || delta < 1.0 / (double)population)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "privacy.delta: %g is not below 1/N = %.3g for N = %" G_GUINT64_FORMAT
                " units: publishing one unit outright would pass for private; "
                "choose a smaller delta, or say privacy.unsafe_delta: true, which the card repeats",
                delta, 1.0 / (double)population, population);
    return FALSE;
}
