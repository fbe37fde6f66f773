/* SPDX-License-Identifier: MIT
 * Epsilon from events, through whichever accountant plugin; and back: noise for a target epsilon. */
#pragma once
#include "config/experiment.h"

/* Whether the accountant is no bound (a central limit theorem): nothing may be claimed by it or follow from it. */
gboolean dpcxr_account_is_approximate(const DpcxrFeature *accountant);

/* epsilon of @mechanism at @delta. Checks what the plugin returns: no NaN, no negative, lower <= upper.
 * DPCXR_ERROR_PRIVACY where the accountant does not cover the events. */
gboolean dpcxr_account_epsilon(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, double delta,
                               DpcxrInterval *epsilon, GError **error);
gboolean dpcxr_account_delta(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, double epsilon,
                             DpcxrInterval *delta, GError **error);
/* The same for groups of @units, by an accountant that has functions for them (dpcxr_group_method). */
gboolean dpcxr_account_group_epsilon(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 units,
                                     double delta, DpcxrInterval *epsilon, GError **error);
gboolean dpcxr_account_group_delta(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 units,
                                   double epsilon, DpcxrInterval *delta, GError **error);
/* Like dpcxr_account_epsilon, and refuses accountants that are approximate, and epsilons below the lower end of pld, or
 * of prv where pld claims (DPCXR_ERROR_PRIVACY; not checked where there is no such plugin, or it does not cover the events). */
gboolean dpcxr_account_claim(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, double delta,
                             DpcxrInterval *epsilon, GError **error);

/* Calibration does not ask pld; a claim for what it returns does.
 * The smallest noise multiplier (to 6 digits) with upper epsilon <= @target for @steps (its noise_multiplier is ignored)
 * composed with @before (nullable: events that are already fixed, e.g. private counts).
 * DPCXR_ERROR_PRIVACY: cannot be reached, with the reason. */
gboolean dpcxr_calibrate_noise(const DpcxrFeature *accountant, const DpcxrMechanism *before, const DpcxrEvent *steps,
                               DpcxrAdjacency adjacency, double target, double delta, double *noise_multiplier,
                               GError **error);
/* The same for unequal steps: the smallest factor (to 6 digits) such that @steps, each with its own noise multiplier times
 * that factor, stay within @target. One event with noise multiplier 1 is what dpcxr_calibrate_noise asks. */
gboolean dpcxr_calibrate_noise_factor(const DpcxrFeature *accountant, const DpcxrMechanism *before,
                                      const DpcxrEvent *steps, gsize n_steps, DpcxrAdjacency adjacency, double target,
                                      double delta, double *factor, GError **error);
/* The largest count <= steps->count with upper epsilon <= @target when composed with @before. */
gboolean dpcxr_calibrate_steps(const DpcxrFeature *accountant, const DpcxrMechanism *before, const DpcxrEvent *steps,
                               DpcxrAdjacency adjacency, double target, double delta, guint64 *count, GError **error);

/* The same for unequal steps, taken in their order: how many of them, from the first on. */
gboolean dpcxr_calibrate_first_steps(const DpcxrFeature *accountant, const DpcxrMechanism *before,
                                     const DpcxrEvent *steps, gsize n_steps, DpcxrAdjacency adjacency, double target,
                                     double delta, guint64 *count, GError **error);

/* @value > 0 rounded up to 6 digits (one that is them to 1e-12 stays); *unit: one in the last of them. */
double dpcxr_round_up(double value, double *unit);

/* Epsilon as printed: rounded up at the last of @digits decimals, never down. */
char *dpcxr_format_epsilon(double epsilon, int digits);
/* The shortest decimal that reads back as @value: a delta, a rate, a noise multiplier as printed. A delta rounded to fewer
 * digits may be smaller than the one that epsilon was computed for. */
char *dpcxr_format_exact(double value);
