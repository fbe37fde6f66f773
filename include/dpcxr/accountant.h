/* SPDX-License-Identifier: MIT
 * An accountant turns mechanism events and a delta into an epsilon. It is a pure function: no state, no files, so that
 * one run can be accounted by every accountant that covers its events, at any time. */
#pragma once
#include <dpcxr/plugin.h>

G_BEGIN_DECLS

typedef enum {
    DPCXR_ADJACENCY_ZERO_OUT,    /* a unit's contribution becomes null; the number of units is public */
    DPCXR_ADJACENCY_ADD_REMOVE,  /* a unit more or less */
    DPCXR_ADJACENCY_REPLACE_ONE, /* a unit's data exchanged for other data; sensitivity 2C */
    DPCXR_N_ADJACENCIES
} DpcxrAdjacency;

typedef enum {
    DPCXR_SAMPLER_POISSON, /* each unit with probability sampling_rate, independently, anew each step */
    DPCXR_SAMPLER_FULL,    /* every unit, every step; sampling_rate is 1 */
    DPCXR_SAMPLER_TRUNCATED_POISSON, /* Poisson, at most `cap` of the `population` units, chosen uniformly */
    DPCXR_SAMPLER_FIXED,             /* `cap` of the `population` units without replacement */
    DPCXR_SAMPLER_SHUFFLE,           /* each unit once an epoch, in random order, `cap` units a step */
    DPCXR_N_SAMPLERS
} DpcxrSamplerKind;

/* `count` equal steps of a sampled Gaussian mechanism: sum of contributions of norm at most C, plus noise of standard
 * deviation noise_multiplier * C (whatever the adjacency; replace-one accounts a sensitivity of 2C). */
typedef struct {
    DpcxrSamplerKind sampler;
    double sampling_rate;    /* (0, 1], rounded up from the threshold the sampler compares with, or from cap / population */
    double noise_multiplier; /* > 0 */
    guint64 count;           /* steps */
    guint64 population;      /* N, declared public; 0 where the sampler does not need it */
    guint64 cap;             /* of TRUNCATED_POISSON, FIXED and SHUFFLE, else 0 */
} DpcxrEvent;

typedef struct {
    DpcxrAdjacency adjacency;
    const DpcxrEvent *events; /* composed, in any order */
    gsize n_events;
} DpcxrMechanism;

/* lower <= truth <= upper; -INFINITY or INFINITY where an end is not known. A claim uses upper only. */
typedef struct {
    double lower, estimate, upper;
} DpcxrInterval;

typedef struct {
    /* Whether every event is covered under this adjacency; else FALSE with DPCXR_ERROR_PRIVACY and a sentence that
     * says what would fit. Called before the other two. */
    gboolean (*covers)(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error);
    /* epsilon for @delta in (0, 1). upper may be INFINITY, never NaN or negative. */
    gboolean (*epsilon)(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double delta,
                        DpcxrInterval *epsilon, GError **error);
    /* delta for @epsilon >= 0. */
    gboolean (*delta)(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double epsilon,
                      DpcxrInterval *delta, GError **error);
    gboolean approximate; /* not a bound (CLT): may be reported beside a claim, never make one */
    /* (both nullable) The same for @units >= 2 units at once, where that is no more than one of them is covered: every
     * event is of full batches or Poisson samples. Accountants without them get a bound from those for one unit. */
    gboolean (*group_epsilon)(const DpcxrOptions *options, const DpcxrMechanism *mechanism, guint64 units, double delta,
                              DpcxrInterval *epsilon, GError **error);
    gboolean (*group_delta)(const DpcxrOptions *options, const DpcxrMechanism *mechanism, guint64 units, double epsilon,
                            DpcxrInterval *delta, GError **error);
    guint64 units_max; /* largest group they are for */
} DpcxrAccountant;

#define DPCXR_PLUGIN_DEFINE_ACCOUNTANT(NAME, ...)                                                                 \
    DPCXR_PLUGIN_DEFINE(accountant, DPCXR_PLUGIN_ACCOUNTANT, DpcxrAccountant, NAME, __VA_ARGS__)

const char *dpcxr_adjacency_name(DpcxrAdjacency adjacency); /* "zero_out", ... */
const char *dpcxr_sampler_name(DpcxrSamplerKind sampler);   /* "poisson", ... */

G_END_DECLS
