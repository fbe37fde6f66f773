/* SPDX-License-Identifier: MIT */
#include "base/protobuf.h"
#include <string.h>

typedef enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5 } Wire;

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static void put_varint(GByteArray *message, guint64 value)
{
    guint8 bytes[10];
    guint n = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (guint8)(value | 0x80);
    bytes[n++] = (guint8)value;
    g_byte_array_append(message, bytes, n);
}

static void put_tag(GByteArray *message, guint field, Wire wire)
{
    put_varint(message, (guint64)field << 3 | wire);
}

void dpcxr_protobuf_put_uint(GByteArray *message, guint field, guint64 value)
{
    put_tag(message, field, WIRE_VARINT);
    put_varint(message, value);
}

void dpcxr_protobuf_put_double(GByteArray *message, guint field, double value)
{
    guint64 bits;
    memcpy(&bits, &value, sizeof bits);
    bits = GUINT64_TO_LE(bits);
    put_tag(message, field, WIRE_FIXED64);
    g_byte_array_append(message, (const guint8 *)&bits, sizeof bits);
}

void dpcxr_protobuf_put_float(GByteArray *message, guint field, float value)
{
    guint32 bits;
    memcpy(&bits, &value, sizeof bits);
    bits = GUINT32_TO_LE(bits);
    put_tag(message, field, WIRE_FIXED32);
    g_byte_array_append(message, (const guint8 *)&bits, sizeof bits);
}

void dpcxr_protobuf_put_bytes(GByteArray *message, guint field, const void *data, gsize n)
{
    put_tag(message, field, WIRE_LENGTH);
    put_varint(message, n);
    g_byte_array_append(message, data, (guint)n);
}

void dpcxr_protobuf_put_string(GByteArray *message, guint field, const char *text)
{
    dpcxr_protobuf_put_bytes(message, field, text, strlen(text));
}

void dpcxr_protobuf_put_message(GByteArray *message, guint field, const GByteArray *inner)
{
    dpcxr_protobuf_put_bytes(message, field, inner->data, inner->len);
}
