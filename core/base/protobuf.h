/* SPDX-License-Identifier: MIT
 * Fields of protocol buffers, one call each, appended to a byte array: the wire format of protobuf.dev,
 * "Encoding". A message within a message is made in an array of its own and put as bytes. */
#pragma once
#include <glib.h>

/* @field: its number, from 1. A field that has its default value (0, "") is written all the same. */
/* Also enums, and int64 from 0 on. */
void dpcxr_protobuf_put_uint(GByteArray *message, guint field, guint64 value);
void dpcxr_protobuf_put_double(GByteArray *message, guint field, double value);
void dpcxr_protobuf_put_float(GByteArray *message, guint field, float value);
void dpcxr_protobuf_put_bytes(GByteArray *message, guint field, const void *data, gsize n);
void dpcxr_protobuf_put_string(GByteArray *message, guint field, const char *text);
void dpcxr_protobuf_put_message(GByteArray *message, guint field, const GByteArray *inner);
