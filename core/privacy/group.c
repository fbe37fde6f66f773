/* SPDX-License-Identifier: MIT
 * A chain of k neighbours leads from a data set to one that differs in k units, so an (epsilon, delta)
 * guarantee becomes (k epsilon, delta (e^(k epsilon) - 1) / (e^epsilon - 1)) (Vadhan 2017, Lemma 2.2). Any
 * point of the privacy curve may be taken; the best one is searched for. Without sampling there is a better
 * way: the group's contributions to a sum have norm at most k C, as if there were one unit and 1/k of the
 * noise. In a shuffled epoch they may be in several sums, k_1 C, k_2 C, ..: k_1^2 + k_2^2 + .. is at most k^2. */
#include "privacy/group.h"
#include <dpcxr/sampling.h>
#include <math.h>
#include "privacy/accounting.h"

#define DELTA_MIN 1e-300  /* a delta below is used as this: what underflows is not 0 */
#define EPSILON_MAX 1e7   /* of one unit: the search ends */
#define SEARCH_WIDTH 1e-7 /* relative */
#define CALIBRATION_WIDTH 1e-5 /* relative, of noise multipliers */
#define SLACK 1e-11       /* relative, on delta; for the rounding of a few logarithms */

static const DpcxrAccountant *accountant_of(const DpcxrFeature *feature)
{
    return feature->entry->plugin->feature;
}

DpcxrGroupMethod dpcxr_group_method(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 k)
{
    gboolean full = TRUE, poisson = TRUE;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        guint64 steps;
        full = full && dpcxr_event_full_batches(event, &steps);
        poisson = poisson && (event->sampler == DPCXR_SAMPLER_POISSON || event->sampler == DPCXR_SAMPLER_FULL);
    }
    if (full)
        return DPCXR_GROUP_SENSITIVITY;
    gboolean able = accountant_of(accountant)->group_epsilon && k <= accountant_of(accountant)->units_max;
    return poisson && able ? DPCXR_GROUP_MIXTURE : DPCXR_GROUP_BOUND;
}

const char *dpcxr_group_method_words(DpcxrGroupMethod method)
{
    switch (method) {
    case DPCXR_GROUP_SENSITIVITY:
        return "full batches: the accountant's number with 1/K of the noise";
    case DPCXR_GROUP_MIXTURE:
        return "exact: the mixture over how many of the K are drawn";
    default:
        return "group bound: K epsilon and (e^(K epsilon) - 1) / (e^epsilon - 1) delta of one unit, at the best epsilon";
    }
}

static gboolean check(const DpcxrFeature *accountant, guint64 k, GError **error)
{
    if (k < 1 || k > G_MAXUINT32)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "a group has 1 to %u units, not %" G_GUINT64_FORMAT, G_MAXUINT32, k);
    else if (k > 1 && dpcxr_account_is_approximate(accountant))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "%s: is an approximation, from which nothing follows for a group; use an accountant that "
                    "gives bounds",
                    accountant->type);
    else
        return TRUE;
    return FALSE;
}

/* (transfer full) @mechanism with 1/k of the noise, rounded down. */
static DpcxrEvent *louder_events(const DpcxrMechanism *mechanism, guint64 k)
{
    DpcxrEvent *events = g_new(DpcxrEvent, mechanism->n_events);
    for (gsize i = 0; i < mechanism->n_events; i++) {
        events[i] = mechanism->events[i];
        events[i].noise_multiplier = nextafter(events[i].noise_multiplier / (double)k, 0);
    }
    return events;
}

/* log((e^(k epsilon) - 1) / (e^epsilon - 1)) */
static double log_factor(double epsilon, double k)
{
    if (epsilon == 0)
        return log(k);
    return (k - 1) * epsilon + log1p(-exp(-k * epsilon)) - log1p(-exp(-epsilon));
}

/* Whether one unit's curve at @epsilon keeps the group's delta at @log_delta. */
typedef struct {
    const DpcxrFeature *accountant;
    const DpcxrMechanism *mechanism;
    double k, log_delta;
} Search;

static gboolean search_fits(const Search *search, double epsilon, gboolean *fits, GError **error)
{
    DpcxrInterval delta;
    if (!dpcxr_account_delta(search->accountant, search->mechanism, epsilon, &delta, error))
        return FALSE;
    *fits = log(MAX(delta.upper, DELTA_MIN)) + log_factor(epsilon, search->k) + SLACK <= search->log_delta;
    return TRUE;
}

/* The epsilon of one unit that does; INFINITY where none was found. What fits is valid, least or not. */
static gboolean search_epsilon(const Search *search, double start, double *epsilon, GError **error)
{
    double low = 0, high = 0;
    gboolean fits;
    if (!search_fits(search, high, &fits, error))
        return FALSE;
    while (!fits && high < EPSILON_MAX) {
        low = high;
        high = MAX(2 * high, start);
        if (!search_fits(search, high, &fits, error))
            return FALSE;
    }
    if (!fits) {
        *epsilon = INFINITY;
        return TRUE;
    }
    while (high - low > SEARCH_WIDTH * high) {
        double middle = (low + high) / 2;
        if (!search_fits(search, middle, &fits, error))
            return FALSE;
        *(fits ? &high : &low) = middle;
    }
    *epsilon = high;
    return TRUE;
}

static gboolean bound_epsilon(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 k,
                              double delta, DpcxrInterval *epsilon, GError **error)
{
    Search search = {accountant, mechanism, (double)k, log(delta)};
    DpcxrInterval one;
    double best;
    if (!dpcxr_account_epsilon(accountant, mechanism, delta, &one, error) ||
        !search_epsilon(&search, isfinite(one.upper) ? MAX(one.upper, 1e-6) : 1, &best, error))
        return FALSE;
    double upper = (double)k * best;
    *epsilon = (DpcxrInterval){-INFINITY, upper, upper};
    return TRUE;
}

gboolean dpcxr_group_epsilon(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 k,
                             double delta, DpcxrInterval *epsilon, GError **error)
{
    if (!check(accountant, k, error))
        return FALSE;
    if (k == 1)
        return dpcxr_account_epsilon(accountant, mechanism, delta, epsilon, error);
    DpcxrGroupMethod method = dpcxr_group_method(accountant, mechanism, k);
    if (method == DPCXR_GROUP_BOUND)
        return bound_epsilon(accountant, mechanism, k, delta, epsilon, error);
    if (method == DPCXR_GROUP_MIXTURE)
        return dpcxr_account_group_epsilon(accountant, mechanism, k, delta, epsilon, error);
    g_autofree DpcxrEvent *events = louder_events(mechanism, k);
    DpcxrMechanism louder = {mechanism->adjacency, events, mechanism->n_events};
    return dpcxr_account_epsilon(accountant, &louder, delta, epsilon, error);
}

gboolean dpcxr_group_chain_epsilon(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 k,
                                   double delta, DpcxrInterval *epsilon, GError **error)
{
    return check(accountant, k, error) && bound_epsilon(accountant, mechanism, k, delta, epsilon, error);
}

gboolean dpcxr_group_delta(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 k,
                           double epsilon, DpcxrInterval *delta, GError **error)
{
    if (!check(accountant, k, error))
        return FALSE;
    if (k == 1)
        return dpcxr_account_delta(accountant, mechanism, epsilon, delta, error);
    DpcxrGroupMethod method = dpcxr_group_method(accountant, mechanism, k);
    if (method == DPCXR_GROUP_MIXTURE)
        return dpcxr_account_group_delta(accountant, mechanism, k, epsilon, delta, error);
    if (method == DPCXR_GROUP_BOUND) {
        double one = epsilon / (double)k;
        if (!dpcxr_account_delta(accountant, mechanism, one, delta, error))
            return FALSE;
        double upper = exp(log(MAX(delta->upper, DELTA_MIN)) + log_factor(one, (double)k) + SLACK);
        *delta = (DpcxrInterval){-INFINITY, MIN(1, upper), MIN(1, upper)};
        return TRUE;
    }
    g_autofree DpcxrEvent *events = louder_events(mechanism, k);
    DpcxrMechanism louder = {mechanism->adjacency, events, mechanism->n_events};
    return dpcxr_account_delta(accountant, &louder, epsilon, delta, error);
}

/* For a group's target the best point of one unit's curve is target / k, and its delta there is known. */
static gboolean calibrate_bound(const DpcxrFeature *accountant, const DpcxrEvent *steps,
                                DpcxrAdjacency adjacency, guint64 k, double target, double delta,
                                double *noise_multiplier, GError **error)
{
    double one = target / (double)k, log_delta = log(delta) - log_factor(one, (double)k) - 1e-9;
    if (!(log_delta >= log(DELTA_MIN))) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "epsilon %g for groups of %" G_GUINT64_FORMAT
                    " units at delta %g would take a delta of e^%.0f for one "
                    "unit; ask for a smaller epsilon or smaller groups",
                    target, k, delta, log_delta);
        return FALSE;
    }
    return dpcxr_calibrate_noise(accountant, NULL, steps, adjacency, one * (1 - 1e-9), exp(log_delta),
                                 noise_multiplier, error);
}

/* k times the noise that one unit needs, rounded up to the digits that are printed. */
static gboolean calibrate_louder(const DpcxrFeature *accountant, DpcxrMechanism *mechanism, DpcxrEvent *event,
                                 guint64 k, double target, double delta, DpcxrInterval *epsilon,
                                 GError **error)
{
    double unit;
    if (!dpcxr_calibrate_noise(accountant, NULL, event, mechanism->adjacency, target, delta,
                               &event->noise_multiplier, error))
        return FALSE;
    event->noise_multiplier = dpcxr_round_up((double)k * event->noise_multiplier, &unit);
    if (!dpcxr_group_epsilon(accountant, mechanism, k, delta, epsilon, error))
        return FALSE;
    if (epsilon->upper <= target)
        return TRUE;
    event->noise_multiplier += unit; /* 1/k of it was a rounding below */
    return dpcxr_group_epsilon(accountant, mechanism, k, delta, epsilon, error);
}

/* Bisects between the noise that one unit needs and what the group bound asks for (or k times the former). */
static gboolean calibrate_mixture(const DpcxrFeature *accountant, DpcxrMechanism *mechanism, DpcxrEvent *event,
                                  guint64 k, double target, double delta, DpcxrInterval *epsilon, GError **error)
{
    double low, high;
    if (!dpcxr_calibrate_noise(accountant, NULL, event, mechanism->adjacency, target, delta, &low, error))
        return FALSE;
    for (high = 2 * low;; high *= 2) {
        event->noise_multiplier = high;
        if (!dpcxr_group_epsilon(accountant, mechanism, k, delta, epsilon, error))
            return FALSE;
        if (epsilon->upper <= target)
            break;
        low = high;
    }
    while (high - low > CALIBRATION_WIDTH * high) {
        double unit;
        event->noise_multiplier = dpcxr_round_up((low + high) / 2, &unit);
        if (!dpcxr_group_epsilon(accountant, mechanism, k, delta, epsilon, error))
            return FALSE;
        *(epsilon->upper <= target ? &high : &low) = event->noise_multiplier;
    }
    event->noise_multiplier = high;
    return dpcxr_group_epsilon(accountant, mechanism, k, delta, epsilon, error);
}

gboolean dpcxr_group_calibrate_noise(const DpcxrFeature *accountant, const DpcxrEvent *steps,
                                     DpcxrAdjacency adjacency, guint64 k, double target, double delta,
                                     double *noise_multiplier, DpcxrInterval *epsilon, GError **error)
{
    DpcxrEvent event = *steps;
    DpcxrMechanism mechanism = {adjacency, &event, 1};
    if (!check(accountant, k, error))
        return FALSE;
    DpcxrGroupMethod method = dpcxr_group_method(accountant, &mechanism, k);
    if (method == DPCXR_GROUP_SENSITIVITY || k == 1) {
        if (!calibrate_louder(accountant, &mechanism, &event, k, target, delta, epsilon, error))
            return FALSE;
    } else if (method == DPCXR_GROUP_MIXTURE) {
        if (!calibrate_mixture(accountant, &mechanism, &event, k, target, delta, epsilon, error))
            return FALSE;
    } else {
        if (!calibrate_bound(accountant, &event, adjacency, k, target, delta, &event.noise_multiplier,
                             error) ||
            !dpcxr_group_epsilon(accountant, &mechanism, k, delta, epsilon, error))
            return FALSE;
        /* the search stops just above the point that calibration has proven */
        epsilon->estimate = epsilon->upper = MIN(epsilon->upper, target);
    }
    *noise_multiplier = event.noise_multiplier;
    return TRUE;
}
