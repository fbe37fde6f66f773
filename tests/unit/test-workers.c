/* SPDX-License-Identifier: MIT */
#include "base/workers.h"

enum { TASKS = 1000 };

typedef struct {
    gint done[TASKS];
    gint bad_thread;
    int threads;
} Job;

static void count(gpointer data, int i, int thread)
{
    Job *job = data;
    g_atomic_int_inc(&job->done[i]);
    if (thread < 0 || thread >= job->threads)
        g_atomic_int_inc(&job->bad_thread);
}

static void test_each_once(gconstpointer threads)
{
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(GPOINTER_TO_INT(threads), NULL);
    Job job = {.threads = dpcxr_workers_threads(workers)};
    for (int round = 0; round < 100; round++)
        dpcxr_workers_run(workers, TASKS, count, &job);
    for (int i = 0; i < TASKS; i++)
        g_assert_cmpint(job.done[i], ==, 100);
    g_assert_cmpint(job.bad_thread, ==, 0);
}

static void test_nothing(void)
{
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(2, NULL);
    Job job = {.threads = 2};
    dpcxr_workers_run(workers, 0, count, &job);
    dpcxr_workers_run(workers, 1, count, &job);
    g_assert_cmpint(job.done[0], ==, 1);
    g_assert_cmpint(job.done[1], ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/workers/each-once/1", GINT_TO_POINTER(1), test_each_once);
    g_test_add_data_func("/workers/each-once/2", GINT_TO_POINTER(2), test_each_once);
    g_test_add_data_func("/workers/each-once/7", GINT_TO_POINTER(7), test_each_once);
    g_test_add_data_func("/workers/each-once/all", GINT_TO_POINTER(0), test_each_once);
    g_test_add_func("/workers/nothing", test_nothing);
    return g_test_run();
}
