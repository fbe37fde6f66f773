/* SPDX-License-Identifier: MIT */
#include "sweep-print.h"
#include "privacy/accounting.h"
#include "sweep/summary.h"
#include <math.h>
#include <string.h>

static char *show_spread(const DpcxrSpread *spread)
{
    if (spread->n == 0)
        return g_strdup("-");
    return isnan(spread->deviation) ? g_strdup_printf("%.3f", spread->mean)
                                    : g_strdup_printf("%.3f sd %.3f", spread->mean, spread->deviation);
}

/* "2 done, 1 failed" */
static char *show_statuses(const DpcxrSweepPoint *point)
{
    static const DpcxrRunStatus order[] = {DPCXR_RUN_DONE, DPCXR_RUN_FAILED, DPCXR_RUN_STOPPED,
                                           DPCXR_RUN_WAITING};
    g_autoptr(GString) text = g_string_new(NULL);
    for (gsize s = 0; s < G_N_ELEMENTS(order); s++) {
        guint n = 0;
        for (guint i = 0; i < point->runs->len; i++)
            n += ((DpcxrSweepRun *)g_ptr_array_index(point->runs, i))->outcome.status == order[s];
        if (n > 0)
            g_string_append_printf(text, "%s%u %s", text->len ? ", " : "", n,
                                   dpcxr_run_status_name(order[s]));
    }
    return g_strdup(text->str);
}

static char *show_epsilon(double epsilon)
{
    return isnan(epsilon)   ? g_strdup("-")
           : isinf(epsilon) ? g_strdup("infinite")
                            : dpcxr_format_epsilon(epsilon, 2);
}

/* Over the runs of a point that are done: what each of them claims (@accountant -1), or an accountant says of it. NaN where one of
 * them has none. */
static double largest(const DpcxrSweepPoint *point, int accountant)
{
    double most = -1;
    for (guint i = 0; i < point->runs->len; i++) {
        const DpcxrOutcome *outcome = &((DpcxrSweepRun *)g_ptr_array_index(point->runs, i))->outcome;
        double epsilon = accountant < 0     ? outcome->epsilon
                         : outcome->charges ? outcome->charges[accountant].epsilon
                                            : NAN;
        if (outcome->status != DPCXR_RUN_DONE)
            continue;
        if (isnan(epsilon))
            return NAN;
        most = fmax(most, epsilon);
    }
    return most < 0 ? NAN : most;
}

/* @columns: accountants beside the one that claims. */
static void print_point(FILE *stream, const DpcxrSweepPoint *point, int width, const DpcxrSweepCost *cost,
                        gsize columns)
{
    g_autofree char *valid = show_spread(&point->valid), *test = show_spread(&point->test);
    g_autofree char *status = show_statuses(point), *epsilon = show_epsilon(largest(point, -1));
    fprintf(stream, "%c %-*s  %-14s  %-14s  %8s", point->chosen ? '*' : ' ', width,
            *point->name ? point->name : "base", valid, test, epsilon);
    for (gsize i = 0; i < columns; i++) {
        g_autofree char *other = show_epsilon(largest(point, (int)i));
        fprintf(stream, "  %*s", MAX(8, (int)strlen(cost->labels[i])), other);
    }
    fprintf(stream, "  %s\n", status);
}

static void print_table(FILE *stream, const DpcxrSweep *sweep, const DpcxrSweepCost *cost)
{
    int width = (int)strlen("point");
    gsize columns = sweep->base->sweep.n_accountants;
    for (guint p = 0; p < sweep->points->len; p++)
        width = MAX(width, (int)strlen(((DpcxrSweepPoint *)g_ptr_array_index(sweep->points, p))->name));
    fprintf(stream, "\n  %-*s  %-14s  %-14s  %8s", width, "point", "valid AUROC", "test AUROC", "claimed");
    for (gsize i = 0; i < columns; i++)
        fprintf(stream, "  %*s", MAX(8, (int)strlen(cost->labels[i])), cost->labels[i]);
    fputs("\n", stream);
    for (guint p = 0; p < sweep->points->len; p++)
        print_point(stream, g_ptr_array_index(sweep->points, p), width, cost, columns);
}

static void print_choice(FILE *stream, const DpcxrSweep *sweep, const DpcxrSweepEnd *end)
{
    g_autoptr(GPtrArray) beside = dpcxr_sweep_tested_beside(sweep);
    if (end->not_chosen)
        fprintf(stream, "\nchosen     nothing: %s\n", end->not_chosen);
    else
        fprintf(stream, "\nchosen     *, by the largest mean AUROC on the validation split%s\n",
                *sweep->base->sweep.per ? ", one for each combination of sweep.per" : "");
    fprintf(stream, "test       %s\n",
            !sweep->base->evaluate.test ? "not read: it is not among evaluate.splits"
            : dpcxr_sweep_tests_all(sweep)
                ? "read for all points (sweep.test: all): say so where these numbers are reported"
            : end->not_chosen ? "not read: nothing is chosen"
                              : "read for what was chosen only");
    for (guint i = 0; i < beside->len; i++)
        fprintf(stream, "           but also read for %s, which is not chosen\n",
                (const char *)g_ptr_array_index(beside, i));
}

static void print_together(FILE *stream, const DpcxrSweepCost *cost)
{
    for (gsize i = 0; i < cost->n; i++) {
        const DpcxrCharge *charge = &cost->together[i];
        g_autofree char *epsilon = show_epsilon(charge->epsilon), *delta = dpcxr_format_exact(charge->delta);
        if (charge->refused)
            fprintf(stream, "together   %s refused: %s\n", cost->labels[i], charge->refused);
        else
            fprintf(stream, "together   epsilon %s at delta %s by %s%s\n", epsilon, delta, cost->labels[i],
                    charge->approximate ? ", an approximation, not a bound" : "");
    }
}

static void print_cost(FILE *stream, const DpcxrSweepCost *cost)
{
    if (cost->together)
        print_together(stream, cost);
    else
        fprintf(stream, "together   epsilon none: %s\n", cost->problem);
    if (cost->together && cost->unclaimed)
        fprintf(
            stream,
            "           what the %u private runs cost; %s makes no claim, and a choice that looks at it has "
            "none\n",
            cost->runs, cost->unclaimed);
    else if (cost->together)
        fprintf(
            stream,
            "           what all %u runs cost; a result that was chosen among them claims this, not its own "
            "epsilon\n",
            cost->runs);
}

static void print_failures(FILE *stream, const DpcxrSweep *sweep)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep);
    for (guint i = 0; i < runs->len; i++) {
        const DpcxrSweepRun *run = g_ptr_array_index(runs, i);
        if (run->outcome.status == DPCXR_RUN_FAILED)
            fprintf(stream, "failed     %s: %s\n", run->name, run->outcome.message);
    }
}

void dpcxr_sweep_print(FILE *stream, const DpcxrSweep *sweep, const DpcxrSweepCost *cost,
                       const DpcxrSweepEnd *end)
{
    print_table(stream, sweep, cost);
    print_choice(stream, sweep, end);
    print_cost(stream, cost);
    print_failures(stream, sweep);
}
