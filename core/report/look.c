/* SPDX-License-Identifier: MIT */
#include "report/look.h"
#include <math.h>

static JsonNode *node_of(JsonObject *from, const char *key)
{
    return from ? json_object_get_member(from, key) : NULL;
}

static JsonObject *object_of(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static gboolean holds(JsonNode *node, GType type)
{
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
}

JsonObject *dpcxr_look_object(JsonObject *from, ...)
{
    va_list keys;
    const char *key;
    va_start(keys, from);
    while (from && (key = va_arg(keys, const char *)))
        from = object_of(node_of(from, key));
    va_end(keys);
    return from;
}

JsonArray *dpcxr_look_array(JsonObject *from, const char *key)
{
    JsonNode *node = node_of(from, key);
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

guint dpcxr_look_length(JsonArray *array)
{
    return array ? json_array_get_length(array) : 0;
}

JsonObject *dpcxr_look_item(JsonArray *array, guint i)
{
    return i < dpcxr_look_length(array) ? object_of(json_array_get_element(array, i)) : NULL;
}

const char *dpcxr_look_text(JsonArray *array, guint i)
{
    JsonNode *node = i < dpcxr_look_length(array) ? json_array_get_element(array, i) : NULL;
    return holds(node, G_TYPE_STRING) ? json_node_get_string(node) : "";
}

const char *dpcxr_look_string(JsonObject *from, const char *key)
{
    JsonNode *node = node_of(from, key);
    return holds(node, G_TYPE_STRING) ? json_node_get_string(node) : NULL;
}

double dpcxr_look_number(JsonObject *from, const char *key)
{
    JsonNode *node = node_of(from, key);
    return holds(node, G_TYPE_DOUBLE) || holds(node, G_TYPE_INT64) ? json_node_get_double(node) : NAN;
}

guint64 dpcxr_look_count(JsonObject *from, const char *key)
{
    double number = dpcxr_look_number(from, key);
    return number >= 0 && number < 9e18 ? (guint64)number : 0;
}

gboolean dpcxr_look_bool(JsonObject *from, const char *key)
{
    JsonNode *node = node_of(from, key);
    return holds(node, G_TYPE_BOOLEAN) && json_node_get_boolean(node);
}

DpcxrEstimate dpcxr_look_estimate(JsonObject *from, const char *key)
{
    JsonObject *estimate = object_of(node_of(from, key));
    return (DpcxrEstimate){dpcxr_look_number(estimate, "value"), dpcxr_look_number(estimate, "low"),
                           dpcxr_look_number(estimate, "high"), dpcxr_look_count(estimate, "undefined")};
}

const char **dpcxr_look_keys(JsonObject *from)
{
    guint n = from ? json_object_get_size(from) : 0, i = 0;
    const char **keys = g_new0(const char *, n + 1);
    GList *members = from ? json_object_get_members(from) : NULL; /* in the order of the file */
    for (GList *member = members; member; member = member->next)
        keys[i++] = member->data;
    g_list_free(members);
    return keys;
}
