/* SPDX-License-Identifier: MIT
 * Ramps in closed form: nothing to save in a checkpoint, and the same bits wherever they are asked for. */
#include "optim/ramp.h"
#include <math.h>
#include <string.h>

#define INITIAL                                                                                              \
    {                                                                                                        \
        "initial_factor", DPCXR_OPTION_NUMBER, "1", 0.01, 100, NULL, NULL, "Factor in the first step."       \
    }
#define FINAL                                                                                                \
    {                                                                                                        \
        "final_factor", DPCXR_OPTION_NUMBER, NULL, 0.01, 100, NULL, NULL, "Factor in the last step."         \
    }

static const DpcxrOptionSpec constant_options[] = {{NULL}};
static const DpcxrOptionSpec ramp_options[] = {INITIAL, FINAL, {NULL}};
static const DpcxrOptionSpec step_options[] = {
    INITIAL,
    FINAL,
    {"at", DPCXR_OPTION_NUMBER, "0.5", 0, 1, NULL, NULL, "Share of the steps before the jump."},
    {NULL},
};

static const char *const names[] = {"constant", "linear", "cosine", "exponential", "step", NULL};

static int find_type(const char *name)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

const DpcxrOptionSpec *dpcxr_ramp_options(const char *type)
{
    switch (find_type(type)) {
    case -1:
        return NULL;
    case DPCXR_RAMP_CONSTANT:
        return constant_options;
    case DPCXR_RAMP_STEP:
        return step_options;
    default:
        return ramp_options;
    }
}

const char *const *dpcxr_ramp_types(void)
{
    return names;
}

const char *dpcxr_ramp_name(const DpcxrRamp *ramp)
{
    return names[ramp->type];
}

void dpcxr_ramp_init(DpcxrRamp *ramp, const char *type, const DpcxrOptions *options)
{
    int i = find_type(type);
    g_return_if_fail(i >= 0);
    *ramp = (DpcxrRamp){.type = (DpcxrRampType)i, .initial = 1, .final = 1};
    if (i == DPCXR_RAMP_CONSTANT)
        return;
    ramp->initial = dpcxr_options_get_number(options, "initial_factor");
    ramp->final = dpcxr_options_get_number(options, "final_factor");
    if (i == DPCXR_RAMP_STEP)
        ramp->at = dpcxr_options_get_number(options, "at");
}

double dpcxr_ramp_half_cosine(double done)
{
    return 0.5 * (1 + cos(G_PI * done));
}

/* The factor when the share @done of the way is behind; exact at both ends. */
static double factor_at(const DpcxrRamp *ramp, double done)
{
    if (done <= 0)
        return ramp->initial;
    if (done >= 1)
        return ramp->final;
    switch (ramp->type) {
    case DPCXR_RAMP_COSINE:
        return ramp->final + (ramp->initial - ramp->final) * dpcxr_ramp_half_cosine(done);
    case DPCXR_RAMP_EXPONENTIAL:
        return ramp->initial * pow(ramp->final / ramp->initial, done);
    default:
        return ramp->initial + (ramp->final - ramp->initial) * done;
    }
}

/* The first step after the jump. */
static guint64 jump(const DpcxrRamp *ramp, guint64 steps)
{
    return (guint64)llround(ramp->at * (double)steps);
}

double dpcxr_ramp_factor(const DpcxrRamp *ramp, guint64 step, guint64 steps)
{
    if (ramp->type == DPCXR_RAMP_CONSTANT)
        return 1;
    if (ramp->type == DPCXR_RAMP_STEP)
        return step < jump(ramp, steps) ? ramp->initial : ramp->final;
    return factor_at(ramp, steps > 1 ? (double)step / (double)(steps - 1) : 0);
}

DpcxrStair dpcxr_ramp_stair(const DpcxrRamp *ramp, guint64 step, guint64 steps, guint64 levels)
{
    if (ramp->type == DPCXR_RAMP_CONSTANT)
        return (DpcxrStair){1, steps};
    if (ramp->type == DPCXR_RAMP_STEP) {
        guint64 first = jump(ramp, steps);
        return (DpcxrStair){dpcxr_ramp_factor(ramp, step, steps), step < first ? first : steps};
    }
    guint64 n = MIN(levels, steps), stair = step * n / steps;
    guint64 end = ((stair + 1) * steps + n - 1) / n; /* the first step whose stair is the next one */
    return (DpcxrStair){factor_at(ramp, n > 1 ? (double)stair / (double)(n - 1) : 0), end};
}
