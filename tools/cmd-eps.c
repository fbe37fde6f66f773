/* SPDX-License-Identifier: MIT
 * dpcxr eps: what a training that is planned would cost, by one accountant or by all of them. */
#include "base/json-write.h"
#include "command.h"
#include "planned-steps.h"
#include "privacy/accounting.h"
#include <math.h>
#include <stdio.h>

static gboolean ask_epsilon(const DpcxrFeature *accountant, const DpcxrPlannedSteps *steps,
                            double noise_multiplier, DpcxrPlannedAnswer *answer, GError **error)
{
    DpcxrEvent event = steps->event;
    event.noise_multiplier = noise_multiplier;
    DpcxrMechanism mechanism = {steps->adjacency, &event, 1};
    return dpcxr_account_epsilon(accountant, &mechanism, steps->delta, &answer->epsilon, error);
}

static void print_answer(const DpcxrPlannedAnswer *answer)
{
    g_autofree char *epsilon = dpcxr_format_epsilon(answer->epsilon.estimate, 6);
    g_autofree char *upper = dpcxr_format_epsilon(answer->epsilon.upper, 6);
    g_autofree char *lower =
        isfinite(answer->epsilon.lower) ? g_strdup_printf("%.6f", answer->epsilon.lower) : NULL;
    printf("%-12s %-14s %-14s %s\n", answer->accountant, epsilon, lower ? lower : "-", upper);
}

static void add_answer(JsonBuilder *json, const DpcxrPlannedAnswer *answer, double delta)
{
    dpcxr_json_put_number(json, "epsilon", answer->epsilon.estimate);
    dpcxr_json_put_number(json, "lower", answer->epsilon.lower);
    dpcxr_json_put_number(json, "upper", answer->epsilon.upper);
    dpcxr_json_put_number(json, "delta", delta);
}

static const DpcxrPlannedTable table = {.ask = ask_epsilon,
                                        .print = print_answer,
                                        .add = add_answer,
                                        .heading = "accountant   epsilon        lower          upper"};

gboolean dpcxr_cmd_eps(int argc, char **argv, GError **error)
{
    g_auto(DpcxrPlannedArguments) arguments = DPCXR_PLANNED_ARGUMENTS_INIT;
    g_auto(DpcxrPlannedSteps) steps = {0};
    double noise_multiplier = NAN;
    const GOptionEntry entries[] = {DPCXR_PLANNED_ENTRIES(arguments),
                                    {"noise-multiplier", 's', 0, G_OPTION_ARG_DOUBLE, &noise_multiplier,
                                     "Standard deviation of the noise / clip norm", "S"},
                                    {0}};
    return dpcxr_cmd_parse(argc, argv, "", "Prints the epsilon of a training that is planned.", entries,
                           error) &&
           dpcxr_planned_check_positive("noise-multiplier", noise_multiplier, error) &&
           dpcxr_planned_steps_init(&steps, &arguments, error) &&
           dpcxr_planned_table(&table, &steps, noise_multiplier, arguments.json, error);
}
