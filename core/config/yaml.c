/* SPDX-License-Identifier: MIT
 * The tree, and how it grows out of libyaml's events. Limits are checked as nodes are made, so nothing is
 * ever built that is too large to keep; aliases are expanded into copies, which keeps ownership a tree. */
#include "config/yaml.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* --- Nodes --- */

DpcxrYaml *dpcxr_yaml_new(DpcxrYamlKind kind, const DpcxrMark *mark)
{
    DpcxrYaml *node = g_new0(DpcxrYaml, 1);
    node->kind = kind;
    node->mark = dpcxr_mark_copy(mark);
    if (kind == DPCXR_YAML_MAP)
        node->keys = g_ptr_array_new_with_free_func((GDestroyNotify)dpcxr_yaml_free);
    if (kind != DPCXR_YAML_SCALAR)
        node->items = g_ptr_array_new_with_free_func((GDestroyNotify)dpcxr_yaml_free);
    return node;
}

DpcxrYaml *dpcxr_yaml_new_scalar(const char *text, gboolean plain, const DpcxrMark *mark)
{
    DpcxrYaml *node = dpcxr_yaml_new(DPCXR_YAML_SCALAR, mark);
    node->text = g_strdup(text);
    node->plain = plain;
    return node;
}

void dpcxr_yaml_free(DpcxrYaml *node)
{
    if (!node)
        return;
    g_clear_pointer(&node->keys, g_ptr_array_unref);
    g_clear_pointer(&node->items, g_ptr_array_unref);
    g_free(node->text);
    dpcxr_mark_clear(&node->mark);
    g_free(node);
}

DpcxrYaml *dpcxr_yaml_copy(const DpcxrYaml *node)
{
    if (node->kind == DPCXR_YAML_SCALAR) {
        DpcxrYaml *scalar = dpcxr_yaml_new_scalar(node->text, node->plain, &node->mark);
        scalar->from_environment = node->from_environment;
        return scalar;
    }
    DpcxrYaml *copy = dpcxr_yaml_new(node->kind, &node->mark);
    for (guint i = 0; i < node->items->len; i++) {
        if (copy->keys)
            g_ptr_array_add(copy->keys, dpcxr_yaml_copy(node->keys->pdata[i]));
        g_ptr_array_add(copy->items, dpcxr_yaml_copy(node->items->pdata[i]));
    }
    return copy;
}

static gboolean find_key(const DpcxrYaml *map, const char *key, guint *position)
{
    if (!map || map->kind != DPCXR_YAML_MAP)
        return FALSE;
    for (guint i = 0; i < map->keys->len; i++)
        if (!strcmp(((DpcxrYaml *)map->keys->pdata[i])->text, key)) {
            *position = i;
            return TRUE;
        }
    return FALSE;
}

DpcxrYaml *dpcxr_yaml_get(const DpcxrYaml *map, const char *key)
{
    guint i;
    return find_key(map, key, &i) ? map->items->pdata[i] : NULL;
}

gboolean dpcxr_yaml_remove(DpcxrYaml *map, const char *key)
{
    guint i;
    if (!find_key(map, key, &i))
        return FALSE;
    g_ptr_array_remove_index(map->keys, i);
    g_ptr_array_remove_index(map->items, i);
    return TRUE;
}

void dpcxr_yaml_set(DpcxrYaml *map, const char *key, DpcxrYaml *value)
{
    guint i;
    DpcxrYaml *name = dpcxr_yaml_new_scalar(key, TRUE, &value->mark);
    if (!find_key(map, key, &i)) {
        g_ptr_array_add(map->keys, name);
        g_ptr_array_add(map->items, value);
        return;
    }
    dpcxr_yaml_free(map->keys->pdata[i]);
    dpcxr_yaml_free(map->items->pdata[i]);
    map->keys->pdata[i] = name;
    map->items->pdata[i] = value;
}

/* --- Text --- */

static void advance(DpcxrMark *mark, const char *from, const char *to)
{
    for (; from < to; from++) {
        if (*from == '\n') {
            mark->line++;
            mark->column = 1;
        } else if ((*from & 0xC0) != 0x80) { /* columns count characters */
            mark->column++;
        }
    }
}

/* What libyaml's reader accepts (YAML 1.2, production 1, without the byte order mark). */
static gboolean is_allowed(gunichar c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c < 0x7F || c == 0x85 || (c >= 0xA0 && c != 0xFEFF && c != 0xFFFE && c != 0xFFFF);
}

/* The first place that YAML does not allow, or NULL. libyaml rejects these too, without saying
 * in which line. */
static const char *find_forbidden(const char *text, gsize length, const char **what)
{
    const char *invalid;
    if (!g_utf8_validate_len(text, length, &invalid)) {
        *what = *invalid ? "not valid UTF-8" : "a NUL byte";
        return invalid;
    }
    for (const char *c = text; c < text + length; c = g_utf8_next_char(c))
        if (!is_allowed(g_utf8_get_char(c))) {
            *what = "a control character; in double quotes write it as \\xNN";
            return c;
        }
    return NULL;
}

/* libyaml compares every %TAG directive with all before it; nothing here needs one. */
static const char *find_tag_directive(const char *text, gsize length)
{
    if (length >= 4 && !strncmp(text, "%TAG", 4))
        return text;
    const char *found = g_strstr_len(text, length, "\n%TAG");
    return found ? found + 1 : NULL;
}

/* --- Events --- */

typedef struct {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    GRefString *file;
    const DpcxrMark *at; /* (nullable) */
    DpcxrProblems *problems;
    GHashTable *anchors; /* name -> node that is complete (owned by the tree) */
    gsize nodes, bytes;
} Reader;

static DpcxrMark mark_of(const Reader *reader, const yaml_mark_t *mark)
{
    if (reader->at)
        return *reader->at;
    return (DpcxrMark){reader->file, (guint)mark->line + 1, (guint)mark->column + 1};
}

G_GNUC_PRINTF(3, 4)
static gboolean fail(Reader *reader, const yaml_mark_t *where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    DpcxrMark mark = mark_of(reader, where);
    dpcxr_problems_add(reader->problems, DPCXR_ERROR_USAGE, &mark, "", "%s", message);
    return FALSE;
}

static gboolean next_event(Reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return TRUE;
    const yaml_parser_t *parser = &reader->parser;
    return fail(reader, &parser->problem_mark, "not YAML: %s%s%s",
                parser->problem ? parser->problem : "out of memory", parser->context ? ", " : "",
                parser->context ? parser->context : "");
}

/* Accounts for one more node of @length bytes. */
static gboolean count_node(Reader *reader, gsize length, const yaml_mark_t *where)
{
    if (length > DPCXR_YAML_MAX_SCALAR)
        return fail(reader, where, "a text of more than %d bytes", DPCXR_YAML_MAX_SCALAR);
    reader->nodes++;
    reader->bytes += length;
    if (reader->nodes > DPCXR_YAML_MAX_NODES)
        return fail(reader, where, "more than %d values, aliases included", DPCXR_YAML_MAX_NODES);
    if (reader->bytes > DPCXR_YAML_MAX_TEXT)
        return fail(reader, where, "more than %d bytes of text, aliases included", DPCXR_YAML_MAX_TEXT);
    return TRUE;
}

static gboolean check_depth(Reader *reader, int depth, const yaml_mark_t *where)
{
    if (depth <= DPCXR_YAML_MAX_DEPTH)
        return TRUE;
    return fail(reader, where, "lists and maps nested more than %d deep", DPCXR_YAML_MAX_DEPTH);
}

/* Accounts for a copy of @node at @depth before it is made. */
static gboolean count_copy(Reader *reader, const DpcxrYaml *node, int depth, const yaml_mark_t *where)
{
    if (!count_node(reader, node->text ? strlen(node->text) : 0, where))
        return FALSE;
    if (node->kind == DPCXR_YAML_SCALAR)
        return TRUE;
    if (!check_depth(reader, depth + 1, where))
        return FALSE;
    for (guint i = 0; i < node->items->len; i++)
        if ((node->keys && !count_copy(reader, node->keys->pdata[i], depth + 1, where)) ||
            !count_copy(reader, node->items->pdata[i], depth + 1, where))
            return FALSE;
    return TRUE;
}

static DpcxrYaml *read_alias(Reader *reader, int depth)
{
    const char *name = (const char *)reader->event.data.alias.anchor;
    const DpcxrYaml *node = g_hash_table_lookup(reader->anchors, name);
    if (!node) {
        g_autofree char *shown = dpcxr_yaml_show(name);
        fail(reader, &reader->event.start_mark, "*%s stands for nothing: no &%s was completed before it",
             shown, shown);
        return NULL;
    }
    return count_copy(reader, node, depth, &reader->event.start_mark) ? dpcxr_yaml_copy(node) : NULL;
}

static DpcxrYaml *read_scalar(Reader *reader)
{
    const yaml_event_t *event = &reader->event;
    const char *text = (const char *)event->data.scalar.value;
    gsize length = event->data.scalar.length;
    if (!count_node(reader, length, &event->start_mark))
        return NULL;
    if (strlen(text) != length) {
        fail(reader, &event->start_mark, "a text with a NUL character");
        return NULL;
    }
    DpcxrMark mark = mark_of(reader, &event->start_mark);
    return dpcxr_yaml_new_scalar(text, event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, &mark);
}

static DpcxrYaml *read_node(Reader *reader, int depth);

static gboolean read_list(Reader *reader, DpcxrYaml *list, int depth)
{
    while (next_event(reader)) {
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            return TRUE;
        DpcxrYaml *item = read_node(reader, depth + 1);
        if (!item)
            return FALSE;
        g_ptr_array_add(list->items, item);
    }
    return FALSE;
}

static gboolean check_key(Reader *reader, const DpcxrYaml *map, const DpcxrYaml *key,
                          const yaml_mark_t *where)
{
    if (key->kind != DPCXR_YAML_SCALAR)
        return fail(reader, where, "a key that is %s; keys are words",
                    key->kind == DPCXR_YAML_LIST ? "a list" : "a map");
    guint i;
    if (find_key(map, key->text, &i)) {
        g_autofree char *shown = dpcxr_yaml_show(key->text);
        g_autofree char *first = dpcxr_mark_to_string(&((DpcxrYaml *)map->keys->pdata[i])->mark);
        return fail(reader, where, "the key \"%s\" is there twice; the first is at %s", shown, first);
    }
    if (map->keys->len >= DPCXR_YAML_MAX_KEYS)
        return fail(reader, where, "a map of more than %d keys", DPCXR_YAML_MAX_KEYS);
    return TRUE;
}

static gboolean read_map(Reader *reader, DpcxrYaml *map, int depth)
{
    while (next_event(reader)) {
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            return TRUE;
        yaml_mark_t where = reader->event.start_mark;
        g_autoptr(DpcxrYaml) key = read_node(reader, depth + 1);
        if (!key || !check_key(reader, map, key, &where) || !next_event(reader))
            return FALSE;
        DpcxrYaml *value = read_node(reader, depth + 1);
        if (!value)
            return FALSE;
        g_ptr_array_add(map->keys, g_steal_pointer(&key));
        g_ptr_array_add(map->items, value);
    }
    return FALSE;
}

static DpcxrYaml *read_collection(Reader *reader, int depth)
{
    yaml_mark_t where = reader->event.start_mark;
    gboolean is_map = reader->event.type == YAML_MAPPING_START_EVENT;
    if (!check_depth(reader, depth + 1, &where) || !count_node(reader, 0, &where))
        return NULL;
    DpcxrMark mark = mark_of(reader, &where);
    g_autoptr(DpcxrYaml) node = dpcxr_yaml_new(is_map ? DPCXR_YAML_MAP : DPCXR_YAML_LIST, &mark);
    if (!(is_map ? read_map(reader, node, depth) : read_list(reader, node, depth)))
        return NULL;
    return g_steal_pointer(&node);
}

static gboolean has_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.tag != NULL;
    default:
        return FALSE;
    }
}

static const yaml_char_t *anchor_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

/* The node that starts with the current event; afterwards the current event is its last. @depth: collections
 * around. */
static DpcxrYaml *read_node(Reader *reader, int depth)
{
    if (reader->event.type == YAML_ALIAS_EVENT)
        return read_alias(reader, depth);
    if (has_tag(&reader->event)) {
        fail(reader, &reader->event.start_mark,
             "a tag (!): write numbers plainly and text in quotes instead");
        return NULL;
    }
    g_autofree char *anchor = g_strdup((const char *)anchor_of(&reader->event));
    if (anchor) /* from here on the name means this node, which is not complete yet */
        g_hash_table_remove(reader->anchors, anchor);
    DpcxrYaml *node =
        reader->event.type == YAML_SCALAR_EVENT ? read_scalar(reader) : read_collection(reader, depth);
    if (node && anchor)
        g_hash_table_insert(reader->anchors, g_steal_pointer(&anchor), node);
    return node;
}

/* The one document of the stream; an empty stream is null. */
static DpcxrYaml *read_document(Reader *reader)
{
    if (!next_event(reader) || !next_event(reader)) /* stream start; document start or stream end */
        return NULL;
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        DpcxrMark mark = mark_of(reader, &(yaml_mark_t){0});
        return dpcxr_yaml_new_scalar("", TRUE, &mark);
    }
    if (!next_event(reader))
        return NULL;
    g_autoptr(DpcxrYaml) root = read_node(reader, 0);
    if (!root || !next_event(reader) || !next_event(reader)) /* document end; stream end */
        return NULL;
    if (reader->event.type != YAML_STREAM_END_EVENT) {
        fail(reader, &reader->event.start_mark, "a second document (---); one file is one document");
        return NULL;
    }
    return g_steal_pointer(&root);
}

static gboolean check_text(Reader *reader, const char *text, gsize length)
{
    const char *what = NULL, *bad = find_forbidden(text, length, &what);
    if (!bad) {
        bad = find_tag_directive(text, length);
        what = "a %TAG directive; dpcxr supports no tags";
    }
    if (!bad)
        return TRUE;
    DpcxrMark mark = {reader->file, 1, 1};
    advance(&mark, text, bad);
    dpcxr_problems_add(reader->problems, DPCXR_ERROR_USAGE, reader->at ? reader->at : &mark, "", "%s", what);
    return FALSE;
}

DpcxrYaml *dpcxr_yaml_parse(const char *text, gssize length, const char *file, const DpcxrMark *at,
                            DpcxrProblems *problems)
{
    Reader reader = {.at = at, .problems = problems};
    DpcxrYaml *root = NULL;
    gsize n = length < 0 ? strlen(text) : (gsize)length;
    if (n >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) { /* a byte order mark */
        text += 3;
        n -= 3;
    }
    reader.file = g_ref_string_new(file);
    reader.anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (check_text(&reader, text, n) && yaml_parser_initialize(&reader.parser)) {
        yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&reader.parser, (const yaml_char_t *)text, n);
        root = read_document(&reader);
        yaml_event_delete(&reader.event);
        yaml_parser_delete(&reader.parser);
    }
    g_hash_table_unref(reader.anchors);
    g_ref_string_release(reader.file);
    return root;
}

static DpcxrYaml *fail_file(const char *path, DpcxrProblems *problems, const char *why)
{
    g_autofree char *name = g_utf8_make_valid(path, -1);
    DpcxrMark mark = {g_ref_string_new(name), 0, 0};
    dpcxr_problems_add(problems, DPCXR_ERROR_USAGE, &mark, "", "%s", why);
    dpcxr_mark_clear(&mark);
    return NULL;
}

DpcxrYaml *dpcxr_yaml_read(const char *path, DpcxrProblems *problems)
{
    FILE *stream = g_fopen(path, "rbe");
    if (!stream) {
        g_autofree char *why = g_strdup_printf("cannot be read: %s", g_strerror(errno));
        return fail_file(path, problems, why);
    }
    g_autofree char *text = g_malloc(DPCXR_YAML_MAX_FILE + 1);
    errno = 0;
    gsize length = fread(text, 1, DPCXR_YAML_MAX_FILE + 1, stream);
    int trouble = ferror(stream) ? errno : 0;
    fclose(stream);
    if (trouble) {
        g_autofree char *why = g_strdup_printf("cannot be read: %s", g_strerror(trouble));
        return fail_file(path, problems, why);
    }
    if (length > DPCXR_YAML_MAX_FILE)
        return fail_file(path, problems, "is larger than 1 MiB, which no experiment file needs");
    return dpcxr_yaml_parse(text, length, path, NULL, problems);
}
