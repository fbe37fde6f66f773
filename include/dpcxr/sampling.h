/* SPDX-License-Identifier: MIT
 * What an event costs, in terms of steps whose cost accountants know: full batches, and Poisson samples. One
 * place for all of them, so that no two can disagree about a sampler. Proofs: docs/accounting.md, "Samplers". */
#pragma once
#include <dpcxr/accountant.h>

G_BEGIN_DECLS

#define DPCXR_COMPONENTS 3
/* A rate of FIXED or SHUFFLE may be so much below cap / population, relatively: a quotient that was rounded. */
#define DPCXR_RATE_ROUNDING 1e-15

/* A step of the Poisson-subsampled Gaussian mechanism, at worst (1-q) N(0, s^2) + q N(1, s^2) against N(0,
 * s^2). */
typedef struct {
    double weight;           /* probability of this component, which is revealed */
    double sampling_rate;    /* q in [0, 1]; 0: the unit has no part */
    double noise_multiplier; /* s: noise over what the unit can move the sum by, 2C under replace_one */
} DpcxrComponent;

/* @count adaptive steps, in each of which one of the @n components comes up. Weights and rates are rounded so
 * that it never costs less than the event; the weights sum to 1 up to rounding. */
typedef struct {
    guint64 count;
    gsize n;
    DpcxrComponent components[DPCXR_COMPONENTS];
} DpcxrMixture;

/* Whether @event can be (rate, population and cap agree) and its sampler has a proven bound under @adjacency;
 * else FALSE with DPCXR_ERROR_PRIVACY and a sentence that begins with @accountant and says what would fit. */
gboolean dpcxr_event_check(const char *accountant, const DpcxrEvent *event, DpcxrAdjacency adjacency,
                           GError **error);

/* Whether @event, which dpcxr_event_check accepts, costs exactly what *steps full batches with its noise
 * multiplier cost: full batches themselves, every sample at rate 1, and shuffled epochs, of which each unit is
 * in one step: one full batch an epoch, a part of an epoch counted as a whole one. */
gboolean dpcxr_event_full_batches(const DpcxrEvent *event, guint64 *steps);

/* The mixture that dominates @event, which dpcxr_event_check accepts, in both directions. FALSE for FIXED
 * below rate 1, which has none; *mixture is then the Poisson sample at its rate, the noise over the 2C that
 * exchanging a unit moves a sum by, which bounds FIXED only in the way that docs/accounting.md says. */
gboolean dpcxr_event_mixture(const DpcxrEvent *event, DpcxrAdjacency adjacency, DpcxrMixture *mixture);

/* Steps of one epoch of SHUFFLE: ceil(@population / @cap); @cap > 0. */
guint64 dpcxr_epoch_steps(guint64 population, guint64 cap);

G_END_DECLS
