/* SPDX-License-Identifier: MIT
 * Processes, so many at once. Each is in a process group of its own, so that a key on the terminal reaches
 * them through here and once; where this process dies, they are asked to stop. */
#pragma once
#include <dpcxr/error.h>

typedef struct {
    char **argv; /* NULL-terminated, of the program to run */
    char *log;   /* both streams are appended to it, mode 0600 */
    gpointer data;
    int status;     /* exit status; 128 + the signal that killed it; -1: not started */
    double seconds; /* that it took */
} DpcxrJob;

/* Told of each job before it starts (@ended FALSE) and after it ended. */
typedef void (*DpcxrJobNews)(const DpcxrJob *job, gboolean ended, gpointer data);

/* Runs @jobs (DpcxrJob) in order. On SIGTERM, SIGINT or SIGHUP those that run get SIGTERM, no more start, and
 * when all have ended *stopped is TRUE; a second signal reaches them as SIGTERM, too, which ends them at
 * once. FALSE: one could not be started; then the others were waited for. */
gboolean dpcxr_pool_run(const GPtrArray *jobs, int at_once, DpcxrJobNews news, gpointer data,
                        gboolean *stopped, GError **error);
