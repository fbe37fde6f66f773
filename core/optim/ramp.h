/* SPDX-License-Identifier: MIT
 * Ramps: a factor that goes from one number to another over the steps of a training, as a pure function of the step. The
 * schedules of noise and clip norm are ramps: public, and fixed before the first step. */
#pragma once
#include <dpcxr/options.h>

typedef enum {
    DPCXR_RAMP_CONSTANT,    /* 1 */
    DPCXR_RAMP_LINEAR,      /* equal differences */
    DPCXR_RAMP_COSINE,      /* half a cosine: slow at both ends */
    DPCXR_RAMP_EXPONENTIAL, /* equal ratios */
    DPCXR_RAMP_STEP,        /* one jump */
} DpcxrRampType;

/* Zeroed: constant. */
typedef struct {
    DpcxrRampType type;
    double initial, final; /* > 0; factors of the first and the last step */
    double at;             /* STEP: the share of the steps, in [0, 1], before the jump */
} DpcxrRamp;

/* Steps that share a factor. */
typedef struct {
    double factor;
    guint64 end; /* one past the last of them */
} DpcxrStair;

const DpcxrOptionSpec *dpcxr_ramp_options(const char *type); /* NULL: unknown */
const char *const *dpcxr_ramp_types(void);                   /* NULL-terminated, in the order of the enum */
const char *dpcxr_ramp_name(const DpcxrRamp *ramp);
void dpcxr_ramp_init(DpcxrRamp *ramp, const char *type, const DpcxrOptions *options);

/* The factor at @step, 0 .. steps-1. A training of one step has the initial one. */
double dpcxr_ramp_factor(const DpcxrRamp *ramp, guint64 step, guint64 steps);
/* The same in at most @levels (at least 2) stairs of about equal length, the first at the initial and the last at the final
 * factor; for what costs something for each factor it takes. @steps below 2^58. */
DpcxrStair dpcxr_ramp_stair(const DpcxrRamp *ramp, guint64 step, guint64 steps, guint64 levels);
/* The part of a half cosine that is left, from 1 at @done = 0 to 0 at @done = 1. */
double dpcxr_ramp_half_cosine(double done);
