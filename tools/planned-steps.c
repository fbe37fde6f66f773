/* SPDX-License-Identifier: MIT
 * From the options of a command line to events and accountants, and from their answers to a table. */
#include "planned-steps.h"
#include "base/json-write.h"
#include "command.h"
#include "config/options.h"
#include <math.h>
#include <stdio.h>

void dpcxr_planned_arguments_clear(DpcxrPlannedArguments *arguments)
{
    g_free(arguments->accountant);
    g_free(arguments->options);
    g_free(arguments->sampler);
    g_free(arguments->adjacency);
}

static void feature_free(gpointer data)
{
    DpcxrFeature *feature = data;
    g_free(feature->type);
    dpcxr_options_free(feature->options);
    g_free(feature);
}

void dpcxr_planned_steps_clear(DpcxrPlannedSteps *steps)
{
    g_clear_pointer(&steps->accountants, g_ptr_array_unref);
}

static gboolean usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean usage(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s: %s", g_get_prgname(), message);
    return FALSE;
}

gboolean dpcxr_planned_check_positive(const char *name, double value, GError **error)
{
    if (isnan(value))
        return usage(error, "--%s is missing", name);
    if (!(value > 0) || !isfinite(value))
        return usage(error, "--%s is %g; it has to be a number above 0", name, value);
    return TRUE;
}

static gboolean find_adjacency(const char *name, DpcxrAdjacency *adjacency, GError **error)
{
    for (int i = 0; i < DPCXR_N_ADJACENCIES; i++) {
        *adjacency = (DpcxrAdjacency)i;
        if (!name || g_str_equal(name, dpcxr_adjacency_name(*adjacency)))
            return TRUE;
    }
    return usage(error, "--adjacency is zero_out, add_remove or replace_one, not '%s'", name);
}

static gboolean find_sampler(const char *name, DpcxrSamplerKind *sampler, GError **error)
{
    for (int i = 0; i < DPCXR_N_SAMPLERS; i++) {
        *sampler = (DpcxrSamplerKind)i;
        if (!name || g_str_equal(name, dpcxr_sampler_name(*sampler)))
            return TRUE;
    }
    return usage(error, "--sampler is poisson, full, truncated_poisson, fixed or shuffle, not '%s'", name);
}

static gboolean check_cap(const DpcxrEvent *event, GError **error)
{
    gboolean capped =
        event->sampler == DPCXR_SAMPLER_TRUNCATED_POISSON || event->sampler == DPCXR_SAMPLER_FIXED;
    if (!capped && event->cap > 0)
        return usage(error, "--cap is for the samplers truncated_poisson and fixed");
    if (capped && (event->cap == 0 || event->population < event->cap))
        return usage(error, "--sampler %s needs --cap B and --population N with B <= N",
                     dpcxr_sampler_name(event->sampler));
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
    gboolean full = event->sampler == DPCXR_SAMPLER_FULL;
    event->sampling_rate = full && isnan(arguments->sampling_rate) ? 1 : arguments->sampling_rate;
    if (isnan(event->sampling_rate))
        return usage(error, "--sampling-rate is missing");
    if (!(event->sampling_rate > 0 && event->sampling_rate <= 1) || (full && event->sampling_rate != 1))
        return usage(error, "--sampling-rate is %g; it has to be %s", event->sampling_rate,
                     full ? "1 where every unit takes part" : "above 0 and at most 1");
    if (arguments->population == 0 || arguments->population < -1 || arguments->cap == 0 || arguments->cap < -1)
        return usage(error, "--population and --cap have to be at least 1");
    if (arguments->steps < 1)
        return usage(error, arguments->steps == -1 ? "--steps is missing" : "--steps has to be at least 1");
    return check_cap(event, error);
}

static gboolean add_accountant(GPtrArray *accountants, const DpcxrPluginEntry *entry, const char *options,
                               GError **error)
{
    g_autoptr(DpcxrOptions) values = NULL;
    if (entry->plugin &&
        !(values = dpcxr_options_parse(entry->plugin->options, options ? options : "", error))) {
        g_prefix_error(error, "%s: --options: ", g_get_prgname());
        return FALSE;
    }
    DpcxrFeature *feature = g_new0(DpcxrFeature, 1);
    *feature = (DpcxrFeature){g_strdup(entry->name), entry, g_steal_pointer(&values)};
    g_ptr_array_add(accountants, feature);
    return TRUE;
}

static gboolean add_all_accountants(GPtrArray *accountants, const char *options, GError **error)
{
    g_autoptr(GPtrArray) entries = dpcxr_registry_list();
    if (options)
        return usage(error, "--options are those of one accountant; name it with --accountant");
    for (guint i = 0; i < entries->len; i++) {
        const DpcxrPluginEntry *entry = g_ptr_array_index(entries, i);
        if (entry->kind == DPCXR_PLUGIN_ACCOUNTANT && !add_accountant(accountants, entry, NULL, error))
            return FALSE;
    }
    return accountants->len > 0 ||
           usage(error, "there is no accountant plugin; dpcxr plugins lists what was found");
}

static gboolean find_accountants(GPtrArray *accountants, const DpcxrPlannedArguments *arguments,
                                 GError **error)
{
    const char *name = arguments->accountant ? arguments->accountant : "rdp";
    dpcxr_registry_scan();
    if (g_str_equal(name, "all"))
        return add_all_accountants(accountants, arguments->options, error);
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, name, error);
    return entry && add_accountant(accountants, entry, arguments->options, error);
}

gboolean dpcxr_planned_steps_init(DpcxrPlannedSteps *steps, const DpcxrPlannedArguments *arguments,
                                  GError **error)
{
    steps->accountants = g_ptr_array_new_with_free_func(feature_free);
    steps->delta = arguments->delta;
    if (arguments->group != -1)
        return usage(error, "--group: not in this version; group bound: K units have K epsilon and "
                            "(e^(K epsilon) - 1) / (e^epsilon - 1) delta");
    if (!find_adjacency(arguments->adjacency, &steps->adjacency, error) ||
        !init_event(&steps->event, arguments, error))
        return FALSE;
    if (isnan(steps->delta))
        return usage(error, "--delta is missing");
    if (!(steps->delta > 0 && steps->delta < 1))
        return usage(error, "--delta is %g; it has to be above 0 and below 1", steps->delta);
    return find_accountants(steps->accountants, arguments, error);
}

static void answer_free(gpointer data)
{
    DpcxrPlannedAnswer *answer = data;
    g_clear_error(&answer->error);
    g_free(answer);
}

/* A refusal is an answer; any other failure ends the program. */
static gboolean ask(const DpcxrPlannedTable *table, const DpcxrFeature *accountant,
                    const DpcxrPlannedSteps *steps, double given, GPtrArray *answers, GError **error)
{
    DpcxrPlannedAnswer *answer = g_new0(DpcxrPlannedAnswer, 1);
    g_ptr_array_add(answers, answer);
    answer->accountant = accountant->type;
    if (!accountant->entry->plugin) {
        answer->error = g_error_copy(accountant->entry->error);
        answer->refused = TRUE;
        return TRUE;
    }
    if (table->ask(accountant, steps, given, answer, &answer->error))
        return TRUE;
    answer->refused = TRUE;
    if (g_error_matches(answer->error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY))
        return TRUE;
    g_propagate_error(error, g_error_copy(answer->error));
    return FALSE;
}

static void print_table(const DpcxrPlannedTable *table, const GPtrArray *answers)
{
    puts(table->heading);
    for (guint i = 0; i < answers->len; i++) {
        const DpcxrPlannedAnswer *answer = g_ptr_array_index(answers, i);
        if (answer->refused)
            printf("%-12s refused: %s\n", answer->accountant, answer->error->message);
        else
            table->print(answer);
    }
}

static void print_json(const DpcxrPlannedTable *table, const GPtrArray *answers, double delta)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_array(json);
    for (guint i = 0; i < answers->len; i++) {
        const DpcxrPlannedAnswer *answer = g_ptr_array_index(answers, i);
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "accountant", answer->accountant);
        if (answer->refused)
            dpcxr_json_put_string(json, "refused", answer->error->message);
        else
            table->add(json, answer, delta);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    dpcxr_cmd_print_json(json);
}

gboolean dpcxr_planned_table(const DpcxrPlannedTable *table, const DpcxrPlannedSteps *steps, double given,
                             gboolean json, GError **error)
{
    g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func(answer_free);
    gboolean any = FALSE;
    for (guint i = 0; i < steps->accountants->len; i++) {
        if (!ask(table, g_ptr_array_index(steps->accountants, i), steps, given, answers, error))
            return FALSE;
        any = any || !((const DpcxrPlannedAnswer *)g_ptr_array_index(answers, i))->refused;
    }
    if (json)
        print_json(table, answers, steps->delta);
    else if (any || answers->len > 1)
        print_table(table, answers);
    if (any)
        return TRUE;
    const DpcxrPlannedAnswer *first = g_ptr_array_index(answers, 0);
    if (answers->len == 1)
        g_propagate_error(error, g_error_copy(first->error));
    else
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "%s: every accountant refused; %s",
                    g_get_prgname(), first->error->message);
    return FALSE;
}
