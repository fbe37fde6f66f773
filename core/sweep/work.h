/* SPDX-License-Identifier: MIT
 * The work of a sweep: what is not done yet is run, then what was chosen is evaluated on the test split.
 * Called again, it goes on. */
#pragma once
#include "sweep/points.h"
#include "sweep/pool.h"

typedef struct {
    const char *program; /* dpcxr itself */
    int at_once;         /* runs, at least 1 */
    DpcxrJobNews news;   /* job->data: DpcxrSweepRun; its outcome is that before the job */
    gpointer data;
} DpcxrSweepOptions;

typedef struct {
    gboolean stopped;
    char *not_chosen; /* (nullable) why nothing was chosen */
    guint failed;     /* runs */
    int exit_status;  /* of the first run that failed; 0: none */
} DpcxrSweepEnd;

/* Enters OUT/NAME and takes its lock (*lock, to be closed). DPCXR_ERROR_USAGE: it is the folder of a run, or
 * another sweep works there. */
gboolean dpcxr_sweep_enter(const DpcxrSweep *sweep, int *lock, GError **error);
/* Runs that failed are counted in @end and are no error. */
gboolean dpcxr_sweep_work(DpcxrSweep *sweep, const DpcxrSweepOptions *options, DpcxrSweepEnd *end,
                          GError **error);
/* Arguments of `dpcxr run` for @run, without --resume. @test: evaluate the test split, too. @threads: 0
 * leaves them as they are. (transfer full) */
char **dpcxr_sweep_arguments(const DpcxrSweep *sweep, const DpcxrSweepRun *run, gboolean test, int threads);
/* Whether the test split is to be evaluated with all runs. */
gboolean dpcxr_sweep_tests_all(const DpcxrSweep *sweep);
/* Whether there is something to do for @run before anything is chosen. */
gboolean dpcxr_sweep_is_open(const DpcxrSweep *sweep, const DpcxrSweepRun *run);
void dpcxr_sweep_read(DpcxrSweep *sweep); /* outcomes, from the folders as they are */
