/* SPDX-License-Identifier: MIT
 * The pool: one mutex, two conditions, and a job number that sleeping threads compare with the last one they saw. */
#include "base/workers.h"
#include <sched.h>

typedef struct {
    DpcxrWorkers *pool;
    int number;
} Member;

struct _DpcxrWorkers {
    int n_threads;
    GThread **threads; /* [n_threads - 1]; the caller is thread 0 */
    Member *members;
    GMutex mutex;
    GCond job_posted, job_done;
    guint64 job; /* grows by one with each job */
    int busy;    /* members still at work on the current job */
    gboolean quit;

    DpcxrTask task;
    gpointer data;
    int n, next; /* next: handed out atomically */
};

static void take_part(DpcxrWorkers *pool, int number)
{
    for (;;) {
        int i = g_atomic_int_add(&pool->next, 1);
        if (i >= pool->n)
            return;
        pool->task(pool->data, i, number);
    }
}

static gpointer member_main(gpointer data)
{
    Member *member = data;
    DpcxrWorkers *pool = member->pool;
    guint64 seen = 0;
    g_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->job == seen && !pool->quit)
            g_cond_wait(&pool->job_posted, &pool->mutex);
        if (pool->quit)
            break;
        seen = pool->job;
        g_mutex_unlock(&pool->mutex);
        take_part(pool, member->number);
        g_mutex_lock(&pool->mutex);
        if (--pool->busy == 0)
            g_cond_signal(&pool->job_done);
    }
    g_mutex_unlock(&pool->mutex);
    return NULL;
}

int dpcxr_workers_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    return (int)g_get_num_processors();
}

/* Starts those after the caller. Where one cannot be started, n_threads says how many there are. */
static gboolean start(DpcxrWorkers *pool, GError **error)
{
    int wanted = pool->n_threads;
    for (int i = 0; i < wanted - 1; i++) {
        g_autoptr(GError) local = NULL;
        pool->members[i] = (Member){.pool = pool, .number = i + 1};
        pool->threads[i] = g_thread_try_new("dpcxr-worker", member_main, &pool->members[i], &local);
        if (pool->threads[i])
            continue;
        pool->n_threads = i + 1;
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                    "%d threads could be started, not %d (%s); lower device.threads", i + 1, wanted,
                    local->message);
        return FALSE;
    }
    return TRUE;
}

DpcxrWorkers *dpcxr_workers_new(int threads, GError **error)
{
    g_return_val_if_fail(threads >= 0, NULL);
    DpcxrWorkers *pool = g_new0(DpcxrWorkers, 1);
    pool->n_threads = threads ? threads : dpcxr_workers_processors();
    pool->threads = g_new0(GThread *, pool->n_threads);
    pool->members = g_new0(Member, pool->n_threads);
    g_mutex_init(&pool->mutex);
    g_cond_init(&pool->job_posted);
    g_cond_init(&pool->job_done);
    if (start(pool, error))
        return pool;
    dpcxr_workers_free(pool);
    return NULL;
}

void dpcxr_workers_free(DpcxrWorkers *pool)
{
    if (!pool)
        return;
    g_mutex_lock(&pool->mutex);
    pool->quit = TRUE;
    g_cond_broadcast(&pool->job_posted);
    g_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->n_threads - 1; i++)
        g_thread_join(pool->threads[i]);
    g_mutex_clear(&pool->mutex);
    g_cond_clear(&pool->job_posted);
    g_cond_clear(&pool->job_done);
    g_free(pool->threads);
    g_free(pool->members);
    g_free(pool);
}

int dpcxr_workers_threads(const DpcxrWorkers *pool)
{
    return pool->n_threads;
}

void dpcxr_workers_run(DpcxrWorkers *pool, int n, DpcxrTask task, gpointer data)
{
    g_return_if_fail(task != NULL);
    if (n <= 0)
        return;
    pool->task = task;
    pool->data = data;
    pool->n = n;
    g_atomic_int_set(&pool->next, 0);
    if (pool->n_threads > 1 && n > 1) {
        g_mutex_lock(&pool->mutex);
        pool->busy = pool->n_threads - 1;
        pool->job++;
        g_cond_broadcast(&pool->job_posted);
        g_mutex_unlock(&pool->mutex);
        take_part(pool, 0);
        g_mutex_lock(&pool->mutex);
        while (pool->busy > 0)
            g_cond_wait(&pool->job_done, &pool->mutex);
        g_mutex_unlock(&pool->mutex);
    } else {
        take_part(pool, 0);
    }
}
