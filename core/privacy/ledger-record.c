/* SPDX-License-Identifier: MIT
 * Ledger records to JSON and back. Numbers are written with the digits that bring back the same double. */
#include "privacy/ledger-record.h"
#include "privacy/units.h"
#include <string.h>

static const char *const record_names[DPCXR_N_RECORDS] = {"ledger", "process", "steps", "counts"};

static void append_number(GString *line, const char *key, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(line, ",\"%s\":%s", key, g_ascii_dtostr(text, sizeof text, value));
}

GString *dpcxr_record_format(const DpcxrRecord *record)
{
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "{\"record\":\"%s\"", record_names[record->kind]);
    if (record->kind == DPCXR_RECORD_LEDGER) {
        g_string_append_printf(line, ",\"version\":%d,\"id\":\"%s\",\"adjacency\":\"%s\",\"unit\":\"%s\"",
                               DPCXR_LEDGER_VERSION, record->id, dpcxr_adjacency_name(record->adjacency),
                               record->unit);
        g_string_append_printf(line, ",\"population\":%" G_GUINT64_FORMAT, record->population);
        return line;
    }
    if (record->kind == DPCXR_RECORD_PROCESS) {
        g_string_append_printf(line, ",\"id\":\"%s\"", record->id);
        return line;
    }
    const DpcxrEvent *event = &record->event;
    g_string_append_printf(line, ",\"sequence\":%" G_GUINT64_FORMAT ",\"count\":%" G_GUINT64_FORMAT,
                           record->sequence, event->count);
    g_string_append_printf(line, ",\"sampler\":\"%s\"", dpcxr_sampler_name(event->sampler));
    append_number(line, "sampling_rate", event->sampling_rate);
    append_number(line, "noise_multiplier", event->noise_multiplier);
    g_string_append_printf(line, ",\"population\":%" G_GUINT64_FORMAT ",\"cap\":%" G_GUINT64_FORMAT,
                           event->population, event->cap);
    return line;
}

static gboolean string_member(JsonObject *object, const char *key, const char **value)
{
    JsonNode *node = json_object_get_member(object, key);
    if (!node || json_node_get_value_type(node) != G_TYPE_STRING)
        return FALSE;
    *value = json_node_get_string(node);
    return TRUE;
}

static gboolean count_member(JsonObject *object, const char *key, guint64 *value)
{
    JsonNode *node = json_object_get_member(object, key);
    if (!node || json_node_get_value_type(node) != G_TYPE_INT64 || json_node_get_int(node) < 0)
        return FALSE;
    *value = (guint64)json_node_get_int(node);
    return TRUE;
}

static gboolean number_member(JsonObject *object, const char *key, double *value)
{
    JsonNode *node = json_object_get_member(object, key);
    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return FALSE;
    *value = json_node_get_double(node);
    return TRUE;
}

static gboolean index_member(JsonObject *object, const char *key, const char *(*name)(int), int n, int *value)
{
    const char *text;
    if (!string_member(object, key, &text))
        return FALSE;
    for (*value = 0; *value < n; (*value)++) {
        if (g_str_equal(name(*value), text))
            return TRUE;
    }
    return FALSE;
}

static const char *record_name(int kind)
{
    return record_names[kind];
}

static const char *adjacency_name(int adjacency)
{
    return dpcxr_adjacency_name((DpcxrAdjacency)adjacency);
}

static const char *sampler_name(int sampler)
{
    return dpcxr_sampler_name((DpcxrSamplerKind)sampler);
}

static const char *unit_name(int unit)
{
    return dpcxr_unit_name((DpcxrUnit)unit);
}

static gboolean id_member(JsonObject *object, char id[33])
{
    const char *text;
    if (!string_member(object, "id", &text) || strlen(text) != 32)
        return FALSE;
    memcpy(id, text, 33);
    return TRUE;
}

gboolean dpcxr_record_parse(JsonObject *object, DpcxrRecord *record)
{
    int kind, adjacency, unit, sampler;
    *record = (DpcxrRecord){0};
    if (!index_member(object, "record", record_name, DPCXR_N_RECORDS, &kind))
        return FALSE;
    record->kind = (DpcxrRecordKind)kind;
    if (record->kind == DPCXR_RECORD_PROCESS)
        return id_member(object, record->id);
    if (record->kind == DPCXR_RECORD_LEDGER) {
        if (!id_member(object, record->id) ||
            !index_member(object, "adjacency", adjacency_name, DPCXR_N_ADJACENCIES, &adjacency) ||
            !index_member(object, "unit", unit_name, DPCXR_UNIT_IMAGE + 1, &unit))
            return FALSE;
        record->adjacency = (DpcxrAdjacency)adjacency;
        record->unit = unit_name(unit);
        return count_member(object, "population", &record->population);
    }
    DpcxrEvent *event = &record->event;
    if (!index_member(object, "sampler", sampler_name, DPCXR_N_SAMPLERS, &sampler))
        return FALSE;
    event->sampler = (DpcxrSamplerKind)sampler;
    return count_member(object, "sequence", &record->sequence) &&
           count_member(object, "count", &event->count) &&
           number_member(object, "sampling_rate", &event->sampling_rate) &&
           number_member(object, "noise_multiplier", &event->noise_multiplier) &&
           count_member(object, "population", &event->population) && count_member(object, "cap", &event->cap);
}
