/* SPDX-License-Identifier: MIT
 * What a plain scalar means: the core schema of YAML 1.2.2, section 10.3.2. */
#include "config/yaml.h"
#include <errno.h>
#include <math.h>
#include <string.h>

static gboolean is_plain(const DpcxrYaml *node)
{
    return node->kind == DPCXR_YAML_SCALAR && node->plain;
}

static gboolean is_one_of(const char *text, const char *const *words)
{
    return g_strv_contains(words, text);
}

gboolean dpcxr_yaml_is_null(const DpcxrYaml *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
    return is_plain(node) && is_one_of(node->text, words);
}

gboolean dpcxr_yaml_get_bool(const DpcxrYaml *node, gboolean *value)
{
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    if (!is_plain(node) || !(is_one_of(node->text, yes) || is_one_of(node->text, no)))
        return FALSE;
    *value = is_one_of(node->text, yes);
    return TRUE;
}

/* Whether @text is one or more of @digits and nothing else. */
static gboolean is_made_of(const char *text, const char *digits)
{
    return *text && strspn(text, digits) == strlen(text);
}

static const char decimal[] = "0123456789";

/* Sets *base for g_ascii_strtoll and *start to the first digit or sign. */
static gboolean is_integer(const char *text, const char **start, guint *base)
{
    *start = text;
    *base = 10;
    if (g_str_has_prefix(text, "0o") && is_made_of(text + 2, "01234567"))
        *base = 8;
    else if (g_str_has_prefix(text, "0x") && is_made_of(text + 2, "0123456789abcdefABCDEF"))
        *base = 16;
    if (*base != 10) {
        *start += 2;
        return TRUE;
    }
    return is_made_of(text + (*text == '-' || *text == '+'), decimal);
}

/* [-+]? ( . [0-9]+ | [0-9]+ ( . [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static gboolean is_decimal(const char *text)
{
    text += *text == '-' || *text == '+';
    gsize whole = strspn(text, decimal), fraction = 0;
    text += whole;
    if (*text == '.') {
        fraction = strspn(++text, decimal);
        text += fraction;
    }
    if (!whole && !fraction)
        return FALSE;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        return is_made_of(text, decimal);
    }
    return !*text;
}

/* The non-finite numbers of the schema: (+|-)?.inf and .nan in three spellings. */
static gboolean is_special(const char *text, double *value)
{
    static const char *const infinity[] = {".inf", ".Inf", ".INF", NULL}, *const nan[] = {".nan", ".NaN",
                                                                                          ".NAN", NULL};
    gboolean sign = *text == '-' || *text == '+';
    if (is_one_of(text + sign, infinity))
        *value = *text == '-' ? -INFINITY : INFINITY;
    else if (is_one_of(text, nan))
        *value = NAN;
    else
        return FALSE;
    return TRUE;
}

gboolean dpcxr_yaml_get_int(const DpcxrYaml *node, gint64 *value)
{
    const char *start;
    guint base;
    if (!is_plain(node) || !is_integer(node->text, &start, &base))
        return FALSE;
    errno = 0;
    gint64 read = g_ascii_strtoll(start, NULL, base);
    if (errno)
        return FALSE;
    *value = read;
    return TRUE;
}

gboolean dpcxr_yaml_get_number(const DpcxrYaml *node, double *value)
{
    const char *start;
    guint base;
    gint64 whole;
    if (!is_plain(node))
        return FALSE;
    if (is_special(node->text, value))
        return TRUE;
    if (is_decimal(node->text)) {
        *value = g_ascii_strtod(node->text, NULL);
        return TRUE;
    }
    if (!is_integer(node->text, &start, &base) || !dpcxr_yaml_get_int(node, &whole))
        return FALSE;
    *value = (double)whole;
    return TRUE;
}

char *dpcxr_yaml_show(const char *text)
{
    enum { LIMIT = 60 };
    gsize length = strlen(text);
    const char *end = length > LIMIT ? g_utf8_find_prev_char(text, text + LIMIT + 1) : text + length;
    GString *shown = g_string_new_len(text, end ? end - text : 0);
    for (gsize i = 0; i < shown->len; i++)
        if (g_ascii_iscntrl(shown->str[i]))
            shown->str[i] = '?';
    if (length > LIMIT)
        g_string_append(shown, "...");
    return g_string_free(shown, FALSE);
}

char *dpcxr_yaml_describe(const DpcxrYaml *node)
{
    double number;
    gboolean truth;
    if (node->kind != DPCXR_YAML_SCALAR)
        return g_strdup(node->kind == DPCXR_YAML_LIST ? "a list" : "a map");
    if (dpcxr_yaml_is_null(node))
        return g_strdup("null");
    g_autofree char *text = dpcxr_yaml_show(node->text);
    if (dpcxr_yaml_get_number(node, &number))
        return g_strdup_printf("the number %s", text);
    if (dpcxr_yaml_get_bool(node, &truth))
        return g_strdup_printf("the truth value %s", text);
    return g_strdup_printf("the %stext \"%s\"", node->plain ? "" : "quoted ", text);
}
