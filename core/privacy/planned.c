/* SPDX-License-Identifier: MIT
 * One process charges its steps in their order and each of them once, so of what it set out to do as many steps are done as
 * its ledger has grown by. */
#include "privacy/planned.h"
#include "base/files.h"
#include "base/json-write.h"
#include "base/json.h"
#include <math.h>
#include <string.h>

enum { DEPTH = 4 };

void dpcxr_planned_put(JsonBuilder *json, const char *key, const GArray *steps)
{
    dpcxr_json_begin_array(json, key);
    for (guint i = 0; i < steps->len; i++) {
        const DpcxrEvent *event = &g_array_index(steps, DpcxrEvent, i);
        json_builder_begin_object(json);
        dpcxr_json_put_count(json, "count", event->count);
        dpcxr_json_put_string(json, "sampler", dpcxr_sampler_name(event->sampler));
        dpcxr_json_put_number(json, "sampling_rate", event->sampling_rate);
        dpcxr_json_put_number(json, "noise_multiplier", event->noise_multiplier);
        dpcxr_json_put_count(json, "population", event->population);
        dpcxr_json_put_count(json, "cap", event->cap);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

/* --- Back --- */

static JsonNode *value_of(JsonObject *object, const char *key)
{
    JsonNode *node = json_object_get_member(object, key);
    return node && JSON_NODE_HOLDS_VALUE(node) ? node : NULL;
}

/* FALSE where it is no whole number >= 0. */
static gboolean get_count(JsonObject *object, const char *key, guint64 *count)
{
    JsonNode *node = value_of(object, key);
    if (!node || json_node_get_value_type(node) != G_TYPE_INT64 || json_node_get_int(node) < 0)
        return FALSE;
    *count = (guint64)json_node_get_int(node);
    return TRUE;
}

static gboolean get_number(JsonObject *object, const char *key, double *number)
{
    JsonNode *node = value_of(object, key);
    GType type = node ? json_node_get_value_type(node) : G_TYPE_INVALID;
    if (type != G_TYPE_DOUBLE && type != G_TYPE_INT64)
        return FALSE;
    *number = json_node_get_double(node);
    return TRUE;
}

static const char *get_string(JsonObject *object, const char *key)
{
    JsonNode *node = value_of(object, key);
    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

static gboolean get_sampler(JsonObject *object, DpcxrSamplerKind *sampler)
{
    const char *name = get_string(object, "sampler");
    for (int kind = 0; name && kind < DPCXR_N_SAMPLERS; kind++)
        if (g_str_equal(name, dpcxr_sampler_name((DpcxrSamplerKind)kind))) {
            *sampler = (DpcxrSamplerKind)kind;
            return TRUE;
        }
    return FALSE;
}

static gboolean parse_event(JsonNode *node, DpcxrEvent *event)
{
    *event = (DpcxrEvent){0};
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return FALSE;
    JsonObject *object = json_node_get_object(node);
    return get_count(object, "count", &event->count) && get_sampler(object, &event->sampler) &&
           get_number(object, "sampling_rate", &event->sampling_rate) &&
           get_number(object, "noise_multiplier", &event->noise_multiplier) &&
           get_count(object, "population", &event->population) && get_count(object, "cap", &event->cap) &&
           event->count > 0 && event->sampling_rate > 0 && event->sampling_rate <= 1 &&
           event->noise_multiplier > 0 && isfinite(event->noise_multiplier);
}

GArray *dpcxr_planned_parse(JsonNode *node)
{
    if (!node || !JSON_NODE_HOLDS_ARRAY(node))
        return NULL;
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(DpcxrEvent));
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        DpcxrEvent event;
        if (!parse_event(json_array_get_element(array, i), &event))
            return NULL;
        g_array_append_val(steps, event);
    }
    return g_steal_pointer(&steps);
}

/* --- The file --- */

gboolean dpcxr_planned_write(const char *path, DpcxrLedger *ledger, const GArray *steps, GError **error)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "format", "dpcxr planned steps");
    dpcxr_json_put_count(json, "version", 1);
    dpcxr_json_put_string(json, "ledger_head", dpcxr_ledger_head(ledger));
    dpcxr_json_put_count(json, "recorded", dpcxr_ledger_steps(ledger));
    dpcxr_planned_put(json, "planned", steps);
    json_builder_end_object(json);
    g_autofree char *text = dpcxr_json_text(json);
    return dpcxr_write_file(path, text, -1, 0600, error);
}

static gboolean refuse(const char *path, const char *what, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "%s: %s", path, what);
    return FALSE;
}

/* Leaves out the first @done steps. */
static void append_rest(const GArray *steps, guint64 done, GArray *events, guint64 *count)
{
    *count = 0;
    for (guint i = 0; i < steps->len; i++) {
        DpcxrEvent event = g_array_index(steps, DpcxrEvent, i);
        guint64 skipped = MIN(done, event.count);
        done -= skipped;
        event.count -= skipped;
        *count += event.count;
        if (event.count > 0)
            g_array_append_val(events, event);
    }
}

static gboolean take_rest(const char *path, JsonObject *file, DpcxrLedger *ledger, GArray *events,
                          guint64 *count, GError **error)
{
    const char *head = get_string(file, "ledger_head");
    guint64 recorded;
    g_autoptr(GArray) steps = dpcxr_planned_parse(json_object_get_member(file, "planned"));
    if (g_strcmp0(get_string(file, "format"), "dpcxr planned steps") != 0 || !head || !steps ||
        !get_count(file, "recorded", &recorded))
        return refuse(path, "is not a file of planned steps", error);
    if (!dpcxr_ledger_contains(ledger, head) || recorded > dpcxr_ledger_steps(ledger))
        return refuse(path, "these planned steps are not about the ledger beside them", error);
    append_rest(steps, dpcxr_ledger_steps(ledger) - recorded, events, count);
    return TRUE;
}

gboolean dpcxr_planned_rest(const char *path, DpcxrLedger *ledger, GArray *events, guint64 *count,
                            GError **error)
{
    g_autofree char *text = NULL;
    gsize length;
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(path, &text, &length, &local)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s", local->message);
        return FALSE;
    }
    g_autoptr(JsonNode) root = dpcxr_json_parse(text, length, DEPTH, NULL);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return refuse(path, "is not a file of planned steps", error);
    return take_rest(path, json_node_get_object(root), ledger, events, count, error);
}
