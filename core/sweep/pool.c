/* SPDX-License-Identifier: MIT */
#include "sweep/pool.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef struct {
    const GPtrArray *jobs;
    guint next;         /* to be started */
    GPtrArray *running; /* GSubprocess */
    int at_once;
    DpcxrJobNews news;
    gpointer data;
    gboolean stopped;
    GMainLoop *loop;
    GError *error; /* the first */
} Pool;

typedef struct {
    Pool *pool;
    DpcxrJob *job;
    GSubprocess *process;
    gint64 started;
} Watch;

/* Between fork and exec. The parent may be gone already. */
static void set_up_child(gpointer parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != GPOINTER_TO_INT(parent))
        _exit(128 + SIGTERM);
}

static GSubprocess *spawn(const DpcxrJob *job, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    int log = open(job->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int both = log >= 0 ? fcntl(log, F_DUPFD_CLOEXEC, 0) : -1;
    if (both < 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", job->log, g_strerror(errno));
        if (log >= 0)
            close(log);
        return NULL;
    }
    g_subprocess_launcher_take_stdout_fd(launcher, log);
    g_subprocess_launcher_take_stderr_fd(launcher, both);
    g_subprocess_launcher_set_child_setup(launcher, set_up_child, GINT_TO_POINTER(getpid()), NULL);
    g_autoptr(GError) cause = NULL;
    GSubprocess *process = g_subprocess_launcher_spawnv(launcher, (const char *const *)job->argv, &cause);
    if (!process)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", job->argv[0], cause->message);
    return process;
}

static void fill(Pool *pool);

static void ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree Watch *watch = data;
    Pool *pool = watch->pool;
    DpcxrJob *job = watch->job;
    g_subprocess_wait_finish(watch->process, result, NULL); /* no cancellable: nothing can fail */
    job->status = g_subprocess_get_if_exited(watch->process)
                      ? g_subprocess_get_exit_status(watch->process)
                      : 128 + g_subprocess_get_term_sig(watch->process);
    job->seconds = (double)(g_get_monotonic_time() - watch->started) / G_USEC_PER_SEC;
    g_ptr_array_remove(pool->running, watch->process);
    pool->news(job, TRUE, pool->data);
    fill(pool);
}

static gboolean start(Pool *pool, DpcxrJob *job)
{
    pool->news(job, FALSE, pool->data);
    GSubprocess *process = spawn(job, &pool->error);
    if (!process)
        return FALSE;
    Watch *watch = g_new(Watch, 1);
    *watch = (Watch){pool, job, process, g_get_monotonic_time()};
    g_ptr_array_add(pool->running, process);
    g_subprocess_wait_async(process, NULL, ended, watch);
    return TRUE;
}

/* Starts what may start; ends the loop where nothing runs any more. */
static void fill(Pool *pool)
{
    while (!pool->stopped && !pool->error && pool->next < pool->jobs->len &&
           (int)pool->running->len < pool->at_once)
        if (!start(pool, g_ptr_array_index(pool->jobs, pool->next++)))
            break;
    if (pool->running->len == 0)
        g_main_loop_quit(pool->loop);
}

static gboolean stop(gpointer data)
{
    Pool *pool = data;
    pool->stopped = TRUE;
    for (guint i = 0; i < pool->running->len; i++)
        g_subprocess_send_signal(g_ptr_array_index(pool->running, i), SIGTERM);
    if (pool->running->len == 0)
        g_main_loop_quit(pool->loop);
    return G_SOURCE_CONTINUE;
}

gboolean dpcxr_pool_run(const GPtrArray *jobs, int at_once, DpcxrJobNews news, gpointer data,
                        gboolean *stopped, GError **error)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    guint sources[G_N_ELEMENTS(signals)];
    Pool pool = {.jobs = jobs, .at_once = at_once, .news = news, .data = data};
    pool.running = g_ptr_array_new_with_free_func(g_object_unref);
    pool.loop = g_main_loop_new(NULL, FALSE);
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        sources[i] = g_unix_signal_add(signals[i], stop, &pool);
    fill(&pool);
    if (pool.running->len > 0)
        g_main_loop_run(pool.loop);
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        g_source_remove(sources[i]);
    g_ptr_array_unref(pool.running);
    g_main_loop_unref(pool.loop);
    *stopped = pool.stopped;
    if (!pool.error)
        return TRUE;
    g_propagate_error(error, pool.error);
    return FALSE;
}
