/* SPDX-License-Identifier: MIT
 * What a privacy curve means for an attacker who guesses whether a unit was in the data: how often he can be right. */
#pragma once
#include "config/experiment.h"

#define DPCXR_ATTACK_RATES 3

/* Whoever tells apart the outputs on two neighbours, whatever else he knows, has no more than this. */
typedef struct {
    double true_positive_rate[DPCXR_ATTACK_RATES]; /* at dpcxr_attack_false_positive_rate(i), up to 1 */
    double advantage;                              /* true-positive minus false-positive rate, at any threshold */
} DpcxrAttackBounds;

/* 0.001, 0.01, 0.1 */
double dpcxr_attack_false_positive_rate(int i);

/* The largest true-positive rate at @false_positive_rate that (@epsilon, @delta) differential privacy allows. */
double dpcxr_attack_true_positive_rate(double false_positive_rate, double epsilon, double delta);

/* What he guesses: "whether a given patient took part in training". (transfer full) */
char *dpcxr_attack_guess(DpcxrAdjacency adjacency, const char *unit);

/* Bounds from the curve delta(epsilon) of @accountant. Every point of the curve gives valid bounds; some fifty are
 * tried. DPCXR_ERROR_PRIVACY: the accountant is approximate, or does not cover the events. */
gboolean dpcxr_attack_bounds(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, DpcxrAttackBounds *bounds,
                             GError **error);

/* The same at @n rates of the caller's, each in (0, 1); *bounds: n true-positive rates. */
gboolean dpcxr_attack_true_positive_rates(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism,
                                          const double *false_positive_rates, gsize n, double *bounds, GError **error);
