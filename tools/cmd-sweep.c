/* SPDX-License-Identifier: MIT
 * dpcxr sweep CONFIG [KEY=A,B,..]...: many runs of an experiment, and what comes of them. */
#include "base/files.h"
#include "command.h"
#include "sweep-compare.h"
#include "sweep-print.h"
#include "sweep/slurm.h"
#include "sweep/summary.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

typedef struct {
    const char *out; /* (nullable) */
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
    else if (job->status == DPCXR_ERROR_STOPPED || job->status == 128 + SIGTERM)
        fprintf(stream, "%-10s %s, to be resumed\n", "stopped", run->name);
    else
        fprintf(stream, "%-10s %s, status %d; %s\n", "failed", run->name, job->status, job->log);
    fflush(stream);
}

/* --- What came of it --- */

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
        dpcxr_sweep_print(stream, sweep, &cost, end);
        fprintf(stream, "summary    %s/sweep.json and sweep.csv (private)\n", sweep->folder);
        if (!end->stopped)
            dpcxr_sweep_compare(sweep, stream);
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
    Options options = {0}; /* -j not given: one run at once, any number of tasks */
    g_autofree char *out = NULL;
    g_auto(GStrv) words = NULL;
    const GOptionEntry entries[] = {
        {"jobs", 'j', 0, G_OPTION_ARG_INT, &options.jobs, "Runs at once, which share the threads (default 1)",
         "N"},
        {"slurm", 0, 0, G_OPTION_ARG_NONE, &options.slurm,
         "Write a job array for Slurm instead, and submit nothing", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "Print sweep.json at the end", NULL},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &out, "Folder of the sweep's folder (default: runs)", "DIR"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &words, NULL, NULL},
        {0}};
    if (!dpcxr_cmd_parse(
            argc, argv, "CONFIG [KEY=A,B,..]...",
            "Many runs of an experiment: every combination of sweep.grid, sweep.list and KEY=A,B,.. in a "
            "folder of its own.\nRun again with the same arguments, it goes on.",
            entries, error))
        return FALSE;
    options.out = out;
    if (words && options.jobs >= 0)
        return sweep_config(words[0], (const char *const *)words + 1, &options, error);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr sweep: %s",
                words ? "-j is at least 1" : "of which experiment? dpcxr sweep CONFIG KEY=A,B");
    return FALSE;
}
