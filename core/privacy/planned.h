/* SPDX-License-Identifier: MIT
 * planned.json: the steps that a process set out to charge, beside the ledger that it goes on with. Whoever stops a run may
 * have seen its private curves, so a run that was left claims these steps as well; without the file only the smaller number
 * on its ledger would be known. */
#pragma once
#include "privacy/ledger.h"
#include <json-glib/json-glib.h>

#define DPCXR_PLANNED_FILE "planned.json"

/* @steps: DpcxrEvent, in the order in which they will be charged on top of @ledger as it is. Mode 0600. */
gboolean dpcxr_planned_write(const char *path, DpcxrLedger *ledger, const GArray *steps, GError **error);

/* Appends to @events those of the planned steps that are not on @ledger yet; *count: how many steps they are.
 * DPCXR_ERROR_PRIVACY: @path is not about @ledger, or no such file. DPCXR_ERROR_FAILED: it cannot be read. */
gboolean dpcxr_planned_rest(const char *path, DpcxrLedger *ledger, GArray *events, guint64 *count, GError **error);

/* --- For cards, which keep such steps, too --- */

/* Adds @steps (DpcxrEvent) as an array @key to the object that @json has open. */
void dpcxr_planned_put(JsonBuilder *json, const char *key, const GArray *steps);
/* (transfer full, nullable) DpcxrEvent, of an array written by dpcxr_planned_put; NULL where @node is none, or holds an event
 * that cannot be. */
GArray *dpcxr_planned_parse(JsonNode *node);
