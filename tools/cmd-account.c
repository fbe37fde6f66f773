/* SPDX-License-Identifier: MIT
 * dpcxr account RUN|LEDGER...: what runs have cost, together, by any accountant and at any delta; and what
 * that means for an attacker. */
#include <math.h>
#include <stdio.h>
#include "base/json-write.h"
#include "command.h"
#include "cost.h"
#include "privacy/attack.h"
#include "privacy/card-content.h"
#include "privacy/composition.h"

static void print_event(const char *margin, const DpcxrEvent *event)
{
    printf("%s%" G_GUINT64_FORMAT " x %s", margin, event->count, dpcxr_sampler_name(event->sampler));
    if (event->sampler != DPCXR_SAMPLER_FULL)
        printf(" at rate %.8g", event->sampling_rate);
    if (event->cap > 0)
        printf(" (%s%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ")",
               event->sampler == DPCXR_SAMPLER_TRUNCATED_POISSON ? "at most " : "", event->cap, event->population);
    printf(", noise multiplier %.8g\n", event->noise_multiplier);
}

/* What is composed. @margin: of every line, "# " before CSV. */
static void print_header(const DpcxrComposition *composition, const char *margin)
{
    printf("%s%s %u run%s: unit %s, N = %" G_GUINT64_FORMAT ", adjacency %s\n", margin,
           composition->runs->len > 1 ? "composition of" : "account of", composition->runs->len,
           composition->runs->len > 1 ? "s" : "", composition->unit, composition->population,
           dpcxr_adjacency_name(composition->mechanism.adjacency));
    g_autofree char *indent = g_strconcat(margin, "    ", NULL);
    for (guint i = 0; i < composition->runs->len; i++) {
        const DpcxrComposedRun *run = g_ptr_array_index(composition->runs, i);
        const DpcxrMechanism *mechanism = dpcxr_ledger_mechanism(run->ledger);
        printf("%s  %s\n", margin, run->ledger_path);
        for (gsize e = 0; e < mechanism->n_events; e++)
            print_event(indent, &mechanism->events[e]);
        if (run->rest > 0)
            printf("%sand %" G_GUINT64_FORMAT
                   " steps that were planned, not done, and are claimed\n",
                   indent, run->rest);
        if (run->note)
            printf("%sthis run %s\n", indent, run->note);
    }
}

/* JSON has no header; what may be misread without it is said beside it. */
static void print_notes(const DpcxrComposition *composition)
{
    for (guint i = 0; i < composition->runs->len; i++) {
        const DpcxrComposedRun *run = g_ptr_array_index(composition->runs, i);
        if (run->note)
            fprintf(stderr, "%s: %s\n", run->path, run->note);
    }
}

static void print_point(const DpcxrComposition *composition, const DpcxrCostQuestion *question)
{
    if (isnan(question->delta))
        printf("at epsilon %g\n\n", question->epsilon);
    else if (question->delta < 1 / (double)composition->population)
        printf("at delta %g\n\n", question->delta);
    else
        printf("at delta %g, which is not below 1/N: publishing one %s outright would pass for private\n\n",
               question->delta, composition->unit);
}

static void print_attack(const DpcxrComposition *composition, const DpcxrAnswer *answer,
                         const DpcxrAttackBounds *bounds)
{
    g_autofree char *guess = dpcxr_attack_guess(composition->mechanism.adjacency, composition->unit);
    printf("\nfor whoever guesses %s (bounds by the accountant %s):\n", guess, answer->accountant->type);
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
        g_autofree char *rate = dpcxr_card_number_up(100 * bounds->true_positive_rate[i]);
        printf("  true positives at most %s %% at %g %% false positives\n", rate,
               100 * dpcxr_attack_false_positive_rate(i));
    }
    g_autofree char *advantage = dpcxr_card_number_up(100 * bounds->advantage);
    printf("  advantage (true minus false positives) at most %s %%\n", advantage);
}

typedef struct {
    DpcxrCostQuestion cost;      /* first: what dpcxr_cost_table is asked */
    const DpcxrAnswer *attacked; /* (nullable) */
    DpcxrAttackBounds bounds;
} Question;

static void add_with_attack(JsonBuilder *json, const DpcxrAnswer *answer, gconstpointer data)
{
    const Question *question = data;
    dpcxr_cost_table(&question->cost)->add(json, answer, &question->cost);
    if (answer != question->attacked)
        return;
    dpcxr_json_begin_object(json, "attack");
    dpcxr_json_put_number(json, "advantage", question->bounds.advantage);
    dpcxr_json_begin_array(json, "true_positive_rate");
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
        json_builder_begin_object(json);
        dpcxr_json_put_number(json, "false_positive_rate", dpcxr_attack_false_positive_rate(i));
        dpcxr_json_put_number(json, "at_most", question->bounds.true_positive_rate[i]);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    json_builder_end_object(json);
}

static gboolean show(const DpcxrComposition *composition, Question *question, const GPtrArray *accountants,
                     gboolean json, GError **error)
{
    DpcxrAnswerTable table = *dpcxr_cost_table(&question->cost);
    g_autoptr(GPtrArray) answers = dpcxr_answers_ask(&table, accountants, &question->cost, error);
    if (!answers)
        return FALSE;
    table.add = add_with_attack;
    gboolean single = question->cost.group <= 1;
    question->attacked = single ? dpcxr_answers_best(answers) : NULL;
    if (question->attacked && !dpcxr_attack_bounds(question->attacked->accountant, &composition->mechanism,
                                                   &question->bounds, error))
        return FALSE;
    DpcxrCmdReconstruction reconstruction;
    if (!dpcxr_cost_reconstruct(&question->cost, answers, &reconstruction, error))
        return FALSE;
    if (json) {
        dpcxr_answers_print_json(&table, answers, question);
        return dpcxr_answers_check(answers, error);
    }
    print_header(composition, "");
    dpcxr_cost_print_group(&question->cost, accountants);
    print_point(composition, &question->cost);
    dpcxr_answers_print(&table, answers, question);
    if (question->attacked)
        print_attack(composition, question->attacked, &question->bounds);
    if (question->cost.reconstruction)
        dpcxr_cmd_reconstruction_print(question->cost.reconstruction);
    return dpcxr_answers_check(answers, error);
}

/* Where none is asked for, the delta of the runs, if they have one. */
static gboolean complete(DpcxrCostQuestion *question, const DpcxrComposition *composition, GError **error)
{
    if (isnan(question->delta) && isnan(question->epsilon) && !question->curve) {
        question->delta = composition->delta;
        if (isnan(question->delta))
            return dpcxr_cmd_usage(error,
                                   "--delta is missing, and the runs do not name one delta that is theirs");
    }
    return dpcxr_cost_check(question, error);
}

static gboolean account(const char *const *paths, Question *question, const char *accountant,
                        const char *options, gboolean json, GError **error)
{
    g_autoptr(GPtrArray) accountants = dpcxr_cmd_accountants(accountant, options, error);
    g_autoptr(DpcxrComposition) composition = accountants ? dpcxr_composition_read(paths, error) : NULL;
    if (!composition || !complete(&question->cost, composition, error))
        return FALSE;
    question->cost.mechanism = &composition->mechanism;
    if (json)
        print_notes(composition);
    if (!question->cost.curve)
        return show(composition, question, accountants, json, error);
    if (!json)
        print_header(composition, "# ");
    return dpcxr_cost_show_curve(&question->cost, accountants, json, error);
}

gboolean dpcxr_cmd_account(int argc, char **argv, GError **error)
{
    g_autofree char *accountant = NULL, *options = NULL;
    gboolean json = FALSE;
    g_auto(GStrv) paths = NULL;
    Question question = {.cost = DPCXR_COST_QUESTION_INIT};
    const GOptionEntry entries[] = {
        DPCXR_COST_ENTRIES(question.cost),
        {"accountant", 'a', 0, G_OPTION_ARG_STRING, &accountant,
         "Accountant (default " DPCXR_CMD_ACCOUNTANT "), or all", "NAME"},
        {"options", 0, 0, G_OPTION_ARG_STRING, &options, "Options of the accountant, as YAML", "MAP"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, NULL},
        {0}};
    if (!dpcxr_cmd_parse(
            argc, argv, "RUN|LEDGER...",
            "Accounts runs again, from their ledgers; several on the same data are composed.\nDelta is that "
            "of the runs where they have one.",
            entries, error))
        return FALSE;
    if (!paths)
        return dpcxr_cmd_usage(error, "which runs? dpcxr account RUN...");
    return account((const char *const *)paths, &question, accountant, options, json, error);
}
