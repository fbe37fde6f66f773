/* SPDX-License-Identifier: MIT
 * Epsilon, delta and the curve between them, for planned steps and for runs alike. */
#include <math.h>
#include <stdio.h>
#include "command.h"
#include "cost.h"
#include "base/json-write.h"
#include "privacy/accounting.h"
#include "privacy/group.h"

static guint64 group_of(const DpcxrCostQuestion *question)
{
    return (guint64)MAX(question->group, 1);
}

gboolean dpcxr_cost_check_group(gint64 group, GError **error)
{
    return group == -1 || group >= 1 || dpcxr_cmd_usage(error, "--group has to be at least 1");
}

gboolean dpcxr_cost_check(const DpcxrCostQuestion *question, GError **error)
{
    gboolean delta = !isnan(question->delta), epsilon = !isnan(question->epsilon);
    if (!delta && !epsilon && !question->curve)
        return dpcxr_cmd_usage(error,
                               "--delta is missing (or --epsilon E for the delta of an epsilon, or --curve)");
    if (delta + epsilon + question->curve > 1)
        return dpcxr_cmd_usage(error, "--delta, --epsilon and --curve are three questions; ask one");
    if (delta && !(question->delta > 0 && question->delta < 1))
        return dpcxr_cmd_usage(error, "--delta is %g; it has to be above 0 and below 1", question->delta);
    if (epsilon && (!(question->epsilon >= 0) || !isfinite(question->epsilon)))
        return dpcxr_cmd_usage(error, "--epsilon is %g; it has to be a number not below 0",
                               question->epsilon);
    if (!isnan(question->prior) && (question->curve || question->group > 1))
        return dpcxr_cmd_usage(error, "--reconstruction is about one unit, and one point of the curve");
    if (!isnan(question->prior) && !(question->prior > 0 && question->prior < 1))
        return dpcxr_cmd_usage(error, "--reconstruction is %g; it has to be above 0 and below 1", question->prior);
    return dpcxr_cost_check_group(question->group, error);
}

gboolean dpcxr_cost_reconstruct(DpcxrCostQuestion *question, const GPtrArray *answers,
                                DpcxrCmdReconstruction *reconstruction, GError **error)
{
    if (isnan(question->prior) || !dpcxr_answers_check(answers, NULL))
        return TRUE; /* that every accountant refused is said with the answers */
    question->reconstruction = reconstruction;
    return dpcxr_cmd_reconstruction(answers, question->mechanism, question->prior, reconstruction, error);
}

static gboolean ask_epsilon(const DpcxrFeature *accountant, gconstpointer data, DpcxrAnswer *answer,
                            GError **error)
{
    const DpcxrCostQuestion *question = data;
    return dpcxr_group_epsilon(accountant, question->mechanism, group_of(question), question->delta,
                               &answer->interval, error);
}

static gboolean ask_delta(const DpcxrFeature *accountant, gconstpointer data, DpcxrAnswer *answer,
                          GError **error)
{
    const DpcxrCostQuestion *question = data;
    return dpcxr_group_delta(accountant, question->mechanism, group_of(question), question->epsilon,
                             &answer->interval, error);
}

/* (transfer full) Six digits, rounded up. */
static char *format_delta(double delta)
{
    double unit;
    return g_strdup_printf("%.6g", delta > 0 ? dpcxr_round_up(delta, &unit) : 0);
}

static void print_row(const DpcxrAnswer *answer, const char *estimate, const char *lower, const char *upper)
{
    printf("%-12s %-14s %-14s %s\n", answer->accountant->type, estimate,
           isfinite(answer->interval.lower) ? lower : "-",
           answer->approximate ? "-              (an approximation, not a bound)" : upper);
}

static void print_epsilon(const DpcxrAnswer *answer, gconstpointer data)
{
    g_autofree char *epsilon = dpcxr_format_epsilon(answer->interval.estimate, 6),
                    *upper = dpcxr_format_epsilon(answer->interval.upper, 6),
                    *lower = g_strdup_printf("%.6f", answer->interval.lower);
    print_row(answer, epsilon, lower, upper);
}

static void print_delta(const DpcxrAnswer *answer, gconstpointer data)
{
    g_autofree char *delta = format_delta(answer->interval.estimate),
                    *upper = format_delta(answer->interval.upper),
                    *lower = g_strdup_printf("%.6g", answer->interval.lower);
    print_row(answer, delta, lower, upper);
}

void dpcxr_cost_add_group(JsonBuilder *json, const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, gint64 group)
{
    if (group <= 1)
        return;
    dpcxr_json_put_count(json, "group", (guint64)group);
    dpcxr_json_put_string(json, "group_method",
                                  dpcxr_group_method_words(dpcxr_group_method(accountant, mechanism, (guint64)group)));
}

static void add_interval(JsonBuilder *json, const char *what, const DpcxrInterval *interval)
{
    dpcxr_json_put_number(json, what, interval->estimate);
    dpcxr_json_put_number(json, "lower", interval->lower);
    dpcxr_json_put_number(json, "upper", interval->upper);
}

static void add_rest(JsonBuilder *json, const DpcxrAnswer *answer, const DpcxrCostQuestion *question)
{
    if (answer->approximate)
        dpcxr_json_put_bool(json, "approximate", TRUE);
    dpcxr_cost_add_group(json, answer->accountant, question->mechanism, question->group);
    if (question->reconstruction && question->reconstruction->answer == answer)
        dpcxr_cmd_reconstruction_add(json, question->reconstruction);
}

static void add_epsilon(JsonBuilder *json, const DpcxrAnswer *answer, gconstpointer data)
{
    const DpcxrCostQuestion *question = data;
    add_interval(json, "epsilon", &answer->interval);
    dpcxr_json_put_number(json, "delta", question->delta);
    add_rest(json, answer, question);
}

static void add_delta(JsonBuilder *json, const DpcxrAnswer *answer, gconstpointer data)
{
    const DpcxrCostQuestion *question = data;
    add_interval(json, "delta", &answer->interval);
    dpcxr_json_put_number(json, "epsilon", question->epsilon);
    add_rest(json, answer, question);
}

const DpcxrAnswerTable *dpcxr_cost_table(const DpcxrCostQuestion *question)
{
    static const DpcxrAnswerTable epsilon = {ask_epsilon, print_epsilon, add_epsilon,
                                             "accountant   epsilon        lower          upper"},
                                  delta = {ask_delta, print_delta, add_delta,
                                           "accountant   delta          lower          upper"};
    return isnan(question->epsilon) ? &epsilon : &delta;
}

void dpcxr_cost_print_group(const DpcxrCostQuestion *question, const GPtrArray *accountants)
{
    for (int method = 0; method < DPCXR_N_GROUP_METHODS && question->group > 1; method++) {
        g_autoptr(GString) names = g_string_new(NULL);
        for (guint i = 0; i < accountants->len; i++) {
            const DpcxrFeature *accountant = accountants->pdata[i];
            if (accountant->entry->plugin &&
                dpcxr_group_method(accountant, question->mechanism, (guint64)question->group) == method)
                g_string_append_printf(names, "%s%s", names->len ? ", " : "", accountant->type);
        }
        if (names->len)
            printf("groups of K = %" G_GINT64_FORMAT " units by %s; %s\n", question->group, names->str,
                   dpcxr_group_method_words(method));
    }
}

/* 0.5, 0.2, 0.1, ... 1e-15: decimal numbers, as they would be typed. */
static double curve_delta(int i)
{
    static const char *const digits[] = {"5", "2", "1"};
    g_autofree char *text = g_strdup_printf("%se-%d", digits[i % 3], i / 3 + 1);
    return g_ascii_strtod(text, NULL);
}
#define CURVE_POINTS 45

static void print_cell(double value)
{
    if (isnan(value) || value == -INFINITY)
        putchar(',');
    else
        printf(",%.10g", value);
}

static void print_point(const DpcxrAnswer *answer, gconstpointer data)
{
    const DpcxrCostQuestion *question = data;
    printf("%s,%g", answer->accountant->type, question->delta);
    print_cell(answer->interval.estimate);
    print_cell(answer->interval.lower);
    print_cell(answer->approximate ? NAN : answer->interval.upper);
    putchar('\n');
}

static gboolean show_curve_csv(const DpcxrCostQuestion *question, const GPtrArray *accountants,
                               GError **error)
{
    puts("accountant,delta,epsilon,lower,upper");
    for (int i = 0; i < CURVE_POINTS; i++) {
        DpcxrCostQuestion point = *question;
        point.delta = curve_delta(i);
        g_autoptr(GPtrArray) answers =
            dpcxr_answers_ask(dpcxr_cost_table(&point), accountants, &point, error);
        if (!answers)
            return FALSE;
        for (guint a = 0; a < answers->len; a++) {
            const DpcxrAnswer *answer = g_ptr_array_index(answers, a);
            if (!answer->refused)
                print_point(answer, &point);
            else if (i == 0 && answers->len > 1)
                printf("# %s: refused: %s\n", answer->accountant->type, answer->error->message);
        }
        if (i == 0 && !dpcxr_answers_check(answers, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean ask_curve(const DpcxrFeature *accountant, gconstpointer data, DpcxrAnswer *answer,
                          GError **error)
{
    DpcxrCostQuestion point = *(const DpcxrCostQuestion *)data;
    point.delta = curve_delta(0);
    return ask_epsilon(accountant, &point, answer, error);
}

static void add_curve(JsonBuilder *json, const DpcxrAnswer *answer, gconstpointer data)
{
    const DpcxrCostQuestion *question = data;
    add_rest(json, answer, question);
    dpcxr_json_begin_array(json, "curve");
    for (int i = 0; i < CURVE_POINTS; i++) {
        DpcxrCostQuestion point = *question;
        DpcxrAnswer here = {answer->accountant};
        point.delta = curve_delta(i);
        if (!ask_epsilon(answer->accountant, &point, &here, NULL))
            continue;
        json_builder_begin_object(json);
        dpcxr_json_put_number(json, "delta", point.delta);
        add_interval(json, "epsilon", &here.interval);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

gboolean dpcxr_cost_show_curve(const DpcxrCostQuestion *question, const GPtrArray *accountants, gboolean json,
                               GError **error)
{
    static const DpcxrAnswerTable table = {ask_curve, NULL, add_curve, NULL};
    if (json)
        return dpcxr_answers_show(&table, accountants, question, TRUE, error);
    return show_curve_csv(question, accountants, error);
}
