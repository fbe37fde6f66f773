/* SPDX-License-Identifier: MIT
 * One step of the Poisson-subsampled Gaussian mechanism in one dimension and in units of C: the pair
 * P = (1-q) N(0, sigma^2) + q N(1, sigma^2), Q = N(0, sigma^2); q = 1 is the Gaussian mechanism. */
#pragma once
#include "privacy/loss/lattice.h"

typedef struct {
    double q, sigma;
    gboolean reverse; /* the loss of Q against P instead of P against Q */
    guint64 count;
    double cap; /* outcomes beyond it, where the loss of P against Q is largest, are left out; INFINITY: none are */
} DpcxrLossStep;

/* Caps @step so that what is left out has probability at most e^@log_mass in each step, and not much less. Whoever
 * composes it adds count times that to delta: losses beyond the cap are as bad as infinite ones. Rare large losses, which
 * weigh too little to matter, would otherwise be all that a large tilt sees. */
void dpcxr_loss_step_set_cap(DpcxrLossStep *step, double log_mass);

/* log E[e^(tilt L)], for choosing a tilt: accurate to a few digits, no bound. INFINITY where it is too large. */
double dpcxr_loss_step_log_moment(const DpcxrLossStep *step, double tilt);

/* The tilted loss distribution with @spacing, both bounds; @log_scale: about the log moment. What is cut off has a tilted
 * mass of about 2 e^log_tail, and is in `error`. NULL where that takes more than @max_points. (transfer full) */
DpcxrLossLattice *dpcxr_loss_step_lattice(const DpcxrLossStep *step, double tilt, double log_scale, double spacing,
                                          double log_tail, gsize max_points);
