/* SPDX-License-Identifier: MIT
 * An accountant plugin: zero-concentrated DP in closed form, for training with the whole data set at every
 * step. A Gaussian mechanism of sensitivity s and noise multiplier z is s^2 / (2 z^2)-zCDP, these add up, and
 * rho-zCDP is (rho + 2 sqrt(rho ln(1/delta)), delta)-DP. It knows nothing of sampling, and says so. (The
 * accountant zcdp that comes with dpcxr gets a little less out of the same rho.) */
#include <dpcxr/dpcxr.h>
#include <math.h>

/* Far above the rounding of the few operations here, far below a printed digit: claims are rounded up. */
static const double round_up = 1 + 1e-12;

static gboolean covers(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    for (gsize i = 0; i < mechanism->n_events; i++)
        if (mechanism->events[i].sampler != DPCXR_SAMPLER_FULL) {
            g_set_error(
                error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "bun_steinke: has no amplification by sampling, so no sampler %s; it needs sampler full",
                dpcxr_sampler_name(mechanism->events[i].sampler));
            return FALSE;
        }
    return TRUE;
}

static double total_rho(const DpcxrMechanism *mechanism)
{
    double sensitivity = mechanism->adjacency == DPCXR_ADJACENCY_REPLACE_ONE ? 2 : 1, rho = 0;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        double ratio = sensitivity / event->noise_multiplier;
        rho += (double)event->count * ratio * ratio / 2;
    }
    return rho * round_up;
}

static gboolean epsilon(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double delta,
                        DpcxrInterval *epsilon, GError **error)
{
    double rho = total_rho(mechanism);
    epsilon->lower = -INFINITY;
    epsilon->estimate = epsilon->upper = (rho + 2 * sqrt(rho * -log(delta))) * round_up;
    return TRUE;
}

/* The inverse of epsilon(). */
static gboolean delta(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double epsilon,
                      DpcxrInterval *delta, GError **error)
{
    double rho = total_rho(mechanism), above = epsilon - rho;
    delta->lower = -INFINITY;
    delta->estimate = delta->upper = rho == 0     ? 0
                                     : above <= 0 ? 1
                                                  : MIN(1, exp(-above * above / (4 * rho)) * round_up);
    return TRUE;
}

static const DpcxrAccountant accountant = {.covers = covers, .epsilon = epsilon, .delta = delta};

DPCXR_PLUGIN_DEFINE_ACCOUNTANT(bun_steinke, .version = "1.0",
                               .summary = "Zero-concentrated DP in closed form; full batches only.",
                               .licence = "MIT",
                               .reference = "Bun and Steinke 2016, arXiv:1605.02065, Prop. 1.3",
                               .feature = &accountant);
