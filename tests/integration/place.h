/* SPDX-License-Identifier: MIT
 * Whole runs of the program in a folder of their own, on drawn radiographs with a small model. Wants DPCXR_BUILD in the
 * environment. Names of files are relative to the folder. */
#pragma once
#include <gio/gio.h>

/* A folder of its own for each test, with an experiment in it: run t, 12 steps of 12 patients, a checkpoint after each. */
typedef struct {
    char *dir, *config;
} Place;

/* Fixture functions of g_test_add. @data: (nullable: auto) device.type or, with a "=" in it, an override of the test's own. */
void place_open(Place *place, gconstpointer data);
void place_close(Place *place, gconstpointer data);

char *place_path(const Place *place, const char *name);                 /* (transfer full) */
char *place_read(const Place *place, const char *name, gsize *length);  /* (transfer full) must be there */
gboolean place_has(const Place *place, const char *name);
guint place_lines(const Place *place, const char *name); /* 0 where there is no such file */

/* `dpcxr run` with @arguments (nullable, ended by NULL), for place_finish. */
GSubprocess *place_start(const Place *place, const char *const *arguments);
/* Waits; the exit status, or minus the signal. @output: (out, optional) of both streams together. */
int place_finish(GSubprocess *process, char **output);
/* Ends the test unless the run ends with status @wanted and has said @words (nullable). */
void place_run(const Place *place, int wanted, const char *words, const char *const *arguments);
#define RUN(place, wanted, words, ...) place_run(place, wanted, words, (const char *const[]){__VA_ARGS__, NULL})
/* Sends @signal_number once the ledger of run t has grown by @lines; as place_finish. */
int place_interrupt(const Place *place, int signal_number, guint lines, const char *const *arguments);

/* Largest difference between the weights in two files, relative to the largest weight. */
double place_distance(const Place *place, const char *one, const char *other);
