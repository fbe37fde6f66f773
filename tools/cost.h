/* SPDX-License-Identifier: MIT
 * What dpcxr eps and dpcxr account ask about a mechanism: epsilon for a delta, delta for an epsilon, or the curve. */
#pragma once
#include "reconstruction.h"

typedef struct {
    const DpcxrMechanism *mechanism;
    double delta, epsilon; /* the given one; NAN where it was not */
    gint64 group;          /* units that are protected together; -1: not given, as 1 */
    gboolean curve;
    double prior; /* of --reconstruction; NAN where it was not given */
    const DpcxrCmdReconstruction *reconstruction; /* (nullable) the answer to it */
} DpcxrCostQuestion;

#define DPCXR_COST_QUESTION_INIT {.delta = NAN, .epsilon = NAN, .group = -1, .prior = NAN}

/* Rows of a GOption table that fill @question. */
#define DPCXR_COST_ENTRIES(question)                                                                                    \
    {"delta", 'd', 0, G_OPTION_ARG_DOUBLE, &(question).delta, "Delta, for which to print epsilon", "D"},                \
    {"epsilon", 'e', 0, G_OPTION_ARG_DOUBLE, &(question).epsilon, "Epsilon, for which to print delta instead", "E"},    \
    {"curve", 0, 0, G_OPTION_ARG_NONE, &(question).curve, "Print epsilon for deltas from 0.5 to 1e-15, as CSV", NULL},  \
    {"group", 0, 0, G_OPTION_ARG_INT64, &(question).group, "Protect groups of K units (default 1)", "K"},    \
    {"reconstruction", 0, 0, G_OPTION_ARG_DOUBLE, &(question).prior,                                                    \
     "Also bound how often a unit's data is reconstructed that is guessed with probability KAPPA without the run", "KAPPA"}

/* DPCXR_ERROR_USAGE: not exactly one of delta, epsilon and curve; one that cannot be. */
gboolean dpcxr_cost_check(const DpcxrCostQuestion *question, GError **error);
/* --group, 1 where it was not given; DPCXR_ERROR_USAGE: below 1. */
gboolean dpcxr_cost_check_group(gint64 group, GError **error);

/* For a delta or an epsilon. */
const DpcxrAnswerTable *dpcxr_cost_table(const DpcxrCostQuestion *question);
/* Answers --reconstruction, where it was given, into @reconstruction and @question. */
gboolean dpcxr_cost_reconstruct(DpcxrCostQuestion *question, const GPtrArray *answers,
                                DpcxrCmdReconstruction *reconstruction, GError **error);
/* Says what a group's number is, by each of @accountants (DpcxrFeature), where there is a group. */
void dpcxr_cost_print_group(const DpcxrCostQuestion *question, const GPtrArray *accountants);
/* "group" and "group_method" where there is a group. */
void dpcxr_cost_add_group(JsonBuilder *json, const DpcxrFeature *accountant, const DpcxrMechanism *mechanism,
                          gint64 group);
/* CSV, or JSON; refusals as comments, or as in the table. */
gboolean dpcxr_cost_show_curve(const DpcxrCostQuestion *question, const GPtrArray *accountants, gboolean json,
                               GError **error);
