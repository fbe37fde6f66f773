/* SPDX-License-Identifier: MIT
 * dpcxr eps: what a training that is planned would cost, by one accountant or by all of them. */
#include <math.h>
#include "command.h"
#include "cost.h"
#include "planned-steps.h"

static gboolean show(DpcxrCostQuestion *question, const DpcxrPlannedSteps *steps, gboolean json, GError **error)
{
    if (question->curve)
        return dpcxr_cost_show_curve(question, steps->accountants, json, error);
    const DpcxrAnswerTable *table = dpcxr_cost_table(question);
    g_autoptr(GPtrArray) answers = dpcxr_answers_ask(table, steps->accountants, question, error);
    DpcxrCmdReconstruction reconstruction;
    if (!answers || !dpcxr_cost_reconstruct(question, answers, &reconstruction, error))
        return FALSE;
    if (json) {
        dpcxr_answers_print_json(table, answers, question);
        return dpcxr_answers_check(answers, error);
    }
    dpcxr_cost_print_group(question, steps->accountants);
    dpcxr_answers_print(table, answers, question);
    if (question->reconstruction)
        dpcxr_cmd_reconstruction_print(question->reconstruction);
    return dpcxr_answers_check(answers, error);
}

gboolean dpcxr_cmd_eps(int argc, char **argv, GError **error)
{
    g_auto(DpcxrPlannedArguments) arguments = DPCXR_PLANNED_ARGUMENTS_INIT;
    g_auto(DpcxrPlannedSteps) steps = {0};
    DpcxrCostQuestion question = DPCXR_COST_QUESTION_INIT;
    double noise_multiplier = NAN;
    const GOptionEntry entries[] = {DPCXR_PLANNED_ENTRIES(arguments),
                                    DPCXR_COST_ENTRIES(question),
                                    {"noise-multiplier", 's', 0, G_OPTION_ARG_DOUBLE, &noise_multiplier,
                                     "Standard deviation of the noise / clip norm", "S"},
                                    {0}};
    if (!dpcxr_cmd_parse(argc, argv, "", "Prints the epsilon of a training that is planned.", entries,
                         error) ||
        !dpcxr_planned_check_positive("noise-multiplier", noise_multiplier, error) ||
        !dpcxr_planned_steps_init(&steps, &arguments, error) || !dpcxr_cost_check(&question, error))
        return FALSE;
    steps.event.noise_multiplier = noise_multiplier;
    DpcxrMechanism mechanism = {steps.adjacency, &steps.event, 1};
    question.mechanism = &mechanism;
    return show(&question, &steps, arguments.json, error);
}
