/* SPDX-License-Identifier: MIT */
#include "sweep/work.h"
#include "base/files.h"
#include "base/workers.h"
#include "sweep/choose.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOGS "logs"

gboolean dpcxr_sweep_tests_all(const DpcxrSweep *sweep)
{
    return sweep->base->sweep.test_all && sweep->base->evaluate.test;
}

/* --- The folder --- */

static gboolean take_lock(const DpcxrSweep *sweep, int *lock, GError **error)
{
    g_autofree char *path = g_build_filename(sweep->folder, LOGS, "lock", NULL);
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock >= 0 && flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    if (*lock >= 0 && errno == EWOULDBLOCK)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s: another sweep works there", sweep->folder);
    else
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", path, g_strerror(errno));
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
    return FALSE;
}

gboolean dpcxr_sweep_enter(const DpcxrSweep *sweep, int *lock, GError **error)
{
    g_autofree char *private_dir = g_build_filename(sweep->folder, "private", NULL);
    g_autofree char *logs = g_build_filename(sweep->folder, LOGS, NULL);
    if (g_file_test(private_dir, G_FILE_TEST_EXISTS)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "%s is the folder of a run; a sweep needs another name (name=...)", sweep->folder);
        return FALSE;
    }
    return dpcxr_make_folder(sweep->folder, 0755, error) && dpcxr_make_folder(logs, 0700, error) &&
           take_lock(sweep, lock, error);
}

static void read_run(const DpcxrSweep *sweep, DpcxrSweepRun *run)
{
    dpcxr_outcome_read(&run->outcome, sweep->folder, run->name, run->experiment);
}

void dpcxr_sweep_read(DpcxrSweep *sweep)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep);
    for (guint i = 0; i < runs->len; i++)
        read_run(sweep, g_ptr_array_index(runs, i));
}

gboolean dpcxr_sweep_is_open(const DpcxrSweep *sweep, const DpcxrSweepRun *run)
{
    const DpcxrOutcome *outcome = &run->outcome;
    return outcome->status == DPCXR_RUN_WAITING || outcome->status == DPCXR_RUN_STOPPED ||
           (outcome->status == DPCXR_RUN_DONE && dpcxr_sweep_tests_all(sweep) && !outcome->tested);
}

/* --- One run --- */

char **dpcxr_sweep_arguments(const DpcxrSweep *sweep, const DpcxrSweepRun *run, gboolean test, int threads)
{
    g_autoptr(GStrvBuilder) arguments = g_strv_builder_new();
    g_autofree char *name = g_strconcat("name=", run->name, NULL);
    g_strv_builder_add_many(arguments, "run", sweep->config, NULL);
    g_strv_builder_addv(arguments, (const char **)run->overrides);
    g_strv_builder_add_many(arguments, name,
                            test ? "evaluate.splits=[valid, test]" : "evaluate.splits=[valid]", NULL);
    if (threads > 0) {
        g_autofree char *workers = g_strdup_printf("device.threads=%d", threads);
        g_autofree char *decoders = g_strdup_printf("data.cache.workers=%d", threads);
        g_strv_builder_add(arguments, workers);
        if (run->experiment->data.workers == 0)
            g_strv_builder_add(arguments, decoders);
    }
    g_strv_builder_add_many(arguments, "--quiet", "--out", sweep->folder, NULL);
    return g_strv_builder_end(arguments);
}

/* The share of one of several at once; 0 where it has all. */
static int share(const DpcxrSweepRun *run, int at_once)
{
    int threads = run->experiment->device.threads;
    return at_once > 1 ? MAX(1, (threads > 0 ? threads : dpcxr_workers_processors()) / at_once) : 0;
}

static void job_free(gpointer data)
{
    DpcxrJob *job = data;
    g_strfreev(job->argv);
    g_free(job->log);
    g_free(job);
}

static DpcxrJob *new_job(const DpcxrSweep *sweep, DpcxrSweepRun *run, const DpcxrSweepOptions *options,
                         gboolean test)
{
    g_auto(GStrv) arguments = dpcxr_sweep_arguments(sweep, run, test, share(run, options->at_once));
    g_autoptr(GStrvBuilder) argv = g_strv_builder_new();
    g_autofree char *log = g_strconcat(run->name, ".log", NULL);
    g_strv_builder_add(argv, options->program);
    g_strv_builder_addv(argv, (const char **)arguments);
    if (run->outcome.status != DPCXR_RUN_WAITING)
        g_strv_builder_add(argv, "--resume");
    DpcxrJob *job = g_new0(DpcxrJob, 1);
    *job = (DpcxrJob){g_strv_builder_end(argv), g_build_filename(sweep->folder, LOGS, log, NULL), run, -1, 0};
    return job;
}

/* The last line that says something. (transfer full) */
static char *last_words(const char *log)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(log, &text, NULL, NULL))
        return g_strdup("said nothing");
    g_strchomp(text);
    const char *line = strrchr(text, '\n');
    g_autofree char *valid = g_utf8_make_valid(line ? line + 1 : text, -1);
    return *valid ? g_steal_pointer(&valid) : g_strdup("said nothing");
}

/* @stopped: the sweep was, so that a run which was not ready yet for a signal was ended by it. */
static void take_result(const DpcxrSweep *sweep, const DpcxrJob *job, gboolean stopped)
{
    DpcxrSweepRun *run = job->data;
    if (job->status < 0)
        return; /* not started */
    run->outcome.exit_status = job->status;
    g_clear_pointer(&run->outcome.message, g_free);
    read_run(sweep, run);
    if (job->status == 0 || (stopped && job->status == 128 + SIGTERM))
        return;
    run->outcome.status = job->status == DPCXR_ERROR_STOPPED ? DPCXR_RUN_STOPPED : DPCXR_RUN_FAILED;
    if (job->status > 128)
        run->outcome.message = g_strdup_printf("killed by signal %d", job->status - 128);
    else if (job->status != DPCXR_ERROR_STOPPED)
        run->outcome.message = last_words(job->log);
}

/* --- All of them --- */

static gboolean do_jobs(DpcxrSweep *sweep, GPtrArray *taken, const DpcxrSweepOptions *options,
                        DpcxrSweepEnd *end, GError **error)
{
    g_autoptr(GPtrArray) jobs = taken;
    gboolean stopped = FALSE;
    gboolean good = dpcxr_pool_run(jobs, options->at_once, options->news, options->data, &stopped, error);
    end->stopped |= stopped;
    for (guint i = 0; i < jobs->len; i++)
        take_result(sweep, g_ptr_array_index(jobs, i), stopped);
    return good;
}

static gboolean train(DpcxrSweep *sweep, const DpcxrSweepOptions *options, DpcxrSweepEnd *end, GError **error)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep);
    GPtrArray *jobs = g_ptr_array_new_with_free_func(job_free);
    for (guint i = 0; i < runs->len; i++) {
        DpcxrSweepRun *run = g_ptr_array_index(runs, i);
        if (dpcxr_sweep_is_open(sweep, run))
            g_ptr_array_add(jobs, new_job(sweep, run, options, dpcxr_sweep_tests_all(sweep)));
    }
    return do_jobs(sweep, jobs, options, end, error);
}

/* The test split, for what was chosen and has not seen it. */
static gboolean test_chosen(DpcxrSweep *sweep, const DpcxrSweepOptions *options, DpcxrSweepEnd *end,
                            GError **error)
{
    GPtrArray *jobs = g_ptr_array_new_with_free_func(job_free);
    for (guint p = 0; p < sweep->points->len; p++) {
        const DpcxrSweepPoint *point = g_ptr_array_index(sweep->points, p);
        for (guint i = 0; i < point->runs->len; i++) {
            DpcxrSweepRun *run = g_ptr_array_index(point->runs, i);
            if (point->chosen && sweep->base->evaluate.test && !run->outcome.tested)
                g_ptr_array_add(jobs, new_job(sweep, run, options, TRUE));
        }
    }
    return do_jobs(sweep, jobs, options, end, error);
}

static void count_failed(const DpcxrSweep *sweep, DpcxrSweepEnd *end)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep);
    for (guint i = 0; i < runs->len; i++) {
        const DpcxrOutcome *outcome = &((DpcxrSweepRun *)g_ptr_array_index(runs, i))->outcome;
        end->stopped |= outcome->status == DPCXR_RUN_STOPPED;
        if (outcome->status != DPCXR_RUN_FAILED)
            continue;
        int status = outcome->exit_status < 0     ? DPCXR_ERROR_PRIVACY /* another configuration */
                     : outcome->exit_status > 128 ? DPCXR_ERROR_FAILED
                                                  : outcome->exit_status;
        end->exit_status = end->failed++ ? end->exit_status : status;
    }
}

gboolean dpcxr_sweep_work(DpcxrSweep *sweep, const DpcxrSweepOptions *options, DpcxrSweepEnd *end,
                          GError **error)
{
    *end = (DpcxrSweepEnd){0};
    dpcxr_sweep_read(sweep);
    if (!train(sweep, options, end, error))
        return FALSE;
    end->not_chosen = dpcxr_sweep_choose(sweep);
    if (!end->stopped && !test_chosen(sweep, options, end, error))
        return FALSE;
    dpcxr_sweep_measure(sweep);
    count_failed(sweep, end);
    return TRUE;
}
