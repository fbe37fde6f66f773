/* SPDX-License-Identifier: MIT
 * A pool of threads that share one job at a time. Threads sleep between jobs (nobody spins: a competing process costs
 * its share and no more). There is no OpenMP in dpcxr; this is where parallelism comes from. */
#pragma once
#include <dpcxr/error.h>

typedef struct _DpcxrWorkers DpcxrWorkers;

/* @threads: at least 1, or 0 for one per processor this process may use. The calling thread of dpcxr_workers_run is
 * one of them, so 1 starts no thread and cannot fail; DPCXR_ERROR_MEMORY where the system gives fewer than asked for. */
DpcxrWorkers *dpcxr_workers_new(int threads, GError **error);
void dpcxr_workers_free(DpcxrWorkers *workers);
int dpcxr_workers_threads(const DpcxrWorkers *workers);
/* Processors this process may run on: an affinity mask or a container may leave fewer than the machine has. */
int dpcxr_workers_processors(void);

/* Runs task(data, i, thread) for i in 0 .. n-1, each once, handed out in increasing order to whoever is free; returns
 * when all are done. @thread: 0 .. threads-1, for per-thread scratch. Not re-entrant; one caller at a time. A result
 * that must not depend on timing must not depend on @thread. */
typedef void (*DpcxrTask)(gpointer data, int i, int thread);
void dpcxr_workers_run(DpcxrWorkers *workers, int n, DpcxrTask task, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrWorkers, dpcxr_workers_free)
