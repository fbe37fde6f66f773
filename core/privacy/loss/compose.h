/* SPDX-License-Identifier: MIT
 * Composition on a lattice, with every error on the books. */
#pragma once
#include "privacy/loss/cyclic.h"

/* The product of powers of distributions. What falls out of the window (and wraps around) has a tilted mass of at most
 * e^log_tail on either side, and is in `error`. @precise: slower, with next to no rounding. NULL where the window needs
 * more than 2^max_log2 points. (transfer full) */
DpcxrLossLattice *dpcxr_loss_compose(const DpcxrLossFactor *factors, gsize n_factors, double log_tail, guint max_log2,
                                     gboolean precise);
/* log2 of the points that takes. */
guint dpcxr_loss_compose_size(const DpcxrLossFactor *factors, gsize n_factors, double log_tail);
