/* SPDX-License-Identifier: MIT
 * Spreading, drawing together and coarsening. */
#include "privacy/loss/lattice.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* Relative, of a mass that is put onto a point: a few products, one exp. What is a difference is instead made smaller by
 * that much of what it is the difference of, where a smaller part moves up, so that rounding cannot move mass up that has
 * nothing to balance it. */
#define ROUNDING (16 * DBL_EPSILON)

DpcxrLossLattice *dpcxr_loss_lattice_new(gint64 first, gsize n)
{
    DpcxrLossLattice *lattice = g_new0(DpcxrLossLattice, 1);
    lattice->count = 1;
    lattice->first = first;
    lattice->n = n;
    for (int bound = 0; bound < 2; bound++)
        lattice->values[bound] = g_new0(double, n);
    return lattice;
}

void dpcxr_loss_lattice_free(DpcxrLossLattice *lattice)
{
    if (!lattice)
        return;
    g_free(lattice->values[0]);
    g_free(lattice->values[1]);
    g_free(lattice->moments);
    g_free(lattice);
}

void dpcxr_loss_spread(double *points, const DpcxrLossCells *cells, gsize n_points)
{
    for (gsize i = 0; i + 1 < n_points; i++) {
        points[i] += cells->left[i];
        points[i + 1] += cells->right[i];
    }
}

/* Every cell is given to its two points in parts, such that at a point what comes down from the right (and so
 * is at higher losses than the point) and what comes up from the left balance: the mean of y of both is that
 * of the point. Which part of one cell goes up then decides which part of the next goes down. That is stable
 * where masses grow, so it is done from both ends towards @meeting. There the two demands have to add up to
 * all of the cell. What comes up from the left has to be balanced, and is made less where it cannot be; what
 * comes down need not be: the mass is then at a lower loss than its own, which is sound, if less tight. Such
 * places are looked at once more at the end: mass that is on the next lower point is moved up to balance
 * them, as far as there is any. */
double dpcxr_loss_contract(double *points, const DpcxrLossCells *cells, gsize n_points, gsize meeting,
                           double spacing, double tilt)
{
    const double *left = cells->left, *right = cells->right;
    double balance = exp((2 * tilt + 1) * spacing), up = exp(tilt * spacing), down = exp(-tilt * spacing);
    g_autofree double *missing = g_new0(double, n_points); /* at a point, to balance the next higher one */
    double part = 0;                                       /* of a cell, that goes up */
    for (gsize i = 0; i < meeting; i++) {
        /* cell i - 1 has its part still to be given out, in case that cell i cannot balance it */
        double demand = i > 0 ? part * left[i - 1] * balance : 0;
        double given = demand > right[i] ? right[i] / demand : 1;
        if (i > 0) {
            points[i] += given * part * (left[i - 1] * up + right[i - 1]);
            points[i - 1] += (1 - given * part) * (left[i - 1] + right[i - 1] * down);
            if (i > 1)
                missing[i - 2] += MAX(0, 1 - given - ROUNDING) * part * right[i - 1] / balance;
        }
        part = demand < right[i] ? MAX(0, 1 - demand / right[i] - ROUNDING) : 0;
    }
    double demand = meeting > 0 ? part * left[meeting - 1] * balance : 0;
    double given = demand > right[meeting] ? right[meeting] / demand : 1;
    if (meeting > 0) {
        points[meeting] += given * part * (left[meeting - 1] * up + right[meeting - 1]);
        points[meeting - 1] += (1 - given * part) * (left[meeting - 1] + right[meeting - 1] * down);
    }
    if (meeting > 1)
        missing[meeting - 2] += MAX(0, 1 - given - ROUNDING) * part * right[meeting - 1] / balance;
    double below = demand > 0 ? demand / right[meeting] + ROUNDING : 0; /* of the cell at the meeting: has to go down */

    double excess = 0, wanted = 0; /* excess: what came down to the point right of the cell */
    for (gsize i = n_points - 1; i-- > meeting;) {
        wanted = excess / balance;
        part = wanted < left[i] ? wanted / left[i] : 1;
        if (i == meeting) {
            double free = MAX(0, 1 - below - ROUNDING);
            part = MIN(part, free);
            if (i > 0)
                missing[i - 1] += MAX(0, free - part - ROUNDING) * right[i] / balance;
        }
        missing[i] += MAX(0, wanted - part * left[i] - ROUNDING * wanted);
        points[i + 1] += part * (left[i] * up + right[i]);
        points[i] += (1 - part) * (left[i] + right[i] * down);
        excess = MAX(0, 1 - part - ROUNDING) * right[i];
    }
    for (gsize i = 0; i + 1 < n_points; i++) {
        double moved = CLAMP(missing[i], 0, points[i]);
        points[i] -= moved;
        points[i + 1] += moved * up;
    }
    return below + (wanted > 0 ? wanted / left[meeting] : 0) - 1;
}

gsize dpcxr_loss_meeting(const DpcxrLossCells *cells, gsize n_points, double spacing, double tilt)
{
    gsize at = 0;
    double most = -INFINITY, gain = 1, step = exp(-tilt * spacing);
    double scale = 0;
    for (gsize i = 0; i + 1 < n_points; i++, gain *= step) {
        if (gain < 1e-100) {
            scale += log(gain);
            gain = 1;
        }
        double mass = (cells->left[i] + cells->right[i]) * gain;
        if (mass > 0 && (most == -INFINITY || mass > most * exp(-scale))) {
            most = mass * exp(scale);
            at = i;
        }
    }
    return at;
}

void dpcxr_loss_normalise(DpcxrLossLattice *lattice)
{
    double sum[2] = {0, 0};
    for (int bound = 0; bound < 2; bound++)
        for (gsize i = 0; i < lattice->n; i++)
            sum[bound] += lattice->values[bound][i];
    double scale = MAX(sum[0], sum[1]);
    if (!(scale > 0 && isfinite(scale)))
        return;
    for (int bound = 0; bound < 2; bound++)
        for (gsize i = 0; i < lattice->n; i++)
            lattice->values[bound][i] /= scale;
    lattice->error /= scale * (1 - DBL_EPSILON);
    lattice->rounding /= scale;
    lattice->log_scale += log(scale);
    lattice->relative += 4 * DBL_EPSILON * (1 + fabs(log(scale)) + fabs(lattice->log_scale));
}

static gboolean odd_points_are_heavier(const DpcxrLossLattice *lattice)
{
    double sum[2] = {0, 0};
    for (gsize i = 0; i < lattice->n; i++)
        sum[(lattice->first + (gint64)i) & 1] += lattice->values[DPCXR_LOSS_LOWER][i];
    return sum[1] > sum[0];
}

DpcxrLossLattice *dpcxr_loss_coarsen(const DpcxrLossLattice *fine, double spacing, double tilt)
{
    /* Points that stay keep their mass where it is; where nearly all of it is at one point, that has to be one of them. */
    int parity = odd_points_are_heavier(fine);
    gint64 start = fine->first - parity, last = start + (gint64)fine->n - 1;
    gint64 first = (start - (start & 1)) / 2, end = (last + (last & 1)) / 2;
    DpcxrLossLattice *coarse = dpcxr_loss_lattice_new(first, (gsize)(end - first) + 1);
    coarse->count = fine->count;
    coarse->offset = fine->offset + parity * spacing;
    coarse->log_scale = fine->log_scale;
    coarse->shift = fine->shift + DBL_EPSILON * fabs(coarse->offset);
    coarse->error = fine->error;
    coarse->rounding = fine->rounding;
    coarse->relative = fine->relative + ROUNDING;
    g_autofree double *left = g_new0(double, coarse->n), *right = g_new0(double, coarse->n);
    const DpcxrLossCells cells = {left, right};
    double to_left = exp(-tilt * spacing) / (1 + exp(spacing));
    double to_right = exp(tilt * spacing) / (1 + exp(-spacing));
    for (int bound = 0; bound < 2; bound++) {
        const double *from = fine->values[bound];
        double *points = coarse->values[bound];
        memset(left, 0, coarse->n * sizeof *left);
        memset(right, 0, coarse->n * sizeof *right);
        for (gsize i = 0; i < fine->n; i++) {
            gint64 index = start + (gint64)i;
            gsize to = (gsize)((index - (index & 1)) / 2 - first);
            if (index & 1) {
                left[to] = from[i] * to_left;
                right[to] = from[i] * to_right;
            } else {
                points[to] = from[i];
            }
        }
        if (bound == DPCXR_LOSS_UPPER)
            dpcxr_loss_spread(points, &cells, coarse->n);
        else
            dpcxr_loss_contract(points, &cells, coarse->n,
                                dpcxr_loss_meeting(&cells, coarse->n, 2 * spacing, tilt), 2 * spacing, tilt);
    }
    return coarse;
}
