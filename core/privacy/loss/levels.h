/* SPDX-License-Identifier: MIT
 * Steps put on a lattice and raised to powers level by level, with a coarser spacing each time. The choices decide how close
 * the bounds are; whatever they are, the bounds hold. */
#pragma once
#include "privacy/loss/lattice.h"
#include "privacy/loss/law.h"

/* How a composition is gone about. */
typedef struct {
    double tilt;
    double variance;  /* what discretisation may add to that of the whole */
    double log_tail;  /* of the tilted mass that may be cut off in all */
    gboolean precise; /* transforms in twice the precision */
} DpcxrLossPass;

/* All of @laws (DpcxrLossLaw) composed, and the spacing it has then. NULL where the numbers cannot be represented.
 * (transfer full) */
DpcxrLossLattice *dpcxr_loss_levels(const GArray *laws, const DpcxrLossPass *pass, double *spacing);
/* How many factors that is. */
double dpcxr_loss_laws_total(const GArray *laws);
