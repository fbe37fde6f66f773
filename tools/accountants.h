/* SPDX-License-Identifier: MIT
 * Accountants as a command line names them, asked one after the other, and their answers as a table or JSON. */
#pragma once
#include <json-glib/json-glib.h>
#include "config/experiment.h"

#define DPCXR_CMD_ACCOUNTANT "rdp" /* where none is named */

/* An error of DPCXR_ERROR_USAGE that begins with the name of the subcommand. FALSE */
gboolean dpcxr_cmd_usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* DpcxrFeature; @name: (nullable) one accountant, or all, broken plugins too. @options: (nullable) YAML, of one.
 * DPCXR_ERROR_USAGE: there is no such accountant or option. */
GPtrArray *dpcxr_cmd_accountants(const char *name, const char *options, GError **error);

/* What an accountant said. */
typedef struct {
    const DpcxrFeature *accountant; /* borrowed */
    gboolean refused, approximate;
    GError *error; /* refused */
    DpcxrInterval interval;  /* of epsilon, or of delta: what was asked for */
    double noise_multiplier; /* sigma only */
} DpcxrAnswer;

/* How a subcommand asks an accountant and shows the answer to its @question. */
typedef struct {
    gboolean (*ask)(const DpcxrFeature *accountant, gconstpointer question, DpcxrAnswer *answer, GError **error);
    void (*print)(const DpcxrAnswer *answer, gconstpointer question);
    void (*add)(JsonBuilder *json, const DpcxrAnswer *answer, gconstpointer question);
    const char *heading;
} DpcxrAnswerTable;

/* DpcxrAnswer; refusals are answers. Any other failure ends the program: NULL. */
GPtrArray *dpcxr_answers_ask(const DpcxrAnswerTable *table, const GPtrArray *accountants, gconstpointer question,
                             GError **error);
void dpcxr_answers_print(const DpcxrAnswerTable *table, const GPtrArray *answers, gconstpointer question);
void dpcxr_answers_print_json(const DpcxrAnswerTable *table, const GPtrArray *answers, gconstpointer question);
/* DPCXR_ERROR_PRIVACY where every accountant refused. */
gboolean dpcxr_answers_check(const GPtrArray *answers, GError **error);
/* Asks, prints a table or JSON, refused ones with their reasons, and checks. */
gboolean dpcxr_answers_show(const DpcxrAnswerTable *table, const GPtrArray *accountants, gconstpointer question,
                            gboolean json, GError **error);
