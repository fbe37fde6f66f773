/* SPDX-License-Identifier: MIT
 * Groups: privacy of k units at once, where the guarantee of a run is about one. */
#pragma once
#include "config/experiment.h"

typedef enum {
    DPCXR_GROUP_SENSITIVITY, /* full batches: a group moves a sum by k times as much; as good as for one unit */
    DPCXR_GROUP_MIXTURE,     /* Poisson samples: as many of the group as are drawn, by an accountant that can; as good, too */
    DPCXR_GROUP_BOUND,       /* k epsilon and (e^(k epsilon) - 1) / (e^epsilon - 1) delta, at the best epsilon; upper only */
    DPCXR_N_GROUP_METHODS
} DpcxrGroupMethod;

DpcxrGroupMethod dpcxr_group_method(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 k);
const char *dpcxr_group_method_words(DpcxrGroupMethod method);

/* As dpcxr_account_epsilon and dpcxr_account_delta, for groups of @k >= 1 units.
 * DPCXR_ERROR_PRIVACY, too: an approximate accountant, from which no group bound follows. */
gboolean dpcxr_group_epsilon(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 k, double delta,
                             DpcxrInterval *epsilon, GError **error);
gboolean dpcxr_group_delta(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 k, double epsilon,
                           DpcxrInterval *delta, GError **error);
/* Of data sets that a chain of @k >= 1 neighbours connects, each of which differs from the next in one unit: the bound
 * (DPCXR_GROUP_BOUND) for every mechanism. A unit's data exchanged, under zero_out, is such a chain of 2 (data, null, other
 * data), and not a group of 2 that is null at once: dpcxr_group_epsilon may be smaller, and too small for it. */
gboolean dpcxr_group_chain_epsilon(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 k, double delta,
                                   DpcxrInterval *epsilon, GError **error);
/* As dpcxr_calibrate_noise without earlier events. *epsilon: of groups, at most @target. */
gboolean dpcxr_group_calibrate_noise(const DpcxrFeature *accountant, const DpcxrEvent *steps, DpcxrAdjacency adjacency,
                                     guint64 k, double target, double delta, double *noise_multiplier,
                                     DpcxrInterval *epsilon, GError **error);
