/* SPDX-License-Identifier: MIT
 * safetensors, the writer. */
#include "base/files.h"
#include "tensor/dtype.h"
#include "tensor/safetensors.h"
#include <json-glib/json-glib.h>
#include <string.h>

#define LENGTH_SIZE sizeof(guint64)

static void add_metadata(JsonBuilder *builder, const char *const *metadata)
{
    if (!metadata || !metadata[0])
        return;
    json_builder_set_member_name(builder, DPCXR_METADATA);
    json_builder_begin_object(builder);
    for (; metadata[0]; metadata += 2) {
        json_builder_set_member_name(builder, metadata[0]);
        json_builder_add_string_value(builder, metadata[1]);
    }
    json_builder_end_object(builder);
}

static void add_entry(JsonBuilder *builder, const DpcxrNamedTensor *tensor, gsize offset)
{
    json_builder_set_member_name(builder, tensor->name);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "dtype");
    json_builder_add_string_value(builder, dpcxr_dtype_name(tensor->dtype));
    json_builder_set_member_name(builder, "shape");
    json_builder_begin_array(builder);
    for (int i = 0; i < tensor->n_dims; i++)
        json_builder_add_int_value(builder, tensor->dims[i]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "data_offsets");
    json_builder_begin_array(builder);
    json_builder_add_int_value(builder, (gint64)offset);
    json_builder_add_int_value(builder, (gint64)(offset + tensor->bytes));
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

/* The header, padded with spaces so that the data starts at a multiple of 8. */
static GString *format_header(const DpcxrNamedTensor *tensors, gsize n, const char *const *metadata)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    gsize offset = 0;

    json_builder_begin_object(builder);
    add_metadata(builder, metadata);
    for (gsize i = 0; i < n; i++) {
        add_entry(builder, &tensors[i], offset);
        offset += tensors[i].bytes;
    }
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *json = json_to_string(root, FALSE);
    GString *header = g_string_new(json);
    while (header->len % LENGTH_SIZE != 0)
        g_string_append_c(header, ' ');
    return header;
}

/* A tensor that this reader would refuse must not get into a file. */
static gboolean check_tensors(const char *path, const DpcxrNamedTensor *tensors, gsize n, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    gsize total = 0, bytes;

    for (gsize i = 0; i < n; i++) {
        const DpcxrNamedTensor *t = &tensors[i];
        gboolean named = strcmp(t->name, DPCXR_METADATA) != 0 && g_utf8_validate(t->name, -1, NULL) &&
                         g_hash_table_add(names, (gpointer)t->name);
        gboolean shaped = t->n_dims >= 0 && t->n_dims <= (int)G_N_ELEMENTS(t->dims) &&
                          dpcxr_tensor_bytes(t, &bytes) && bytes == t->bytes &&
                          g_size_checked_add(&total, total, bytes) && total <= G_MAXINT64;
        if (!named || !shaped) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: cannot write tensor \"%s\": %s", path,
                        t->name,
                        named ? "its size does not fit its shape" : "the name is taken or not UTF-8");
            return FALSE;
        }
    }
    return TRUE;
}

gboolean dpcxr_safetensors_write(const char *path, int mode, const DpcxrNamedTensor *tensors, gsize n,
                                 const char *const *metadata, GError **error)
{
    DpcxrNewFile file;

    if (!check_tensors(path, tensors, n, error) || !dpcxr_new_file_open(&file, path, mode, error))
        return FALSE;
    GString *header = format_header(tensors, n, metadata);
    guint64 header_size = header->len;
    dpcxr_new_file_write(&file, &header_size, LENGTH_SIZE);
    dpcxr_new_file_write(&file, header->str, header->len);
    g_string_free(header, TRUE);
    for (gsize i = 0; i < n; i++)
        dpcxr_new_file_write(&file, tensors[i].data, tensors[i].bytes);
    return dpcxr_new_file_commit(&file, error);
}
