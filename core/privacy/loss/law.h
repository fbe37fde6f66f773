/* SPDX-License-Identifier: MIT
 * The law of the privacy loss of one step, as parts in one dimension and in units of what a unit can move the sum by.
 *
 * An outcome x has density Q = N(0, sigma^2) on one neighbour and P = sum over j of b_j N(j, sigma^2) on the other, where
 * b_j = Binomial(units, q) is the probability that j units of the group are drawn (Mironov, Talwar & Zhang 2019 for one;
 * Charles et al. 2024, arXiv:2407.07737, Theorem 3.1 for more). Its loss is l(x) = log(P/Q), increasing and convex in x. */
#pragma once
#include <dpcxr/loss.h>

typedef struct {
    double weight; /* probability that this part is the one */
    double q, sigma;
    guint units;      /* in a group, 1 to DPCXR_LOSS_UNITS_MAX */
    gboolean reverse; /* x ~ Q and the loss is -l; else x ~ P and the loss is l */
    double from, to;  /* outcomes outside are no part of it; `from` may be -INFINITY */
    double fade;      /* 0, or else outcomes are part of it with probability Q((x - cap) / fade), Q the normal tail */
    double cap;
    double split, split_fade; /* outcomes count as large with probability Q((split - x) / split_fade); split_fade 0: none does */
} DpcxrLossPart;

enum { DPCXR_LOSS_PARTS = 3 };

/* A step whose law is the mixture of its parts and an atom. What is missing to a total of 1 is `beyond`. */
typedef struct {
    gsize n;
    DpcxrLossPart parts[DPCXR_LOSS_PARTS];
    double atom;   /* probability of a loss of 0 */
    double beyond; /* at most the probability of what was capped; composition adds count times that to delta */
    guint64 count; /* equal steps */
} DpcxrLossLaw;

/* The probabilities b_j, and what follows from them at an outcome. */
typedef struct {
    double q, sigma;
    guint units;
    double weights[DPCXR_LOSS_UNITS_MAX + 1];
} DpcxrLossDraws;

void dpcxr_loss_draws_init(DpcxrLossDraws *draws, const DpcxrLossPart *part);
/* l(@x). *mean, *variance (nullable): of j given @x; l' = mean / sigma^2, l'' = variance / sigma^4. */
double dpcxr_loss_draws_loss(const DpcxrLossDraws *draws, double x, double *mean, double *variance);
/* Im l(@x + i @lift), 0 <= @lift <= sigma^2 / (2 units). */
double dpcxr_loss_draws_turn(const DpcxrLossDraws *draws, double x, double lift);

/* The laws that dominate @mechanism, which is covered, for a group of @units: equal steps merged, in an order that does not
 * depend on that of the events. *tight: (nullable) whether they are its own and no more than that. All full batches are one part with q = 1 and the sigma they have together, alone in its law.
 * (transfer full) (element-type DpcxrLossLaw) */
GArray *dpcxr_loss_laws(const DpcxrMechanism *mechanism, guint units, gboolean reverse, gboolean *tight);

/* Leaves large losses out of @law, with probability at most e^@log_mass and not much less. Rare large losses, which weigh
 * too little to matter, would otherwise be all that a large tilt sees. @fade: over how much of sigma at most, because what
 * ends sharply has a characteristic function that falls slowly; less where e^(@tilt loss) grows much faster than that.
 * 0: sharply. @tilt: about the one that will be used. */
void dpcxr_loss_law_set_cap(DpcxrLossLaw *law, double log_mass, double fade, double tilt);

/* Whether @law is of full batches, which needs no cap and no numerics. */
static inline gboolean dpcxr_loss_law_is_full(const DpcxrLossLaw *law)
{
    return law->n == 1 && law->parts[0].q == 1;
}

/* Log of the normal distribution function, rounded up, by a few percent in the tail. */
double dpcxr_loss_log_normal_below(double z);
