/* SPDX-License-Identifier: MIT
 * safetensors, the reader. Format: https://github.com/huggingface/safetensors (README, "Format"): a
 * u64, that many bytes of JSON {name: {dtype, shape, data_offsets}, "__metadata__": {string: string}}, then
 * the data without holes. Nothing here trusts a file: whatever the getters return was checked when the file
 * was opened. */
#include "tensor/safetensors.h"
#include "base/json.h"
#include "tensor/dtype.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_HEADER (16u << 20) /* 5,000 tensors need 0.5 MiB */
#define MAX_DEPTH 3            /* file > tensor > shape */
#define LENGTH_SIZE sizeof(guint64)

struct _DpcxrSafetensors {
    GBytes *bytes;
    char *path;           /* for messages */
    JsonNode *header;     /* owns the names */
    JsonObject *metadata; /* (nullable) borrowed from header */
    GArray *tensors;      /* DpcxrNamedTensor, in the order of their data */
    GHashTable *by_name;  /* name to index + 1 */
};

G_GNUC_PRINTF(3, 4)
static gboolean refuse(GError **error, const char *tensor, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *problem = g_strdup_vprintf(format, args);
    va_end(args);

    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "tensor \"%s\": %s", tensor, problem);
    return FALSE;
}

/* Member @key of a tensor's entry as an array of integers. */
static JsonArray *integers(JsonObject *entry, const char *key)
{
    JsonNode *node = json_object_get_member(entry, key);
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; array && i < json_array_get_length(array); i++)
        if (json_node_get_value_type(json_array_get_element(array, i)) != G_TYPE_INT64)
            return NULL;
    return array;
}

static const char *string_or_null(JsonNode *node)
{
    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

/* One entry of the header, on its own; where its data lies among the others is check_layout's question. */
static gboolean read_entry(const char *name, JsonNode *node, const char *data, gsize data_size,
                           DpcxrNamedTensor *tensor, GError **error)
{
    JsonObject *entry = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *dtype = entry ? string_or_null(json_object_get_member(entry, "dtype")) : NULL;
    JsonArray *shape = entry ? integers(entry, "shape") : NULL;
    JsonArray *offsets = entry ? integers(entry, "data_offsets") : NULL;
    gsize expected;

    if (!dtype || !shape || !offsets || json_array_get_length(offsets) != 2)
        return refuse(error, name,
                      "needs dtype (a string), shape (integers) and data_offsets (two integers)");
    *tensor = (DpcxrNamedTensor){.name = name};
    if (!dpcxr_dtype_find(dtype, &tensor->dtype))
        return refuse(error, name, "dtype %s is not supported; F32, F64, F16, BF16, I64 and U8 are", dtype);
    if (json_array_get_length(shape) > G_N_ELEMENTS(tensor->dims))
        return refuse(error, name, "%u dimensions, at most 8 are supported", json_array_get_length(shape));
    tensor->n_dims = (int)json_array_get_length(shape);
    for (int i = 0; i < tensor->n_dims; i++)
        tensor->dims[i] = json_array_get_int_element(shape, (guint)i);

    gint64 begin = json_array_get_int_element(offsets, 0), end = json_array_get_int_element(offsets, 1);
    if (begin < 0 || end < begin || (guint64)end > data_size)
        return refuse(error, name,
                      "data_offsets [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
                      "] outside of the %" G_GSIZE_FORMAT " bytes of data",
                      begin, end, data_size);
    tensor->bytes = (gsize)(end - begin);
    tensor->data = data + begin;
    if (!dpcxr_tensor_bytes(tensor, &expected) || expected != tensor->bytes)
        return refuse(error, name,
                      "its shape and dtype do not make the %" G_GSIZE_FORMAT " bytes of its data_offsets",
                      tensor->bytes);
    return TRUE;
}

static gboolean read_metadata(DpcxrSafetensors *file, JsonNode *node, GError **error)
{
    JsonObject *metadata = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    g_autoptr(GList) values = metadata ? json_object_get_values(metadata) : NULL;

    for (GList *i = values; i; i = i->next)
        if (!string_or_null(i->data))
            metadata = NULL;
    if (!metadata) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, DPCXR_METADATA " must map strings to strings");
        return FALSE;
    }
    file->metadata = metadata;
    return TRUE;
}

static int compare_data(gconstpointer a, gconstpointer b)
{
    const DpcxrNamedTensor *s = a, *t = b;

    if (s->data != t->data)
        return s->data < t->data ? -1 : 1;
    return (s->bytes > t->bytes) - (s->bytes < t->bytes);
}

/* Tensors follow each other without overlap and without holes, from the first byte of @data to the last: a
 * file has no place for bytes that no tensor owns. */
static gboolean check_layout(DpcxrSafetensors *file, const char *data, gsize data_size, GError **error)
{
    const char *expected = data;

    g_array_sort(file->tensors, compare_data);
    for (guint i = 0; i < file->tensors->len; i++) {
        const DpcxrNamedTensor *tensor = &g_array_index(file->tensors, DpcxrNamedTensor, i);
        const char *begin = tensor->data;
        if (begin != expected)
            return refuse(error, tensor->name,
                          begin < expected ? "its data overlaps with \"%s\"" : "a hole after \"%s\"",
                          i ? g_array_index(file->tensors, DpcxrNamedTensor, i - 1).name : "the header");
        expected = begin + tensor->bytes;
        g_hash_table_insert(file->by_name, (gpointer)tensor->name, GUINT_TO_POINTER(i + 1));
    }
    if (expected != data + data_size) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "%" G_GSIZE_FORMAT " bytes at the end belong to no tensor",
                    (gsize)(data + data_size - expected));
        return FALSE;
    }
    return TRUE;
}

static gboolean read_header(DpcxrSafetensors *file, const char *data, gsize data_size, GError **error)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    if (!JSON_NODE_HOLDS_OBJECT(file->header)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "the header is no JSON object");
        return FALSE;
    }
    json_object_iter_init_ordered(&iter, json_node_get_object(file->header));
    while (json_object_iter_next_ordered(&iter, &name, &node)) {
        DpcxrNamedTensor tensor;
        if (strcmp(name, DPCXR_METADATA) == 0) {
            if (!read_metadata(file, node, error))
                return FALSE;
            continue;
        }
        if (!read_entry(name, node, data, data_size, &tensor, error))
            return FALSE;
        g_array_append_val(file->tensors, tensor);
    }
    return check_layout(file, data, data_size, error);
}

/* @content, @size: the whole file. */
static gboolean parse(DpcxrSafetensors *file, const char *content, gsize size, GError **error)
{
    guint64 header_size;

    if (size < LENGTH_SIZE) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%" G_GSIZE_FORMAT " bytes are too few", size);
        return FALSE;
    }
    memcpy(&header_size, content, LENGTH_SIZE);
    if (header_size > MAX_HEADER || header_size > size - LENGTH_SIZE) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "a header of %" G_GUINT64_FORMAT " bytes does not fit (file: %" G_GSIZE_FORMAT
                    ", limit: %u)",
                    header_size, size, MAX_HEADER);
        return FALSE;
    }
    file->header = dpcxr_json_parse(content + LENGTH_SIZE, header_size, MAX_DEPTH, error);
    return file->header &&
           read_header(file, content + LENGTH_SIZE + header_size, size - LENGTH_SIZE - header_size, error);
}

DpcxrSafetensors *dpcxr_safetensors_from_bytes(GBytes *bytes, const char *path, GError **error)
{
    g_autoptr(DpcxrSafetensors) file = g_new0(DpcxrSafetensors, 1);
    gsize size;
    const char *content = g_bytes_get_data(bytes, &size);

    file->bytes = g_bytes_ref(bytes);
    file->path = g_strdup(path);
    file->tensors = g_array_new(FALSE, FALSE, sizeof(DpcxrNamedTensor));
    file->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    if (!parse(file, content, size, error)) {
        g_prefix_error(error, "%s: not a safetensors file: ", path);
        return NULL;
    }
    return g_steal_pointer(&file);
}

DpcxrSafetensors *dpcxr_safetensors_open(const char *path, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (g_access(path, R_OK) != 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: cannot read: %s", path, g_strerror(errno));
        return NULL;
    }
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) { /* a FIFO would wait for a writer */
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: not a safetensors file: not a regular file",
                    path);
        return NULL;
    }
    g_autoptr(GMappedFile) mapped = g_mapped_file_new(path, FALSE, &cause);
    if (!mapped) {
        g_set_error_literal(error, DPCXR_ERROR, DPCXR_ERROR_DATA, cause->message);
        return NULL;
    }
    g_autoptr(GBytes) bytes = g_mapped_file_get_bytes(mapped);
    return dpcxr_safetensors_from_bytes(bytes, path, error);
}

void dpcxr_safetensors_free(DpcxrSafetensors *file)
{
    if (!file)
        return;
    g_clear_pointer(&file->header, json_node_unref);
    g_hash_table_unref(file->by_name);
    g_array_unref(file->tensors);
    g_bytes_unref(file->bytes);
    g_free(file->path);
    g_free(file);
}

gsize dpcxr_safetensors_count(const DpcxrSafetensors *file)
{
    return file->tensors->len;
}

const DpcxrNamedTensor *dpcxr_safetensors_get(const DpcxrSafetensors *file, gsize i)
{
    g_return_val_if_fail(i < file->tensors->len, NULL);
    return &g_array_index(file->tensors, DpcxrNamedTensor, i);
}

const DpcxrNamedTensor *dpcxr_safetensors_find(const DpcxrSafetensors *file, const char *name)
{
    guint position = GPOINTER_TO_UINT(g_hash_table_lookup(file->by_name, name));

    return position ? dpcxr_safetensors_get(file, position - 1) : NULL;
}

const char *dpcxr_safetensors_metadata(const DpcxrSafetensors *file, const char *key)
{
    return file->metadata ? string_or_null(json_object_get_member(file->metadata, key)) : NULL;
}

static float float_from_bits(guint32 bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16 to binary32, exact. */
static float float_from_half(guint16 half)
{
    guint32 sign = (guint32)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;

    if (exponent == 0) { /* zero or subnormal: fraction * 2^-24 */
        float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    exponent = exponent == 31 ? 255 : exponent + 127 - 15;
    return float_from_bits(sign | exponent << 23 | fraction << 13);
}

/* Element @i of a float tensor; the data may be unaligned. */
static float element_as_float(const DpcxrNamedTensor *tensor, gsize i)
{
    const char *at = (const char *)tensor->data + i * dpcxr_dtype_size(tensor->dtype);
    guint16 bits;
    float single;
    double wide;

    switch (tensor->dtype) {
    case DPCXR_F16:
        memcpy(&bits, at, sizeof bits);
        return float_from_half(bits);
    case DPCXR_BF16:
        memcpy(&bits, at, sizeof bits);
        return float_from_bits((guint32)bits << 16);
    case DPCXR_F64:
        memcpy(&wide, at, sizeof wide);
        return (float)wide;
    default:
        memcpy(&single, at, sizeof single);
        return single;
    }
}

static char *format_shape(const gint64 *dims, int n_dims)
{
    GString *text = g_string_new("[");

    for (int i = 0; i < n_dims; i++)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i ? ", " : "", dims[i]);
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

/* Whether @tensor has the shape @dims; else both are named. */
static gboolean check_shape(const DpcxrSafetensors *file, const DpcxrNamedTensor *tensor, const int *dims,
                            int n_dims, GError **error)
{
    gint64 wanted[G_N_ELEMENTS(tensor->dims)];

    g_return_val_if_fail(n_dims >= 0 && n_dims <= (int)G_N_ELEMENTS(wanted), FALSE);
    for (int i = 0; i < n_dims; i++)
        wanted[i] = dims[i];
    if (tensor->n_dims == n_dims && memcmp(tensor->dims, wanted, sizeof *wanted * (gsize)n_dims) == 0)
        return TRUE;
    g_autofree char *found = format_shape(tensor->dims, tensor->n_dims),
                    *expected = format_shape(wanted, n_dims);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: tensor \"%s\" has shape %s, expected %s",
                file->path, tensor->name, found, expected);
    return FALSE;
}

gboolean dpcxr_safetensors_copy_f32(const DpcxrSafetensors *file, const char *name, const int *dims,
                                    int n_dims, float *out, GError **error)
{
    const DpcxrNamedTensor *tensor = dpcxr_safetensors_find(file, name);

    if (!tensor) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: no tensor \"%s\"", file->path, name);
        return FALSE;
    }
    if (!check_shape(file, tensor, dims, n_dims, error))
        return FALSE;
    if (tensor->dtype == DPCXR_I64 || tensor->dtype == DPCXR_U8) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "%s: tensor \"%s\" holds integers (%s), expected F32", file->path, name,
                    dpcxr_dtype_name(tensor->dtype));
        return FALSE;
    }
    for (gsize i = 0, n = tensor->bytes / dpcxr_dtype_size(tensor->dtype); i < n; i++)
        out[i] = element_as_float(tensor, i);
    return TRUE;
}
