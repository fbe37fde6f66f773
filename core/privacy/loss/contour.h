/* SPDX-License-Identifier: MIT
 * The contour integral that delta is, along one line Re s = t, with bounds. */
#pragma once
#include "privacy/loss/saddle.h"

#define OTHER_TILTS 14

/* What one choice of t needs. */
typedef struct {
    double tilt, h, log_top;     /* log_top: K(t) */
    GPtrArray *nodes;            /* DpcxrLossNodes, one a law */
    gsize n;                     /* points y = 0, h, .. */
    double complex *values;      /* e^(K(s) - K(t)) / (s (1 + s)) */
    double *errors;              /* of each of them, absolute */
    double log_rest;             /* log of (1/pi) times the integral beyond, over e^K(t), at most */
    gboolean is_split;           /* what has no large loss in it is left out: */
    double small_top, small_tilt; /* its delta is at most e^(small_top - small_tilt epsilon) */
    double relative;             /* delta is right up to a factor e^(+-relative) */
    double other_tilts[OTHER_TILTS], other_moments[OTHER_TILTS];
    double work;
} DpcxrLossContour;

/* All points that are needed for problem->accuracy about problem->epsilon and problem->log_delta. FALSE: too many. @contour
 * has to be cleared either way. */
gboolean dpcxr_loss_contour_make(DpcxrLossProblem *problem, double tilt, DpcxrLossContour *contour);
void dpcxr_loss_contour_clear(DpcxrLossContour *contour);

/* Bounds of log delta at any @epsilon >= 0; close ones about problem->epsilon. */
DpcxrInterval dpcxr_loss_contour_log_delta(const DpcxrLossProblem *problem, const DpcxrLossContour *contour, double epsilon);
