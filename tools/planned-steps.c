/* SPDX-License-Identifier: MIT
 * From the options of a command line to events and accountants. */
#include <math.h>
#include "planned-steps.h"
#include "privacy/sampler.h"

void dpcxr_planned_arguments_clear(DpcxrPlannedArguments *arguments)
{
    g_free(arguments->accountant);
    g_free(arguments->options);
    g_free(arguments->sampler);
    g_free(arguments->adjacency);
}

void dpcxr_planned_steps_clear(DpcxrPlannedSteps *steps)
{
    g_clear_pointer(&steps->accountants, g_ptr_array_unref);
}

gboolean dpcxr_planned_check_positive(const char *name, double value, GError **error)
{
    if (isnan(value))
        return dpcxr_cmd_usage(error, "--%s is missing", name);
    if (!(value > 0) || !isfinite(value))
        return dpcxr_cmd_usage(error, "--%s is %g; it has to be a number above 0", name, value);
    return TRUE;
}

static gboolean find_adjacency(const char *name, DpcxrAdjacency *adjacency, GError **error)
{
    for (int i = 0; i < DPCXR_N_ADJACENCIES; i++) {
        *adjacency = (DpcxrAdjacency)i;
        if (!name || g_str_equal(name, dpcxr_adjacency_name(*adjacency)))
            return TRUE;
    }
    return dpcxr_cmd_usage(error, "--adjacency is zero_out, add_remove or replace_one, not '%s'", name);
}

static gboolean find_sampler(const char *name, DpcxrSamplerKind *sampler, GError **error)
{
    for (int i = 0; i < DPCXR_N_SAMPLERS; i++) {
        *sampler = (DpcxrSamplerKind)i;
        if (!name || g_str_equal(name, dpcxr_sampler_name(*sampler)))
            return TRUE;
    }
    return dpcxr_cmd_usage(error, "--sampler is poisson, full, truncated_poisson, fixed or shuffle, not '%s'",
                           name);
}

/* Samplers that take a given part of a given number of units: their rate follows. */
static gboolean init_part(DpcxrEvent *event, double given, GError **error)
{
    const char *name = dpcxr_sampler_name(event->sampler);
    DpcxrSampler sampler;
    if (event->cap == 0 || event->population < event->cap)
        return dpcxr_cmd_usage(error, "--sampler %s needs --cap B and --population N with B <= N", name);
    if (!dpcxr_sampler_init(&sampler, event->sampler, event->population, 1, event->cap, 0, error))
        return FALSE;
    event->sampling_rate = sampler.sampling_rate;
    if (!isnan(given) && fabs(given / event->sampling_rate - 1) > 1e-6)
        return dpcxr_cmd_usage(error, "--sampling-rate is %g, but --sampler %s takes B of N units, a rate of %.9g; leave it out",
                               given, name, event->sampling_rate);
    return TRUE;
}

static gboolean init_rate(DpcxrEvent *event, double given, GError **error)
{
    gboolean full = event->sampler == DPCXR_SAMPLER_FULL;
    event->sampling_rate = full && isnan(given) ? 1 : given;
    if (isnan(event->sampling_rate))
        return dpcxr_cmd_usage(error, "--sampling-rate is missing");
    if (!(event->sampling_rate > 0 && event->sampling_rate <= 1) || (full && event->sampling_rate != 1))
        return dpcxr_cmd_usage(error, "--sampling-rate is %g; it has to be %s", event->sampling_rate,
                               full ? "1 where every unit takes part" : "above 0 and at most 1");
    if (event->sampler != DPCXR_SAMPLER_TRUNCATED_POISSON)
        return event->cap == 0 ||
               dpcxr_cmd_usage(error, "--cap is for the samplers truncated_poisson, fixed and shuffle");
    if (event->population == 0 || event->population > DPCXR_SECRET_WORDS)
        return dpcxr_cmd_usage(error, "--sampler truncated_poisson needs --population N, up to 2^35");
    if (event->cap == 0)
        event->cap = dpcxr_sampler_default_cap(event->population, event->sampling_rate);
    return TRUE;
}

static gboolean init_event(DpcxrEvent *event, const DpcxrPlannedArguments *arguments, GError **error)
{
    *event = (DpcxrEvent){.count = (guint64)MAX(arguments->steps, 0),
                          .population = (guint64)MAX(arguments->population, 0),
                          .cap = (guint64)MAX(arguments->cap, 0),
                          .noise_multiplier = 1};
    if (!find_sampler(arguments->sampler, &event->sampler, error))
        return FALSE;
    if (arguments->population == 0 || arguments->population < -1 || arguments->cap == 0 ||
        arguments->cap < -1)
        return dpcxr_cmd_usage(error, "--population and --cap have to be at least 1");
    gboolean part = event->sampler == DPCXR_SAMPLER_FIXED || event->sampler == DPCXR_SAMPLER_SHUFFLE;
    if (!(part ? init_part : init_rate)(event, arguments->sampling_rate, error))
        return FALSE;
    if (arguments->steps < 1)
        return dpcxr_cmd_usage(error, arguments->steps == -1 ? "--steps is missing"
                                                             : "--steps has to be at least 1");
    return TRUE;
}

gboolean dpcxr_planned_steps_init(DpcxrPlannedSteps *steps, const DpcxrPlannedArguments *arguments,
                                  GError **error)
{
    if (!find_adjacency(arguments->adjacency, &steps->adjacency, error) ||
        !init_event(&steps->event, arguments, error))
        return FALSE;
    steps->accountants = dpcxr_cmd_accountants(arguments->accountant, arguments->options, error);
    return steps->accountants != NULL;
}
