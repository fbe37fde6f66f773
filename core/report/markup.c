/* SPDX-License-Identifier: MIT */
#include "report/markup.h"
#include <math.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define MINUS "\xE2\x88\x92"
#define DASH "\xE2\x80\x93"
#define NARROW_SPACE "\xE2\x80\xAF"

static const char *entity(gunichar c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* The characters of XML 1.0, less the C1 controls, which it discourages. */
static gboolean in_xml(gunichar c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7F) || (c > 0x9F && c < 0xD800) ||
           (c >= 0xE000 && c < 0xFFFE) || (c >= 0x10000 && c < 0x110000);
}

void dpcxr_markup_text(GString *out, const char *text)
{
    const char *end = text ? text + strlen(text) : NULL;
    while (text && text < end) {
        gunichar c = g_utf8_get_char_validated(text, end - text);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append(out, REPLACEMENT);
            text++;
            continue;
        }
        if (entity(c))
            g_string_append(out, entity(c));
        else if (in_xml(c))
            g_string_append_unichar(out, c);
        else
            g_string_append(out, REPLACEMENT);
        text = g_utf8_next_char(text);
    }
}

char *dpcxr_markup_escape(const char *text)
{
    GString *out = g_string_new(NULL);
    dpcxr_markup_text(out, text);
    return g_string_free(out, FALSE);
}

void dpcxr_markup_slug(GString *out, const char *text)
{
    gsize start = out->len;
    gboolean gap = FALSE;
    for (; *text; text++) {
        if (!g_ascii_isalnum(*text) && *text != '_') {
            gap = TRUE;
            continue;
        }
        if (gap && out->len > start)
            g_string_append_c(out, '-');
        gap = FALSE;
        g_string_append_c(out, *text);
    }
    if (out->len == start)
        g_string_append(out, "x");
}

char *dpcxr_number_text(double value, int digits)
{
    if (isnan(value))
        return g_strdup(DASH);
    if (isinf(value))
        return g_strdup(value > 0 ? "\xE2\x88\x9E" : MINUS "\xE2\x88\x9E");
    g_autofree char *plain = g_strdup_printf("%.*f", digits, fabs(value));
    gboolean zero = strspn(plain, "0.") == strlen(plain);
    return g_strconcat(value < 0 && !zero ? MINUS : "", plain, NULL);
}

char *dpcxr_limits_text(double low, double high, int digits)
{
    if (isnan(low) || isnan(high))
        return NULL;
    g_autofree char *from = dpcxr_number_text(low, digits), *to = dpcxr_number_text(high, digits);
    const char *between = low < 0 || high < 0 ? " to " : DASH; /* a dash beside a minus reads badly */
    return g_strconcat(from, between, to, NULL);
}

char *dpcxr_interval_text(double value, double low, double high, int digits)
{
    g_autofree char *middle = dpcxr_number_text(value, digits),
                    *limits = dpcxr_limits_text(low, high, digits);
    if (isnan(value) || !limits)
        return g_steal_pointer(&middle);
    return g_strdup_printf("%s (%s)", middle, limits);
}

char *dpcxr_count_text(guint64 count)
{
    g_autofree char *plain = g_strdup_printf("%" G_GUINT64_FORMAT, count);
    gsize n = strlen(plain);
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && n > 4)
            g_string_append(out, NARROW_SPACE);
        g_string_append_c(out, plain[i]);
    }
    return g_string_free(out, FALSE);
}
