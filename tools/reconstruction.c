/* SPDX-License-Identifier: MIT
 * How often the data of a unit can be reconstructed: asked, printed, as JSON. */
#include "reconstruction.h"
#include "base/json-write.h"
#include "privacy/card-content.h"
#include <math.h>
#include <stdio.h>

const DpcxrAnswer *dpcxr_answers_best(const GPtrArray *answers)
{
    const DpcxrAnswer *best = NULL;
    for (guint i = 0; i < answers->len; i++) {
        const DpcxrAnswer *answer = g_ptr_array_index(answers, i);
        if (!answer->refused && !answer->approximate &&
            (!best || answer->interval.upper < best->interval.upper))
            best = answer;
    }
    return best;
}

gboolean dpcxr_cmd_reconstruction(const GPtrArray *answers, const DpcxrMechanism *mechanism, double prior,
                                  DpcxrCmdReconstruction *reconstruction, GError **error)
{
    *reconstruction =
        (DpcxrCmdReconstruction){.answer = dpcxr_answers_best(answers), .bound = {.prior = prior}};
    if (!reconstruction->answer) {
        g_set_error_literal(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                            "--reconstruction needs an accountant that covers the events and gives bounds");
        return FALSE;
    }
    return dpcxr_reconstruction_bounds(reconstruction->answer->accountant, mechanism,
                                       DPCXR_RECONSTRUCTION_BUDGET, &reconstruction->bound, 1,
                                       &reconstruction->sampling, error);
}

static gboolean by_samples(const DpcxrCmdReconstruction *reconstruction)
{
    return reconstruction->bound.by_samples < reconstruction->bound.by_curve;
}

void dpcxr_cmd_reconstruction_print(const DpcxrCmdReconstruction *reconstruction)
{
    const DpcxrReconstruction *bound = &reconstruction->bound;
    const char *accountant = reconstruction->answer->accountant->type;
    g_autofree char *at_most = dpcxr_card_number_up(100 * bound->at_most),
                    *curve = dpcxr_card_number_up(100 * bound->by_curve);
    printf("\nfor whoever reconstructs a unit's data, and would succeed with probability %g %% without the "
           "release:\n",
           100 * bound->prior);
    printf("  success at most %s %%", at_most);
    if (by_samples(reconstruction))
        printf(" (with confidence %g %%, from %" G_GUINT64_FORMAT " draws of the privacy loss;\n"
               "  with certainty at most %s %%, from the curve of the accountant %s)\n",
               100 * DPCXR_RECONSTRUCTION_CONFIDENCE, reconstruction->sampling.samples, curve, accountant);
    else if (reconstruction->sampling.samples > 0)
        printf(" (from the curve of the accountant %s; %" G_GUINT64_FORMAT
               " draws of the privacy loss say no less)\n",
               accountant, reconstruction->sampling.samples);
    else
        printf(" (from the curve of the accountant %s; not from draws: %s)\n", accountant,
               reconstruction->sampling.none);
}

void dpcxr_cmd_reconstruction_add(JsonBuilder *json, const DpcxrCmdReconstruction *reconstruction)
{
    const DpcxrReconstruction *bound = &reconstruction->bound;
    dpcxr_json_begin_object(json, "reconstruction");
    dpcxr_json_put_number(json, "prior", bound->prior);
    dpcxr_json_put_number(json, "at_most", bound->at_most);
    dpcxr_json_put_string(json, "method", by_samples(reconstruction) ? "samples" : "curve");
    dpcxr_json_put_number(json, "by_curve", bound->by_curve);
    dpcxr_json_put_number(json, "by_samples", bound->by_samples);
    dpcxr_json_put_count(json, "samples", reconstruction->sampling.samples);
    dpcxr_json_put_number(json, "confidence",
                          reconstruction->sampling.samples > 0 ? DPCXR_RECONSTRUCTION_CONFIDENCE : NAN);
    dpcxr_json_put_string(json, "no_samples", reconstruction->sampling.none);
    json_builder_end_object(json);
}
