/* SPDX-License-Identifier: MIT
 * From norms to coefficients. Whatever the type, a unit's contribution, over all parameters, is at most C: that is the
 * sensitivity that the noise is scaled to and the one event of a step is about. */
#pragma once
#include "config/experiment.h"
#include "graph/layers.h"

/* Clip norms outside of these abort: beyond them squares leave the range where the bound can be decided exactly. */
#define DPCXR_CLIP_NORM_MIN 1e-60
#define DPCXR_CLIP_NORM_MAX 1e60

const char *dpcxr_clip_name(DpcxrClipType type); /* "flat", "per_layer", ... */

typedef struct {
    DpcxrClipType type;
    double norm;         /* C */
    double stability;    /* > 0; AUTOMATIC only, in units of a gradient's norm */
    int parameters;      /* rows of the norms */
    int n_groups;        /* 1, or layers with PER_LAYER */
    const int *group_of; /* [parameters] */
} DpcxrClip;

/* The clipping group of each parameter of @graph: one for all or, with PER_LAYER, one for each layer with parameters.
 * *n_groups: how many. (transfer full) [parameters] */
int *dpcxr_clip_groups(const DpcxrGraph *graph, DpcxrClipType type, int *n_groups);

/* @norms2: [parameters, units] squared norms, upper bounds. @coefficients: [n_groups, units], each the largest float with
 * c * norm <= bound, also after rounding (AUTOMATIC: not above its formula either); 0 in all groups for a unit with a norm
 * that is not finite (or negative, which no norm is). Sums that a double cannot hold are rounded up.
 * Returns how many units were skipped as not finite (private). */
int dpcxr_clip(const DpcxrClip *clip, const double *norms2, int units, float *coefficients);

/* Adaptive clipping releases two things about one sample: the noisy gradient sum, and the noisy sum over units of b - 1/2
 * with b = 1 where the norm was at most C (sensitivity 1/2). Together they are one Gaussian mechanism with noise
 * multiplier z where 1/z^2 = 1/z_g^2 + 1/(2 count_noise)^2 (Andrew et al. 2021, Theorem 1).
 * The z_g that the gradient needs for @joint = z, rounded up; INFINITY where @count_noise <= z / 2 leaves nothing for it. */
double dpcxr_clip_gradient_noise(double joint, double count_noise);
/* C after a step: C exp(-rate (share - quantile)), share = @noisy_sum / @divisor + 1/2; post-processing. */
double dpcxr_clip_adapt(double norm, double noisy_sum, double divisor, double quantile, double rate);
