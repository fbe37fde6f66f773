/* SPDX-License-Identifier: MIT
 * The lines of a ledger without their hashes: a record as JSON, in the one way it may be written. */
#pragma once
#include <dpcxr/accountant.h>
#include <json-glib/json-glib.h>

#define DPCXR_LEDGER_VERSION 1

typedef enum { DPCXR_RECORD_LEDGER, DPCXR_RECORD_PROCESS, DPCXR_RECORD_STEPS, DPCXR_RECORD_COUNTS, DPCXR_N_RECORDS } DpcxrRecordKind;

/* One line, without its hash. */
typedef struct {
    DpcxrRecordKind kind;
    char id[33]; /* LEDGER, PROCESS: 128 random bits */
    DpcxrAdjacency adjacency;
    const char *unit; /* static */
    guint64 population;
    guint64 sequence; /* STEPS, COUNTS */
    DpcxrEvent event;
} DpcxrRecord;

/* The line up to where its hash begins, its last brace open. (transfer full) */
GString *dpcxr_record_format(const DpcxrRecord *record);
/* Picks the members out of @object. It does not look for what else is there: writing the record again and comparing
 * settles that. */
gboolean dpcxr_record_parse(JsonObject *object, DpcxrRecord *record);
