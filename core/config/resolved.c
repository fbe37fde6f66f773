/* SPDX-License-Identifier: MIT
 * Walks the table of sections over the tree: options, features, unknown keys; then the few keys with a shape
 * of their own. And back. */
#include "config/resolved.h"
#include "config/document.h"
#include "optim/optimizer.h"
#include "optim/ramp.h"
#include "optim/schedule.h"
#include "plugin/nearest.h"
#include <string.h>

typedef struct {
    DpcxrYaml *root;
    const DpcxrPluginSource *plugins;
    DpcxrProblems *problems;
    DpcxrResolved *out;
} Reader;

static const DpcxrOptionSpec no_options[] = {{0}};

void dpcxr_feature_clear(DpcxrFeature *feature)
{
    g_clear_pointer(&feature->type, g_free);
    g_clear_pointer(&feature->options, dpcxr_options_free);
}

void dpcxr_group_clear(DpcxrGroup *group)
{
    g_clear_pointer(&group->name, g_free);
    g_clear_pointer(&group->column, g_free);
    g_clear_pointer(&group->bins, g_free);
}

G_GNUC_PRINTF(4, 5)
static void fail(const Reader *reader, const DpcxrMark *mark, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    dpcxr_problems_add(reader->problems, DPCXR_ERROR_USAGE, mark, path, "%s", message);
}

/* --- Places in the tree --- */

/* The map at @path, or NULL where there is none. *mark: its place, else that of the nearest section around
 * it. */
static DpcxrYaml *map_at(DpcxrYaml *root, const char *path, const DpcxrMark **mark)
{
    g_auto(GStrv) steps = g_strsplit(path, ".", -1); /* of "" there are none */
    DpcxrYaml *node = root;
    *mark = &root->mark;
    for (char **step = steps; node && *step; step++) {
        node = dpcxr_yaml_get(node, *step);
        if (node && !dpcxr_yaml_is_null(node))
            *mark = &node->mark;
    }
    return node && node->kind == DPCXR_YAML_MAP ? node : NULL;
}

/* "image" of "data.image"; *parent: "data". */
static const char *split_path(const char *path, char **parent)
{
    const char *dot = strrchr(path, '.');
    *parent = dot ? g_strndup(path, dot - path) : g_strdup("");
    return dot ? dot + 1 : path;
}

static gboolean has_type(const DpcxrOptionSpec *specs)
{
    return specs->name && !strcmp(specs->name, "type");
}

/* {type: word} of a word. Takes and returns. */
static DpcxrYaml *wrap(DpcxrYaml *value, const char *key)
{
    DpcxrYaml *map = dpcxr_yaml_new(DPCXR_YAML_MAP, &value->mark);
    dpcxr_yaml_set(map, key, value);
    return map;
}

/* Writes out the short forms: a word where a {type: ..} belongs, a list of weights where
 * a pos_weight does. */
static void write_out(DpcxrYaml *root, DpcxrSectionId id)
{
    const DpcxrSection *section = &dpcxr_sections()[id];
    g_autofree char *parent_path = NULL;
    const char *key = split_path(section->path, &parent_path);
    const DpcxrMark *mark;
    DpcxrYaml *parent = map_at(root, parent_path, &mark), *node = dpcxr_yaml_get(parent, key);
    if (!node || dpcxr_yaml_is_null(node))
        return;
    if (has_type(section->options) && node->kind == DPCXR_YAML_SCALAR)
        dpcxr_yaml_set(parent, key, wrap(dpcxr_yaml_copy(node), "type"));
    else if (id == DPCXR_SECTION_POS_WEIGHT && node->kind == DPCXR_YAML_LIST) {
        DpcxrYaml *map = wrap(dpcxr_yaml_copy(node), "weights");
        dpcxr_yaml_set(map, "type", dpcxr_yaml_new_scalar("public", TRUE, &node->mark));
        dpcxr_yaml_set(parent, key, map);
    }
}

/* --- Features --- */

static gboolean fail_type(const char *what, const char *type, const char *const *types, GError **error)
{
    g_autofree char *all = g_strjoinv(", ", (char **)types), *shown = dpcxr_yaml_show(type);
    const char *near = dpcxr_nearest(type, types);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "there is no %s \"%s\", only %s%s%s%s", what, shown,
                all, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return FALSE;
}

/* The option table of @feature->type; sets @feature->entry for plugins. */
static gboolean find_table(const Reader *reader, DpcxrSectionFeature kind, DpcxrFeature *feature,
                           const DpcxrOptionSpec **table, GError **error)
{
    static const DpcxrPluginKind kinds[] = {[DPCXR_FEATURE_DATASET] = DPCXR_PLUGIN_DATASET,
                                            [DPCXR_FEATURE_MODEL] = DPCXR_PLUGIN_MODEL,
                                            [DPCXR_FEATURE_ACCOUNTANT] = DPCXR_PLUGIN_ACCOUNTANT};
    if (kind == DPCXR_FEATURE_OPTIMIZER) {
        *table = dpcxr_optimizer_options(feature->type);
        return *table || fail_type("optimizer", feature->type, dpcxr_optimizer_types(), error);
    }
    if (kind == DPCXR_FEATURE_SCHEDULE) {
        *table = dpcxr_schedule_options(feature->type);
        return *table || fail_type("schedule", feature->type, dpcxr_schedule_types(), error);
    }
    if (kind == DPCXR_FEATURE_RAMP) {
        *table = dpcxr_ramp_options(feature->type);
        return *table || fail_type("schedule", feature->type, dpcxr_ramp_types(), error);
    }
    feature->entry = reader->plugins->find(kinds[kind], feature->type, error);
    *table = feature->entry ? feature->entry->plugin->options : NULL;
    return feature->entry != NULL;
}

/* Reads the options that come with the type. @options: those of the section, with its type. */
static const DpcxrOptionSpec *read_feature(const Reader *reader, DpcxrSectionId id, const DpcxrYaml *map,
                                           const DpcxrMark *mark)
{
    const DpcxrSection *section = &dpcxr_sections()[id];
    const DpcxrOptions *options = reader->out->sections[id];
    DpcxrFeature *feature = &reader->out->features[id];
    const DpcxrOptionSpec *table;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = dpcxr_options_join(section->path, "type");
    if (!dpcxr_options_is_good(options, "type"))
        return NULL;
    feature->type = g_strdup(dpcxr_options_get_string(options, "type"));
    if (!feature->type) {
        fail(reader, dpcxr_options_mark(options, "type"), path, "needs a value");
        return NULL;
    }
    if (!find_table(reader, section->feature, feature, &table, &error)) {
        fail(reader, dpcxr_options_mark(options, "type"), path, "%s", error->message);
        return NULL;
    }
    feature->options = dpcxr_options_read(table, map, section->path, mark, reader->problems);
    return table ? table : no_options;
}

/* One item of a list of plugins: a word, or a map with a type. */
static gboolean read_item(const Reader *reader, DpcxrPluginKind kind, const DpcxrYaml *item, const char *path,
                          DpcxrFeature *feature)
{
    static const DpcxrOptionSpec type_only[] = {
        {"type", DPCXR_OPTION_STRING, .summary = "the name of a plugin"}, {0}};
    g_autoptr(DpcxrYaml) map = item->kind == DPCXR_YAML_SCALAR && !dpcxr_yaml_is_null(item)
                                   ? wrap(dpcxr_yaml_copy(item), "type")
                                   : dpcxr_yaml_copy(item);
    if (map->kind != DPCXR_YAML_MAP) {
        g_autofree char *what = dpcxr_yaml_describe(item);
        fail(reader, &item->mark, path, "expected a plugin, as in {type: NAME}, got %s", what);
        return FALSE;
    }
    g_autoptr(DpcxrOptions) own = dpcxr_options_read(type_only, map, path, &map->mark, reader->problems);
    if (!dpcxr_options_is_good(own, "type"))
        return FALSE;
    g_autoptr(GError) error = NULL;
    feature->type = g_strdup(dpcxr_options_get_string(own, "type"));
    feature->entry = reader->plugins->find(kind, feature->type, &error);
    if (!feature->entry) {
        g_autofree char *inner = dpcxr_options_join(path, "type");
        fail(reader, dpcxr_options_mark(own, "type"), inner, "%s", error->message);
        return FALSE;
    }
    const DpcxrOptionSpec *table = feature->entry->plugin->options;
    feature->options = dpcxr_options_read(table, map, path, &map->mark, reader->problems);
    dpcxr_options_check_keys(map, path,
                             (const DpcxrOptionSpec *const[]){type_only, table ? table : no_options, NULL},
                             NULL, reader->problems);
    return TRUE;
}

static void read_items(const Reader *reader, DpcxrPluginKind kind, const char *parent, const char *key,
                       GArray *items)
{
    const DpcxrMark *mark;
    const DpcxrYaml *list = dpcxr_yaml_get(map_at(reader->root, parent, &mark), key);
    g_autofree char *path = dpcxr_options_join(parent, key);
    if (!list || dpcxr_yaml_is_null(list))
        return;
    if (list->kind != DPCXR_YAML_LIST) {
        g_autofree char *what = dpcxr_yaml_describe(list);
        fail(reader, &list->mark, path, "expected a list of plugins, as in [{type: NAME}], got %s", what);
        return;
    }
    for (guint i = 0; i < list->items->len; i++) {
        g_autofree char *inner = g_strdup_printf("%s.%u", path, i);
        DpcxrFeature feature = {0};
        if (read_item(reader, kind, list->items->pdata[i], inner, &feature))
            g_array_append_val(items, feature);
        else
            dpcxr_feature_clear(&feature);
    }
}

/* --- Groups and sweeps --- */

static gboolean check_bins(const Reader *reader, const DpcxrOptions *options, const char *path)
{
    gsize n;
    const double *bins = dpcxr_options_get_numbers(options, "bins", &n);
    gboolean good = !dpcxr_options_is_set(options, "bins") || n >= 2;
    for (gsize i = 1; i < n; i++)
        good &= bins[i] > bins[i - 1];
    if (!good) {
        g_autofree char *inner = dpcxr_options_join(path, "bins");
        fail(reader, dpcxr_options_mark(options, "bins"), inner, "expected at least two edges, increasing");
    }
    return good;
}

/* A group is a column of the tables of predictions, beside others. */
static gboolean is_group_name(const char *name)
{
    return *name && !strpbrk(name, "\n\r\t\"") && strcmp(name, "sample_id") && strcmp(name, "patient_id") &&
           !g_str_has_prefix(name, "y_") && !g_str_has_prefix(name, "p_");
}

static void read_group(const Reader *reader, const DpcxrYaml *key, const DpcxrYaml *node)
{
    g_autofree char *shown = dpcxr_yaml_show(key->text);
    g_autofree char *path = dpcxr_options_join("data.groups", shown);
    const DpcxrOptionSpec *table = dpcxr_group_options();
    if (!is_group_name(key->text)) {
        fail(reader, &key->mark, "data.groups",
             "\"%s\" cannot be the name of a group: predictions have a column with it beside sample_id, "
             "patient_id, y_LABEL "
             "and p_LABEL",
             shown);
        return;
    }
    if (node->kind != DPCXR_YAML_MAP && !dpcxr_yaml_is_null(node)) {
        g_autofree char *what = dpcxr_yaml_describe(node);
        fail(reader, &node->mark, path, "expected a map, as in {column: age, bins: [0, 50, 100]}, got %s",
             what);
        return;
    }
    g_autoptr(DpcxrOptions) options = dpcxr_options_read(table, node, path, &node->mark, reader->problems);
    dpcxr_options_check_keys(node, path, (const DpcxrOptionSpec *const[]){table, NULL}, NULL,
                             reader->problems);
    if (!check_bins(reader, options, path))
        return;
    const char *column = dpcxr_options_get_string(options, "column");
    DpcxrGroup group = {.name = g_strdup(key->text), .column = g_strdup(column ? column : key->text)};
    const double *bins = dpcxr_options_get_numbers(options, "bins", &group.n_bins);
    group.bins = g_memdup2(bins, group.n_bins * sizeof *bins);
    g_array_append_val(reader->out->groups, group);
}

static void read_groups(const Reader *reader)
{
    const DpcxrMark *mark;
    const DpcxrYaml *groups = dpcxr_yaml_get(map_at(reader->root, "data", &mark), "groups");
    if (!groups || dpcxr_yaml_is_null(groups))
        return;
    if (groups->kind != DPCXR_YAML_MAP) {
        g_autofree char *what = dpcxr_yaml_describe(groups);
        fail(reader, &groups->mark, "data.groups", "expected a map, as in {sex: {column: sex}}, got %s",
             what);
        return;
    }
    for (guint i = 0; i < groups->items->len; i++)
        read_group(reader, groups->keys->pdata[i], groups->items->pdata[i]);
}

/* Whether @key can be the start of an override. */
static gboolean is_top_key(const char *key)
{
    const DpcxrSection *sections = dpcxr_sections();
    g_autofree char *first = g_strndup(key, strcspn(key, "."));
    for (int i = 1; i < DPCXR_N_SECTIONS; i++)
        if (!strcmp(sections[i].path, first))
            return i != DPCXR_SECTION_SWEEP;
    for (const DpcxrOptionSpec *spec = sections[DPCXR_SECTION_TOP].options; spec->name; spec++)
        if (!strcmp(spec->name, first))
            return strcmp(first, "include") != 0;
    return FALSE;
}

/* What a sweep sets itself, for every run. */
static gboolean is_sweep_key(const char *key)
{
    return is_top_key(key) && strcmp(key, "name") && strcmp(key, "stages") && strcmp(key, "plugins") &&
           strcmp(key, "evaluate.splits");
}

static gboolean check_sweep_key(const Reader *reader, const DpcxrYaml *key, const char *path)
{
    if (is_sweep_key(key->text))
        return TRUE;
    if (is_top_key(key->text))
        fail(reader, &key->mark, path, "is the same for all runs of a sweep");
    else
        fail(reader, &key->mark, path, "is no key of an experiment; write it as in privacy.epsilon");
    return FALSE;
}

static void read_grid(const Reader *reader)
{
    const DpcxrMark *mark;
    DpcxrYaml *grid = dpcxr_yaml_get(map_at(reader->root, "sweep", &mark), "grid");
    reader->out->grid = dpcxr_yaml_new(DPCXR_YAML_MAP, mark);
    if (!grid || dpcxr_yaml_is_null(grid))
        return;
    if (grid->kind != DPCXR_YAML_MAP) {
        fail(reader, &grid->mark, "sweep.grid", "expected a map, as in {privacy.epsilon: [1, 8]}");
        return;
    }
    for (guint i = 0; i < grid->items->len; i++) {
        const DpcxrYaml *key = grid->keys->pdata[i], *values = grid->items->pdata[i];
        g_autofree char *shown = dpcxr_yaml_show(key->text), *path = dpcxr_options_join("sweep.grid", shown);
        if (!check_sweep_key(reader, key, path))
            continue;
        if (values->kind != DPCXR_YAML_LIST || !values->items->len)
            fail(reader, &values->mark, path, "expected a list of values, as in [1, 8]");
        else
            dpcxr_yaml_set(reader->out->grid, key->text, dpcxr_yaml_copy(values));
    }
}

/* A point of `sweep.list`. */
static void read_point(const Reader *reader, const DpcxrYaml *point, const char *path)
{
    gboolean good = point->kind == DPCXR_YAML_MAP && point->items->len > 0;
    if (!good)
        fail(reader, &point->mark, path, "expected a map, as in {privacy.epsilon: 1, optimizer.lr: 1e-3}");
    for (guint i = 0; good && i < point->items->len; i++) {
        const DpcxrYaml *key = point->keys->pdata[i];
        g_autofree char *shown = dpcxr_yaml_show(key->text), *inner = dpcxr_options_join(path, shown);
        good = check_sweep_key(reader, key, inner);
        if (good && dpcxr_yaml_get(reader->out->grid, key->text)) {
            fail(reader, &key->mark, inner, "is in sweep.grid, too");
            good = FALSE;
        }
    }
    if (good)
        g_ptr_array_add(reader->out->list->items, dpcxr_yaml_copy(point));
}

static void read_list(const Reader *reader)
{
    const DpcxrMark *mark;
    const DpcxrYaml *list = dpcxr_yaml_get(map_at(reader->root, "sweep", &mark), "list");
    reader->out->list = dpcxr_yaml_new(DPCXR_YAML_LIST, mark);
    if (!list || dpcxr_yaml_is_null(list))
        return;
    if (list->kind != DPCXR_YAML_LIST) {
        fail(reader, &list->mark, "sweep.list", "expected a list of points, as in [{privacy.epsilon: 1}]");
        return;
    }
    for (guint i = 0; i < list->items->len; i++) {
        g_autofree char *path = g_strdup_printf("sweep.list.%u", i);
        read_point(reader, list->items->pdata[i], path);
    }
}

static void read_sweep_accountants(const Reader *reader)
{
    const DpcxrMark *mark;
    const DpcxrYaml *list = dpcxr_yaml_get(map_at(reader->root, "sweep", &mark), "accountants");
    reader->out->accountant_list = list && list->kind == DPCXR_YAML_LIST ? dpcxr_yaml_copy(list)
                                                                         : dpcxr_yaml_new(DPCXR_YAML_LIST, mark);
    read_items(reader, DPCXR_PLUGIN_ACCOUNTANT, "sweep", "accountants", reader->out->accountants);
}

/* --- Sections --- */

/* Keys of section @id that are not options: sections inside it and collections. (transfer container) */
static GPtrArray *other_keys(DpcxrSectionId id)
{
    const DpcxrSection *sections = dpcxr_sections();
    GPtrArray *others = g_ptr_array_new();
    for (int i = 1; i < DPCXR_N_SECTIONS; i++) {
        g_autofree char *parent = NULL;
        const char *key = split_path(sections[i].path, &parent);
        if (!strcmp(parent, sections[id].path))
            g_ptr_array_add(others, (gpointer)key);
    }
    for (const char *const *key = sections[id].collections; key && *key; key++)
        g_ptr_array_add(others, (gpointer)*key);
    g_ptr_array_add(others, NULL);
    return others;
}

/* Says so where the section is neither a map nor absent. */
static void check_shape(const Reader *reader, const char *path)
{
    g_autofree char *parent = NULL;
    const char *key = split_path(path, &parent);
    const DpcxrMark *mark;
    const DpcxrYaml *node = *path ? dpcxr_yaml_get(map_at(reader->root, parent, &mark), key) : NULL;
    if (!node || node->kind == DPCXR_YAML_MAP || dpcxr_yaml_is_null(node))
        return;
    g_autofree char *what = dpcxr_yaml_describe(node);
    fail(reader, &node->mark, path, "expected a map with its keys, got %s", what);
}

static void read_section(const Reader *reader, DpcxrSectionId id)
{
    const DpcxrSection *section = &dpcxr_sections()[id];
    const DpcxrMark *mark;
    check_shape(reader, section->path);
    DpcxrYaml *map = map_at(reader->root, section->path, &mark);
    reader->out->sections[id] =
        dpcxr_options_read(section->options, map, section->path, mark, reader->problems);
    const DpcxrOptionSpec *table = no_options;
    if (section->feature != DPCXR_FEATURE_NONE)
        table = read_feature(reader, id, map, mark);
    if (!table) /* which keys are right is not known */
        return;
    g_autoptr(GPtrArray) others = other_keys(id);
    dpcxr_options_check_keys(map, section->path,
                             (const DpcxrOptionSpec *const[]){section->options, table, NULL},
                             (const char *const *)others->pdata, reader->problems);
}

static void add_plugins(const Reader *reader)
{
    const DpcxrOptions *top = reader->out->sections[DPCXR_SECTION_TOP];
    for (const char *const *path = dpcxr_options_get_strings(top, "plugins"); *path; path++) {
        g_autoptr(GError) error = NULL;
        if (!reader->plugins->add(*path, &error))
            fail(reader, dpcxr_options_mark(top, "plugins"), "plugins", "%s", error->message);
    }
}

DpcxrResolved *dpcxr_resolved_read(DpcxrYaml *root, const DpcxrPluginSource *plugins, DpcxrProblems *problems)
{
    DpcxrResolved *out = g_new0(DpcxrResolved, 1);
    Reader reader = {root, plugins, problems, out};
    out->groups = g_array_new(FALSE, FALSE, sizeof(DpcxrGroup));
    out->augment = g_array_new(FALSE, FALSE, sizeof(DpcxrFeature));
    out->also_report = g_array_new(FALSE, FALSE, sizeof(DpcxrFeature));
    out->accountants = g_array_new(FALSE, FALSE, sizeof(DpcxrFeature));
    g_array_set_clear_func(out->groups, (GDestroyNotify)dpcxr_group_clear);
    g_array_set_clear_func(out->augment, (GDestroyNotify)dpcxr_feature_clear);
    g_array_set_clear_func(out->also_report, (GDestroyNotify)dpcxr_feature_clear);
    g_array_set_clear_func(out->accountants, (GDestroyNotify)dpcxr_feature_clear);
    for (int id = 1; id < DPCXR_N_SECTIONS; id++)
        write_out(root, id);
    for (int id = 0; id < DPCXR_N_SECTIONS; id++) {
        read_section(&reader, id);
        if (id == DPCXR_SECTION_TOP)
            add_plugins(&reader);
    }
    read_groups(&reader);
    read_items(&reader, DPCXR_PLUGIN_AUGMENTATION, "data", "augment", out->augment);
    read_items(&reader, DPCXR_PLUGIN_ACCOUNTANT, "privacy", "also_report", out->also_report);
    read_grid(&reader);
    read_list(&reader);
    read_sweep_accountants(&reader);
    return out;
}

void dpcxr_resolved_free(DpcxrResolved *resolved)
{
    if (!resolved)
        return;
    for (int id = 0; id < DPCXR_N_SECTIONS; id++) {
        dpcxr_options_free(resolved->sections[id]);
        dpcxr_feature_clear(&resolved->features[id]);
    }
    g_array_unref(resolved->groups);
    g_array_unref(resolved->augment);
    g_array_unref(resolved->also_report);
    g_array_unref(resolved->accountants);
    dpcxr_yaml_free(resolved->accountant_list);
    dpcxr_yaml_free(resolved->grid);
    dpcxr_yaml_free(resolved->list);
    g_free(resolved);
}

/* --- Back to YAML --- */

/* The map at @path, made where it is missing. */
static DpcxrYaml *make_map(DpcxrYaml *root, const char *path)
{
    g_auto(GStrv) steps = g_strsplit(path, ".", -1);
    DpcxrYaml *node = root;
    for (char **step = steps; *step; step++) {
        if (!dpcxr_yaml_get(node, *step))
            dpcxr_yaml_set(node, *step, dpcxr_yaml_new(DPCXR_YAML_MAP, &root->mark));
        node = dpcxr_yaml_get(node, *step);
    }
    return node;
}

static void write_items(const GArray *items, gboolean paths, DpcxrYaml *map, const char *key)
{
    DpcxrYaml *list = dpcxr_yaml_new(DPCXR_YAML_LIST, &map->mark);
    for (guint i = 0; i < items->len; i++) {
        const DpcxrFeature *feature = &g_array_index(items, DpcxrFeature, i);
        DpcxrYaml *item = dpcxr_yaml_new(DPCXR_YAML_MAP, &map->mark);
        dpcxr_yaml_set(item, "type", dpcxr_yaml_new_scalar(feature->type, FALSE, &map->mark));
        dpcxr_options_write(feature->options, paths, item);
        g_ptr_array_add(list->items, item);
    }
    dpcxr_yaml_set(map, key, list);
}

static void write_groups(const GArray *groups, DpcxrYaml *data)
{
    DpcxrYaml *map = dpcxr_yaml_new(DPCXR_YAML_MAP, &data->mark);
    for (guint i = 0; i < groups->len; i++) {
        const DpcxrGroup *group = &g_array_index(groups, DpcxrGroup, i);
        DpcxrYaml *item = dpcxr_yaml_new(DPCXR_YAML_MAP, &data->mark);
        g_autofree char *column = dpcxr_document_escape(group->column);
        dpcxr_yaml_set(item, "column", dpcxr_yaml_new_scalar(column, FALSE, &data->mark));
        dpcxr_yaml_set(item, "bins", dpcxr_options_write_numbers(group->bins, group->n_bins, &data->mark));
        dpcxr_yaml_set(map, group->name, item);
    }
    dpcxr_yaml_set(data, "groups", map);
}

/* The values of a sweep stand as they were written, variables too. */
static void write_sweep(const DpcxrResolved *resolved, gboolean paths, DpcxrYaml *map)
{
    dpcxr_yaml_set(map, "grid", dpcxr_yaml_copy(resolved->grid));
    dpcxr_yaml_set(map, "list", dpcxr_yaml_copy(resolved->list));
    write_items(resolved->accountants, paths, map, "accountants");
}

char *dpcxr_resolved_write(const DpcxrResolved *resolved, gboolean paths)
{
    DpcxrMark nowhere = {g_ref_string_new("resolved"), 0, 0};
    g_autoptr(DpcxrYaml) root = dpcxr_yaml_new(DPCXR_YAML_MAP, &nowhere);
    for (int id = 0; id < DPCXR_N_SECTIONS; id++) {
        DpcxrYaml *map = make_map(root, dpcxr_sections()[id].path);
        dpcxr_options_write(resolved->sections[id], paths, map);
        if (resolved->features[id].options)
            dpcxr_options_write(resolved->features[id].options, paths, map);
        if (id == DPCXR_SECTION_DATA) {
            write_groups(resolved->groups, map);
            write_items(resolved->augment, paths, map, "augment");
        }
        if (id == DPCXR_SECTION_PRIVACY)
            write_items(resolved->also_report, paths, map, "also_report");
        if (id == DPCXR_SECTION_SWEEP)
            write_sweep(resolved, paths, map);
    }
    dpcxr_yaml_remove(root, "include"); /* they are in */
    if (!paths) {                       /* the values of a sweep may be paths */
        dpcxr_yaml_remove(root, "plugins");
        dpcxr_yaml_remove(root, "sweep");
    }
    dpcxr_mark_clear(&nowhere);
    return dpcxr_yaml_write(root);
}
