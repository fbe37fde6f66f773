/* SPDX-License-Identifier: MIT
 * What the schedules make of single steps. The noise multiplier of a step is one product, formed here and nowhere else:
 * what is calibrated, charged, added and claimed has to be the same number. */
#include "privacy/accounting.h"
#include "privacy/clip.h"
#include "train/plan.h"

static DpcxrStair stair_of(const DpcxrPlan *plan, guint64 step)
{
    const DpcxrExperiment *e = plan->experiment;
    return dpcxr_ramp_stair(&e->privacy.noise_schedule, step, plan->steps, (guint64)e->privacy.noise_levels);
}

DpcxrEvent dpcxr_plan_event(const DpcxrPlan *plan, guint64 step)
{
    return (DpcxrEvent){.sampler = plan->sampler.kind,
                        .sampling_rate = plan->sampler.sampling_rate,
                        .noise_multiplier = stair_of(plan, step).factor * plan->noise_multiplier,
                        .count = plan->record_steps,
                        .population = plan->population,
                        .cap = plan->sampler.cap};
}

double dpcxr_plan_gradient_noise(const DpcxrPlan *plan, guint64 step)
{
    double joint = dpcxr_plan_event(plan, step).noise_multiplier;
    return plan->count_noise > 0 ? dpcxr_clip_gradient_noise(joint, plan->count_noise) : joint;
}

double dpcxr_plan_clip_norm(const DpcxrPlan *plan, guint64 step)
{
    const DpcxrExperiment *e = plan->experiment;
    return dpcxr_ramp_factor(&e->privacy.clip_schedule, step, plan->steps) * e->privacy.clip_norm;
}

GArray *dpcxr_plan_events(const DpcxrPlan *plan, guint64 first, guint64 end)
{
    GArray *events = g_array_new(FALSE, FALSE, sizeof(DpcxrEvent));
    end = first + dpcxr_plan_charge(plan, end - MIN(first, end));
    while (first < end) {
        DpcxrEvent event = dpcxr_plan_event(plan, first);
        guint64 next = first < plan->steps ? MIN(stair_of(plan, first).end, end) : end;
        event.count = next - first;
        g_array_append_val(events, event);
        first = next;
    }
    return events;
}

void dpcxr_plan_noise_range(const DpcxrPlan *plan, double *least, double *most)
{
    double first = dpcxr_plan_event(plan, 0).noise_multiplier,
           last = dpcxr_plan_event(plan, plan->steps - 1).noise_multiplier;
    *least = MIN(first, last);
    *most = MAX(first, last);
}

gboolean dpcxr_plan_allow(DpcxrPlan *plan, const DpcxrMechanism *charged, guint64 charged_steps,
                          guint64 first, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    g_autoptr(GArray) steps = dpcxr_plan_events(plan, first, plan->steps);
    guint64 more = dpcxr_plan_charge(plan, plan->steps - MIN(first, plan->steps));
    if (e->privacy.epsilon > 0 &&
        !dpcxr_calibrate_first_steps(&e->privacy.accountant, charged, (const DpcxrEvent *)(void *)steps->data,
                                     steps->len, e->privacy.adjacency, e->privacy.epsilon, e->privacy.delta,
                                     &more, error))
        return FALSE;
    plan->allowed = charged_steps + more;
    return TRUE;
}
