/* SPDX-License-Identifier: MIT
 * JSON from outside. json-glib recurses on nesting, aborts on some surrogates, keeps the last of two equal keys and takes
 * more than JSON; so the text is scanned before it gets there. */
#pragma once
#include <dpcxr/error.h>
#include <json-glib/json-glib.h>

/* Parses @length bytes of @text, which need no NUL at the end. Refused: not UTF-8, nesting deeper than @max_depth,
 * duplicate keys, integers beyond 64 bits, anything outside RFC 8259. (transfer full) DPCXR_ERROR_DATA with what is wrong
 * and the byte it starts at; the caller prefixes the file. */
JsonNode *dpcxr_json_parse(const char *text, gsize length, int max_depth, GError **error);
