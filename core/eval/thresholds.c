/* SPDX-License-Identifier: MIT */
#include "eval/thresholds.h"
#include "base/json-write.h"
#include "base/json.h"
#include "eval/known.h"
#include <math.h>
#include <string.h>

DpcxrThresholds *dpcxr_thresholds_choose(const DpcxrPredictionFile *valid, DpcxrThresholdRule rule,
                                         double rule_value)
{
    DpcxrThresholds *thresholds = g_new0(DpcxrThresholds, 1);

    thresholds->rule = rule;
    thresholds->rule_value = rule_value;
    thresholds->labels = g_strdupv(valid->labels);
    thresholds->values = g_new(double, valid->n_labels);
    for (gsize label = 0; label < valid->n_labels; label++) {
        g_autoptr(DpcxrScored) sample = dpcxr_known_rows(valid, label);
        thresholds->values[label] = dpcxr_threshold_choose(sample, rule, rule_value);
    }
    return thresholds;
}

void dpcxr_thresholds_free(DpcxrThresholds *thresholds)
{
    if (!thresholds)
        return;
    g_strfreev(thresholds->labels);
    g_free(thresholds->values);
    g_free(thresholds);
}

double dpcxr_thresholds_get(const DpcxrThresholds *thresholds, const char *label)
{
    for (gsize i = 0; thresholds && thresholds->labels[i]; i++)
        if (g_str_equal(thresholds->labels[i], label))
            return thresholds->values[i];
    return NAN;
}

void dpcxr_thresholds_write(const DpcxrThresholds *thresholds, JsonBuilder *json)
{
    if (!thresholds) {
        dpcxr_json_put_string(json, "thresholds", NULL);
        return;
    }
    dpcxr_json_begin_object(json, "thresholds");
    dpcxr_json_put_string(json, "rule", dpcxr_threshold_rule_name(thresholds->rule));
    dpcxr_json_put_number(json, "value", thresholds->rule_value);
    dpcxr_json_put_string(json, "from", "valid");
    dpcxr_json_begin_object(json, "labels");
    for (gsize i = 0; thresholds->labels[i]; i++)
        dpcxr_json_put_number(json, thresholds->labels[i], thresholds->values[i]);
    json_builder_end_object(json);
    json_builder_end_object(json);
}

/* --- Reading --- */

static double number_member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : NAN;
}

static JsonObject *object_member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static gboolean find_rule(JsonObject *object, DpcxrThresholdRule *rule)
{
    JsonNode *node = json_object_get_member(object, "rule");
    const char *name = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;

    for (*rule = 0; *rule < DPCXR_N_THRESHOLD_RULES; (*rule)++)
        if (g_strcmp0(dpcxr_threshold_rule_name(*rule), name) == 0)
            return TRUE;
    return FALSE;
}

/* NULL where this is not what dpcxr_thresholds_write writes. */
static DpcxrThresholds *from_json(JsonObject *object)
{
    g_autoptr(DpcxrThresholds) thresholds = g_new0(DpcxrThresholds, 1);
    JsonObject *labels = object_member(object, "labels");

    if (!labels || !find_rule(object, &thresholds->rule))
        return NULL;
    g_autoptr(GList) names = json_object_get_members(labels);
    guint n = g_list_length(names), i = 0;
    thresholds->rule_value = number_member(object, "value");
    thresholds->labels = g_new0(char *, n + 1);
    thresholds->values = g_new(double, n);
    for (GList *name = names; name; name = name->next, i++) {
        thresholds->labels[i] = g_strdup(name->data);
        thresholds->values[i] = number_member(labels, name->data);
    }
    return g_steal_pointer(&thresholds);
}

static gboolean fail(const char *path, const char *problem, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: %s; `dpcxr eval RUN` writes it again", path,
                problem);
    return FALSE;
}

gboolean dpcxr_thresholds_read(const char *path, DpcxrThresholds **thresholds, GError **error)
{
    enum { DEEPEST = 32 };
    g_autofree char *text = NULL;
    g_autoptr(GError) local = NULL;
    gsize length;

    *thresholds = NULL;
    if (!g_file_get_contents(path, &text, &length, &local))
        return fail(path, local->message, error);
    g_autoptr(JsonNode) root = dpcxr_json_parse(text, length, DEEPEST, &local);
    if (!root)
        return fail(path, local->message, error);
    JsonNode *member = JSON_NODE_HOLDS_OBJECT(root)
                           ? json_object_get_member(json_node_get_object(root), "thresholds")
                           : NULL;
    if (!member)
        return fail(path, "has no thresholds; is it of an earlier version?", error);
    if (JSON_NODE_HOLDS_NULL(member))
        return TRUE;
    if (JSON_NODE_HOLDS_OBJECT(member))
        *thresholds = from_json(json_node_get_object(member));
    return *thresholds || fail(path, "its thresholds cannot be read", error);
}
