/* SPDX-License-Identifier: MIT
 * How often an attacker who wants to know a unit's data, and not only whether it was there, can succeed: reconstruction
 * robustness (Hayes, Mahloujifar & Balle 2023, arXiv:2302.07225). docs/accounting.md has the proof. */
#pragma once
#include "config/experiment.h"

#define DPCXR_RECONSTRUCTION_CONFIDENCE 0.999 /* of all limits of one call together */
#define DPCXR_RECONSTRUCTION_BUDGET 100000000 /* normals, for a person who waits: some three seconds */

/* A bound on the probability that the attacker's answer is close enough to the unit's data. */
typedef struct {
    double prior;     /* kappa: the most probable such success without the release, e.g. 0.1 for ten equal candidates */
    double by_curve;  /* from the accountant's curve, certain */
    double by_samples; /* upper confidence limit; NAN where nothing was drawn */
    double at_most;   /* the smaller one */
} DpcxrReconstruction;

typedef struct {
    guint64 samples;  /* of the privacy loss; 0: none were drawn */
    const char *none; /* why none were, as a clause; else NULL */
} DpcxrReconstructionSampling;

/* Upper confidence limits for @bounds[i].prior alone, with the random numbers of a public constant: the same mechanism
 * and budget give the same limits. @budget: normals that may be drawn. Sets by_samples, and at_most where it is smaller. */
void dpcxr_reconstruction_sample(const DpcxrMechanism *mechanism, guint64 budget, DpcxrReconstruction *bounds, gsize n,
                                 DpcxrReconstructionSampling *sampling);

/* All of it, for the priors in @bounds, each in (0, 1).
 * DPCXR_ERROR_USAGE: a prior that cannot be; DPCXR_ERROR_PRIVACY: the accountant is approximate, or does not cover the
 * events. */
gboolean dpcxr_reconstruction_bounds(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, guint64 budget,
                                     DpcxrReconstruction *bounds, gsize n, DpcxrReconstructionSampling *sampling,
                                     GError **error);
