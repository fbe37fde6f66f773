/* SPDX-License-Identifier: MIT */
#include "train/setup.h"
#include "privacy/accounting.h"
#include "privacy/clip.h"
#include "train/label-weights.h"
#include "train/network.h"
#include <math.h>
#include <stdio.h>

/* train.batch.physical: auto, on a device with memory of its own: a whole logical batch at once, or what fits. */
static gboolean choose_physical(DpcxrSetup *setup, const DpcxrBackend *backend, DpcxrProgramOptions *options, GError **error)
{
    const DpcxrExperiment *e = setup->experiment;
    const double enough = 512;
    if (e->train.physical || !backend->largest_batch)
        return TRUE;
    int most = MAX(options->max_rows, (int)MIN(setup->plan->divisor * e->train.augment_multiplicity, enough));
    int rows = backend->largest_batch(setup->graph, options, most, error);
    if (rows < 1)
        return FALSE;
    setup->plan->physical = options->max_rows = options->max_units = rows;
    return TRUE;
}

static gboolean compile(DpcxrSetup *setup, GError **error)
{
    const DpcxrExperiment *e = setup->experiment;
    int n_groups;
    g_autofree int *group_of = dpcxr_clip_groups(
        setup->graph, e->privacy.enabled ? e->privacy.clip_type : DPCXR_CLIP_FLAT, &n_groups);
    g_autofree float *weights = dpcxr_label_weights(e, setup->data);
    DpcxrProgramOptions options = {.max_rows = setup->plan->physical,
                                   .max_units = setup->plan->physical,
                                   .threads = e->device.threads,
                                   .device = e->device.name,
                                   .precision = e->device.precision,
                                   .training = e->stage_train,
                                   .norms = e->privacy.enabled,
                                   .grid = setup->plan->grid && e->stage_train,
                                   .pos_weight = weights,
                                   .n_groups = n_groups,
                                   .group_of = group_of};
    const DpcxrBackend *backend = dpcxr_backend_find(e->device.type, &options, error);
    if (!backend || !choose_physical(setup, backend, &options, error))
        return FALSE;
    setup->program = dpcxr_program_new(backend, setup->graph, &options, error);
    return setup->program != NULL;
}

gboolean dpcxr_setup_open(DpcxrSetup *setup, const DpcxrExperiment *experiment, GError **error)
{
    *setup = (DpcxrSetup){.experiment = experiment};
    return (setup->data = dpcxr_data_open(experiment, error)) &&
           (setup->plan = dpcxr_plan_new(experiment, dpcxr_data_index(setup->data), error)) &&
           (setup->graph = dpcxr_network_build(experiment, error)) && compile(setup, error);
}

void dpcxr_setup_clear(DpcxrSetup *setup)
{
    dpcxr_program_free(setup->program);
    dpcxr_graph_free(setup->graph);
    dpcxr_plan_free(setup->plan);
    dpcxr_data_free(setup->data);
    *setup = (DpcxrSetup){0};
}

/* How units are drawn, beyond name and rate. */
static void print_sampler(const DpcxrPlan *plan)
{
    const DpcxrSampler *sampler = &plan->sampler;
    if (sampler->kind == DPCXR_SAMPLER_TRUNCATED_POISSON)
        printf("sampler    at most %" G_GSIZE_FORMAT " units a step\n", sampler->cap);
    else if (sampler->kind == DPCXR_SAMPLER_FIXED)
        printf("sampler    %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " units a step\n", sampler->cap, sampler->population);
    else if (sampler->kind == DPCXR_SAMPLER_SHUFFLE)
        printf("sampler    epochs of %" G_GUINT64_FORMAT " steps, each charged whole; every resume begins a new one\n",
               plan->record_steps);
}

/* "norm 1.5", or its way where it has a schedule. */
static void print_course(const char *what, const DpcxrRamp *ramp, double first, double last)
{
    printf(", %s %.6g", what, first);
    if (ramp->type != DPCXR_RAMP_CONSTANT)
        printf(" to %.6g (%s)", last, dpcxr_ramp_name(ramp));
}

static void print_mechanism(const DpcxrPlan *plan)
{
    const DpcxrExperiment *e = plan->experiment;
    guint64 last = plan->steps - 1;
    double noise = dpcxr_plan_event(plan, 0).noise_multiplier;
    printf("mechanism  %s sampling at rate %.6g, %s clipping", dpcxr_sampler_name(plan->sampler.kind),
           plan->sampler.sampling_rate, dpcxr_clip_name(e->privacy.clip_type));
    print_course("norm", &e->privacy.clip_schedule, dpcxr_plan_clip_norm(plan, 0), dpcxr_plan_clip_norm(plan, last));
    print_course("noise multiplier", &e->privacy.noise_schedule, noise, dpcxr_plan_event(plan, last).noise_multiplier);
    printf(", divisor %g\n", plan->divisor);
    print_sampler(plan);
    if (plan->count_noise > 0)
        printf("adaptive   gradient noise multiplier %.6g, count noise %g units: together one event of multiplier %.6g\n",
               dpcxr_plan_gradient_noise(plan, 0), plan->count_noise, noise);
}

static void print_privacy(const DpcxrPlan *plan)
{
    const DpcxrExperiment *e = plan->experiment;
    if (dpcxr_plan_has_claim(plan)) {
        g_autofree char *epsilon = dpcxr_format_epsilon(plan->planned_epsilon, 4);
        g_autofree char *delta = dpcxr_format_exact(e->privacy.delta);
        printf("privacy    epsilon %s at delta %s after these steps, unit %s, adjacency %s, accountant %s\n", epsilon,
               delta, dpcxr_unit_name(e->privacy.unit),
               dpcxr_adjacency_name(e->privacy.adjacency), e->privacy.accountant.type);
    } else {
        printf("privacy    NO CLAIM: ");
        for (guint i = 0; i < plan->voids->len; i++)
            printf("%s%s", i ? "; " : "", (const char *)plan->voids->pdata[i]);
        printf("\n");
    }
    if (e->privacy.enabled)
        print_mechanism(plan);
}

void dpcxr_setup_print(const DpcxrSetup *setup)
{
    const DpcxrExperiment *e = setup->experiment;
    const DpcxrIndex *index = dpcxr_data_index(setup->data);
    printf("run        %s\n", e->name);
    printf("data       %s: %zu train, %zu valid, %zu test images, %zu training units (%s)\n", e->data.dataset.type,
           dpcxr_index_count_split(index, DPCXR_SPLIT_TRAIN), dpcxr_index_count_split(index, DPCXR_SPLIT_VALID),
           dpcxr_index_count_split(index, DPCXR_SPLIT_TEST), setup->plan->units->n,
           setup->plan->units->unit == DPCXR_UNIT_PATIENT ? "patients" : "images");
    printf("model      %s, %zu parameters, %d x %d x %d images, %d labels\n", e->model.plugin.type,
           dpcxr_graph_parameter_count(setup->graph), e->data.size, e->data.size, e->data.channels, e->data.n_labels);
    const char *device = dpcxr_program_device(setup->program);
    printf("device     %s%s%s, %d images at once, %.0f MB reserved\n", setup->program->backend->name, device ? ", " : "",
           device ? device : "", setup->plan->physical, (double)dpcxr_program_memory(setup->program) / 1e6);
    printf("steps      %" G_GUINT64_FORMAT " of %g units (%.2f epochs)\n", setup->plan->steps, setup->plan->divisor,
           dpcxr_plan_epochs(setup->plan, setup->plan->steps));
    if (e->train.augment_multiplicity > 1)
        printf("views      %d of each drawn image\n", e->train.augment_multiplicity);
    print_privacy(setup->plan);
}

enum { PROBLEMS_SHOWN = 10 };

/* FALSE with one error where there is any; takes @problems. */
static gboolean report(GPtrArray *problems, GError **error)
{
    guint n = problems->len;
    g_autoptr(GString) lines = g_string_new(NULL);
    for (guint i = 0; i < MIN(n, PROBLEMS_SHOWN); i++)
        g_string_append_printf(lines, "\n  %s", (const char *)problems->pdata[i]);
    g_ptr_array_unref(problems);
    if (n > 0)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "%u problem%s with the data set (`dpcxr check CONFIG --data` lists all):%s%s", n, n == 1 ? "" : "s",
                    lines->str, n > PROBLEMS_SHOWN ? "\n  ..." : "");
    return n == 0;
}

gboolean dpcxr_setup_check_data(const DpcxrSetup *setup, gboolean files, GError **error)
{
    return report(dpcxr_data_check_overlap(dpcxr_data_index(setup->data)), error) &&
           (!files || dpcxr_data_build_cache(setup->data, setup->experiment->data.workers, FALSE, NULL, error)) &&
           (!files || report(dpcxr_data_check_files(setup->data, setup->experiment->data.workers), error));
}
