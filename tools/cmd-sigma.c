/* SPDX-License-Identifier: MIT
 * dpcxr sigma: the least noise with which a training that is planned keeps an epsilon. */
#include <math.h>
#include <stdio.h>
#include "base/json-write.h"
#include "command.h"
#include "cost.h"
#include "planned-steps.h"
#include "privacy/accounting.h"
#include "privacy/group.h"

typedef struct {
    const DpcxrPlannedSteps *steps;
    double target, delta;
    gint64 group;
} Question;

static gboolean ask_noise(const DpcxrFeature *accountant, gconstpointer data, DpcxrAnswer *answer,
                          GError **error)
{
    const Question *question = data;
    return dpcxr_group_calibrate_noise(accountant, &question->steps->event, question->steps->adjacency,
                                       (guint64)MAX(question->group, 1), question->target, question->delta,
                                       &answer->noise_multiplier, &answer->interval, error);
}

static void print_answer(const DpcxrAnswer *answer, gconstpointer data)
{
    g_autofree char *epsilon = dpcxr_format_epsilon(answer->interval.upper, 6);
    printf("%-12s %-18.6g %s\n", answer->accountant->type, answer->noise_multiplier, epsilon);
}

static void add_answer(JsonBuilder *json, const DpcxrAnswer *answer, gconstpointer data)
{
    const Question *question = data;
    DpcxrMechanism mechanism = {question->steps->adjacency, &question->steps->event, 1};
    dpcxr_json_put_number(json, "noise_multiplier", answer->noise_multiplier);
    dpcxr_json_put_number(json, "epsilon", answer->interval.upper);
    dpcxr_json_put_number(json, "delta", question->delta);
    dpcxr_cost_add_group(json, answer->accountant, &mechanism, question->group);
}

static gboolean check(const Question *question, GError **error)
{
    if (isnan(question->delta))
        return dpcxr_cmd_usage(error, "--delta is missing");
    if (!(question->delta > 0 && question->delta < 1))
        return dpcxr_cmd_usage(error, "--delta is %g; it has to be above 0 and below 1", question->delta);
    return dpcxr_cost_check_group(question->group, error);
}

static const DpcxrAnswerTable table = {.ask = ask_noise,
                                       .print = print_answer,
                                       .add = add_answer,
                                       .heading = "accountant   noise multiplier   epsilon"};

gboolean dpcxr_cmd_sigma(int argc, char **argv, GError **error)
{
    g_auto(DpcxrPlannedArguments) arguments = DPCXR_PLANNED_ARGUMENTS_INIT;
    g_auto(DpcxrPlannedSteps) steps = {0};
    Question question = {&steps, NAN, NAN, -1};
    const GOptionEntry entries[] = {
        DPCXR_PLANNED_ENTRIES(arguments),
        {"epsilon", 'e', 0, G_OPTION_ARG_DOUBLE, &question.target, "Target epsilon", "E"},
        {"delta", 'd', 0, G_OPTION_ARG_DOUBLE, &question.delta, "Delta", "D"},
        {"group", 0, 0, G_OPTION_ARG_INT64, &question.group, "Protect groups of K units (default 1)", "K"},
        {0}};
    if (!dpcxr_cmd_parse(argc, argv, "", "Prints the noise multiplier that keeps a target epsilon.", entries,
                         error) ||
        !dpcxr_planned_check_positive("epsilon", question.target, error) ||
        !dpcxr_planned_steps_init(&steps, &arguments, error) || !check(&question, error))
        return FALSE;
    if (!arguments.json) {
        DpcxrMechanism mechanism = {steps.adjacency, &steps.event, 1};
        DpcxrCostQuestion cost = {.mechanism = &mechanism, .group = question.group};
        dpcxr_cost_print_group(&cost, steps.accountants);
    }
    return dpcxr_answers_show(&table, steps.accountants, &question, arguments.json, error);
}
