/* SPDX-License-Identifier: MIT
 * Events as mixtures of Poisson-sampled steps. docs/accounting.md derives them; here they are computed,
 * outward. */
#include "privacy/binomial.h"
#include <dpcxr/sampling.h>
#include <math.h>

#define POPULATION_MAX (G_GUINT64_CONSTANT(1) << 35) /* what samplers have room for */
#define UNDERFLOW 1e-290 /* added to weights: what a probability that is no normal double can have been */

G_GNUC_PRINTF(3, 4)
static gboolean refuse(const char *accountant, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *why = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "%s: %s", accountant, why);
    return FALSE;
}

/* Samplers that draw from a pool whose size counts. */
static gboolean check_pool(const char *accountant, const DpcxrEvent *event, GError **error)
{
    const char *name = dpcxr_sampler_name(event->sampler);
    gboolean part = event->sampler != DPCXR_SAMPLER_TRUNCATED_POISSON;
    double n = (double)event->population, cap = (double)event->cap;
    if (event->population == 0 || event->population > POPULATION_MAX || event->cap == 0)
        return refuse(accountant, error,
                      "sampler %s needs the number of units, up to 2^35, and a cap of at least 1", name);
    if (part && event->cap > event->population)
        return refuse(accountant, error,
                      "sampler %s takes %" G_GUINT64_FORMAT
                      " units a step, which is more than the %" G_GUINT64_FORMAT " there are",
                      name, event->cap, event->population);
    if (part && event->sampling_rate * (1 + DPCXR_RATE_ROUNDING) < cap / n)
        return refuse(accountant, error,
                      "sampler %s takes %g of %g units a step, so its sampling rate is %.9g, not %.9g", name,
                      cap, n, cap / n, event->sampling_rate);
    return TRUE;
}

gboolean dpcxr_event_check(const char *accountant, const DpcxrEvent *event, DpcxrAdjacency adjacency,
                           GError **error)
{
    switch (event->sampler) {
    case DPCXR_SAMPLER_FULL:
        return event->sampling_rate == 1 ||
               refuse(accountant, error,
                      "sampler full takes every unit every step, so its sampling rate is 1, not %g",
                      event->sampling_rate);
    case DPCXR_SAMPLER_POISSON:
        return adjacency != DPCXR_ADJACENCY_REPLACE_ONE || event->sampling_rate == 1 ||
               refuse(accountant, error,
                      "no proven bound is implemented for Poisson sampling under replace_one; use adjacency "
                      "zero_out or "
                      "add_remove, or sampler full, fixed or shuffle");
    case DPCXR_SAMPLER_TRUNCATED_POISSON:
        return check_pool(accountant, event, error) &&
               (adjacency != DPCXR_ADJACENCY_REPLACE_ONE ||
                refuse(accountant, error,
                       "no proven bound is implemented for truncated Poisson sampling under replace_one; use "
                       "adjacency "
                       "zero_out or add_remove, or sampler full, fixed or shuffle"));
    case DPCXR_SAMPLER_FIXED:
    case DPCXR_SAMPLER_SHUFFLE:
        return check_pool(accountant, event, error) &&
               (adjacency != DPCXR_ADJACENCY_ADD_REMOVE ||
                refuse(accountant, error,
                       "batches of sampler %s need a number of units that is the same on neighbours; use "
                       "adjacency zero_out "
                       "or replace_one, or sampler poisson",
                       dpcxr_sampler_name(event->sampler)));
    default:
        return refuse(accountant, error, "unknown sampler %d", (int)event->sampler);
    }
}

guint64 dpcxr_epoch_steps(guint64 population, guint64 cap)
{
    g_return_val_if_fail(cap > 0, 0);
    return population / cap + (population % cap > 0);
}

gboolean dpcxr_event_full_batches(const DpcxrEvent *event, guint64 *steps)
{
    *steps = event->count;
    switch (event->sampler) {
    case DPCXR_SAMPLER_SHUFFLE: {
        if (event->cap == 0)
            return FALSE;
        guint64 epoch = dpcxr_epoch_steps(event->population, event->cap);
        *steps = event->count / epoch + (event->count % epoch > 0);
        return TRUE;
    }
    case DPCXR_SAMPLER_FIXED:
        return event->cap == event->population;
    case DPCXR_SAMPLER_TRUNCATED_POISSON:
        return event->sampling_rate == 1 && event->cap > event->population;
    default:
        return event->sampling_rate == 1;
    }
}

/* The unit stays among the N as a null one, so the sample's law is the same on both neighbours. Given who else
 * is in the sample, it is in with a probability that depends on their number only: q below cap - 1, q* at cap
 * - 1, else 0. */
static void truncated_zero_out(const DpcxrEvent *event, DpcxrMixture *mixture)
{
    double q = event->sampling_rate, sigma = event->noise_multiplier, n = (double)event->population;
    double cap = (double)event->cap, t, mass = exp(dpcxr_binomial_log_mass(event->population, q, event->cap));
    double tail = dpcxr_binomial_tail(event->population, q, event->cap, &t),
           up = 1 + 8 * DPCXR_BINOMIAL_ERROR;
    double below =
        mass > 0 ? mass * (1 - q) / q : 0; /* cap P(|S| = cap - 1, i out) per (n - cap + 1) and unit */
    double last = MIN(1, cap / n * (MIN(1, tail * up) + below * up) * up + UNDERFLOW);
    double none = MIN(1 - last, (n - cap) / n * tail * (2 - up));
    t *= up;
    double rate = t < 1e15 ? q * t / (1 - q + q * t) * up : 1;
    mixture->n = 3;
    mixture->components[0] = (DpcxrComponent){1 - last - none, q, sigma};
    mixture->components[1] = (DpcxrComponent){last, CLAMP(rate, q, 1), sigma};
    mixture->components[2] = (DpcxrComponent){none, 0, sigma};
}

/* Given the inclusion and the order of the at most N others: with fewer than cap of them in, the unit joins;
 * else it can only come in place of another, which moves the sum by up to 2C. */
static void truncated_add_remove(const DpcxrEvent *event, DpcxrMixture *mixture)
{
    double q = event->sampling_rate, sigma = event->noise_multiplier, t;
    double tail = dpcxr_binomial_tail(event->population, q, event->cap, &t);
    double displaced = MIN(1, tail * (1 + 8 * DPCXR_BINOMIAL_ERROR) + UNDERFLOW);
    mixture->n = 2;
    mixture->components[0] = (DpcxrComponent){1 - displaced, q, sigma};
    mixture->components[1] = (DpcxrComponent){displaced, q, sigma / 2};
}

gboolean dpcxr_event_mixture(const DpcxrEvent *event, DpcxrAdjacency adjacency, DpcxrMixture *mixture)
{
    double sigma =
        adjacency == DPCXR_ADJACENCY_REPLACE_ONE ? event->noise_multiplier / 2 : event->noise_multiplier;
    *mixture =
        (DpcxrMixture){.count = event->count, .n = 1, .components = {{1, event->sampling_rate, sigma}}};
    if (dpcxr_event_full_batches(event, &mixture->count)) {
        mixture->components[0].sampling_rate = 1;
        return TRUE;
    }
    if (event->sampler == DPCXR_SAMPLER_FIXED) {
        double rate = MIN(1, event->sampling_rate * (1 + 2 * DPCXR_RATE_ROUNDING));
        mixture->components[0] = (DpcxrComponent){1, rate, event->noise_multiplier / 2};
        return FALSE;
    }
    if (event->sampler == DPCXR_SAMPLER_POISSON || event->cap > event->population ||
        (event->cap == event->population && adjacency == DPCXR_ADJACENCY_ZERO_OUT))
        return TRUE; /* nothing is ever cut */
    if (adjacency == DPCXR_ADJACENCY_ZERO_OUT)
        truncated_zero_out(event, mixture);
    else
        truncated_add_remove(event, mixture);
    return TRUE;
}
