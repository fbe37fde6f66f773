/* SPDX-License-Identifier: MIT
 * The scan is over tokens: strings, numbers and words are checked here, and the depth; the grammar between
 * them is json-glib's work, and so are the values. */
#include "base/json.h"
#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct {
    const char *text, *at, *end;
    int depth, max_depth;
    gboolean complete; /* the value of the text has ended: only white space may follow */
} Scan;

static gboolean refuse(const Scan *scan, const char *problem, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "not the JSON expected: %s (byte %" G_GSIZE_FORMAT ")",
                problem, (gsize)(scan->at - scan->text));
    return FALSE;
}

/* The four digits of "\uXXXX" at @at, or -1. */
static int unicode_escape(const char *at, const char *end)
{
    int value = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = g_ascii_xdigit_value(at[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Steps over one escape sequence. U+0000 would cut a C string short, half a surrogate pair
 * is no character. */
static gboolean skip_escape(Scan *scan, GError **error)
{
    int unit = unicode_escape(scan->at, scan->end);

    if (unit < 0) {
        if (scan->end - scan->at < 2 || !strchr("\"\\/bfnrt", scan->at[1]) || scan->at[1] == '\0')
            return refuse(scan, "an escape that JSON does not have", error);
        scan->at += 2;
        return TRUE;
    }
    gboolean high = unit >= 0xd800 && unit <= 0xdbff, low = unit >= 0xdc00 && unit <= 0xdfff;
    int next = high ? unicode_escape(scan->at + 6, scan->end) : -1;
    if (unit == 0 || low || (high && (next < 0xdc00 || next > 0xdfff)))
        return refuse(scan, "an escape that is no character", error);
    scan->at += high ? 12 : 6;
    return TRUE;
}

static gboolean skip_string(Scan *scan, GError **error)
{
    scan->at++;
    while (scan->at < scan->end && *scan->at != '"') {
        if ((guchar)*scan->at < 0x20)
            return refuse(scan, "a control character in a string", error);
        if (*scan->at != '\\')
            scan->at++;
        else if (!skip_escape(scan, error))
            return FALSE;
    }
    if (scan->at == scan->end)
        return refuse(scan, "a string without end", error);
    scan->at++;
    return TRUE;
}

static gboolean skip_digits(const char **at)
{
    const char *start = *at;

    while (g_ascii_isdigit(**at))
        (*at)++;
    return *at > start;
}

/* Whether all of @token is a number: -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?; integers fit
 * gint64. */
static gboolean is_number(const char *token)
{
    const char *at = token + (*token == '-');
    gboolean integer = TRUE, leading_zero = at[0] == '0' && g_ascii_isdigit(at[1]);

    if (leading_zero || !skip_digits(&at))
        return FALSE;
    if (*at == '.') {
        integer = FALSE;
        at++;
        if (!skip_digits(&at))
            return FALSE;
    }
    if (*at == 'e' || *at == 'E') {
        integer = FALSE;
        at++;
        at += *at == '+' || *at == '-';
        if (!skip_digits(&at))
            return FALSE;
    }
    if (*at != '\0')
        return FALSE;
    errno = 0;
    if (integer)
        g_ascii_strtoll(token, NULL, 10);
    return integer ? errno == 0 : isfinite(g_ascii_strtod(token, NULL));
}

/* A number or a word: whatever runs up to the next separator. */
static gboolean skip_plain(Scan *scan, GError **error)
{
    gsize n = 0;
    char token[64];

    while (scan->at + n < scan->end &&
           (g_ascii_isalnum(scan->at[n]) || (scan->at[n] && strchr("+-.", scan->at[n]))))
        n++;
    if (n == 0 || n >= sizeof token)
        return refuse(scan, n == 0 ? "a character that has no place here" : "a number too long", error);
    memcpy(token, scan->at, n);
    token[n] = '\0';
    if (strcmp(token, "true") != 0 && strcmp(token, "false") != 0 && strcmp(token, "null") != 0 &&
        !is_number(token))
        return refuse(scan, "neither a number in range nor true, false or null", error);
    scan->at += n;
    return TRUE;
}

static gboolean scan_tokens(Scan *scan, GError **error)
{
    while (scan->at < scan->end) {
        char c = *scan->at;
        if (c != '\0' && strchr(" \t\r\n", c)) {
            scan->at++;
            continue;
        }
        if (scan->complete)
            return refuse(scan, "something after the end", error);
        if (c == '"') {
            if (!skip_string(scan, error))
                return FALSE;
        } else if (c != '\0' && strchr("{}[],:", c)) {
            scan->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
            if (scan->depth > scan->max_depth)
                return refuse(scan, "nested too deep", error);
            scan->at++;
        } else if (!skip_plain(scan, error)) {
            return FALSE;
        }
        scan->complete = scan->depth == 0;
    }
    return TRUE;
}

typedef struct {
    GHashTable *seen; /* "OBJECT KEY" */
    char *duplicate;
} Members;

/* Objects live until the parser is done, unless a duplicate key dropped one; by then the duplicate is on
 * record. */
static void on_member(JsonParser *parser, JsonObject *object, const char *key, gpointer data)
{
    Members *members = data;

    if (!g_hash_table_add(members->seen, g_strdup_printf("%p %s", (void *)object, key)) &&
        !members->duplicate)
        members->duplicate = g_strdup(key);
}

JsonNode *dpcxr_json_parse(const char *text, gsize length, int max_depth, GError **error)
{
    Scan scan = {text, text, text + length, 0, max_depth, FALSE};
    const char *invalid;

    if (!g_utf8_validate_len(text, length, &invalid)) {
        scan.at = invalid;
        refuse(&scan, "not UTF-8", error);
        return NULL;
    }
    if (!scan_tokens(&scan, error))
        return NULL;

    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GError) cause = NULL;
    Members members = {seen, NULL};
    g_signal_connect(parser, "object-member", G_CALLBACK(on_member), &members);
    gboolean parsed = json_parser_load_from_data(parser, text, length, &cause);
    g_autofree char *duplicate = members.duplicate;
    if (!parsed || duplicate || !json_parser_get_root(parser)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "not the JSON expected: %s%s",
                    !parsed     ? cause->message
                    : duplicate ? "two entries named "
                                : "empty",
                    parsed && duplicate ? duplicate : "");
        return NULL;
    }
    return json_parser_steal_root(parser);
}
