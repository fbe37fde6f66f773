/* SPDX-License-Identifier: MIT
 * From events to epsilon and delta, by either of two ways: a lattice of losses (bounds.h), or the inversion of their
 * characteristic function (inversion.h). Here is what both share: what they cover, one step alone, the two directions. */
#include <dpcxr/loss.h>
#include <dpcxr/sampling.h>
#include <float.h>
#include <math.h>
#include "privacy/loss/bounds.h"
#include "privacy/loss/inversion.h"
#include "privacy/loss/single-step.h"

#define NOISE_MIN 0.05
#define NOISE_MAX 1e4
#define RATE_MIN 1e-9
#define COUNT_MAX 1e9

static gboolean event_is_covered(const char *accountant, const DpcxrEvent *event, GError **error)
{
    double sigma = event->noise_multiplier, q = event->sampling_rate;
    if (!(sigma >= NOISE_MIN && sigma <= NOISE_MAX)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "%s: the noise multiplier is %g; this accountant is made for %g to %g; rdp reaches further",
                    accountant, sigma, NOISE_MIN, NOISE_MAX);
        return FALSE;
    }
    if (!(q >= RATE_MIN && q <= 1)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "%s: the sampling rate is %g; this accountant is made for %g to 1; rdp reaches further", accountant,
                    q, RATE_MIN);
        return FALSE;
    }
    return TRUE;
}

gboolean dpcxr_loss_covers(const char *accountant, const DpcxrMechanism *mechanism, GError **error)
{
    double total = 0;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        if (!dpcxr_event_check(accountant, event, mechanism->adjacency, error) ||
            !event_is_covered(accountant, event, error))
            return FALSE;
        total += (double)event->count;
    }
    if (total <= COUNT_MAX)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "%s: these are %g steps; this accountant is made for up to %g; rdp reaches further", accountant, total,
                COUNT_MAX);
    return FALSE;
}

/* The one step that @laws are, in closed form; NULL where they are several, or a mixture. */
static const DpcxrLossPart *single_step(const GArray *laws)
{
    const DpcxrLossLaw *law = (const DpcxrLossLaw *)(const void *)laws->data;
    gboolean is_single = laws->len == 1 && law->count == 1 && law->n == 1 && law->parts[0].units == 1;
    return is_single ? law->parts : NULL;
}

/* At most this far apart, in total variation, are the outputs on neighbours: each step keeps the two runs together with
 * probability 1 - q TV(N(0, sigma^2), N(units, sigma^2)), or more. At a delta that large epsilon is 0. */
static double total_variation(const GArray *laws)
{
    double together = 0;
    for (guint i = 0; i < laws->len; i++) {
        const DpcxrLossLaw *law = &g_array_index(laws, DpcxrLossLaw, i);
        double apart = 0;
        for (gsize j = 0; j < law->n; j++) {
            const DpcxrLossPart *part = &law->parts[j];
            double drawn = -expm1(part->units * log1p(-part->q)), distance = part->units / part->sigma;
            gboolean mirrored = j > 0 && part->from == 0.5; /* the other half of the same pair */
            apart += mirrored ? 0 : part->weight * drawn * erf(distance / (2 * G_SQRT2)) * (1 + 16 * DBL_EPSILON);
        }
        together += (double)law->count * log1p(-MIN(apart, 1));
    }
    return MIN(1, -expm1(together * (1 + 1e-14)) * (1 + 16 * DBL_EPSILON));
}

typedef gboolean (*Finder)(GArray *laws, double at, double accuracy, DpcxrInterval *found, GError **error);

/* The larger of the two directions, each composed over all steps. Where moments show that the second is below the first, or
 * both are the same, the first is all of it. */
static gboolean both_directions(const DpcxrMechanism *mechanism, guint units, Finder find, gboolean is_epsilon, double at,
                                double accuracy, DpcxrInterval *found, GError **error)
{
    g_autoptr(GArray) forward = dpcxr_loss_laws(mechanism, units, FALSE, NULL);
    g_autoptr(GArray) reverse = dpcxr_loss_laws(mechanism, units, TRUE, NULL);
    DpcxrInterval other;
    if (!find(forward, at, accuracy, found, error))
        return FALSE;
    gboolean same = TRUE;
    for (guint i = 0; i < reverse->len; i++) {
        const DpcxrLossPart *part = g_array_index(reverse, DpcxrLossLaw, i).parts;
        same = same && (part->from == 0.5 || !part->reverse);
    }
    if (same || dpcxr_loss_inversion_moment_bound(reverse, at, !is_epsilon) <= found->lower)
        return TRUE;
    if (!find(reverse, at, accuracy, &other, error))
        return FALSE;
    found->lower = MAX(found->lower, other.lower);
    found->upper = MAX(found->upper, other.upper);
    return TRUE;
}

/* @mechanism has no events, or none that does anything. */
static gboolean is_nothing(const GArray *laws)
{
    return laws->len == 0;
}

static gboolean find_epsilon(const DpcxrMechanism *mechanism, guint units, Finder find, double delta, double accuracy,
                             DpcxrInterval *epsilon, GError **error)
{
    gboolean tight;
    g_autoptr(GArray) laws = dpcxr_loss_laws(mechanism, units, FALSE, &tight);
    *epsilon = (DpcxrInterval){0, 0, 0};
    const DpcxrLossPart *single = is_nothing(laws) ? NULL : single_step(laws);
    if (single)
        *epsilon = (DpcxrInterval){dpcxr_loss_single_epsilon(single, log(delta), -1), 0,
                                   dpcxr_loss_single_epsilon(single, log(delta), 1)};
    else if (!is_nothing(laws) && delta < total_variation(laws) &&
             !both_directions(mechanism, units, find, TRUE, log(delta), accuracy, epsilon, error))
        return FALSE;
    epsilon->lower = MAX(0, epsilon->lower);
    epsilon->estimate = isfinite(epsilon->upper) ? (epsilon->lower + epsilon->upper) / 2 : epsilon->upper;
    if (!tight)
        epsilon->lower = -INFINITY;
    return TRUE;
}

static gboolean find_delta(const DpcxrMechanism *mechanism, guint units, Finder find, double epsilon, double accuracy,
                           DpcxrInterval *delta, GError **error)
{
    gboolean tight;
    g_autoptr(GArray) laws = dpcxr_loss_laws(mechanism, units, FALSE, &tight);
    *delta = (DpcxrInterval){-INFINITY, 0, -INFINITY};
    const DpcxrLossPart *single = is_nothing(laws) ? NULL : single_step(laws);
    if (single)
        *delta = (DpcxrInterval){dpcxr_loss_single_log_delta(single, epsilon, -1), 0,
                                 dpcxr_loss_single_log_delta(single, epsilon, 1)};
    else if (!is_nothing(laws) &&
             !both_directions(mechanism, units, find, FALSE, epsilon, accuracy, delta, error))
        return FALSE;
    double upper = MIN(total_variation(laws), exp(delta->upper) * (1 + 1e-12));
    double lower = MIN(upper, exp(delta->lower) * (1 - 1e-12));
    *delta = (DpcxrInterval){tight ? lower : -INFINITY, (lower + upper) / 2, upper};
    return TRUE;
}

gboolean dpcxr_loss_epsilon(const DpcxrMechanism *mechanism, double delta, double accuracy, DpcxrInterval *epsilon,
                            GError **error)
{
    return find_epsilon(mechanism, 1, dpcxr_loss_lattice_epsilon, delta, accuracy, epsilon, error);
}

gboolean dpcxr_loss_delta(const DpcxrMechanism *mechanism, double epsilon, double accuracy, DpcxrInterval *delta,
                          GError **error)
{
    return find_delta(mechanism, 1, dpcxr_loss_lattice_log_delta, epsilon, accuracy, delta, error);
}

gboolean dpcxr_loss_invert_epsilon(const DpcxrMechanism *mechanism, guint64 units, double delta, double accuracy,
                                   DpcxrInterval *epsilon, GError **error)
{
    g_return_val_if_fail(units >= 1 && units <= DPCXR_LOSS_UNITS_MAX, FALSE);
    return find_epsilon(mechanism, (guint)units, dpcxr_loss_inversion_epsilon, delta, accuracy, epsilon, error);
}

gboolean dpcxr_loss_invert_delta(const DpcxrMechanism *mechanism, guint64 units, double epsilon, double accuracy,
                                 DpcxrInterval *delta, GError **error)
{
    g_return_val_if_fail(units >= 1 && units <= DPCXR_LOSS_UNITS_MAX, FALSE);
    return find_delta(mechanism, (guint)units, dpcxr_loss_inversion_log_delta, epsilon, accuracy, delta, error);
}
