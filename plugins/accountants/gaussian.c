/* SPDX-License-Identifier: MIT
 * The exact accountant of training with full batches. Steps of Gaussian noise compose into one Gaussian
 * mechanism with mu^2 = sum of count / sigma^2, whose privacy curve is known in closed form; both ends of the
 * interval are that curve, rounded apart. The other accountants are measured against it where it applies. */
#include "full-batch.h"

static gboolean covers(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    return full_batch_covers("gaussian", mechanism, error);
}

static double mu_of(const DpcxrMechanism *mechanism, int side)
{
    return sqrt(full_batch_mu_squared(mechanism, side)) * (1 + side * DBL_EPSILON);
}

static gboolean epsilon(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double delta,
                        DpcxrInterval *interval, GError **error)
{
    double lower = dpcxr_gaussian_epsilon(delta, mu_of(mechanism, -1), -1);
    double upper = dpcxr_gaussian_epsilon(delta, mu_of(mechanism, 1), 1);
    *interval = (DpcxrInterval){lower, isfinite(upper) ? lower + (upper - lower) / 2 : upper, upper};
    return TRUE;
}

static double delta_to(const DpcxrMechanism *mechanism, double epsilon, int side)
{
    double mu = mu_of(mechanism, side);
    if (mu == 0)
        return 0;
    double value = exp(dpcxr_gaussian_log_delta(epsilon, mu, side)) * (1 + side * 4 * DBL_EPSILON);
    return CLAMP(value, side > 0 ? DBL_MIN : 0, 1); /* where exp gives 0, delta is not 0 */
}

static gboolean delta(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double epsilon,
                      DpcxrInterval *interval, GError **error)
{
    double lower = delta_to(mechanism, epsilon, -1), upper = delta_to(mechanism, epsilon, 1);
    *interval = (DpcxrInterval){lower, lower + (upper - lower) / 2, upper};
    return TRUE;
}

static const DpcxrAccountant gaussian = {.covers = covers, .epsilon = epsilon, .delta = delta};

DPCXR_PLUGIN_DEFINE_ACCOUNTANT(
    gaussian, .version = "1.0", .summary = "Composed Gaussian mechanisms, exact; full batches only",
    .licence = "MIT",
    .reference = "Balle & Wang 2018, arXiv:1805.06530, Theorem 8; Dong, Roth & Su 2019, "
                 "arXiv:1905.02383, Corollary 3.3",
    .feature = &gaussian);
