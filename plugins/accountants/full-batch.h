/* SPDX-License-Identifier: MIT
 * For accountants that know nothing of sampling: whether every unit takes part in every step (or in one step of every
 * epoch), and the distance between the outputs on neighbours. */
#pragma once
#include <float.h>
#include <math.h>
#include <dpcxr/dpcxr.h>

/* Outside, rounding has not been looked at. */
#define FULL_BATCH_NOISE_MIN 0.01
#define FULL_BATCH_NOISE_MAX 1e5

static inline gboolean full_batch_covers_event(const char *name, const DpcxrEvent *event, DpcxrAdjacency adjacency,
                                               GError **error)
{
    double sigma = event->noise_multiplier;
    guint64 steps;
    if (!dpcxr_event_check(name, event, adjacency, error))
        return FALSE;
    if (!dpcxr_event_full_batches(event, &steps))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "%s: is for full batches and knows no amplification by sampling, so not sampler %s at rate %g; use "
                    "sampler full, or accountant rdp, which covers %s",
                    name, dpcxr_sampler_name(event->sampler), event->sampling_rate,
                    event->sampler == DPCXR_SAMPLER_FIXED ? "samples of a fixed size" : "Poisson samples");
    else if (!(sigma >= FULL_BATCH_NOISE_MIN && sigma <= FULL_BATCH_NOISE_MAX))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "%s: the noise multiplier is %g; this accountant is made for %g to %g", name, sigma,
                    FULL_BATCH_NOISE_MIN, FULL_BATCH_NOISE_MAX);
    else
        return TRUE;
    return FALSE;
}

static inline gboolean full_batch_covers(const char *name, const DpcxrMechanism *mechanism, GError **error)
{
    for (gsize i = 0; i < mechanism->n_events; i++) {
        if (!full_batch_covers_event(name, &mechanism->events[i], mechanism->adjacency, error))
            return FALSE;
    }
    return TRUE;
}

/* mu^2: all steps together are N(0, 1) against N(mu, 1), since Gaussian mechanisms compose like their signals add up.
 * Exchanging a unit moves a sum by up to 2C. Rounded to @side, 1 or -1. */
static inline double full_batch_mu_squared(const DpcxrMechanism *mechanism, int side)
{
    double sensitivity = mechanism->adjacency == DPCXR_ADJACENCY_REPLACE_ONE ? 2 : 1, sum = 0;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        double mu = sensitivity / mechanism->events[i].noise_multiplier;
        guint64 steps;
        if (!dpcxr_event_full_batches(&mechanism->events[i], &steps))
            g_error("a sampled event where only full batches are covered");
        sum += (double)steps * mu * mu;
    }
    return sum * (1 + side * (8 + (double)mechanism->n_events) * DBL_EPSILON);
}
