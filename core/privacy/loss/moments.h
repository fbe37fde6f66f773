/* SPDX-License-Identifier: MIT
 * The moment generating function M(s) = E[e^(s L)] of the loss L of a step, for complex s, with an error bound: quadrature
 * over outcomes by Gauss-Legendre rules on panels that are as wide as the growth of the integrand in the complex plane
 * allows. */
#pragma once
#include <complex.h>
#include "privacy/loss/law.h"

/* Nodes of a law: losses, their masses, and masses times e^(t loss). */
typedef struct {
    gsize n;
    double *loss, *mass, *tilted;
    double *large;     /* of `tilted`, what counts as large; NULL where no part is split */
    double *turn;      /* Im l(x + i eta) of theirs, for dpcxr_loss_nodes_large_bound() */
    double large_sum, large_quadrature; /* of these alone, as below */
    double lift;       /* and the factor that goes with eta */
    double tilt;       /* t */
    double reach;      /* good for |Im s| up to this */
    double beyond, atom; /* as in the law */
    double excess;     /* M(t) - 1 */
    double mean, spread; /* of the loss under the tilted law, and E|L - mean|, about */
    double variation;  /* V: |M(t + iy)| <= atom + V / |y| + left_out, for all y */
    double quadrature; /* what M(s) may be off by, absolute, beside a relative error of all masses */
    double relative;   /* and that: each mass may be off by a factor of up to e^(+-relative) */
    double left_out;   /* tilted mass of outcomes that have no nodes */
} DpcxrLossNodes;

/* Nodes for Re s = @tilt, |Im s| <= @reach. @may_leave: so much of the tilted mass, at large losses, may go without nodes
 * and count as left_out; 0: none. NULL where that takes more than @max_nodes, or numbers are too large. (transfer full) */
DpcxrLossNodes *dpcxr_loss_nodes_new(const DpcxrLossLaw *law, double tilt, double reach, double may_leave,
                                     gsize max_nodes);
void dpcxr_loss_nodes_free(DpcxrLossNodes *nodes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrLossNodes, dpcxr_loss_nodes_free)

/* log M(@t) at another real t, from nodes for a tilt of about that size or more; no bound. INFINITY: too large. */
double dpcxr_loss_nodes_log_moment(const DpcxrLossNodes *nodes, double t);
/* M(tilt + i y) - 1 at y = @first + k @step, 0 <= k < @n; @large (nullable): E[e^(s L); L large]. */
void dpcxr_loss_nodes_excesses(const DpcxrLossNodes *nodes, double first, double step, gsize n, double complex *excess,
                               double complex *large);
/* What the sum at @y may be off by, for rounding. */
double dpcxr_loss_nodes_rounding(const DpcxrLossNodes *nodes, double y);
double dpcxr_loss_nodes_large_rounding(const DpcxrLossNodes *nodes);
/* Bound of |E[e^(s L); L large]| for all |Im s| >= @y. */
double dpcxr_loss_nodes_large_bound(const DpcxrLossNodes *nodes, double y);
