/* SPDX-License-Identifier: MIT
 * Members of JSON objects, one call each, for what dpcxr writes: results, privacy cards, --json. */
#pragma once
#include <json-glib/json-glib.h>

/* Each adds one member to the object that @json has open. */
void dpcxr_json_put_string(JsonBuilder *json, const char *key, const char *value); /* NULL: null */
void dpcxr_json_put_number(JsonBuilder *json, const char *key, double value);      /* not finite: null */
void dpcxr_json_put_count(JsonBuilder *json, const char *key, guint64 value);      /* below 2^63 */
void dpcxr_json_put_bool(JsonBuilder *json, const char *key, gboolean value);
/* @strings (nullable: an empty list): of char *, none NULL. */
void dpcxr_json_put_strings(JsonBuilder *json, const char *key, const GPtrArray *strings);

/* Opens an object or an array as the member @key; json_builder_end_object() and .._end_array() close them. */
void dpcxr_json_begin_object(JsonBuilder *json, const char *key);
void dpcxr_json_begin_array(JsonBuilder *json, const char *key);

/* The whole document, indented, with a newline at the end. (transfer full) */
char *dpcxr_json_text(JsonBuilder *json);
