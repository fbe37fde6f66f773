/* SPDX-License-Identifier: MIT
 * Trees back to text, through libyaml's emitter. */
#include "config/yaml.h"
#include <string.h>
#include <yaml.h>

enum { WIDTH = 110 };

static int append(void *data, unsigned char *bytes, size_t length)
{
    g_string_append_len(data, (const char *)bytes, length);
    return 1;
}

/* Whether @text may stand without quotes and is text for readers of YAML 1.1, too: names, paths, words that
 * are neither numbers nor truth values there. Anything else is quoted; that is never wrong. */
static gboolean is_bare(const char *text)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", NULL};
    static const char *const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
    g_autofree char *lower = g_ascii_strdown(text, -1);
    return (g_ascii_isalpha(*text) || *text == '_' || *text == '/') && strspn(text, safe) == strlen(text) &&
           !g_strv_contains(words, lower);
}

static gboolean emit(yaml_emitter_t *emitter, yaml_event_t *event, int ready)
{
    return ready && yaml_emitter_emit(emitter, event);
}

static gboolean write_scalar(yaml_emitter_t *emitter, const char *text, gboolean plain)
{
    yaml_event_t event;
    if (plain && !*text)
        text = "null"; /* which may be left out in a block, and nowhere else */
    yaml_scalar_style_t style =
        plain || is_bare(text) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    return emit(emitter, &event,
                yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, -1, 1, 1, style));
}

static gboolean is_flat(const DpcxrYaml *list)
{
    for (guint i = 0; i < list->items->len; i++)
        if (((DpcxrYaml *)list->items->pdata[i])->kind != DPCXR_YAML_SCALAR)
            return FALSE;
    return TRUE;
}

/* @flow: everything in brackets and braces. */
static gboolean write_node(yaml_emitter_t *emitter, const DpcxrYaml *node, gboolean flow)
{
    yaml_event_t event;
    if (node->kind == DPCXR_YAML_SCALAR)
        return write_scalar(emitter, node->text, node->plain);
    gboolean is_map = node->kind == DPCXR_YAML_MAP;
    int ready = is_map ? yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                                             flow ? YAML_FLOW_MAPPING_STYLE
                                                                  : YAML_BLOCK_MAPPING_STYLE)
                       : yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                                              flow || is_flat(node) ? YAML_FLOW_SEQUENCE_STYLE
                                                                            : YAML_BLOCK_SEQUENCE_STYLE);
    if (!emit(emitter, &event, ready))
        return FALSE;
    for (guint i = 0; i < node->items->len; i++)
        if ((is_map && !write_scalar(emitter, ((DpcxrYaml *)node->keys->pdata[i])->text, FALSE)) ||
            !write_node(emitter, node->items->pdata[i], flow))
            return FALSE;
    return emit(emitter, &event,
                is_map ? yaml_mapping_end_event_initialize(&event)
                       : yaml_sequence_end_event_initialize(&event));
}

static gboolean write_document(yaml_emitter_t *emitter, const DpcxrYaml *node, gboolean flow)
{
    yaml_event_t event;
    return emit(emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)) &&
           emit(emitter, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1)) &&
           write_node(emitter, node, flow) &&
           emit(emitter, &event, yaml_document_end_event_initialize(&event, 1)) &&
           emit(emitter, &event, yaml_stream_end_event_initialize(&event));
}

static char *write_all(const DpcxrYaml *node, gboolean flow, int width)
{
    yaml_emitter_t emitter;
    GString *text = g_string_new(NULL);
    if (!yaml_emitter_initialize(&emitter))
        g_error("libyaml: out of memory");
    yaml_emitter_set_output(&emitter, append, text);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, width);
    if (!write_document(&emitter, node, flow)) /* memory is the only thing that can fail: the tree is valid UTF-8 */
        g_error("libyaml: %s", emitter.problem ? emitter.problem : "cannot write");
    yaml_emitter_delete(&emitter);
    return g_string_free(text, FALSE);
}

char *dpcxr_yaml_write(const DpcxrYaml *node)
{
    return write_all(node, FALSE, WIDTH);
}

/* As the one item of a list, whose brackets go again: alone, a word may get a line "..." behind it. */
char *dpcxr_yaml_write_line(const DpcxrYaml *node)
{
    enum { ANY_WIDTH = -1 };
    g_autoptr(DpcxrYaml) list = dpcxr_yaml_new(DPCXR_YAML_LIST, &node->mark);
    g_ptr_array_add(list->items, dpcxr_yaml_copy(node));
    g_autofree char *text = write_all(list, TRUE, ANY_WIDTH);
    return g_strndup(text + strlen("["), strlen(text) - strlen("[]\n"));
}
