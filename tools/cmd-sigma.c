/* SPDX-License-Identifier: MIT
 * dpcxr sigma: the least noise with which a training that is planned keeps an epsilon. */
#include "base/json-write.h"
#include "command.h"
#include "planned-steps.h"
#include "privacy/accounting.h"
#include <math.h>
#include <stdio.h>

static gboolean ask_noise(const DpcxrFeature *accountant, const DpcxrPlannedSteps *steps, double target,
                          DpcxrPlannedAnswer *answer, GError **error)
{
    DpcxrEvent event = steps->event;
    if (!dpcxr_calibrate_noise(accountant, NULL, &event, steps->adjacency, target, steps->delta,
                               &event.noise_multiplier, error))
        return FALSE;
    answer->noise_multiplier = event.noise_multiplier;
    DpcxrMechanism mechanism = {steps->adjacency, &event, 1};
    return dpcxr_account_claim(accountant, &mechanism, steps->delta, &answer->epsilon, error);
}

static void print_answer(const DpcxrPlannedAnswer *answer)
{
    g_autofree char *epsilon = dpcxr_format_epsilon(answer->epsilon.upper, 6);
    printf("%-12s %-18.6g %s\n", answer->accountant, answer->noise_multiplier, epsilon);
}

static void add_answer(JsonBuilder *json, const DpcxrPlannedAnswer *answer, double delta)
{
    dpcxr_json_put_number(json, "noise_multiplier", answer->noise_multiplier);
    dpcxr_json_put_number(json, "epsilon", answer->epsilon.upper);
    dpcxr_json_put_number(json, "delta", delta);
}

static const DpcxrPlannedTable table = {.ask = ask_noise,
                                        .print = print_answer,
                                        .add = add_answer,
                                        .heading = "accountant   noise multiplier   epsilon"};

gboolean dpcxr_cmd_sigma(int argc, char **argv, GError **error)
{
    g_auto(DpcxrPlannedArguments) arguments = DPCXR_PLANNED_ARGUMENTS_INIT;
    g_auto(DpcxrPlannedSteps) steps = {0};
    double target = NAN;
    const GOptionEntry entries[] = {DPCXR_PLANNED_ENTRIES(arguments),
                                    {"epsilon", 'e', 0, G_OPTION_ARG_DOUBLE, &target, "Target epsilon", "E"},
                                    {0}};
    return dpcxr_cmd_parse(argc, argv, "", "Prints the noise multiplier that keeps a target epsilon.",
                           entries, error) &&
           dpcxr_planned_check_positive("epsilon", target, error) &&
           dpcxr_planned_steps_init(&steps, &arguments, error) &&
           dpcxr_planned_table(&table, &steps, target, arguments.json, error);
}
