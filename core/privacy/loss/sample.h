/* SPDX-License-Identifier: MIT
 * Draws of the privacy loss of a whole composition, for Monte-Carlo bounds. The random numbers are public. */
#pragma once
#include <dpcxr/accountant.h>

/* Whether the loss of every event can be drawn: full batches under every adjacency, Poisson samples under zero_out and
 * add_remove; else FALSE with DPCXR_ERROR_PRIVACY and why. */
gboolean dpcxr_loss_sample_covers(const DpcxrMechanism *mechanism, GError **error);

/* Normals that one draw of the composition takes. All full batches together take one. */
guint64 dpcxr_loss_sample_cost(const DpcxrMechanism *mechanism);

/* Fills @losses with @n independent draws of L = log(dP/dQ), the sum over all steps, under P: the outcome with the unit
 * (P) against the outcome without it (Q). Rounding is added, so that none is below what the drawn numbers say. Random
 * numbers are those of (@seed, @part); no two pairs share any. */
void dpcxr_loss_sample(const DpcxrMechanism *mechanism, guint64 seed, guint32 part, double *losses, gsize n);
