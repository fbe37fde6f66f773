/* SPDX-License-Identifier: MIT
 * Includes, overrides and ${env:..}. Cycles, depth and number of includes are bounded: two lines that include
 * each other twice would otherwise ask for 2^depth files. */
#include "config/document.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INCLUDE_DEPTH = 16, MAX_FILES = 64 };

static const char environment_prefix[] = "${env:";

typedef struct {
    DpcxrProblems *problems;
    GPtrArray *open; /* char *: canonical paths of the files around the current one */
    guint files;
} Loader;

/* --- ${env:..} --- */

static gboolean is_name(const char *name)
{
    if (!g_ascii_isalpha(*name) && *name != '_')
        return FALSE;
    for (; *name; name++)
        if (!g_ascii_isalnum(*name) && *name != '_')
            return FALSE;
    return TRUE;
}

/* The value of "NAME" or "NAME:-default"; NULL after reporting why there is none. */
static char *look_up(const char *reference, const DpcxrYaml *node, const char *path, DpcxrProblems *problems)
{
    const char *separator = strstr(reference, ":-");
    g_autofree char *name = separator ? g_strndup(reference, separator - reference) : g_strdup(reference);
    if (!is_name(name)) {
        g_autofree char *shown = dpcxr_yaml_show(name);
        dpcxr_problems_add(problems, DPCXR_ERROR_USAGE, &node->mark, path,
                           "\"%s\" is not the name of an environment variable", shown);
        return NULL;
    }
    const char *value = g_getenv(name);
    if (separator && (!value || !*value)) /* as in a shell */
        return g_strdup(separator + 2);
    if (!value)
        dpcxr_problems_add(problems, DPCXR_ERROR_USAGE, &node->mark, path,
                           "the environment variable %s is not set; set it, or write ${env:%s:-default}",
                           name, name);
    else if (!g_utf8_validate(value, -1, NULL) || strlen(value) > DPCXR_YAML_MAX_SCALAR)
        dpcxr_problems_add(problems, DPCXR_ERROR_USAGE, &node->mark, path,
                           "the environment variable %s is not valid UTF-8 or too long", name);
    else
        return g_strdup(value);
    return NULL;
}

/* The text of @node with every reference replaced, or NULL after reporting a problem. Values are not searched
 * again. *found: whether there was any. */
static char *expand(const DpcxrYaml *node, const char *path, DpcxrProblems *problems, gboolean *found)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const gsize skip = strlen(environment_prefix);
    const char *text = node->text;
    *found = FALSE;
    for (const char *start; (start = strstr(text, environment_prefix));) {
        if (start > text && start[-1] == '$') { /* escaped: drop one $ */
            g_string_append_len(out, text, start - 1 - text);
            g_string_append(out, environment_prefix);
            text = start + skip;
            continue;
        }
        const char *end = strchr(start, '}');
        if (!end) {
            dpcxr_problems_add(problems, DPCXR_ERROR_USAGE, &node->mark, path, "${env: without its }");
            return NULL;
        }
        g_autofree char *reference = g_strndup(start + skip, end - start - skip);
        g_autofree char *value = look_up(reference, node, path, problems);
        if (!value)
            return NULL;
        g_string_append_len(out, text, start - text);
        g_string_append(out, value);
        *found = TRUE;
        text = end + 1;
        if (out->len > DPCXR_YAML_MAX_SCALAR) {
            dpcxr_problems_add(problems, DPCXR_ERROR_USAGE, &node->mark, path, "too long with its variables");
            return NULL;
        }
    }
    g_string_append(out, text);
    return g_strdup(out->str);
}

/* Values of a sweep become overrides, and are replaced there. */
static void substitute(DpcxrYaml *node, const char *path, DpcxrProblems *problems)
{
    if (!strcmp(path, "sweep.grid") || !strcmp(path, "sweep.list"))
        return;
    if (node->kind == DPCXR_YAML_SCALAR) {
        if (!strstr(node->text, environment_prefix))
            return;
        gboolean found;
        char *text = expand(node, path, problems, &found);
        if (text) {
            g_free(node->text);
            node->text = text;
            node->from_environment = found;
        }
        return;
    }
    for (guint i = 0; i < node->items->len; i++) {
        g_autofree char *key = node->keys ? dpcxr_yaml_show(((DpcxrYaml *)node->keys->pdata[i])->text)
                                          : g_strdup_printf("%u", i);
        g_autofree char *inner = *path ? g_strconcat(path, ".", key, NULL) : g_strdup(key);
        substitute(node->items->pdata[i], inner, problems);
    }
}

char *dpcxr_document_escape(const char *text)
{
    g_auto(GStrv) pieces = g_strsplit(text, environment_prefix, -1);
    return g_strjoinv("$${env:", pieces);
}

/* --- Includes --- */

/* Puts @over (taken) on top of @base. */
static void merge(DpcxrYaml *base, DpcxrYaml *over)
{
    for (guint i = 0; i < over->keys->len; i++) {
        DpcxrYaml *key = over->keys->pdata[i], *value = over->items->pdata[i];
        DpcxrYaml *old = dpcxr_yaml_get(base, key->text);
        if (old && old->kind == DPCXR_YAML_MAP && value->kind == DPCXR_YAML_MAP) {
            merge(old, dpcxr_yaml_copy(value));
            continue;
        }
        dpcxr_yaml_remove(base, key->text);
        g_ptr_array_add(base->keys, dpcxr_yaml_copy(key)); /* with the mark of the key, not of the value */
        g_ptr_array_add(base->items, dpcxr_yaml_copy(value));
    }
    dpcxr_mark_clear(&base->mark); /* a missing key is best shown where the upper file has the section */
    base->mark = dpcxr_mark_copy(&over->mark);
    dpcxr_yaml_free(over);
}

static DpcxrYaml *load_file(Loader *loader, const char *path, const DpcxrYaml *from);

G_GNUC_PRINTF(3, 4)
static void fail_include(Loader *loader, const DpcxrYaml *item, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    dpcxr_problems_add(loader->problems, DPCXR_ERROR_USAGE, &item->mark, "include", "%s", message);
    dpcxr_problems_set_incomplete(loader->problems);
}

/* What the files of @list make together; an empty map where there are none. */
static DpcxrYaml *load_includes(Loader *loader, DpcxrYaml *list, const char *path, const DpcxrMark *mark)
{
    DpcxrYaml *base = dpcxr_yaml_new(DPCXR_YAML_MAP, mark);
    if (!list || dpcxr_yaml_is_null(list))
        return base;
    if (list->kind != DPCXR_YAML_LIST) {
        fail_include(loader, list, "expected a list of files, as in [base.yaml]");
        return base;
    }
    g_autofree char *folder = g_path_get_dirname(path);
    gsize before = dpcxr_problems_count(loader->problems);
    substitute(list, "include", loader->problems);
    if (dpcxr_problems_count(loader->problems) > before)
        return base;
    for (guint i = 0; i < list->items->len; i++) {
        DpcxrYaml *item = list->items->pdata[i];
        if (item->kind != DPCXR_YAML_SCALAR || dpcxr_yaml_is_null(item)) {
            fail_include(loader, item, "expected the name of a file");
            continue;
        }
        g_autofree char *file = g_path_is_absolute(item->text) || !strcmp(folder, ".")
                                    ? g_strdup(item->text)
                                    : g_build_filename(folder, item->text, NULL);
        DpcxrYaml *tree = load_file(loader, file, item);
        if (tree)
            merge(base, tree);
        else
            dpcxr_problems_set_incomplete(loader->problems);
    }
    return base;
}

static gboolean may_open(Loader *loader, const char *path, const char *canonical, const DpcxrYaml *from)
{
    for (guint i = 0; i < loader->open->len; i++)
        if (!strcmp(loader->open->pdata[i], canonical)) {
            fail_include(loader, from, "%s includes itself", path);
            return FALSE;
        }
    if (loader->open->len >= MAX_INCLUDE_DEPTH) {
        fail_include(loader, from, "includes nested more than %d deep", MAX_INCLUDE_DEPTH);
        return FALSE;
    }
    if (++loader->files > MAX_FILES) {
        if (loader->files == MAX_FILES + 1)
            fail_include(loader, from, "more than %d files are included", MAX_FILES);
        return FALSE;
    }
    return TRUE;
}

/* @from: (nullable) the item of `include` that names the file. */
static DpcxrYaml *load_file(Loader *loader, const char *path, const DpcxrYaml *from)
{
    g_autofree char *resolved = realpath(path, NULL); /* malloc is g_malloc since GLib 2.46 */
    int trouble = errno;
    const char *canonical = resolved ? resolved : path;
    if (from && !may_open(loader, path, canonical, from))
        return NULL;
    if (from && !resolved) {
        fail_include(loader, from, "%s cannot be read: %s", path, g_strerror(trouble));
        return NULL;
    }
    dpcxr_problems_enter(loader->problems, path);
    DpcxrYaml *tree = dpcxr_yaml_read(path, loader->problems);
    if (!tree)
        return NULL;
    if (tree->kind != DPCXR_YAML_MAP) {
        gboolean empty = dpcxr_yaml_is_null(tree);
        g_autofree char *what = dpcxr_yaml_describe(tree);
        if (!empty)
            dpcxr_problems_add(loader->problems, DPCXR_ERROR_USAGE, &tree->mark, "",
                               "expected \"key: value\" lines, got %s", what);
        DpcxrYaml *nothing = dpcxr_yaml_new(DPCXR_YAML_MAP, &tree->mark);
        dpcxr_yaml_free(tree);
        tree = nothing;
        if (!empty)
            g_clear_pointer(&tree, dpcxr_yaml_free);
        return tree;
    }
    g_ptr_array_add(loader->open, g_strdup(canonical));
    DpcxrYaml *base = load_includes(loader, dpcxr_yaml_get(tree, "include"), path, &tree->mark);
    g_ptr_array_remove_index(loader->open, loader->open->len - 1);
    dpcxr_yaml_remove(tree, "include");
    merge(base, tree);
    return base;
}

/* --- Overrides --- */

static gboolean fail_override(DpcxrProblems *problems, const DpcxrMark *mark, const char *path,
                              const char *what)
{
    dpcxr_problems_add(problems, DPCXR_ERROR_USAGE, mark, path, "%s", what);
    return FALSE;
}

/* The item of @list that @step names, or NULL after reporting. */
static DpcxrYaml **list_item(DpcxrYaml *list, const char *step, const char *path, const DpcxrMark *mark,
                             DpcxrProblems *problems)
{
    guint64 i;
    if (list->items->len && g_ascii_string_to_unsigned(step, 10, 0, list->items->len - 1, &i, NULL))
        return (DpcxrYaml **)&list->items->pdata[i];
    g_autofree char *shown = dpcxr_yaml_show(step);
    g_autofree char *what = list->items->len
                                ? g_strdup_printf("\"%s\" is no item of this list, which has 0 to %u", shown,
                                                  list->items->len - 1)
                                : g_strdup_printf("\"%s\" is no item of this list, which is empty", shown);
    fail_override(problems, mark, path, what);
    return NULL;
}

/* Where the next step of a path leads: a place in @node, made where it is missing. */
static DpcxrYaml **step_into(DpcxrYaml *node, const char *step, const char *path, const DpcxrMark *mark,
                             DpcxrProblems *problems)
{
    if (node->kind == DPCXR_YAML_LIST)
        return list_item(node, step, path, mark, problems);
    if (node->kind != DPCXR_YAML_MAP) {
        g_autofree char *what = dpcxr_yaml_describe(node);
        g_autofree char *shown = dpcxr_yaml_show(step);
        g_autofree char *message = g_strdup_printf("there is no \"%s\" in %s", shown, what);
        fail_override(problems, mark, path, message);
        return NULL;
    }
    if (!dpcxr_yaml_get(node, step))
        dpcxr_yaml_set(node, step, dpcxr_yaml_new_scalar("null", TRUE, mark));
    for (guint i = 0; i < node->keys->len; i++)
        if (!strcmp(((DpcxrYaml *)node->keys->pdata[i])->text, step))
            return (DpcxrYaml **)&node->items->pdata[i];
    return NULL;
}

/* Takes @value. */
static gboolean assign(DpcxrYaml *root, char **steps, const char *path, DpcxrYaml *value,
                       DpcxrProblems *problems)
{
    g_autoptr(DpcxrYaml) owned = value;
    DpcxrYaml **place = &root;
    for (; *steps; steps++) {
        if (dpcxr_yaml_is_null(*place)) { /* a section that is not written yet */
            dpcxr_yaml_free(*place);
            *place = dpcxr_yaml_new(DPCXR_YAML_MAP, &value->mark);
        }
        place = step_into(*place, *steps, path, &value->mark, problems);
        if (!place)
            return FALSE;
    }
    dpcxr_yaml_free(*place);
    *place = g_steal_pointer(&owned);
    return TRUE;
}

/* The value of the override of @key. A text that is no YAML has no path to it, so its message names the key.
 */
static DpcxrYaml *parse_value(const char *text, const char *key, const DpcxrMark *mark,
                              DpcxrProblems *problems)
{
    g_autoptr(DpcxrProblems) scratch = dpcxr_problems_new();
    g_autoptr(DpcxrYaml) value = dpcxr_yaml_parse(text, -1, mark->file, mark, scratch);
    if (value && dpcxr_problems_count(scratch) == 0)
        return g_steal_pointer(&value);
    g_autofree char *file = g_strdup_printf("%s: %s", mark->file, key);
    DpcxrMark named = {g_ref_string_new(file), 0, 0};
    dpcxr_yaml_free(dpcxr_yaml_parse(text, -1, named.file, &named, problems)); /* for its problems */
    dpcxr_mark_clear(&named);
    dpcxr_problems_set_incomplete(problems);
    return NULL;
}

static gboolean apply_override(DpcxrYaml *root, const char *override, const DpcxrMark *mark,
                               DpcxrProblems *problems)
{
    if (!g_utf8_validate(override, -1, NULL))
        return fail_override(problems, mark, "", "an override that is not valid UTF-8");
    const char *equals = strchr(override, '=');
    g_autofree char *path = equals ? g_strndup(override, equals - override) : g_strdup(override);
    g_auto(GStrv) steps = g_strsplit(path, ".", -1);
    g_autofree char *shown = dpcxr_yaml_show(path);
    if (!equals)
        return fail_override(problems, mark, shown, "expected key=value");
    if (g_strv_length(steps) > DPCXR_YAML_MAX_DEPTH || !*path ||
        g_strv_contains((const char *const *)steps, ""))
        return fail_override(problems, mark, shown, "expected a key such as privacy.epsilon before the =");
    if (!strcmp(steps[0], "include"))
        return fail_override(problems, mark, shown, "includes belong into the file");
    DpcxrYaml *value = parse_value(equals + 1, shown, mark, problems);
    return value && assign(root, steps, shown, value, problems);
}

/* --- Together --- */

DpcxrYaml *dpcxr_document_load(const char *path, const char *const *overrides, DpcxrProblems *problems)
{
    Loader loader = {.problems = problems, .open = g_ptr_array_new_with_free_func(g_free)};
    DpcxrYaml *root = load_file(&loader, path, NULL);
    g_ptr_array_unref(loader.open);
    if (!root)
        return NULL;
    DpcxrMark mark = {g_ref_string_new("command line"), 0, 0};
    for (; overrides && *overrides; overrides++)
        apply_override(root, *overrides, &mark, problems);
    dpcxr_mark_clear(&mark);
    substitute(root, "", problems);
    return root;
}
