/* SPDX-License-Identifier: MIT
 * Values of an option table: stored once, typed, with the place they come from. */
#include "config/options.h"
#include "config/document.h"
#include "plugin/nearest.h"
#include <float.h>
#include <math.h>
#include <string.h>

typedef struct {
    gboolean set;  /* not null */
    gboolean good; /* FALSE: what was written is wrong and has been reported */
    gboolean from_environment; /* of free text: holds the value of a variable */
    gboolean boolean;
    gint64 integer;
    double number;
    char *text;      /* STRING, CHOICE, PATH; the word of a number */
    char **strings;  /* STRINGS; the keys of a MAP */
    char **values;   /* the values of a MAP */
    double *numbers; /* NUMBERS */
    gsize n_numbers;
    DpcxrMark mark;
    char *where;
} Value;

struct _DpcxrOptions {
    const DpcxrOptionSpec *specs; /* (nullable) */
    gsize n;
    Value *values; /* [n] */
};

/* Where a value is being read, for messages. */
typedef struct {
    const char *path;
    DpcxrProblems *problems;
} Context;

static gsize count_specs(const DpcxrOptionSpec *specs)
{
    gsize n = 0;
    while (specs && specs[n].name)
        n++;
    return n;
}

char *dpcxr_options_join(const char *path, const char *name)
{
    return *path ? g_strconcat(path, ".", name, NULL) : g_strdup(name);
}

G_GNUC_PRINTF(3, 4)
static gboolean fail(const Context *context, const DpcxrYaml *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    dpcxr_problems_add(context->problems, DPCXR_ERROR_USAGE, &node->mark, context->path, "%s", message);
    return FALSE;
}

static gboolean fail_type(const Context *context, const DpcxrYaml *node, const char *expected)
{
    g_autofree char *what = dpcxr_yaml_describe(node);
    return fail(context, node, "expected %s, got %s", expected, what);
}

/* --- One value by type --- */

/* "swap, keep, refuse" of "swap|keep|refuse". */
static char *list_choices(const char *choices)
{
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);
    return g_strjoinv(", ", words);
}

static gboolean is_choice(const char *choices, const char *text)
{
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);
    return g_strv_contains((const char *const *)words, text);
}

static gboolean check_choice(const Context *context, const DpcxrYaml *node, const char *choices)
{
    if (node->kind == DPCXR_YAML_SCALAR && is_choice(choices, node->text))
        return TRUE;
    g_autofree char *what = dpcxr_yaml_describe(node), *all = list_choices(choices);
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);
    double number;
    gboolean is_word = node->kind == DPCXR_YAML_SCALAR && !dpcxr_yaml_get_number(node, &number);
    const char *near = is_word ? dpcxr_nearest(node->text, (const char *const *)words) : NULL;
    if (near)
        return fail(context, node, "expected one of %s, got %s; did you mean \"%s\"?", all, what, near);
    return fail(context, node, "expected one of %s, got %s", all, what);
}

static gboolean check_range(const Context *context, const DpcxrYaml *node, const DpcxrOptionSpec *spec,
                            double value)
{
    gboolean limited = spec->min != 0 || spec->max != 0;
    if (!limited || (value >= spec->min && value <= spec->max))
        return TRUE;
    char low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];
    const char *format = spec->type == DPCXR_OPTION_INT ? "%.0f" : "%.10g"; /* whole numbers in full: seeds go to 2^53 */
    g_ascii_formatd(low, sizeof low, spec->min == -DBL_MAX ? "%.10g" : format, spec->min);
    g_ascii_formatd(high, sizeof high, spec->max == DBL_MAX ? "%.10g" : format, spec->max);
    g_autofree char *lower = spec->min == DBL_MIN    ? g_strdup("above 0")
                             : spec->min == -DBL_MAX ? NULL
                                                     : g_strdup_printf("at least %s", low);
    g_autofree char *upper = spec->max == DBL_MAX ? NULL : g_strdup_printf("at most %s", high);
    const char *unit = spec->unit ? spec->unit : "", *space = spec->unit ? " " : "";
    g_autofree char *shown = dpcxr_yaml_show(node->text);
    return fail(context, node, "must be %s%s%s%s%s, got %s", lower ? lower : "",
                lower && upper ? " and " : "", upper ? upper : "", space, unit, shown);
}

/* A word in place of a number. */
static gboolean read_word(const DpcxrOptionSpec *spec, const DpcxrYaml *node, Value *value)
{
    if (!spec->choices || node->kind != DPCXR_YAML_SCALAR || !is_choice(spec->choices, node->text))
        return FALSE;
    value->text = g_strdup(node->text);
    return TRUE;
}

static gboolean fail_number(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *node)
{
    g_autofree char *words = spec->choices ? list_choices(spec->choices) : NULL;
    g_autofree char *expected =
        g_strdup_printf("a%s number%s%s", spec->type == DPCXR_OPTION_INT ? " whole" : "", words ? " or " : "",
                        words ? words : "");
    return fail_type(context, node, expected);
}

static gboolean read_int(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *node,
                         Value *value)
{
    if (read_word(spec, node, value))
        return TRUE;
    if (!dpcxr_yaml_get_int(node, &value->integer))
        return fail_number(context, spec, node);
    return check_range(context, node, spec, (double)value->integer);
}

static gboolean read_plain_number(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *node,
                                  double *number)
{
    if (!dpcxr_yaml_get_number(node, number))
        return fail_number(context, spec, node);
    if (!isfinite(*number))
        return fail_type(context, node, "a finite number");
    return check_range(context, node, spec, *number);
}

static gboolean read_number(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *node,
                            Value *value)
{
    return read_word(spec, node, value) || read_plain_number(context, spec, node, &value->number);
}

static gboolean read_text(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *node,
                          Value *value)
{
    if (node->kind != DPCXR_YAML_SCALAR)
        return fail_type(context, node, "a text");
    if (spec->type == DPCXR_OPTION_PATH && !*node->text)
        return fail(context, node, "expected a file or folder, got an empty text");
    value->text = g_strdup(node->text);
    return TRUE;
}

static gboolean read_strings(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *node,
                             Value *value)
{
    if (node->kind != DPCXR_YAML_LIST)
        return fail_type(context, node, "a list, as in [a, b]");
    gboolean good = TRUE;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (guint i = 0; i < node->items->len; i++) {
        const DpcxrYaml *item = node->items->pdata[i];
        if (item->kind != DPCXR_YAML_SCALAR || dpcxr_yaml_is_null(item))
            good = fail_type(context, item, "a text");
        else if (spec->choices && !check_choice(context, item, spec->choices))
            good = FALSE;
        else
            g_strv_builder_add(builder, item->text);
    }
    value->strings = g_strv_builder_end(builder);
    return good;
}

static gboolean read_numbers(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *node,
                             Value *value)
{
    if (node->kind != DPCXR_YAML_LIST)
        return fail_type(context, node, "a list of numbers, as in [1, 2]");
    gboolean good = TRUE;
    value->n_numbers = node->items->len;
    value->numbers = g_new0(double, MAX(1, value->n_numbers));
    for (guint i = 0; i < node->items->len; i++)
        good &= read_plain_number(context, spec, node->items->pdata[i], &value->numbers[i]);
    return good;
}

static gboolean read_map(const Context *context, const DpcxrYaml *node, Value *value)
{
    if (node->kind != DPCXR_YAML_MAP)
        return fail_type(context, node, "a map, as in {name: value}");
    gboolean good = TRUE;
    g_autoptr(GStrvBuilder) keys = g_strv_builder_new(), values = g_strv_builder_new();
    for (guint i = 0; i < node->items->len; i++) {
        const DpcxrYaml *item = node->items->pdata[i];
        if (item->kind != DPCXR_YAML_SCALAR) {
            good = fail_type(context, item, "a text");
            continue;
        }
        g_strv_builder_add(keys, ((DpcxrYaml *)node->keys->pdata[i])->text);
        g_strv_builder_add(values, item->text);
    }
    value->strings = g_strv_builder_end(keys);
    value->values = g_strv_builder_end(values);
    return good;
}

static gboolean read_set(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *node,
                         Value *value)
{
    switch (spec->type) {
    case DPCXR_OPTION_BOOL:
        return dpcxr_yaml_get_bool(node, &value->boolean) || fail_type(context, node, "true or false");
    case DPCXR_OPTION_INT:
        return read_int(context, spec, node, value);
    case DPCXR_OPTION_NUMBER:
        return read_number(context, spec, node, value);
    case DPCXR_OPTION_STRING:
    case DPCXR_OPTION_PATH:
        return read_text(context, spec, node, value);
    case DPCXR_OPTION_CHOICE:
        if (!check_choice(context, node, spec->choices))
            return FALSE;
        value->text = g_strdup(node->text);
        return TRUE;
    case DPCXR_OPTION_STRINGS:
        return read_strings(context, spec, node, value);
    case DPCXR_OPTION_NUMBERS:
        return read_numbers(context, spec, node, value);
    case DPCXR_OPTION_MAP:
        return read_map(context, node, value);
    }
    g_assert_not_reached();
}

static gboolean is_collection(DpcxrOptionType type)
{
    return type == DPCXR_OPTION_STRINGS || type == DPCXR_OPTION_NUMBERS || type == DPCXR_OPTION_MAP;
}

/* Whether the value may be null: the default is, or it is a list or map left blank, or a text that stands for
 * nothing. */
static gboolean allows_null(const DpcxrOptionSpec *spec)
{
    return spec->fallback && (!strcmp(spec->fallback, "null") || is_collection(spec->type) ||
                              spec->type == DPCXR_OPTION_STRING || spec->type == DPCXR_OPTION_PATH);
}

static gboolean read_value(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *node,
                           Value *value)
{
    gboolean word_null =
        spec->choices && node->kind == DPCXR_YAML_SCALAR && is_choice(spec->choices, node->text);
    if (dpcxr_yaml_is_null(node) && allows_null(spec) && !word_null)
        return TRUE;
    if (dpcxr_yaml_is_null(node) && !word_null) {
        if (spec->fallback)
            return fail(context, node, "has no value; the default is %s", spec->fallback);
        return fail(context, node, "needs a value: %s",
                    spec->summary ? spec->summary : "there is no default");
    }
    value->set = read_set(context, spec, node, value);
    return value->set;
}

static gboolean has_environment(const DpcxrYaml *node)
{
    gboolean found = node->from_environment;
    for (guint i = 0; node->items && i < node->items->len && !found; i++)
        found = has_environment(node->items->pdata[i]);
    return found;
}

static void clear_content(Value *value)
{
    g_clear_pointer(&value->text, g_free);
    g_clear_pointer(&value->strings, g_strfreev);
    g_clear_pointer(&value->values, g_strfreev);
    g_clear_pointer(&value->numbers, g_free);
    value->n_numbers = 0;
    value->integer = 0;
    value->number = 0;
}

static void read_default(const Context *context, const DpcxrOptionSpec *spec, const DpcxrMark *mark,
                         Value *value)
{
    if (!spec->fallback) {
        dpcxr_problems_missing(context->problems, mark, context->path,
                               spec->summary ? spec->summary : "it has no default");
        return;
    }
    g_autoptr(DpcxrYaml) node = dpcxr_yaml_parse(spec->fallback, -1, mark->file, mark, context->problems);
    value->good = node && read_value(context, spec, node, value);
}

static void read_option(const Context *context, const DpcxrOptionSpec *spec, const DpcxrYaml *map,
                        const DpcxrMark *mark, Value *value)
{
    const DpcxrYaml *node = dpcxr_yaml_get(map, spec->name);
    value->mark = dpcxr_mark_copy(node ? &node->mark : mark);
    value->where = dpcxr_mark_to_string(&value->mark);
    if (node) {
        value->good = read_value(context, spec, node, value);
        value->from_environment = has_environment(node);
    } else
        read_default(context, spec, mark, value);
    if (!value->good)
        clear_content(value);
}

DpcxrOptions *dpcxr_options_read(const DpcxrOptionSpec *specs, const DpcxrYaml *map, const char *path,
                                 const DpcxrMark *mark, DpcxrProblems *problems)
{
    DpcxrOptions *options = g_new0(DpcxrOptions, 1);
    options->specs = specs;
    options->n = count_specs(specs);
    options->values = g_new0(Value, MAX(1, options->n));
    for (gsize i = 0; i < options->n; i++) {
        g_autofree char *inner = dpcxr_options_join(path, specs[i].name);
        read_option(&(Context){inner, problems}, &specs[i], map, mark, &options->values[i]);
    }
    return options;
}

void dpcxr_options_free(DpcxrOptions *options)
{
    if (!options)
        return;
    for (gsize i = 0; i < options->n; i++) {
        clear_content(&options->values[i]);
        dpcxr_mark_clear(&options->values[i].mark);
        g_free(options->values[i].where);
    }
    g_free(options->values);
    g_free(options);
}

/* --- Unknown keys --- */

/* Borrowed names of all keys that are known here, NULL-terminated. */
static GPtrArray *known_keys(const DpcxrOptionSpec *const *tables, const char *const *others)
{
    GPtrArray *known = g_ptr_array_new();
    for (; *tables; tables++)
        for (const DpcxrOptionSpec *spec = *tables; spec->name; spec++)
            g_ptr_array_add(known, (gpointer)spec->name);
    for (; others && *others; others++)
        g_ptr_array_add(known, (gpointer)*others);
    g_ptr_array_add(known, NULL);
    return known;
}

void dpcxr_options_check_keys(const DpcxrYaml *map, const char *path, const DpcxrOptionSpec *const *tables,
                              const char *const *others, DpcxrProblems *problems)
{
    if (!map || map->kind != DPCXR_YAML_MAP)
        return;
    g_autoptr(GPtrArray) known = known_keys(tables, others);
    const char *const *names = (const char *const *)known->pdata;
    for (guint i = 0; i < map->keys->len; i++) {
        const DpcxrYaml *key = map->keys->pdata[i];
        if (g_strv_contains(names, key->text))
            continue;
        const char *near = dpcxr_nearest(key->text, names);
        g_autofree char *shown = dpcxr_yaml_show(key->text);
        g_autofree char *inner = dpcxr_options_join(path, shown);
        g_autofree char *all = g_strjoinv(", ", (char **)known->pdata);
        if (near)
            fail(&(Context){inner, problems}, key, "unknown key; did you mean \"%s\"?", near);
        else if (!strcmp(key->text, "<<"))
            fail(&(Context){inner, problems}, key, "merge keys are not part of YAML 1.2; use include");
        else
            fail(&(Context){inner, problems}, key, "unknown key; %s%s",
                 *all ? "there are " : "no keys are known here", all);
    }
}

DpcxrOptions *dpcxr_options_parse(const DpcxrOptionSpec *specs, const char *yaml, GError **error)
{
    static const DpcxrOptionSpec none[] = {{0}};
    g_autoptr(DpcxrProblems) problems = dpcxr_problems_new();
    g_autoptr(DpcxrYaml) map = dpcxr_yaml_parse(yaml, -1, "options", NULL, problems);
    g_autoptr(DpcxrOptions) options = NULL;
    if (map) {
        gboolean fits = map->kind == DPCXR_YAML_MAP || dpcxr_yaml_is_null(map);
        if (!fits)
            fail_type(&(Context){"", problems}, map, "a map, as in {name: value}");
        else
            options = dpcxr_options_read(specs, map, "", &map->mark, problems);
        dpcxr_options_check_keys(map, "", (const DpcxrOptionSpec *const[]){specs ? specs : none, NULL}, NULL,
                                 problems);
    }
    return dpcxr_problems_check(problems, error) ? g_steal_pointer(&options) : NULL;
}

/* --- Getters --- */

static const Value *find(const DpcxrOptions *options, const char *name, const DpcxrOptionSpec **spec)
{
    for (gsize i = 0; i < options->n; i++)
        if (!strcmp(options->specs[i].name, name)) {
            if (spec)
                *spec = &options->specs[i];
            return &options->values[i];
        }
    g_error("there is no option \"%s\" in this table", name);
}

static const Value *find_typed(const DpcxrOptions *options, const char *name, DpcxrOptionType type)
{
    const DpcxrOptionSpec *spec;
    const Value *value = find(options, name, &spec);
    if (spec->type != type)
        g_error("option \"%s\" is of another type", name);
    return value;
}

gboolean dpcxr_options_is_set(const DpcxrOptions *options, const char *name)
{
    return find(options, name, NULL)->set;
}

gboolean dpcxr_options_get_bool(const DpcxrOptions *options, const char *name)
{
    return find_typed(options, name, DPCXR_OPTION_BOOL)->boolean;
}

gint64 dpcxr_options_get_int(const DpcxrOptions *options, const char *name)
{
    return find_typed(options, name, DPCXR_OPTION_INT)->integer;
}

double dpcxr_options_get_number(const DpcxrOptions *options, const char *name)
{
    return find_typed(options, name, DPCXR_OPTION_NUMBER)->number;
}

const char *dpcxr_options_get_string(const DpcxrOptions *options, const char *name)
{
    const DpcxrOptionSpec *spec;
    const Value *value = find(options, name, &spec);
    gboolean word = (spec->type == DPCXR_OPTION_INT || spec->type == DPCXR_OPTION_NUMBER) && spec->choices;
    if (!word && spec->type != DPCXR_OPTION_STRING && spec->type != DPCXR_OPTION_CHOICE &&
        spec->type != DPCXR_OPTION_PATH)
        g_error("option \"%s\" is of another type", name);
    return value->text;
}

static const char *const no_strings[] = {NULL};

const char *const *dpcxr_options_get_strings(const DpcxrOptions *options, const char *name)
{
    const Value *value = find_typed(options, name, DPCXR_OPTION_STRINGS);
    return value->strings ? (const char *const *)value->strings : no_strings;
}

const double *dpcxr_options_get_numbers(const DpcxrOptions *options, const char *name, gsize *n)
{
    const Value *value = find_typed(options, name, DPCXR_OPTION_NUMBERS);
    *n = value->n_numbers;
    return value->numbers;
}

const char *dpcxr_options_get_map(const DpcxrOptions *options, const char *name, const char *key)
{
    const Value *value = find_typed(options, name, DPCXR_OPTION_MAP);
    for (gsize i = 0; value->strings && value->strings[i]; i++)
        if (!strcmp(value->strings[i], key))
            return value->values[i];
    return NULL;
}

const char *const *dpcxr_options_get_map_keys(const DpcxrOptions *options, const char *name)
{
    const Value *value = find_typed(options, name, DPCXR_OPTION_MAP);
    return value->strings ? (const char *const *)value->strings : no_strings;
}

const char *dpcxr_options_where(const DpcxrOptions *options, const char *name)
{
    return find(options, name, NULL)->where;
}

gboolean dpcxr_options_is_good(const DpcxrOptions *options, const char *name)
{
    return find(options, name, NULL)->good;
}

const DpcxrMark *dpcxr_options_mark(const DpcxrOptions *options, const char *name)
{
    return &find(options, name, NULL)->mark;
}

int dpcxr_options_get_choice(const DpcxrOptions *options, const char *name)
{
    const DpcxrOptionSpec *spec;
    const Value *value = find(options, name, &spec);
    if (spec->type != DPCXR_OPTION_CHOICE)
        g_error("option \"%s\" is not a choice", name);
    if (!value->text)
        return -1;
    g_auto(GStrv) words = g_strsplit(spec->choices, "|", -1);
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], value->text))
            return i;
    g_assert_not_reached();
}

const DpcxrOptionSpec *dpcxr_options_specs(const DpcxrOptions *options)
{
    return options->specs;
}

/* --- Back to YAML --- */

static DpcxrYaml *plain(const char *text, const DpcxrMark *mark)
{
    return dpcxr_yaml_new_scalar(text, TRUE, mark);
}

static DpcxrYaml *quoted(const char *text, const DpcxrMark *mark)
{
    g_autofree char *escaped = dpcxr_document_escape(text);
    return dpcxr_yaml_new_scalar(escaped, FALSE, mark);
}

/* A decimal that reads back as the same double, with 15 digits where they are enough. */
static DpcxrYaml *write_number(double number, const DpcxrMark *mark)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    for (int digits = 15; digits <= 17; digits++) {
        char format[8];
        g_snprintf(format, sizeof format, "%%.%dg", digits);
        g_ascii_formatd(text, sizeof text, format, number);
        if (g_ascii_strtod(text, NULL) == number)
            break;
    }
    return plain(text, mark);
}

DpcxrYaml *dpcxr_options_write_numbers(const double *numbers, gsize n, const DpcxrMark *mark)
{
    if (!numbers)
        return plain("null", mark);
    DpcxrYaml *list = dpcxr_yaml_new(DPCXR_YAML_LIST, mark);
    for (gsize i = 0; i < n; i++)
        g_ptr_array_add(list->items, write_number(numbers[i], mark));
    return list;
}

static DpcxrYaml *write_strings(const Value *value)
{
    DpcxrYaml *list = dpcxr_yaml_new(DPCXR_YAML_LIST, &value->mark);
    for (char **item = value->strings; *item; item++)
        g_ptr_array_add(list->items, quoted(*item, &value->mark));
    return list;
}

static DpcxrYaml *write_map(const Value *value)
{
    DpcxrYaml *map = dpcxr_yaml_new(DPCXR_YAML_MAP, &value->mark);
    for (gsize i = 0; value->strings && value->strings[i]; i++)
        dpcxr_yaml_set(map, value->strings[i], quoted(value->values[i], &value->mark));
    return map;
}

static DpcxrYaml *write_value(const DpcxrOptionSpec *spec, const Value *value)
{
    if (!value->set)
        return plain("null", &value->mark);
    switch (spec->type) {
    case DPCXR_OPTION_BOOL:
        return plain(value->boolean ? "true" : "false", &value->mark);
    case DPCXR_OPTION_INT: {
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value->integer);
        return plain(value->text ? value->text : text, &value->mark);
    }
    case DPCXR_OPTION_NUMBER:
        return value->text ? plain(value->text, &value->mark) : write_number(value->number, &value->mark);
    case DPCXR_OPTION_CHOICE:
        return plain(value->text, &value->mark);
    case DPCXR_OPTION_STRING:
    case DPCXR_OPTION_PATH:
        return quoted(value->text, &value->mark);
    case DPCXR_OPTION_STRINGS:
        return write_strings(value);
    case DPCXR_OPTION_NUMBERS:
        return dpcxr_options_write_numbers(value->numbers, value->n_numbers, &value->mark);
    case DPCXR_OPTION_MAP:
        return write_map(value);
    }
    g_assert_not_reached();
}

/* Free text from the environment is as private as a path: it says something about the machine, or is a secret.
 * Numbers and choices have been checked and cannot be more than what they say. */
static gboolean is_public(const DpcxrOptionSpec *spec, const Value *value)
{
    gboolean free_text = spec->type == DPCXR_OPTION_STRING || spec->type == DPCXR_OPTION_STRINGS ||
                         spec->type == DPCXR_OPTION_MAP;
    return spec->type != DPCXR_OPTION_PATH && !(free_text && value->from_environment);
}

void dpcxr_options_write(const DpcxrOptions *options, gboolean paths, DpcxrYaml *map)
{
    for (gsize i = 0; i < options->n; i++)
        if (paths || is_public(&options->specs[i], &options->values[i]))
            dpcxr_yaml_set(map, options->specs[i].name, write_value(&options->specs[i], &options->values[i]));
}
