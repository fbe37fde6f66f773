/* SPDX-License-Identifier: MIT
 * What a sweep consists of: points, from the grid and the list of an experiment and from the command line,
 * and the runs of each, one for each seed. Every one is a checked experiment before anything is run. */
#pragma once
#include "config/experiment.h"
#include "sweep/outcome.h"

typedef struct {
    char *name;   /* of its folder */
    char *folder; /* OUT/SWEEP/name */
    guint64 seed;
    char **overrides; /* NULL-terminated: all but what the sweep itself sets */
    DpcxrExperiment *experiment;
    DpcxrOutcome outcome;
} DpcxrSweepRun;

/* Over the runs of a point where it is defined. */
typedef struct {
    guint n;
    double mean, deviation; /* NAN where n is 0; where n is below 2 */
} DpcxrSpread;

typedef struct {
    char *name;
    char **values; /* [n_values] of the sweep's keys; NULL where the point leaves the key alone */
    gsize n_values;
    int accountant;          /* of sweep.accountants, that calibrated it; -1: not one of them */
    GPtrArray *runs;         /* DpcxrSweepRun */
    DpcxrSpread valid, test; /* mean AUROC over labels */
    gboolean chosen;
} DpcxrSweepPoint;

typedef struct {
    char *config, *name, *folder; /* OUT/NAME */
    DpcxrExperiment *base;        /* the first point: what is the same for all is read here */
    char **keys;                  /* that vary, NULL-terminated */
    gsize n_keys;
    GPtrArray *points; /* DpcxrSweepPoint */
} DpcxrSweep;

/* @arguments: (nullable) NULL-terminated KEY=VALUE, the same for all runs, and KEY=A,B,.. (commas outside of
 * brackets and quotes), which varies; both take the place of the key in sweep.grid. @out: (nullable) folder
 * of runs, NULL for "runs". DPCXR_ERROR_USAGE, DPCXR_ERROR_PRIVACY: what dpcxr_experiment_load says of a
 * point, with its name; nothing to vary; two points of one name. */
DpcxrSweep *dpcxr_sweep_new(const char *config, const char *const *arguments, const char *out,
                            GError **error);
void dpcxr_sweep_free(DpcxrSweep *sweep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrSweep, dpcxr_sweep_free)

/* All runs, in the order of points. (transfer container) DpcxrSweepRun */
GPtrArray *dpcxr_sweep_runs(const DpcxrSweep *sweep);
