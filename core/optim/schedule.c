/* SPDX-License-Identifier: MIT
 * Learning-rate schedules in closed form: nothing to save in a checkpoint. */
#include "optim/schedule.h"
#include "optim/ramp.h"
#include <math.h>
#include <string.h>

#define WARMUP "Linear start: the full rate is reached after so many."

static const DpcxrOptionSpec constant_options[] = {
    {"warmup_steps", DPCXR_OPTION_INT, "0", 0, 1e9, NULL, "steps", WARMUP},
    {NULL},
};
static const DpcxrOptionSpec cosine_options[] = {
    {"warmup_steps", DPCXR_OPTION_INT, "0", 0, 1e9, NULL, "steps", WARMUP},
    {"final_factor", DPCXR_OPTION_NUMBER, "0.01", 0, 1, NULL, NULL,
     "Factor on the learning rate in the last step; 0 would make that step spend privacy for nothing."},
    {NULL},
};

static const struct {
    const char *name;
    const DpcxrOptionSpec *options;
} types[] = {
    [DPCXR_SCHEDULE_CONSTANT] = {"constant", constant_options},
    [DPCXR_SCHEDULE_COSINE] = {"cosine", cosine_options},
};

static int find_type(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(name, types[i].name) == 0)
            return (int)i;
    return -1;
}

const DpcxrOptionSpec *dpcxr_schedule_options(const char *type)
{
    int i = find_type(type);

    return i < 0 ? NULL : types[i].options;
}

const char *const *dpcxr_schedule_types(void)
{
    static const char *const names[] = {"constant", "cosine", NULL};

    return names;
}

void dpcxr_schedule_init(DpcxrSchedule *schedule, const char *type, const DpcxrOptions *options)
{
    int i = find_type(type);

    g_return_if_fail(i >= 0);
    *schedule = (DpcxrSchedule){
        .type = (DpcxrScheduleType)i,
        .warmup_steps = (guint64)dpcxr_options_get_int(options, "warmup_steps"),
        .final_factor = i == DPCXR_SCHEDULE_COSINE ? dpcxr_options_get_number(options, "final_factor") : 1,
    };
}

double dpcxr_schedule_factor(const DpcxrSchedule *schedule, guint64 step, guint64 steps)
{
    guint64 warmup = schedule->warmup_steps;

    if (step < warmup)
        return (double)(step + 1) / ((double)warmup + 1);
    if (schedule->type == DPCXR_SCHEDULE_CONSTANT || steps < warmup + 2)
        return 1; /* also a cosine that has no room for two steps */
    double done = (double)(step - warmup) / (double)(steps - 1 - warmup);
    return schedule->final_factor + (1 - schedule->final_factor) * dpcxr_ramp_half_cosine(fmin(done, 1));
}
