/* SPDX-License-Identifier: MIT
 * dpcxr plugins [KIND [NAME]] [--json]: what there is to choose from, or one plugin with its options. A
 * plugin that does not load is shown with its error and is no failure here, unless it was asked for. */
#include "command.h"
#include "plugin/describe.h"
#include "plugin/nearest.h"
#include <stdio.h>

static gboolean read_kind(const char *name, DpcxrPluginKind *kind, GError **error)
{
    if (dpcxr_plugin_kind_from_name(name, kind))
        return TRUE;
    const char *kinds[DPCXR_N_PLUGIN_KINDS + 1] = {NULL};
    for (int i = 0; i < DPCXR_N_PLUGIN_KINDS; i++)
        kinds[i] = dpcxr_plugin_kind_name(i);
    g_autofree char *all = g_strjoinv(", ", (char **)kinds);
    const char *nearest = dpcxr_nearest(name, kinds);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "dpcxr plugins: \"%s\" is not a kind of plugin; the kinds are %s%s%s%s", name, all,
                nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    return FALSE;
}

static void print_list(const DpcxrPluginKind *kind, gboolean as_json)
{
    g_autofree char *text = as_json ? dpcxr_describe_list_json(kind) : dpcxr_describe_list(kind);
    fputs(text, stdout);
}

static gboolean print_one(DpcxrPluginKind kind, const char *name, gboolean as_json, GError **error)
{
    const DpcxrPluginEntry *entry = dpcxr_registry_find(kind, name, error);
    if (!entry)
        return FALSE;
    g_autofree char *text = as_json ? dpcxr_describe_plugin_json(entry) : dpcxr_describe_plugin(entry);
    fputs(text, stdout);
    return TRUE;
}

gboolean dpcxr_cmd_plugins(int argc, char **argv, GError **error)
{
    gboolean as_json = FALSE;
    g_auto(GStrv) words = NULL;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &words, NULL, NULL},
        {NULL},
    };
    if (!dpcxr_cmd_parse(argc, argv, "[KIND [NAME]]",
                         "Lists the plugins of each kind, of one kind, or describes one with its options.",
                         entries, error))
        return FALSE;
    guint n = words ? g_strv_length(words) : 0;
    if (n > 2) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "dpcxr plugins: takes a kind and a name at most, not also \"%s\"", words[2]);
        return FALSE;
    }
    DpcxrPluginKind kind;
    if (n > 0 && !read_kind(words[0], &kind, error))
        return FALSE;
    dpcxr_registry_scan();
    if (n == 2)
        return print_one(kind, words[1], as_json, error);
    print_list(n == 1 ? &kind : NULL, as_json);
    return TRUE;
}
