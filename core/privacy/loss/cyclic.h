/* SPDX-License-Identifier: MIT
 * Products of powers of distributions on a lattice that closes into a ring: what the transforms are for. */
#pragma once
#include "privacy/loss/lattice.h"

typedef struct {
    DpcxrLossLattice *lattice;
    guint64 power;
} DpcxrLossFactor;

/* out[bound][position]: the mass at index = position modulo 2^log2_size of the product of @factors, 2^log2_size of them,
 * negative where rounding made it so. Returns by how much either bound may be off in all, as a sum of absolute values,
 * beyond a relative error of one unit in the last place. The second is slower and much more precise. */
double dpcxr_loss_cyclic_product(const DpcxrLossFactor *factors, gsize n_factors, guint log2_size, double *out[2]);
double dpcxr_loss_cyclic_product_precise(const DpcxrLossFactor *factors, gsize n_factors, guint log2_size,
                                         double *out[2]);

/* The two above: the largest product of sums, at least 1; the sum over factors of power times 2-norm. */
double dpcxr_loss_log_sums(const DpcxrLossFactor *factors, gsize n_factors);
double dpcxr_loss_norms(const DpcxrLossFactor *factors, gsize n_factors);
