/* SPDX-License-Identifier: MIT
 * Learning-rate schedules as a pure function of the step. */
#pragma once
#include <dpcxr/options.h>

typedef enum { DPCXR_SCHEDULE_CONSTANT, DPCXR_SCHEDULE_COSINE } DpcxrScheduleType;

typedef struct {
    DpcxrScheduleType type;
    guint64 warmup_steps; /* linear: (step + 1) / (warmup_steps + 1), so 1 at step warmup_steps */
    double final_factor;  /* cosine: falls from 1 at step warmup_steps to this at step steps-1 */
} DpcxrSchedule;

const DpcxrOptionSpec *dpcxr_schedule_options(const char *type); /* NULL: unknown */
const char *const *dpcxr_schedule_types(void);
void dpcxr_schedule_init(DpcxrSchedule *schedule, const char *type, const DpcxrOptions *options);
/* The factor on lr at @step, 0 .. steps-1. */
double dpcxr_schedule_factor(const DpcxrSchedule *schedule, guint64 step, guint64 steps);
