/* SPDX-License-Identifier: MIT
 * Privacy-loss distributions on a lattice of losses, exponentially tilted, with an upper and a lower bound side by
 * side, and what accounting does with them: compose, coarsen, read off delta.
 *
 * A loss distribution is that of L = log(dP/dQ) under P. delta(epsilon) = E[(1 - e^(epsilon - L))+] is the mean of a
 * convex, falling function of y = e^-L. So moving mass apart with the mean of y kept can only raise delta ("connect the
 * dots", Doroshenko et al. 2022), drawing mass together with the mean of y kept, or moving it to a lower loss, can only
 * lower it; and either holds through every composition with something else. */
#pragma once
#include <glib.h>

enum { DPCXR_LOSS_UPPER, DPCXR_LOSS_LOWER };

/* Element i is the mass at the loss l = offset + (first + i) spacing, times e^(tilt l - log_scale). Sums are close to 1.
 * Spacing and tilt are those of the whole computation. */
typedef struct {
    guint64 count; /* how many factors of a composition are like this one */
    gint64 first;
    gsize n;
    double *values[2]; /* upper and lower bound */
    double offset, log_scale;
    double error; /* sum of absolute errors (rounding, truncation) of either array, in the tilted measure */
    double rounding; /* the part of it that is the transforms' rounding, by itself */
    double relative; /* and, beside that, each value may be off by a factor of up to e^(+-relative) */
    double shift; /* and by how much losses may be off */
    gpointer moments; /* (nullable) kept by dpcxr_loss_compose() once it has needed it */
} DpcxrLossLattice;

DpcxrLossLattice *dpcxr_loss_lattice_new(gint64 first, gsize n);
void dpcxr_loss_lattice_free(DpcxrLossLattice *lattice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrLossLattice, dpcxr_loss_lattice_free)

/* Mass between two neighbouring points, split so that the mean of y is kept: to the left point and to the right one,
 * tilted as if it were there. n - 1 cells of a lattice of n points. */
typedef struct {
    double *left, *right;
} DpcxrLossCells;

/* Adds to @points the bound that spreads each cell to both its points. */
void dpcxr_loss_spread(double *points, const DpcxrLossCells *cells, gsize n_points);
/* Adds to @points the bound that draws cells together. @meeting: the cell where that may be imperfect; best the one with
 * most mass. Returns by how much of it, with a sign; there is a place of the lattice for which that is 0. */
double dpcxr_loss_contract(double *points, const DpcxrLossCells *cells, gsize n_points, gsize meeting, double spacing,
                           double tilt);
/* The cell with most mass, not tilted. */
gsize dpcxr_loss_meeting(const DpcxrLossCells *cells, gsize n_points, double spacing, double tilt);

/* Scales so that the larger sum is 1: errors are of that size then, whatever the power. */
void dpcxr_loss_normalise(DpcxrLossLattice *lattice);

/* Doubles the spacing. (transfer full) */
DpcxrLossLattice *dpcxr_loss_coarsen(const DpcxrLossLattice *fine, double spacing, double tilt);
