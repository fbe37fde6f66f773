/* SPDX-License-Identifier: MIT
 * Privacy-loss distributions of (Poisson-subsampled) Gaussian steps, composed numerically, with an upper and
 * a lower bound of epsilon: for the upper one, mass is spread onto a lattice of losses with the likelihood
 * ratio's mean kept
 * ("connect the dots"); for the lower one, it is drawn together. dpcxr/loss.h does the work;
 * docs/accounting.md has the formulas and the error bounds. */
#include <dpcxr/dpcxr.h>

static const DpcxrOptionSpec options[] = {{"accuracy", DPCXR_OPTION_NUMBER, "1e-3", .min = 1e-5, .max = 0.1,
                                           .summary = "width of the interval aimed at, relative to epsilon"},
                                          {0}};

static gboolean covers(const DpcxrOptions *values, const DpcxrMechanism *mechanism, GError **error)
{
    return dpcxr_loss_covers("pld", mechanism, error);
}

static gboolean epsilon(const DpcxrOptions *values, const DpcxrMechanism *mechanism, double delta,
                        DpcxrInterval *interval, GError **error)
{
    return dpcxr_loss_epsilon(mechanism, delta, dpcxr_options_get_number(values, "accuracy"), interval,
                              error);
}

static gboolean delta(const DpcxrOptions *values, const DpcxrMechanism *mechanism, double at,
                      DpcxrInterval *interval, GError **error)
{
    return dpcxr_loss_delta(mechanism, at, dpcxr_options_get_number(values, "accuracy"), interval, error);
}

static const DpcxrAccountant pld = {.covers = covers, .epsilon = epsilon, .delta = delta};

DPCXR_PLUGIN_DEFINE_ACCOUNTANT(
    pld, .version = "1.0",
    .summary =
        "privacy-loss distribution of the Poisson-subsampled Gaussian, with a lower and an upper bound",
    .licence = "MIT", .reference = "Doroshenko, Ghazi, Kamath, Kumar & Manurangsi 2022, arXiv:2207.04380",
    .options = options, .feature = &pld);
