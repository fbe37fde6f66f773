/* SPDX-License-Identifier: MIT
 * Plugins and their option tables as text and as JSON. */
#include "plugin/describe.h"
#include "base/json-write.h"
#include <math.h>

static const char *const type_names[] = {
    [DPCXR_OPTION_BOOL] = "bool",
    [DPCXR_OPTION_INT] = "int",
    [DPCXR_OPTION_NUMBER] = "number",
    [DPCXR_OPTION_STRING] = "string",
    [DPCXR_OPTION_CHOICE] = "choice",
    [DPCXR_OPTION_PATH] = "path",
    [DPCXR_OPTION_STRINGS] = "list of strings",
    [DPCXR_OPTION_NUMBERS] = "list of numbers",
    [DPCXR_OPTION_MAP] = "map",
};

static gboolean is_limited(const DpcxrOptionSpec *option)
{
    return option->min != 0 || option->max != 0;
}

/* Whole numbers in full: seeds go to 2^53. (transfer full) */
static char *limit(const DpcxrOptionSpec *option, double value)
{
    return g_strdup_printf(option->type == DPCXR_OPTION_INT ? "%.0f" : "%.10g", value);
}

/* " in [0, 90]", " above 0"; nothing where there is no limit. */
static void append_limits(GString *text, const DpcxrOptionSpec *option)
{
    if (!is_limited(option))
        return;
    gboolean open = option->min == G_MINDOUBLE; /* the least that is above 0 */
    gboolean from = option->min > -G_MAXDOUBLE, to = option->max < G_MAXDOUBLE;
    g_autofree char *low = from ? limit(option, open ? 0 : option->min) : NULL;
    g_autofree char *high = to ? limit(option, option->max) : NULL;
    if (from && to)
        g_string_append_printf(text, " in %s%s, %s]", open ? "(" : "[", low, high);
    else if (open)
        g_string_append(text, " above 0");
    else if (from)
        g_string_append_printf(text, " of at least %s", low);
    else if (to)
        g_string_append_printf(text, " of at most %s", high);
}

/* "number in [0, 90] degrees", "swap | keep", "int in [1, 8] or auto", "list of: PA | AP" */
static char *describe_type(const DpcxrOptionSpec *option)
{
    g_auto(GStrv) words = g_strsplit(option->choices ? option->choices : "", "|", -1);
    g_autofree char *choices = g_strjoinv(" | ", words);
    if (option->type == DPCXR_OPTION_CHOICE)
        return g_strdup(choices);
    if (option->type == DPCXR_OPTION_STRINGS && *choices)
        return g_strdup_printf("list of: %s", choices);
    GString *text = g_string_new(type_names[option->type]);
    append_limits(text, option);
    if (option->unit)
        g_string_append_printf(text, " %s", option->unit);
    if (*choices)
        g_string_append_printf(text, " or %s", choices);
    return g_string_free(text, FALSE);
}

static void append_option(GString *text, const DpcxrOptionSpec *option)
{
    g_autofree char *type = describe_type(option);
    g_string_append_printf(text, "  %s: %s", option->name, type);
    if (option->fallback)
        g_string_append_printf(text, ", default %s\n", option->fallback);
    else
        g_string_append(text, ", required\n");
    g_string_append_printf(text, "      %s\n", option->summary);
}

char *dpcxr_describe_plugin(const DpcxrPluginEntry *entry)
{
    const DpcxrPlugin *plugin = entry->plugin;
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s %s %s (%s)\n%s\n", dpcxr_plugin_kind_name(entry->kind), plugin->name,
                           plugin->version, plugin->licence, plugin->summary);
    if (plugin->reference)
        g_string_append_printf(text, "Reference: %s\n", plugin->reference);
    g_string_append_printf(text, "File: %s (plugin ABI %u.%u)\nSHA-256: %s\n", entry->file, plugin->abi_major,
                           plugin->abi_minor, entry->sha256);
    gboolean any = plugin->options && plugin->options->name;
    g_string_append(text, any ? "\nOptions:\n" : "\nNo options.\n");
    for (const DpcxrOptionSpec *option = plugin->options; option && option->name; option++)
        append_option(text, option);
    return g_string_free(text, FALSE);
}

static void append_working(GString *text, const GPtrArray *list, DpcxrPluginKind kind)
{
    g_string_append_printf(text, "%s\n", dpcxr_plugin_kind_name(kind));
    guint before = text->len;
    for (guint i = 0; i < list->len; i++) {
        const DpcxrPluginEntry *entry = g_ptr_array_index(list, i);
        if (entry->kind == kind && entry->plugin)
            g_string_append_printf(text, "  %-14s %s\n", entry->name, entry->plugin->summary);
    }
    if (text->len == before)
        g_string_append(text, "  (none)\n");
}

static void append_broken(GString *text, const GPtrArray *list, const DpcxrPluginKind *kind)
{
    gboolean any = FALSE;
    for (guint i = 0; i < list->len; i++) {
        const DpcxrPluginEntry *entry = g_ptr_array_index(list, i);
        if (entry->plugin || (kind && entry->kind != *kind))
            continue;
        if (!any)
            g_string_append(text, "not usable\n");
        any = TRUE;
        g_string_append_printf(text, "  %s %s: %s\n", dpcxr_plugin_kind_name(entry->kind), entry->name,
                               entry->error->message);
    }
}

char *dpcxr_describe_list(const DpcxrPluginKind *kind)
{
    g_autoptr(GPtrArray) list = dpcxr_registry_list();
    GString *text = g_string_new(NULL);
    for (int k = 0; k < DPCXR_N_PLUGIN_KINDS; k++)
        if (!kind || *kind == (DpcxrPluginKind)k)
            append_working(text, list, k);
    append_broken(text, list, kind);
    return g_string_free(text, FALSE);
}

static void add_limit(JsonBuilder *json, const char *name, const DpcxrOptionSpec *option, double value)
{
    gboolean limited = is_limited(option) && fabs(value) < G_MAXDOUBLE;
    dpcxr_json_put_number(json, name, limited ? value : NAN);
}

static void add_choices(JsonBuilder *json, const DpcxrOptionSpec *option)
{
    if (!option->choices) {
        dpcxr_json_put_string(json, "choices", NULL);
        return;
    }
    g_auto(GStrv) choices = g_strsplit(option->choices, "|", -1);
    dpcxr_json_begin_array(json, "choices");
    for (char **choice = choices; *choice; choice++)
        json_builder_add_string_value(json, *choice);
    json_builder_end_array(json);
}

static void add_option(JsonBuilder *json, const DpcxrOptionSpec *option)
{
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "name", option->name);
    dpcxr_json_put_string(json, "type", type_names[option->type]);
    dpcxr_json_put_bool(json, "required", option->fallback == NULL);
    dpcxr_json_put_string(json, "default", option->fallback);
    add_limit(json, "min", option, option->min);
    add_limit(json, "max", option, option->max);
    add_choices(json, option);
    dpcxr_json_put_string(json, "unit", option->unit);
    dpcxr_json_put_string(json, "summary", option->summary);
    json_builder_end_object(json);
}

static void add_description(JsonBuilder *json, const DpcxrPlugin *plugin)
{
    g_autofree char *abi = g_strdup_printf("%u.%u", plugin->abi_major, plugin->abi_minor);
    dpcxr_json_put_string(json, "version", plugin->version);
    dpcxr_json_put_string(json, "summary", plugin->summary);
    dpcxr_json_put_string(json, "licence", plugin->licence);
    dpcxr_json_put_string(json, "reference", plugin->reference);
    dpcxr_json_put_string(json, "abi", abi);
    dpcxr_json_begin_array(json, "options");
    for (const DpcxrOptionSpec *option = plugin->options; option && option->name; option++)
        add_option(json, option);
    json_builder_end_array(json);
}

static void add_entry(JsonBuilder *json, const DpcxrPluginEntry *entry)
{
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "kind", dpcxr_plugin_kind_name(entry->kind));
    dpcxr_json_put_string(json, "name", entry->name);
    dpcxr_json_put_string(json, "file", entry->file);
    dpcxr_json_put_string(json, "sha256", entry->sha256);
    dpcxr_json_put_string(json, "error", entry->error ? entry->error->message : NULL);
    if (entry->plugin)
        add_description(json, entry->plugin);
    json_builder_end_object(json);
}

char *dpcxr_describe_plugin_json(const DpcxrPluginEntry *entry)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    add_entry(json, entry);
    return dpcxr_json_text(json);
}

char *dpcxr_describe_list_json(const DpcxrPluginKind *kind)
{
    g_autoptr(GPtrArray) list = dpcxr_registry_list();
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_array(json);
    for (guint i = 0; i < list->len; i++) {
        const DpcxrPluginEntry *entry = g_ptr_array_index(list, i);
        if (!kind || entry->kind == *kind)
            add_entry(json, entry);
    }
    json_builder_end_array(json);
    return dpcxr_json_text(json);
}
