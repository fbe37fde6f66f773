/* SPDX-License-Identifier: MIT
 * Privacy random variables: the privacy loss of the whole training as a sum of independent losses of steps (Gopi, Lee &
 * Wutschitz 2021), with a lower and an upper bound. Its distribution is not put on a grid, as theirs, but found from the
 * characteristic function by a contour integral through the saddle point, so that no error grows with the steps and small
 * deltas keep their digits; pld, which does use a lattice, comes to the same numbers another way. dpcxr/loss.h does the
 * work; docs/accounting.md has the formulas and the error bounds. */
#include <dpcxr/dpcxr.h>

static const DpcxrOptionSpec options[] = {{"accuracy", DPCXR_OPTION_NUMBER, "1e-3", .min = 1e-5, .max = 0.1,
                                           .summary = "width of the interval aimed at, relative to epsilon"},
                                          {0}};

static gboolean covers(const DpcxrOptions *values, const DpcxrMechanism *mechanism, GError **error)
{
    return dpcxr_loss_covers("prv", mechanism, error);
}

static gboolean group_epsilon(const DpcxrOptions *values, const DpcxrMechanism *mechanism, guint64 units, double delta,
                              DpcxrInterval *interval, GError **error)
{
    double accuracy = dpcxr_options_get_number(values, "accuracy");
    return dpcxr_loss_invert_epsilon(mechanism, units, delta, accuracy, interval, error);
}

static gboolean group_delta(const DpcxrOptions *values, const DpcxrMechanism *mechanism, guint64 units, double at,
                            DpcxrInterval *interval, GError **error)
{
    double accuracy = dpcxr_options_get_number(values, "accuracy");
    return dpcxr_loss_invert_delta(mechanism, units, at, accuracy, interval, error);
}

static gboolean epsilon(const DpcxrOptions *values, const DpcxrMechanism *mechanism, double delta,
                        DpcxrInterval *interval, GError **error)
{
    return group_epsilon(values, mechanism, 1, delta, interval, error);
}

static gboolean delta(const DpcxrOptions *values, const DpcxrMechanism *mechanism, double at,
                      DpcxrInterval *interval, GError **error)
{
    return group_delta(values, mechanism, 1, at, interval, error);
}

static const DpcxrAccountant prv = {.covers = covers,
                                    .epsilon = epsilon,
                                    .delta = delta,
                                    .group_epsilon = group_epsilon,
                                    .group_delta = group_delta,
                                    .units_max = DPCXR_LOSS_UNITS_MAX};

DPCXR_PLUGIN_DEFINE_ACCOUNTANT(
    prv, .version = "1.0",
    .summary = "privacy random variables of the Poisson-subsampled Gaussian, by inverting their characteristic function; lower "
               "and upper bound",
    .licence = "MIT",
    .reference = "Gopi, Lee & Wutschitz 2021, arXiv:2106.02848; Zhu, Dong & Wang 2022, arXiv:2106.08567",
    .options = options, .feature = &prv);
