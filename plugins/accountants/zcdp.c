/* SPDX-License-Identifier: MIT
 * Zero-concentrated differential privacy, for training with full batches: steps of Gaussian noise are
 * rho-zCDP with rho = sum of count / (2 sigma^2), a bound on the Rényi divergence of every order, rho alpha.
 * It has no amplification by sampling, so sampled batches are refused. For full batches `gaussian` is exact
 * and never larger; this is the number that papers with zCDP give. */
#include "full-batch.h"

/* A larger epsilon is answered as this one: sound, and nothing overflows. */
#define EPSILON_MAX 1e200

static const DpcxrOptionSpec options[] = {
    {"conversion", DPCXR_OPTION_CHOICE, "improved", .choices = "improved|classic",
     .summary = "to epsilon: improved (Canonne, Kamath & Steinke 2020) or classic (Bun & Steinke 2016)"},
    {0}};

static gboolean covers(const DpcxrOptions *values, const DpcxrMechanism *mechanism, GError **error)
{
    return full_batch_covers("zcdp", mechanism, error);
}

static double rho_of(const DpcxrMechanism *mechanism)
{
    return full_batch_mu_squared(mechanism, 1) / 2;
}

static gboolean is_classic(const DpcxrOptions *values)
{
    return g_str_equal(dpcxr_options_get_string(values, "conversion"), "classic");
}

/* log((alpha - 1) / alpha), t = alpha - 1: no digits lost at large orders. */
static double log_share(double t)
{
    return t > 1 ? -log1p(1 / t) : log(t) - log1p(t);
}

/* Of epsilon at a given log delta, times t^2. */
static double epsilon_slope(double rho, double log_delta, double t)
{
    return rho * t * t + log_delta + log1p(t);
}

/* Of log delta at a given epsilon. */
static double delta_slope(double rho, double epsilon, double t)
{
    return (2 * t + 1) * rho - epsilon + log_share(t);
}

/* The best t = alpha - 1 > 0: the root of @slope, which rises in t. Any other t is valid, too. */
static double best_order(double (*slope)(double, double, double), double rho, double given)
{
    double low = -200, high = 100; /* log t */
    for (int i = 0; i < 70; i++) {
        double middle = (low + high) / 2;
        *(slope(rho, given, exp(middle)) < 0 ? &low : &high) = middle;
    }
    return exp((low + high) / 2);
}

/* (rho + 2 sqrt(rho log(1/delta)), delta), or Canonne, Kamath & Steinke 2020, Corollary 13, both rounded
 * upward. */
static gboolean epsilon(const DpcxrOptions *values, const DpcxrMechanism *mechanism, double delta,
                        DpcxrInterval *interval, GError **error)
{
    double rho = rho_of(mechanism), log_delta = log(delta);
    double upper = (rho + 2 * sqrt(rho * -log_delta)) * (1 + 16 * DBL_EPSILON);
    if (rho > 0 && !is_classic(values)) {
        double t = best_order(epsilon_slope, rho, log_delta);
        double divergence = (1 + t) * rho, gain = log_share(t), cost = (-log_delta - log1p(t)) / t;
        double slack = 16 * DBL_EPSILON * (divergence + fabs(gain) + (log1p(t) - log_delta) / t);
        upper = CLAMP(divergence + gain + cost + slack, 0, upper);
    }
    *interval = (DpcxrInterval){-INFINITY, upper, upper};
    return TRUE;
}

static gboolean delta(const DpcxrOptions *values, const DpcxrMechanism *mechanism, double epsilon,
                      DpcxrInterval *interval, GError **error)
{
    double rho = rho_of(mechanism), log_delta = 0;
    epsilon = MIN(epsilon, EPSILON_MAX);
    double excess = epsilon - rho;
    if (is_classic(values)) {
        if (excess > 0)
            log_delta = -excess * excess / (4 * rho) + 16 * DBL_EPSILON * (epsilon + rho) * excess / rho;
    } else if (rho > 0) {
        double t = best_order(delta_slope, rho, epsilon), divergence = (1 + t) * rho, gain = log_share(t);
        double slack = 16 * DBL_EPSILON * (t * (divergence + epsilon + fabs(gain)) + log1p(t));
        log_delta = t * (divergence - epsilon + gain) - log1p(t) + slack;
    }
    double upper = rho == 0 ? 0 : CLAMP(exp(log_delta) * (1 + 4 * DBL_EPSILON), DBL_MIN, 1);
    *interval = (DpcxrInterval){-INFINITY, upper, upper};
    return TRUE;
}

static const DpcxrAccountant zcdp = {.covers = covers, .epsilon = epsilon, .delta = delta};

DPCXR_PLUGIN_DEFINE_ACCOUNTANT(
    zcdp, .version = "1.0", .summary = "Zero-concentrated differential privacy; full batches only",
    .licence = "MIT",
    .reference = "Bun & Steinke 2016, arXiv:1605.02065; Canonne, Kamath & Steinke 2020, "
                 "arXiv:2004.00010, Corollary 13",
    .options = options, .feature = &zcdp);
