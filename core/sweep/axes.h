/* SPDX-License-Identifier: MIT
 * What varies in a sweep, and what a command line says of it. */
#pragma once
#include "config/experiment.h"

typedef struct {
    GPtrArray *common; /* char *: "key=value" of all runs */
    GArray *axes;      /* DpcxrSweepAxis: what is left of the grid, then those of the command line */
} DpcxrSweepAxes;

/* @arguments: (nullable) NULL-terminated KEY=VALUE and KEY=A,B,..; see dpcxr_sweep_new. DPCXR_ERROR_USAGE. */
gboolean dpcxr_sweep_axes_init(DpcxrSweepAxes *axes, const char *const *arguments, GError **error);
void dpcxr_sweep_axes_clear(DpcxrSweepAxes *axes); /* safe on one that could not be initialised */
/* The axes of @base that the command line leaves, before its own. */
void dpcxr_sweep_axes_take_grid(DpcxrSweepAxes *axes, const DpcxrExperiment *base);

/* Overrides of the first point of @config, as far as its grid and list can be read. What a file lacks may be
 * in its grid, so that it is an experiment only with them. (transfer full) */
GPtrArray *dpcxr_sweep_axes_first(const DpcxrSweepAxes *axes, const char *config);
/* Points of the grid; G_MAXSIZE where they are more than @most. */
gsize dpcxr_sweep_axes_size(const DpcxrSweepAxes *axes, gsize most);
/* Overrides of point @i of the grid, behind those of @listed (nullable, NULL-terminated); the last axis goes
 * round first. (transfer full) */
GPtrArray *dpcxr_sweep_axes_point(const DpcxrSweepAxes *axes, char **listed, gsize i);

const DpcxrSweepAxis *dpcxr_sweep_axes_find(const DpcxrSweepAxes *axes, const char *key); /* (nullable) */
/* Whether the command line sets @key for all runs. */
gboolean dpcxr_sweep_axes_is_common(const DpcxrSweepAxes *axes, const char *key);

/* The parts of @value at commas outside of brackets, braces and quotes; one where there are none.
 * (transfer full) */
char **dpcxr_sweep_split(const char *value);
char *dpcxr_sweep_assignment(const char *key, const char *value); /* (transfer full) "key=value" */
/* An error of DPCXR_ERROR_USAGE. FALSE */
gboolean dpcxr_sweep_usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
