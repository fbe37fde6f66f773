/* SPDX-License-Identifier: MIT
 * The privacy curve of a composition, from the moment generating function of its loss, without a lattice of losses. */
#pragma once
#include "privacy/loss/law.h"

/* Bounds of epsilon at a delta of e^@log_delta, for one direction: @laws (DpcxrLossLaw) are composed; their caps are set
 * here. @accuracy: relative width aimed at. FALSE with DPCXR_ERROR_PRIVACY where that takes more work than is sensible. */
gboolean dpcxr_loss_inversion_epsilon(GArray *laws, double log_delta, double accuracy, DpcxrInterval *epsilon,
                                      GError **error);
/* Bounds of log delta at @epsilon >= 0; @accuracy: of delta. */
gboolean dpcxr_loss_inversion_log_delta(GArray *laws, double epsilon, double accuracy, DpcxrInterval *log_delta,
                                        GError **error);

/* A quick upper bound from moments: of log delta at @at where that @is_epsilon, else of epsilon at a log delta of @at; with
 * 1e-6 for quadrature and rounding, which are a million times less. INFINITY where there is none. */
double dpcxr_loss_inversion_moment_bound(GArray *laws, double at, gboolean is_epsilon);
