/* SPDX-License-Identifier: MIT
 * JSON has neither infinities nor NaN; both become null. */
#include "base/json-write.h"
#include <math.h>

void dpcxr_json_put_string(JsonBuilder *json, const char *key, const char *value)
{
    json_builder_set_member_name(json, key);
    if (value)
        json_builder_add_string_value(json, value);
    else
        json_builder_add_null_value(json);
}

void dpcxr_json_put_number(JsonBuilder *json, const char *key, double value)
{
    json_builder_set_member_name(json, key);
    if (isfinite(value))
        json_builder_add_double_value(json, value);
    else
        json_builder_add_null_value(json);
}

void dpcxr_json_put_count(JsonBuilder *json, const char *key, guint64 value)
{
    json_builder_set_member_name(json, key);
    json_builder_add_int_value(json, (gint64)value);
}

void dpcxr_json_put_bool(JsonBuilder *json, const char *key, gboolean value)
{
    json_builder_set_member_name(json, key);
    json_builder_add_boolean_value(json, value);
}

void dpcxr_json_put_strings(JsonBuilder *json, const char *key, const GPtrArray *strings)
{
    dpcxr_json_begin_array(json, key);
    for (guint i = 0; strings && i < strings->len; i++)
        json_builder_add_string_value(json, g_ptr_array_index(strings, i));
    json_builder_end_array(json);
}

void dpcxr_json_begin_object(JsonBuilder *json, const char *key)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_object(json);
}

void dpcxr_json_begin_array(JsonBuilder *json, const char *key)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
}

/* json-glib 1.6 adds ".0" to a number without a point, behind the exponent too: 1e-08.0 is not JSON. Takes it out again,
 * outside of strings. */
static void repair_exponents(char *text)
{
    gboolean in_string = FALSE;
    char *to = text;
    for (const char *from = text; *from;) {
        if (in_string && *from == '\\')
            *to++ = *from++;
        else if (*from == '"')
            in_string = !in_string;
        else if (!in_string && *from == 'e' && (from[1] == '-' || from[1] == '+')) {
            *to++ = *from++;
            do
                *to++ = *from++;
            while (g_ascii_isdigit(*from));
            if (from[0] == '.' && from[1] == '0')
                from += 2;
            continue;
        }
        *to++ = *from++;
    }
    *to = '\0';
}

char *dpcxr_json_text(JsonBuilder *json)
{
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autofree char *text = json_to_string(root, TRUE);
    repair_exponents(text);
    return g_strconcat(text, "\n", NULL);
}
