/* SPDX-License-Identifier: MIT */
#include "sweep/axes.h"
#include "config/document.h"
#include <string.h>

gboolean dpcxr_sweep_usage(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "sweep: %s", message);
    return FALSE;
}

char *dpcxr_sweep_assignment(const char *key, const char *value)
{
    return g_strconcat(key, "=", value, NULL);
}

/* --- The command line --- */

char **dpcxr_sweep_split(const char *value)
{
    g_autoptr(GStrvBuilder) parts = g_strv_builder_new();
    const char *start = value;
    int depth = 0;
    char quote = '\0';
    for (const char *c = value;; c++) {
        if (!*c || (*c == ',' && depth == 0 && !quote)) {
            g_autofree char *part = g_strndup(start, (gsize)(c - start));
            g_strv_builder_add(parts, g_strstrip(part));
            start = c + 1;
        }
        if (!*c)
            return g_strv_builder_end(parts);
        if (quote)
            quote = *c == quote ? '\0' : quote;
        else if (*c == '"' || *c == '\'')
            quote = *c;
        else
            depth += strchr("[{", *c) ? 1 : strchr("]}", *c) ? -1 : 0;
    }
}

static void axis_clear(gpointer data)
{
    DpcxrSweepAxis *axis = data;
    g_free(axis->key);
    g_strfreev(axis->values);
}

const DpcxrSweepAxis *dpcxr_sweep_axes_find(const DpcxrSweepAxes *axes, const char *key)
{
    for (guint i = 0; i < axes->axes->len; i++)
        if (g_str_equal(g_array_index(axes->axes, DpcxrSweepAxis, i).key, key))
            return &g_array_index(axes->axes, DpcxrSweepAxis, i);
    return NULL;
}

gboolean dpcxr_sweep_axes_is_common(const DpcxrSweepAxes *axes, const char *key)
{
    for (guint i = 0; i < axes->common->len; i++) {
        const char *override = g_ptr_array_index(axes->common, i);
        if (strncmp(override, key, strlen(key)) == 0 && override[strlen(key)] == '=')
            return TRUE;
    }
    return FALSE;
}

/* What a sweep sets itself. */
static gboolean check_key(const char *key, GError **error)
{
    static const char *const own[] = {"name", "stages", "plugins", "evaluate.splits", NULL};
    if (g_str_has_prefix(key, "sweep."))
        return dpcxr_sweep_usage(error, "%s has one value; write a list in brackets", key);
    return !g_strv_contains(own, key) ||
           dpcxr_sweep_usage(error, "%s is the same for all runs of a sweep", key);
}

/* A value with commas varies the key; another is the same for all. */
static gboolean read_argument(DpcxrSweepAxes *axes, const char *argument, GError **error)
{
    const char *equals = strchr(argument, '=');
    if (!equals)
        return dpcxr_sweep_usage(error, "\"%s\" is no KEY=VALUE and no KEY=A,B,..", argument);
    g_auto(GStrv) values = dpcxr_sweep_split(equals + 1);
    if (!values[1]) {
        g_ptr_array_add(axes->common, g_strdup(argument));
        return TRUE;
    }
    DpcxrSweepAxis axis = {g_strndup(argument, (gsize)(equals - argument)), g_steal_pointer(&values)};
    if (dpcxr_sweep_axes_find(axes, axis.key)) {
        dpcxr_sweep_usage(error, "%s is there twice", axis.key);
        axis_clear(&axis);
        return FALSE;
    }
    g_array_append_val(axes->axes, axis);
    return check_key(axis.key, error);
}

gboolean dpcxr_sweep_axes_init(DpcxrSweepAxes *axes, const char *const *arguments, GError **error)
{
    *axes = (DpcxrSweepAxes){g_ptr_array_new_with_free_func(g_free),
                             g_array_new(FALSE, FALSE, sizeof(DpcxrSweepAxis))};
    g_array_set_clear_func(axes->axes, axis_clear);
    for (; arguments && *arguments; arguments++)
        if (!read_argument(axes, *arguments, error))
            return FALSE;
    return TRUE;
}

void dpcxr_sweep_axes_clear(DpcxrSweepAxes *axes)
{
    g_ptr_array_unref(axes->common);
    g_array_unref(axes->axes);
}

/* --- Grid and list --- */

/* The first value of each member of a grid that is one; the experiment says what is wrong with others. */
static void first_of_grid(const DpcxrSweepAxes *axes, const DpcxrYaml *grid, GPtrArray *overrides)
{
    for (guint i = 0; grid && grid->kind == DPCXR_YAML_MAP && i < grid->items->len; i++) {
        const char *key = ((DpcxrYaml *)grid->keys->pdata[i])->text;
        const DpcxrYaml *values = grid->items->pdata[i];
        if (values->kind != DPCXR_YAML_LIST || values->items->len == 0 ||
            dpcxr_sweep_axes_is_common(axes, key) || dpcxr_sweep_axes_find(axes, key))
            continue;
        g_autofree char *value = dpcxr_yaml_write_line(values->items->pdata[0]);
        g_ptr_array_add(overrides, dpcxr_sweep_assignment(key, value));
    }
}

static void first_of_list(const DpcxrYaml *list, GPtrArray *overrides)
{
    if (!list || list->kind != DPCXR_YAML_LIST || list->items->len == 0)
        return;
    const DpcxrYaml *point = list->items->pdata[0];
    for (guint i = 0; point->kind == DPCXR_YAML_MAP && i < point->items->len; i++) {
        g_autofree char *value = dpcxr_yaml_write_line(point->items->pdata[i]);
        g_ptr_array_add(overrides, dpcxr_sweep_assignment(((DpcxrYaml *)point->keys->pdata[i])->text, value));
    }
}

GPtrArray *dpcxr_sweep_axes_first(const DpcxrSweepAxes *axes, const char *config)
{
    g_autoptr(DpcxrProblems) problems = dpcxr_problems_new(); /* those of the experiment are told */
    g_autoptr(GPtrArray) common = g_ptr_array_new();
    GPtrArray *own = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_extend(common, axes->common, NULL, NULL);
    g_ptr_array_add(common, NULL);
    g_autoptr(DpcxrYaml) root = dpcxr_document_load(config, (const char *const *)common->pdata, problems);
    const DpcxrYaml *sweep = root ? dpcxr_yaml_get(root, "sweep") : NULL;
    first_of_grid(axes, dpcxr_yaml_get(sweep, "grid"), own);
    first_of_list(dpcxr_yaml_get(sweep, "list"), own);
    for (guint i = 0; i < axes->axes->len; i++) {
        const DpcxrSweepAxis *axis = &g_array_index(axes->axes, DpcxrSweepAxis, i);
        g_ptr_array_add(own, dpcxr_sweep_assignment(axis->key, axis->values[0]));
    }
    return own;
}

void dpcxr_sweep_axes_take_grid(DpcxrSweepAxes *axes, const DpcxrExperiment *base)
{
    guint at = 0;
    for (gsize i = 0; i < base->sweep.n_grid; i++) {
        const DpcxrSweepAxis *axis = &base->sweep.grid[i];
        if (dpcxr_sweep_axes_is_common(axes, axis->key) || dpcxr_sweep_axes_find(axes, axis->key))
            continue;
        DpcxrSweepAxis copy = {g_strdup(axis->key), g_strdupv(axis->values)};
        g_array_insert_val(axes->axes, at++, copy);
    }
}

gsize dpcxr_sweep_axes_size(const DpcxrSweepAxes *axes, gsize most)
{
    gsize size = 1;
    for (guint a = 0; a < axes->axes->len && size <= most; a++)
        size *= g_strv_length(g_array_index(axes->axes, DpcxrSweepAxis, a).values);
    return size <= most ? size : G_MAXSIZE;
}

GPtrArray *dpcxr_sweep_axes_point(const DpcxrSweepAxes *axes, char **listed, gsize i)
{
    GPtrArray *own = g_ptr_array_new_with_free_func(g_free);
    for (; listed && *listed; listed++)
        g_ptr_array_add(own, g_strdup(*listed));
    guint fixed = own->len;
    for (guint a = axes->axes->len; a-- > 0;) {
        const DpcxrSweepAxis *axis = &g_array_index(axes->axes, DpcxrSweepAxis, a);
        gsize n = g_strv_length(axis->values);
        g_ptr_array_insert(own, (int)fixed, dpcxr_sweep_assignment(axis->key, axis->values[i % n]));
        i /= n;
    }
    return own;
}
