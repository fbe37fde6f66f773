/* SPDX-License-Identifier: MIT
 * Privacy-loss distributions of composed (Poisson-subsampled) Gaussian steps: what numerical accountants share. */
#pragma once
#include <dpcxr/accountant.h>

G_BEGIN_DECLS

/* Whether every event is Poisson-sampled or full-batch Gaussian, within what the numerics are made for; else FALSE with
 * DPCXR_ERROR_PRIVACY and a sentence that says what would fit. @accountant: whose name the sentence begins with. */
gboolean dpcxr_loss_covers(const char *accountant, const DpcxrMechanism *mechanism, GError **error);

/* Bounds of epsilon at @delta in (0, 1), of a mechanism that is covered. @accuracy: the width of the interval aimed at,
 * relative to epsilon; what is hard to compute may come out wider, never wrong. */
gboolean dpcxr_loss_epsilon(const DpcxrMechanism *mechanism, double delta, double accuracy, DpcxrInterval *epsilon,
                            GError **error);
/* Bounds of delta at @epsilon >= 0. @accuracy: relative to delta. */
gboolean dpcxr_loss_delta(const DpcxrMechanism *mechanism, double epsilon, double accuracy, DpcxrInterval *delta,
                          GError **error);

#define DPCXR_LOSS_UNITS_MAX 64

/* The same without a lattice of losses, by inverting the characteristic function of their sum: another way to the same
 * numbers. For groups of @units, 1 to DPCXR_LOSS_UNITS_MAX; more than 1 only where all events are full batches or Poisson
 * samples. FALSE with DPCXR_ERROR_PRIVACY, too, where that takes more work than is sensible. */
gboolean dpcxr_loss_invert_epsilon(const DpcxrMechanism *mechanism, guint64 units, double delta, double accuracy,
                                   DpcxrInterval *epsilon, GError **error);
gboolean dpcxr_loss_invert_delta(const DpcxrMechanism *mechanism, guint64 units, double epsilon, double accuracy,
                                 DpcxrInterval *delta, GError **error);

G_END_DECLS
