/* SPDX-License-Identifier: MIT
 * The privacy curve of a composition, from its loss on a lattice. */
#pragma once
#include "privacy/loss/law.h"

/* Bounds of epsilon at a delta of e^@log_delta, for one direction: @laws (DpcxrLossLaw) are composed; their caps are set
 * here. @accuracy: relative width aimed at. Always TRUE; the signature is that of inversion.h. */
gboolean dpcxr_loss_lattice_epsilon(GArray *laws, double log_delta, double accuracy, DpcxrInterval *epsilon,
                                    GError **error);
/* Bounds of log delta at @epsilon >= 0; @accuracy: of delta. */
gboolean dpcxr_loss_lattice_log_delta(GArray *laws, double epsilon, double accuracy, DpcxrInterval *log_delta,
                                      GError **error);
