/* SPDX-License-Identifier: MIT
 * The law of one step's loss on a lattice. Groups of several units are not for it: they are inverted (inversion.h). */
#pragma once
#include "privacy/loss/lattice.h"
#include "privacy/loss/law.h"

/* log E[e^(tilt L)] of what is not capped, for choosing a tilt: accurate to a few digits, no bound. INFINITY where it is too
 * large. */
double dpcxr_loss_law_log_moment(const DpcxrLossLaw *law, double tilt);

/* The tilted loss distribution with @spacing, both bounds, normalised; @log_scale: about the log moment. What is cut off has
 * a tilted mass of about 2 e^log_tail a part, and is in `error`. NULL where that takes more than @max_points. (transfer
 * full) */
DpcxrLossLattice *dpcxr_loss_law_lattice(const DpcxrLossLaw *law, double tilt, double log_scale, double spacing,
                                         double log_tail, gsize max_points);
