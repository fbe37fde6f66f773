/* SPDX-License-Identifier: MIT
 * Looking into JSON that may lack anything: what is absent, null or of another type is NULL, NaN or 0. */
#pragma once
#include "stats/series.h"
#include <json-glib/json-glib.h>

/* Follows keys from @from (nullable) down. (transfer none) */
JsonObject *dpcxr_look_object(JsonObject *from, ...) G_GNUC_NULL_TERMINATED;
JsonArray *dpcxr_look_array(JsonObject *from, const char *key);
JsonObject *dpcxr_look_item(JsonArray *array, guint i); /* NULL where item @i is no object */
guint dpcxr_look_length(JsonArray *array);              /* 0 of NULL */
const char *dpcxr_look_string(JsonObject *from, const char *key);
const char *dpcxr_look_text(JsonArray *array, guint i); /* "" where item @i is no string */
double dpcxr_look_number(JsonObject *from, const char *key);
guint64 dpcxr_look_count(JsonObject *from, const char *key);
gboolean dpcxr_look_bool(JsonObject *from, const char *key);
/* A value with its interval, as results.json has them. */
DpcxrEstimate dpcxr_look_estimate(JsonObject *from, const char *key);
/* Keys in their order; NULL-terminated. (transfer full: g_free the array alone) */
const char **dpcxr_look_keys(JsonObject *from);
