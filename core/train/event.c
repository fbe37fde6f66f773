/* SPDX-License-Identifier: MIT */
#include "train/event.h"
#include "base/protobuf.h"
#include "eval/pr-curve.h"
#include <string.h>

#define FILE_VERSION "brain.Event:2"
#define PR_CURVES "pr_curves"

/* Field numbers, MESSAGE_FIELD. */
enum {
    EVENT_WALL_TIME = 1,
    EVENT_STEP = 2,
    EVENT_FILE_VERSION = 3,
    EVENT_SUMMARY = 5,
    EVENT_SESSION_LOG = 7,
    SESSION_LOG_STATUS = 1,
    SUMMARY_VALUE = 1,
    VALUE_TAG = 1,
    VALUE_SIMPLE_VALUE = 2,
    VALUE_TENSOR = 8,
    VALUE_METADATA = 9,
    METADATA_PLUGIN_DATA = 1,
    METADATA_DISPLAY_NAME = 2,
    METADATA_DATA_CLASS = 4,
    PLUGIN_DATA_NAME = 1,
    PLUGIN_DATA_CONTENT = 2,
    PR_CURVE_NUM_THRESHOLDS = 2,
    TENSOR_DTYPE = 1,
    TENSOR_SHAPE = 2,
    TENSOR_CONTENT = 4,
    SHAPE_DIM = 2,
    DIM_SIZE = 1,
};

/* Values of their enums. */
enum { SESSION_START = 1, DATA_CLASS_TENSOR = 2, DTYPE_FLOAT = 1 };

static void begin(GByteArray *event, double wall, guint64 step)
{
    g_byte_array_set_size(event, 0);
    dpcxr_protobuf_put_double(event, EVENT_WALL_TIME, wall);
    dpcxr_protobuf_put_uint(event, EVENT_STEP, step);
}

void dpcxr_event_version(GByteArray *event, double wall)
{
    begin(event, wall, 0);
    dpcxr_protobuf_put_string(event, EVENT_FILE_VERSION, FILE_VERSION);
}

void dpcxr_event_restart(GByteArray *event, double wall, guint64 step)
{
    g_autoptr(GByteArray) log = g_byte_array_new();
    dpcxr_protobuf_put_uint(log, SESSION_LOG_STATUS, SESSION_START);
    begin(event, wall, step);
    dpcxr_protobuf_put_message(event, EVENT_SESSION_LOG, log);
}

static void put_value(GByteArray *event, const GByteArray *value)
{
    g_autoptr(GByteArray) summary = g_byte_array_new();
    dpcxr_protobuf_put_message(summary, SUMMARY_VALUE, value);
    dpcxr_protobuf_put_message(event, EVENT_SUMMARY, summary);
}

void dpcxr_event_scalar(GByteArray *event, double wall, guint64 step, const char *tag, double value)
{
    g_autoptr(GByteArray) inner = g_byte_array_new();
    dpcxr_protobuf_put_string(inner, VALUE_TAG, tag);
    dpcxr_protobuf_put_float(inner, VALUE_SIMPLE_VALUE, (float)value);
    begin(event, wall, step);
    put_value(event, inner);
}

/* --- Curves --- */

static void put_dimension(GByteArray *shape, gsize size)
{
    g_autoptr(GByteArray) dimension = g_byte_array_new();
    dpcxr_protobuf_put_uint(dimension, DIM_SIZE, size);
    dpcxr_protobuf_put_message(shape, SHAPE_DIM, dimension);
}

/* @data: [rows, columns] */
static void put_tensor(GByteArray *value, const float *data, gsize rows, gsize columns)
{
    g_autoptr(GByteArray) tensor = g_byte_array_new(), shape = g_byte_array_new();
    g_autofree guint32 *bits = g_new(guint32, rows * columns);
    memcpy(bits, data, rows * columns * sizeof *bits);
    for (gsize i = 0; i < rows * columns; i++)
        bits[i] = GUINT32_TO_LE(bits[i]);
    put_dimension(shape, rows);
    put_dimension(shape, columns);
    dpcxr_protobuf_put_uint(tensor, TENSOR_DTYPE, DTYPE_FLOAT);
    dpcxr_protobuf_put_message(tensor, TENSOR_SHAPE, shape);
    dpcxr_protobuf_put_bytes(tensor, TENSOR_CONTENT, bits, rows * columns * sizeof *bits);
    dpcxr_protobuf_put_message(value, VALUE_TENSOR, tensor);
}

static void put_pr_metadata(GByteArray *value, const char *name, gsize n_thresholds)
{
    g_autoptr(GByteArray) content = g_byte_array_new(), plugin = g_byte_array_new(),
                          metadata = g_byte_array_new();
    dpcxr_protobuf_put_uint(content, PR_CURVE_NUM_THRESHOLDS, n_thresholds);
    dpcxr_protobuf_put_string(plugin, PLUGIN_DATA_NAME, PR_CURVES);
    dpcxr_protobuf_put_message(plugin, PLUGIN_DATA_CONTENT, content);
    dpcxr_protobuf_put_message(metadata, METADATA_PLUGIN_DATA, plugin);
    dpcxr_protobuf_put_string(metadata, METADATA_DISPLAY_NAME, name);
    dpcxr_protobuf_put_uint(metadata, METADATA_DATA_CLASS, DATA_CLASS_TENSOR);
    dpcxr_protobuf_put_message(value, VALUE_METADATA, metadata);
}

void dpcxr_event_pr_curve(GByteArray *event, double wall, guint64 step, const char *tag, const char *name,
                          const float *curve, gsize n_thresholds)
{
    g_autoptr(GByteArray) value = g_byte_array_new();
    dpcxr_protobuf_put_string(value, VALUE_TAG, tag);
    put_tensor(value, curve, DPCXR_PR_ROWS, n_thresholds);
    put_pr_metadata(value, name, n_thresholds);
    begin(event, wall, step);
    put_value(event, value);
}
