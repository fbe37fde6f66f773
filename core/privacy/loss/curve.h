/* SPDX-License-Identifier: MIT
 * The privacy curve of a composed distribution. */
#pragma once
#include "privacy/loss/lattice.h"

/* A composed distribution, ready to be asked. */
typedef struct DpcxrLossCurve DpcxrLossCurve;

DpcxrLossCurve *dpcxr_loss_curve_new(const DpcxrLossLattice *lattice, double spacing, double tilt);
void dpcxr_loss_curve_free(DpcxrLossCurve *curve);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrLossCurve, dpcxr_loss_curve_free)

/* Bound of log delta at @epsilon >= 0; -INFINITY where the lower bound is 0. */
double dpcxr_loss_curve_log_delta(const DpcxrLossCurve *curve, int bound, double epsilon);
/* Bound of the least epsilon >= 0 with delta(epsilon) <= e^log_delta. */
double dpcxr_loss_curve_epsilon(const DpcxrLossCurve *curve, int bound, double log_delta);
