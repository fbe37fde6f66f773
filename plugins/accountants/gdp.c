/* SPDX-License-Identifier: MIT
 * Gaussian differential privacy by a central limit theorem: many steps with a small sampling rate are nearly
 * one Gaussian mechanism, mu^2 = sum of q^2 T (e^(1/sigma^2) - 1). An approximation with no known sign or
 * size of its error, often below the truth; it is here because papers report it, and never makes a claim. */
#include "full-batch.h"

#define RATE_MIN 1e-12

static gboolean covers_event(const DpcxrEvent *event, DpcxrAdjacency adjacency, GError **error)
{
    if (event->sampler != DPCXR_SAMPLER_POISSON || event->sampling_rate == 1)
        return full_batch_covers_event("gdp", event, adjacency, error);
    if (adjacency == DPCXR_ADJACENCY_REPLACE_ONE)
        g_set_error_literal(
            error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
            "gdp: the limit for Poisson samples is about a unit more or less; use adjacency zero_out or "
            "add_remove, or sampler full");
    else if (!(event->sampling_rate >= RATE_MIN))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "gdp: the sampling rate is %g; this accountant is made for %g to 1", event->sampling_rate,
                    RATE_MIN);
    else if (!(event->noise_multiplier >= FULL_BATCH_NOISE_MIN &&
               event->noise_multiplier <= FULL_BATCH_NOISE_MAX))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "gdp: the noise multiplier is %g; this accountant is made for %g to %g",
                    event->noise_multiplier, FULL_BATCH_NOISE_MIN, FULL_BATCH_NOISE_MAX);
    else
        return TRUE;
    return FALSE;
}

static gboolean covers(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    for (gsize i = 0; i < mechanism->n_events; i++) {
        if (!covers_event(&mechanism->events[i], mechanism->adjacency, error))
            return FALSE;
    }
    return TRUE;
}

/* Full batches need no limit: they are exactly Gaussian. */
static double mu_of(const DpcxrMechanism *mechanism)
{
    double sum = 0;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        double q = event->sampling_rate, sigma = event->noise_multiplier;
        guint64 steps;
        if (event->count == 0)
            continue;
        if (dpcxr_event_full_batches(event, &steps))
            sum += full_batch_mu_squared(&(DpcxrMechanism){mechanism->adjacency, event, 1}, 1);
        else
            sum += q * q * (double)event->count * expm1(1 / (sigma * sigma));
    }
    return sqrt(sum);
}

static gboolean epsilon(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double delta,
                        DpcxrInterval *interval, GError **error)
{
    *interval = (DpcxrInterval){-INFINITY, dpcxr_gaussian_epsilon(delta, mu_of(mechanism), 1), INFINITY};
    return TRUE;
}

static gboolean delta(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double epsilon,
                      DpcxrInterval *interval, GError **error)
{
    double mu = mu_of(mechanism), log_delta = mu == 0 ? -INFINITY : 0;
    if (mu > 0 && isfinite(mu))
        log_delta = dpcxr_gaussian_log_delta(epsilon, mu, 1);
    *interval = (DpcxrInterval){-INFINITY, exp(log_delta), INFINITY};
    return TRUE;
}

static const DpcxrAccountant gdp = {
    .covers = covers, .epsilon = epsilon, .delta = delta, .approximate = TRUE};

DPCXR_PLUGIN_DEFINE_ACCOUNTANT(
    gdp, .version = "1.0",
    .summary = "Gaussian DP by the central limit theorem; an approximation, not a bound", .licence = "MIT",
    .reference = "Bu, Dong, Long & Su 2020, arXiv:1911.11607; Dong, Roth & Su 2019, "
                 "arXiv:1905.02383",
    .feature = &gdp);
