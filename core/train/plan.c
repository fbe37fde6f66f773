/* SPDX-License-Identifier: MIT */
#include "train/plan.h"
#include "privacy/accounting.h"
#include "privacy/card.h"
#include "privacy/clip.h"
#include "privacy/grid.h"
#include <math.h>

gboolean dpcxr_plan_has_claim(const DpcxrPlan *plan)
{
    return plan->voids->len == 0;
}

gsize dpcxr_plan_rows_per_unit(const DpcxrPlan *plan)
{
    gsize cap = (gsize)plan->experiment->privacy.images_per_patient;
    return plan->units->unit == DPCXR_UNIT_PATIENT && cap ? MIN(cap, plan->units->max_rows) : plan->units->max_rows;
}

/* Activations of one image grow with its area; 64 images of 128 px and 16 of 512 px stay well below a gigabyte. */
static int automatic_physical(int size)
{
    return size <= 128 ? 64 : size <= 256 ? 32 : 16;
}

double dpcxr_plan_epochs(const DpcxrPlan *plan, guint64 steps)
{
    gboolean shuffled = plan->experiment->privacy.enabled && plan->sampler.kind == DPCXR_SAMPLER_SHUFFLE;
    return shuffled ? (double)steps / (double)plan->record_steps
                    : (double)steps * plan->divisor / (double)plan->population;
}

guint64 dpcxr_plan_charge(const DpcxrPlan *plan, guint64 steps)
{
    return (steps + plan->record_steps - 1) / plan->record_steps * plan->record_steps;
}

static gboolean plan_steps(DpcxrPlan *plan, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    plan->steps = e->train.steps ? e->train.steps : (guint64)floor(e->train.epochs / dpcxr_plan_epochs(plan, 1) + 1e-9);
    if (plan->steps > 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "train.epochs: %g epochs are less than one step of %d units out of %" G_GUINT64_FORMAT
                "; raise train.epochs or lower train.batch.logical",
                e->train.epochs, e->train.logical, plan->population);
    return FALSE;
}

/* Samplers that draw from a pool are accounted for its size, which therefore has to be the declared one. */
static gboolean check_pool(const DpcxrPlan *plan, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    DpcxrSamplerKind kind = e->privacy.sampler;
    gboolean bound = e->privacy.adjacency == DPCXR_ADJACENCY_ADD_REMOVE; /* then N is the most there may be */
    if (kind == DPCXR_SAMPLER_POISSON || kind == DPCXR_SAMPLER_FULL || plan->population == plan->units->n ||
        (bound && plan->population > plan->units->n))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "privacy.population: %" G_GUINT64_FORMAT " units are declared and there are %" G_GSIZE_FORMAT
                ", but sampler %s draws from %s as many as are declared; leave it out, or use sampler: poisson",
                plan->population, plan->units->n, dpcxr_sampler_name(kind), bound ? "at most" : "exactly");
    return FALSE;
}

static guint64 plan_cap(const DpcxrPlan *plan, double rate)
{
    const DpcxrExperiment *e = plan->experiment;
    if (e->privacy.sampler != DPCXR_SAMPLER_TRUNCATED_POISSON)
        return (guint64)e->train.logical;
    return e->privacy.sampler_cap ? e->privacy.sampler_cap : dpcxr_sampler_default_cap(plan->population, rate);
}

static gboolean plan_sampler(DpcxrPlan *plan, double rate, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    int images = plan->units->unit == DPCXR_UNIT_PATIENT ? e->privacy.images_per_patient : 0;
    if (!check_pool(plan, error) || !dpcxr_sampler_init(&plan->sampler, e->privacy.sampler, plan->units->n, rate,
                                                        plan_cap(plan, rate), images, error))
        return FALSE;
    plan->record_steps = dpcxr_sampler_record_steps(&plan->sampler);
    return TRUE;
}

static gboolean plan_sampling(DpcxrPlan *plan, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    gboolean full = e->privacy.enabled && e->privacy.sampler == DPCXR_SAMPLER_FULL;
    if (!full && (guint64)e->train.logical > plan->population) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "train.batch.logical: %d units a step are more than the %" G_GUINT64_FORMAT " there are",
                    e->train.logical, plan->population);
        return FALSE;
    }
    plan->divisor = full ? (double)plan->population : e->train.logical;
    plan->record_steps = 1;
    return (!e->privacy.enabled || plan_sampler(plan, plan->divisor / (double)plan->population, error)) &&
           plan_steps(plan, error);
}

/* One full-batch event before the first step, or none. */
static void plan_counts(DpcxrPlan *plan)
{
    if (plan->experiment->loss.pos_weight_type == DPCXR_POS_WEIGHT_PRIVATE_COUNTS)
        plan->counts = (DpcxrEvent){.sampler = DPCXR_SAMPLER_FULL,
                                    .sampling_rate = 1,
                                    .noise_multiplier = plan->experiment->loss.pos_weight_noise_multiplier,
                                    .count = 1,
                                    .population = plan->population};
}

/* What is charged before the first step. */
static DpcxrMechanism before_steps(const DpcxrPlan *plan)
{
    return (DpcxrMechanism){.adjacency = plan->experiment->privacy.adjacency,
                            .events = &plan->counts,
                            .n_events = plan->counts.count > 0};
}

/* How many of the planned steps stay within the target. */
static gboolean plan_allowed(DpcxrPlan *plan, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    DpcxrMechanism before = before_steps(plan);
    if (!dpcxr_plan_allow(plan, &before, 0, 0, error))
        return FALSE;
    if (plan->allowed > 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "privacy.epsilon: one %s with noise multiplier %g already exceeds epsilon %g; raise either",
                plan->record_steps > 1 ? "epoch" : "step", dpcxr_plan_event(plan, 0).noise_multiplier, e->privacy.epsilon);
    return FALSE;
}

/* A step's noise is shared out between gradient and count; there has to be some for the gradient in every step. */
static gboolean plan_adaptive(DpcxrPlan *plan, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    if (e->privacy.clip_type != DPCXR_CLIP_ADAPTIVE)
        return TRUE;
    plan->count_noise = e->privacy.clip_count_noise > 0 ? e->privacy.clip_count_noise : plan->divisor / 20;
    double least, most;
    dpcxr_plan_noise_range(plan, &least, &most);
    if (isfinite(dpcxr_clip_gradient_noise(most, plan->count_noise)))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "privacy.clip.count_noise: %g is not above half the noise multiplier %g of a step, so nothing is left for "
                "the gradient; raise it",
                plan->count_noise, most);
    return FALSE;
}

/* The one factor on the schedule with which all planned steps stay within the target. */
static gboolean plan_calibrate(DpcxrPlan *plan, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    DpcxrMechanism before = before_steps(plan);
    plan->noise_multiplier = 1;
    g_autoptr(GArray) steps = dpcxr_plan_events(plan, 0, plan->steps);
    return dpcxr_calibrate_noise_factor(&e->privacy.accountant, &before, (const DpcxrEvent *)(void *)steps->data,
                                        steps->len, e->privacy.adjacency, e->privacy.epsilon, e->privacy.delta,
                                        &plan->noise_multiplier, error);
}

/* Epsilon of the steps that a run without interruption does. */
static gboolean plan_epsilon(DpcxrPlan *plan, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    DpcxrMechanism before = before_steps(plan);
    g_autoptr(GArray) events = dpcxr_plan_events(plan, 0, MIN(plan->steps, plan->allowed));
    g_array_append_vals(events, before.events, (guint)before.n_events);
    DpcxrMechanism mechanism = {e->privacy.adjacency, (const DpcxrEvent *)(void *)events->data, events->len};
    DpcxrInterval epsilon;
    if (!dpcxr_account_claim(&e->privacy.accountant, &mechanism, e->privacy.delta, &epsilon, error))
        return FALSE;
    plan->planned_epsilon = epsilon.upper;
    return TRUE;
}

/* Whether everything that gets noise fits on its grid. */
static gboolean plan_grid(DpcxrPlan *plan, GError **error)
{
    plan->grid = plan->experiment->privacy.noise_type == DPCXR_NOISE_GRID;
    guint64 units = MAX((guint64)plan->units->n, plan->population), last = plan->steps - 1;
    return !plan->grid || (dpcxr_grid_check(dpcxr_plan_gradient_noise(plan, 0), units, error) &&
                           dpcxr_grid_check(dpcxr_plan_gradient_noise(plan, last), units, error) &&
                           (plan->count_noise == 0 || dpcxr_grid_check(2 * plan->count_noise, units, error)) &&
                           (plan->counts.count == 0 || dpcxr_grid_check(plan->counts.noise_multiplier, units, error)));
}

static gboolean plan_noise(DpcxrPlan *plan, GError **error)
{
    const DpcxrExperiment *e = plan->experiment;
    plan->noise_multiplier = e->privacy.noise_multiplier;
    plan->planned_epsilon = NAN;
    if (e->privacy.unsafe_no_noise && e->privacy.noise_multiplier == 0)
        return TRUE;
    plan_counts(plan);
    return (e->privacy.noise_multiplier >= 0 || plan_calibrate(plan, error)) && plan_adaptive(plan, error) &&
           plan_grid(plan, error) && plan_allowed(plan, error) && plan_epsilon(plan, error);
}

DpcxrPlan *dpcxr_plan_new(const DpcxrExperiment *experiment, const DpcxrIndex *index, GError **error)
{
    g_autoptr(DpcxrPlan) plan = g_new0(DpcxrPlan, 1);
    plan->experiment = experiment;
    plan->planned_epsilon = NAN;
    plan->voids = dpcxr_claim_voids(experiment);
    plan->physical =
        experiment->train.physical ? experiment->train.physical : automatic_physical(experiment->data.size);
    plan->units = dpcxr_units_new(index, experiment->privacy.unit, error);
    if (!plan->units)
        return NULL;
    plan->population = experiment->privacy.population ? experiment->privacy.population : plan->units->n;
    /* A declared N below the number of units must not make room for a delta that their number forbids. */
    if (experiment->privacy.enabled &&
        !dpcxr_claim_check(experiment, MAX(plan->population, (guint64)plan->units->n), error))
        return NULL;
    if (!plan_sampling(plan, error) || (experiment->privacy.enabled && !plan_noise(plan, error)))
        return NULL;
    return g_steal_pointer(&plan);
}

void dpcxr_plan_free(DpcxrPlan *plan)
{
    if (!plan)
        return;
    dpcxr_units_free(plan->units);
    if (plan->voids)
        g_ptr_array_unref(plan->voids);
    g_free(plan);
}
