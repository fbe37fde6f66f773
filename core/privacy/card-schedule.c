/* SPDX-License-Identifier: MIT
 * Schedules are public and fixed before the first step; a card says how they run and what they cost. */
#include "privacy/card-schedule.h"
#include "base/json-write.h"
#include "privacy/accounting.h"

/* First and last value of something that follows a ramp. */
typedef struct {
    double first, last;
} Range;

static Range noise_range(const DpcxrCardFacts *facts)
{
    const DpcxrRamp *ramp = &facts->experiment->privacy.noise_schedule;
    guint64 steps = MAX(facts->steps_planned, 1), levels = (guint64)facts->experiment->privacy.noise_levels;
    return (Range){dpcxr_ramp_stair(ramp, 0, steps, levels).factor * facts->noise_multiplier,
                   dpcxr_ramp_stair(ramp, steps - 1, steps, levels).factor * facts->noise_multiplier};
}

static Range clip_range(const DpcxrCardFacts *facts)
{
    const DpcxrRamp *ramp = &facts->experiment->privacy.clip_schedule;
    guint64 steps = MAX(facts->steps_planned, 1);
    return (Range){dpcxr_ramp_factor(ramp, 0, steps) * facts->clip_norm,
                   dpcxr_ramp_factor(ramp, steps - 1, steps) * facts->clip_norm};
}

static gboolean has_noise_schedule(const DpcxrCardFacts *facts)
{
    return facts->experiment->privacy.noise_schedule.type != DPCXR_RAMP_CONSTANT;
}

static gboolean has_clip_schedule(const DpcxrCardFacts *facts)
{
    return facts->experiment->privacy.clip_schedule.type != DPCXR_RAMP_CONSTANT;
}

char *dpcxr_card_noise_text(const DpcxrCardFacts *facts)
{
    if (!has_noise_schedule(facts))
        return dpcxr_format_exact(facts->noise_multiplier);
    Range range = noise_range(facts);
    return g_strdup_printf("%.6g to %.6g on a %s schedule of at most %d levels", range.first, range.last,
                           dpcxr_ramp_name(&facts->experiment->privacy.noise_schedule),
                           facts->experiment->privacy.noise_levels);
}

char *dpcxr_card_clip_text(const DpcxrCardFacts *facts)
{
    if (!has_clip_schedule(facts))
        return g_strdup_printf("norm %g", facts->clip_norm);
    Range range = clip_range(facts);
    return g_strdup_printf("norm %g to %g on a %s schedule", range.first, range.last,
                           dpcxr_ramp_name(&facts->experiment->privacy.clip_schedule));
}

static void put_schedule(JsonBuilder *json, const char *key, const DpcxrRamp *ramp, Range range, int levels)
{
    if (ramp->type == DPCXR_RAMP_CONSTANT) {
        dpcxr_json_put_string(json, key, NULL);
        return;
    }
    dpcxr_json_begin_object(json, key);
    dpcxr_json_put_string(json, "type", dpcxr_ramp_name(ramp));
    dpcxr_json_put_number(json, "first", range.first);
    dpcxr_json_put_number(json, "last", range.last);
    if (levels > 0)
        dpcxr_json_put_count(json, "levels", (guint64)levels);
    json_builder_end_object(json);
}

void dpcxr_card_put_schedules(JsonBuilder *json, const DpcxrCardFacts *facts)
{
    const DpcxrExperiment *e = facts->experiment;
    if (has_noise_schedule(facts))
        dpcxr_json_put_string(json, "noise_multiplier", NULL);
    else
        dpcxr_json_put_number(json, "noise_multiplier", facts->noise_multiplier);
    put_schedule(json, "noise_schedule", &e->privacy.noise_schedule, noise_range(facts),
                 e->privacy.noise_levels);
    put_schedule(json, "clip_schedule", &e->privacy.clip_schedule, clip_range(facts), 0);
}

void dpcxr_card_assume_schedules(GPtrArray *assumptions, const DpcxrCardFacts *facts)
{
    const DpcxrExperiment *e = facts->experiment;
    if (has_noise_schedule(facts))
        g_ptr_array_add(
            assumptions,
            g_strdup(
                "The noise multiplier followed a schedule that was fixed before training; every step is on "
                "the ledger with its own, and epsilon composes them."));
    if (has_clip_schedule(facts))
        g_ptr_array_add(
            assumptions,
            g_strdup(
                "The clip norm followed a schedule that was fixed before training. The noise of a step is "
                "its multiplier times the norm of that step, so the norm changes no event and no epsilon."));
    if (e->train.augment_multiplicity > 1)
        g_ptr_array_add(
            assumptions,
            g_strdup_printf(
                "Each drawn image was seen in %d augmented views, whose gradients were averaged within "
                "its %s before clipping: no more was sampled and no sensitivity changed, so this costs "
                "no privacy.",
                e->train.augment_multiplicity, e->privacy.unit == DPCXR_UNIT_PATIENT ? "patient" : "image"));
    if (e->train.ema > 0)
        g_ptr_array_add(
            assumptions,
            g_strdup_printf(
                "A moving average of the weights (decay %g) was kept. It is computed from private "
                "weights alone, so it costs no privacy, released or not.",
                e->train.ema));
}
