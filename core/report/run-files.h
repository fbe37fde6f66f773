/* SPDX-License-Identifier: MIT
 * What a run left on disk, read for a report: a report never sees live objects, so it can be made again any
 * time. */
#pragma once
#include "base/json.h"

/* One value over the steps of a training. Of a step that was done again, the later value. */
typedef struct {
    char *name;
    GArray *steps, *values; /* double */
} DpcxrTrace;

typedef struct {
    char *root, *name;
    gboolean released;   /* only what is in release/ was read */
    char *result;        /* (nullable) the RESULT line */
    JsonObject *results; /* (nullable) results.json */
    JsonObject *privacy; /* (nullable) privacy.json; NULL where there is no claim */
    JsonObject *data;    /* (nullable) data.json */
    JsonObject *samples; /* (nullable) samples/samples.json */
    char *statement;     /* (nullable) first paragraph of privacy.md */
    char *config;        /* (nullable) */
    GPtrArray *traces;   /* DpcxrTrace *, in order of first use; empty with released */
    GPtrArray *nodes;    /* what the objects belong to */
} DpcxrRunFiles;

/* Reads RUN/private and RUN/release; files that a run may lack are NULL. @released: opens nothing outside of
 * release/. DPCXR_ERROR_USAGE: there is no such run. DPCXR_ERROR_DATA: a file is not what it should be; the
 * message names it. DPCXR_ERROR_PRIVACY: @released, and the run has no release/. */
DpcxrRunFiles *dpcxr_run_files_read(const char *root, gboolean released, GError **error);
void dpcxr_run_files_free(DpcxrRunFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrRunFiles, dpcxr_run_files_free)

/* NULL where nothing of that name was recorded. */
const DpcxrTrace *dpcxr_run_files_trace(const DpcxrRunFiles *files, const char *name);
/* The split that a report is about: "test" where it was evaluated, else "valid"; NULL where neither was. */
const char *dpcxr_run_files_split(const DpcxrRunFiles *files);
