/* SPDX-License-Identifier: MIT */
#include "sweep/names.h"
#include <string.h>

enum { LONGEST = 88, DIGITS = 8 }; /* a run's name may have 100, with its seed */

/* The part of @key that names it; *length: of it. */
static const char *last_part(const char *key, gsize *length)
{
    const char *end = key + strlen(key);
    if (g_str_has_suffix(key, ".type"))
        end -= strlen(".type");
    const char *start = end;
    while (start > key && start[-1] != '.')
        start--;
    *length = (gsize)(end - start);
    return start;
}

char *dpcxr_sweep_short_key(const char *key, const char *const *keys)
{
    gsize length, other_length;
    const char *part = last_part(key, &length);
    for (; *keys; keys++) {
        const char *other = last_part(*keys, &other_length);
        if (strcmp(*keys, key) != 0 && length == other_length && strncmp(part, other, length) == 0)
            return g_strdup(key);
    }
    return g_strndup(part, length);
}

char *dpcxr_sweep_value_name(const char *value)
{
    g_autoptr(GString) name = g_string_new(NULL);
    const char *text = g_str_has_prefix(value, "{type: ") ? value + strlen("{type: ") : value;
    gboolean gap = FALSE;
    for (; *text; text++) {
        if (*text == '+') /* 1e+3 is not 1e-3 */
            continue;
        if (!g_ascii_isalnum(*text) && !strchr("._-", *text)) {
            gap = name->len > 0;
            continue;
        }
        if (gap)
            g_string_append_c(name, '-');
        gap = FALSE;
        g_string_append_c(name, *text);
    }
    return g_strdup(name->str);
}

static void shorten(GString *name)
{
    if (name->len <= LONGEST)
        return;
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name->str, -1);
    g_string_truncate(name, LONGEST - DIGITS - 1);
    g_string_append_c(name, '-');
    g_string_append_len(name, sum, DIGITS);
}

char *dpcxr_sweep_point_name(const char *const *overrides, const char *const *keys)
{
    g_autoptr(GString) name = g_string_new(NULL);
    for (; *overrides; overrides++) {
        const char *equals = strchr(*overrides, '=');
        g_autofree char *key = g_strndup(*overrides, (gsize)(equals - *overrides));
        g_autofree char *called = dpcxr_sweep_short_key(key, keys);
        g_autofree char *value = dpcxr_sweep_value_name(equals + 1);
        g_string_append_printf(name, "%s%s-%s", name->len ? "_" : "", called, value);
    }
    shorten(name);
    return g_strdup(name->str);
}
