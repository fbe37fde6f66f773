/* SPDX-License-Identifier: MIT
 * dpcxr sweep CONFIG [KEY=A,B,..]...: many runs of an experiment, and what comes of them. */
#include "base/files.h"
#include "command.h"
#include "privacy/accounting.h"
#include "sweep/slurm.h"
#include "sweep/summary.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char *out;
    gint jobs;
    gboolean slurm, json;
} Options;

static void tell(const DpcxrJob *job, gboolean ended, gpointer data)
{
    const DpcxrSweepRun *run = job->data;
    FILE *stream = data;
    if (!ended)
        fprintf(stream, "%-10s %s\n",
                run->outcome.status == DPCXR_RUN_WAITING   ? "start"
                : run->outcome.status == DPCXR_RUN_STOPPED ? "resume"
                                                           : "evaluate",
                run->name);
    else if (job->status == 0)
        fprintf(stream, "%-10s %s, after %.0f s\n", "done", run->name, job->seconds);
    else if (job->status == DPCXR_ERROR_STOPPED)
        fprintf(stream, "%-10s %s, to be resumed\n", "stopped", run->name);
    else
        fprintf(stream, "%-10s %s, status %d; %s\n", "failed", run->name, job->status, job->log);
    fflush(stream);
}

/* --- What came of it --- */

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

/* @columns: accountants beside the one that claims. */
static void print_point(FILE *stream, const DpcxrSweepPoint *point, int width, const DpcxrSweepCost *cost,
                        gsize columns)
{
    const DpcxrOutcome *first = &((DpcxrSweepRun *)g_ptr_array_index(point->runs, 0))->outcome;
    g_autofree char *valid = show_spread(&point->valid), *test = show_spread(&point->test);
    g_autofree char *status = show_statuses(point), *epsilon = show_epsilon(first->epsilon);
    fprintf(stream, "%c %-*s  %-14s  %-14s  %8s", point->chosen ? '*' : ' ', width,
            *point->name ? point->name : "base", valid, test, epsilon);
    for (gsize i = 0; i < columns; i++) {
        g_autofree char *other = show_epsilon(first->charges ? first->charges[i].epsilon : NAN);
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

/* Stopped before failed: it is not the end. */
static gboolean conclude(const DpcxrSweep *sweep, const DpcxrSweepEnd *end, GError **error)
{
    if (end->stopped)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_STOPPED,
                    "dpcxr sweep: stopped; run it again with the same arguments, and it goes on");
    else if (end->failed)
        g_set_error(
            error, DPCXR_ERROR, end->exit_status,
            "dpcxr sweep: %u run%s failed; %s/logs has what they said, and run again it tries them again",
            end->failed, end->failed > 1 ? "s" : "", sweep->folder);
    return !end->stopped && !end->failed;
}

static gboolean sum_up(DpcxrSweep *sweep, const DpcxrSweepEnd *end, const Options *options, FILE *stream,
                       GError **error)
{
    DpcxrSweepCost cost;
    dpcxr_sweep_cost_init(&cost, sweep);
    gboolean good = dpcxr_sweep_write(sweep, &cost, end, error);
    if (good) {
        print_table(stream, sweep, &cost);
        print_choice(stream, sweep, end);
        print_cost(stream, &cost);
        print_failures(stream, sweep);
        fprintf(stream, "summary    %s/sweep.json and sweep.csv (private)\n", sweep->folder);
    }
    if (good && options->json) {
        g_autofree char *json = dpcxr_sweep_json(sweep, &cost, end);
        fputs(json, stdout);
    }
    dpcxr_sweep_cost_clear(&cost);
    return good && conclude(sweep, end, error);
}

/* --- Doing it --- */

/* This program, wherever it was called from. */
static char *own_path(GError **error)
{
    g_autoptr(GError) cause = NULL;
    char *path = g_file_read_link("/proc/self/exe", &cause);
    if (!path)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "dpcxr sweep: %s", cause->message);
    return path;
}

static gboolean write_slurm(DpcxrSweep *sweep, const char *program, const Options *options, GError **error)
{
    dpcxr_sweep_read(sweep);
    g_autofree char *script = dpcxr_sweep_slurm(sweep, program, options->jobs, error);
    g_autofree char *path = g_build_filename(sweep->folder, "sweep.sbatch", NULL);
    if (!script || !dpcxr_write_file(path, script, -1, 0600, error))
        return FALSE;
    printf("%s is a job array; nothing was submitted: sbatch %s\n", path, path);
    return TRUE;
}

static void introduce(const DpcxrSweep *sweep, FILE *stream)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep);
    guint open = 0;
    for (guint i = 0; i < runs->len; i++)
        open += dpcxr_sweep_is_open(sweep, g_ptr_array_index(runs, i));
    fprintf(stream, "sweep      %s: %u point%s, %u run%s, %u to do\n", sweep->name, sweep->points->len,
            sweep->points->len == 1 ? "" : "s", runs->len, runs->len == 1 ? "" : "s", open);
}

static gboolean work(DpcxrSweep *sweep, const Options *options, GError **error)
{
    g_autofree char *program = own_path(error);
    if (!program)
        return FALSE;
    if (options->slurm)
        return write_slurm(sweep, program, options, error);
    FILE *stream = options->json ? stderr : stdout; /* for people */
    DpcxrSweepOptions how = {program, MAX(options->jobs, 1), tell, stream};
    DpcxrSweepEnd end;
    dpcxr_sweep_read(sweep);
    introduce(sweep, stream);
    gboolean good = dpcxr_sweep_work(sweep, &how, &end, error) && sum_up(sweep, &end, options, stream, error);
    g_free(end.not_chosen);
    return good;
}

static gboolean sweep_config(const char *config, const char *const *arguments, const Options *options,
                             GError **error)
{
    g_autoptr(DpcxrSweep) sweep = dpcxr_sweep_new(config, arguments, options->out, error);
    int lock = -1;
    if (!sweep || !dpcxr_sweep_enter(sweep, &lock, error))
        return FALSE;
    gboolean good = work(sweep, options, error);
    close(lock);
    return good;
}

gboolean dpcxr_cmd_sweep(int argc, char **argv, GError **error)
{
    Options options = {0};
    g_auto(GStrv) words = NULL;
    const GOptionEntry entries[] = {
        {"jobs", 'j', 0, G_OPTION_ARG_INT, &options.jobs, "Runs at once, which share the threads (default 1)",
         "N"},
        {"slurm", 0, 0, G_OPTION_ARG_NONE, &options.slurm,
         "Write a job array for Slurm instead, and submit nothing", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "Print sweep.json at the end", NULL},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &options.out, "Folder of the sweep's folder (default: runs)",
         "DIR"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &words, NULL, NULL},
        {0}};
    gboolean good = FALSE;
    if (!dpcxr_cmd_parse(
            argc, argv, "CONFIG [KEY=A,B,..]...",
            "Many runs of an experiment: every combination of sweep.grid, sweep.list and KEY=A,B,.. in a "
            "folder of its own.\nRun again with the same arguments, it goes on.",
            entries, error))
        good = FALSE;
    else if (!words || options.jobs < 0)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr sweep: %s",
                    words ? "-j is at least 1" : "of which experiment? dpcxr sweep CONFIG KEY=A,B");
    else
        good = sweep_config(words[0], (const char *const *)words + 1, &options, error);
    g_free(options.out);
    return good;
}
