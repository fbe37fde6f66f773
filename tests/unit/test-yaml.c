/* SPDX-License-Identifier: MIT
 * YAML: what is read, what is refused and where, that hostile files end, that what is written reads back. */
#include "config/yaml.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The problems of parsing @text as "f", or NULL where there are none. */
static char *problems_of(const char *text, gssize length)
{
    g_autoptr(DpcxrProblems) problems = dpcxr_problems_new();
    g_autoptr(DpcxrYaml) node = dpcxr_yaml_parse(text, length, "f", NULL, problems);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(node == NULL, ==, dpcxr_problems_count(problems) > 0);
    if (dpcxr_problems_check(problems, &error))
        return NULL;
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    return g_strdup(error->message);
}

static DpcxrYaml *parse(const char *text)
{
    g_autoptr(DpcxrProblems) problems = dpcxr_problems_new();
    DpcxrYaml *node = dpcxr_yaml_parse(text, -1, "f", NULL, problems);
    g_autoptr(GError) error = NULL;
    dpcxr_problems_check(problems, &error);
    g_assert_no_error(error);
    g_assert_nonnull(node);
    return node;
}

static void check_mark(const DpcxrYaml *node, guint line, guint column)
{
    g_assert_cmpstr(node->mark.file, ==, "f");
    g_assert_cmpuint(node->mark.line, ==, line);
    g_assert_cmpuint(node->mark.column, ==, column);
}

static void test_tree(void)
{
    g_autoptr(DpcxrYaml) root = parse("a: 1\nb:\n  - x\n  - {c: \"q\"}\n");
    g_assert_cmpint(root->kind, ==, DPCXR_YAML_MAP);
    g_assert_cmpuint(root->keys->len, ==, 2);
    check_mark(root->keys->pdata[1], 2, 1);
    check_mark(dpcxr_yaml_get(root, "a"), 1, 4);
    const DpcxrYaml *list = dpcxr_yaml_get(root, "b");
    g_assert_cmpint(list->kind, ==, DPCXR_YAML_LIST);
    check_mark(list->items->pdata[0], 3, 5);
    const DpcxrYaml *quoted = dpcxr_yaml_get(list->items->pdata[1], "c");
    g_assert_cmpstr(quoted->text, ==, "q");
    g_assert_false(quoted->plain);
    check_mark(quoted, 4, 9);
    g_assert_null(dpcxr_yaml_get(root, "c"));
}

static void test_empty(void)
{
    static const char *const texts[] = {"", "# only a comment\n", "---\n", "\xEF\xBB\xBF"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(DpcxrYaml) root = parse(texts[i]);
        g_assert_true(dpcxr_yaml_is_null(root));
    }
}

static void test_byte_order_mark(void)
{
    g_autoptr(DpcxrYaml) root = parse("\xEF\xBB\xBF"
                                      "a: 1");
    check_mark(root->keys->pdata[0], 1, 1);
}

typedef struct {
    const char *text;
    char kind; /* n null, b bool, i int, f number, s text */
    double value;
} Scalar;

/* YAML 1.2.2, section 10.3.2, and the words that YAML 1.1 read otherwise. */
static const Scalar scalars[] = {
    {"null", 'n'},
    {"~", 'n'},
    {"Null", 'n'},
    {"nULL", 's'},
    {"\"null\"", 's'},
    {"true", 'b', 1},
    {"False", 'b', 0},
    {"tRUE", 's'},
    {"no", 's'},
    {"on", 's'},
    {"yes", 's'},
    {"y", 's'},
    {"Off", 's'},
    {"0", 'i', 0},
    {"-12", 'i', -12},
    {"+7", 'i', 7},
    {"010", 'i', 10},
    {"0o17", 'i', 15},
    {"0x1F", 'i', 31},
    {"-0x1F", 's'},
    {"0b1", 's'},
    {"1_000", 's'},
    {"1e-6", 'f', 1e-6},
    {"1E+3", 'f', 1000},
    {".5", 'f', 0.5},
    {"5.", 'f', 5},
    {"-1.5e2", 'f', -150},
    {"1e", 's'},
    {".", 's'},
    {"e5", 's'},
    {"1.2.3", 's'},
    {".inf", 'f', INFINITY},
    {"-.INF", 'f', -INFINITY},
    {"inf", 's'},
    {"nan", 's'},
    {"0x", 's'},
    {"12:30", 's'},
    {"2001-01-01", 's'},
    {"'1'", 's'},
    {"9223372036854775807", 'i', 9223372036854775807.0},
    {"9223372036854775808", 'f', 9223372036854775808.0},
};

static void test_core_schema(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(scalars); i++) {
        const Scalar *want = &scalars[i];
        g_test_message("%s", want->text);
        g_autoptr(DpcxrYaml) node = parse(want->text);
        gboolean truth = FALSE;
        gint64 whole = 0;
        double number = 0;
        g_assert_cmpint(dpcxr_yaml_is_null(node), ==, want->kind == 'n');
        g_assert_cmpint(dpcxr_yaml_get_bool(node, &truth), ==, want->kind == 'b');
        g_assert_cmpint(dpcxr_yaml_get_int(node, &whole), ==, want->kind == 'i');
        g_assert_cmpint(dpcxr_yaml_get_number(node, &number), ==, want->kind == 'i' || want->kind == 'f');
        g_assert_cmpfloat(truth + number, ==, want->value);
    }
    g_autoptr(DpcxrYaml) nan = parse(".nan");
    double number = 0;
    g_assert_true(dpcxr_yaml_get_number(nan, &number) && isnan(number));
}

typedef struct {
    const char *text, *want;
} Refusal;

static const Refusal refusals[] = {
    {"a: 1\nb: 2\na: 3\n", "f:3:1: the key \"a\" is there twice; the first is at f:1:1"},
    {"a: 1\n---\nb: 2\n", "f:2:1: a second document (---); one file is one document"},
    {"a: *b\n", "f:1:4: *b stands for nothing: no &b was completed before it"},
    {"a: &b [1, *b]\n", "f:1:11: *b stands for nothing: no &b was completed before it"},
    {"a: &b 1\nc: &b [*b]\n", "f:2:8: *b stands for nothing: no &b was completed before it"},
    {"a: !!str 1\n", "f:1:4: a tag (!): write numbers plainly and text in quotes instead"},
    {"? [a]\n: 1\n", "f:1:3: a key that is a list; keys are words"},
    {"a: \"x\\0y\"\n", "f:1:4: a text with a NUL character"},
    {"a: b\nc: \x01\n", "f:2:4: a control character; in double quotes write it as \\xNN"},
    {"a: b\nc: \xC2\x9B\n", "f:2:4: a control character; in double quotes write it as \\xNN"},
    {"a: \xC3\xA4\xFF\n", "f:1:5: not valid UTF-8"},
    {"%TAG ! tag:x,2000:\n---\na: 1\n", "f:1:1: a %TAG directive; dpcxr supports no tags"},
};

static void test_refused(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *got = problems_of(refusals[i].text, -1);
        g_assert_cmpstr(got, ==, refusals[i].want);
    }
    g_autofree char *nul = problems_of("a: b\n\0", 6);
    g_assert_cmpstr(nul, ==, "f:2:1: a NUL byte");
    g_autofree char *syntax = problems_of("a: [1, 2\nb: 3\n", -1);
    g_assert_true(g_str_has_prefix(syntax, "f:2:"));
}

static void test_aliases(void)
{
    g_autoptr(DpcxrYaml) root = parse("a: &x {k: [1, 2]}\nb: *x\nc: &x 3\nd: *x\n");
    const DpcxrYaml *copy = dpcxr_yaml_get(dpcxr_yaml_get(root, "b"), "k");
    g_assert_cmpuint(copy->items->len, ==, 2);
    check_mark(copy, 1, 11); /* where it was written */
    g_assert_true(copy != dpcxr_yaml_get(dpcxr_yaml_get(root, "a"), "k"));
    g_assert_cmpstr(dpcxr_yaml_get(root, "d")->text, ==, "3");
}

static char *repeat(const char *text, gsize times)
{
    GString *all = g_string_new(NULL);
    for (gsize i = 0; i < times; i++)
        g_string_append(all, text);
    return g_string_free(all, FALSE);
}

static void check_refused(const char *text, const char *part)
{
    g_autofree char *got = problems_of(text, -1);
    if (!got || !strstr(got, part))
        g_error("wanted \"%s\", got \"%s\"", part, got ? got : "no problem");
}

static void test_deep(void)
{
    static const char *const nests[] = {"[", "{a: ", "- ", "? ", "{? "};
    for (gsize i = 0; i < G_N_ELEMENTS(nests); i++) {
        g_autofree char *text = repeat(nests[i], 200 * 1000);
        check_refused(text, i == 4 ? "" : "nested more than 64 deep");
    }
    g_autofree char *open = repeat("[", 64), *close = repeat("]", 64);
    g_autofree char *just = g_strconcat(open, close, NULL), *over = g_strconcat("[", just, "]", NULL);
    g_autoptr(DpcxrYaml) fits = parse(just);
    g_assert_cmpint(fits->kind, ==, DPCXR_YAML_LIST);
    check_refused(over, "nested more than 64 deep");
    /* Depth that only aliases make. */
    g_autofree char *aliased =
        g_strconcat("- &a ", open + 32, close + 32, "\n- ", open + 32, "*a", close + 32, NULL);
    check_refused(aliased, "nested more than 64 deep");
}

static void test_alias_bomb(void)
{
    g_autoptr(GString) text = g_string_new("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++)
        g_string_append_printf(text, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1,
                               i - 1, i - 1);
    check_refused(text->str, "more than 65536 values, aliases included");
    g_autofree char *x = repeat("x", 60000), *uses = repeat(", *a", 1000);
    g_autofree char *wide = g_strconcat("- &a ", x, "\n- [y", uses, "]\n", NULL);
    check_refused(wide, "bytes of text, aliases included");
}

static void test_large(void)
{
    g_autofree char *x = repeat("x", 900 * 1000);
    g_autofree char *scalar = g_strconcat("a: ", x, NULL);
    check_refused(scalar, "a text of more than 65536 bytes");
    g_autofree char *items = repeat("- 1\n", 200 * 1000);
    check_refused(items, "more than 65536 values");
    g_autoptr(GString) keys = g_string_new(NULL);
    for (int i = 0; i < 5000; i++)
        g_string_append_printf(keys, "k%d: 1\n", i);
    check_refused(keys->str, "a map of more than 1024 keys");
    g_autofree char *directives = repeat("%TAG !a! tag:x\n", 60000);
    check_refused(directives, "a %TAG directive");
    g_autofree char *anchors = repeat("&a ", 300 * 1000);
    check_refused(anchors, "not YAML");
}

static void test_files(void)
{
    g_autofree char *folder = g_dir_make_tmp("dpcxr-yaml-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "large.yaml", NULL);
    g_autofree char *text = repeat("# 789\n", 200 * 1000);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    const char *const paths[] = {path, folder, "/nonexistent/file.yaml"};
    const char *const parts[] = {"is larger than 1 MiB", "cannot be read",
                                 "/nonexistent/file.yaml: cannot be read"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(DpcxrProblems) problems = dpcxr_problems_new();
        g_autoptr(GError) error = NULL;
        g_assert_null(dpcxr_yaml_read(paths[i], problems));
        g_assert_false(dpcxr_problems_check(problems, &error));
        g_assert_nonnull(strstr(error->message, parts[i]));
    }
    remove(path);
    remove(folder);
}

static void check_equal(const DpcxrYaml *a, const DpcxrYaml *b)
{
    g_assert_cmpint(a->kind, ==, b->kind);
    if (a->kind == DPCXR_YAML_SCALAR) {
        g_assert_cmpstr(a->text, ==, b->text);
        g_assert_cmpint(dpcxr_yaml_is_null(a), ==, dpcxr_yaml_is_null(b));
        double x = 0, y = 0;
        g_assert_cmpint(dpcxr_yaml_get_number(a, &x), ==, dpcxr_yaml_get_number(b, &y));
        g_assert_cmpfloat(x, ==, y);
        return;
    }
    g_assert_cmpuint(a->items->len, ==, b->items->len);
    for (guint i = 0; i < a->items->len; i++) {
        if (a->keys)
            g_assert_cmpstr(((DpcxrYaml *)a->keys->pdata[i])->text, ==,
                            ((DpcxrYaml *)b->keys->pdata[i])->text);
        check_equal(a->items->pdata[i], b->items->pdata[i]);
    }
}

static const char *const awkward[] = {
    "",
    " ",
    "a b",
    "no",
    "NO",
    "true",
    "null",
    "~",
    "1",
    "1e5",
    ".5",
    "0x1",
    "a: b",
    "# x",
    "a #b",
    "- a",
    "[a",
    "{",
    "*a",
    "&a",
    "!t",
    "%d",
    "@x",
    "`x",
    "'q'",
    "\"q\"",
    "back\\slash",
    "two\nlines",
    "end\n",
    "\n\nx",
    "tab\there",
    "\r",
    "${env:X}",
    "\xC3\xA4\xF0\x9F\xAB\x81",
    "\x1b[31m",
    "\x7f",
    "\xC2\x85",
    "\xE2\x80\xA8",
    "\xEF\xBB\xBFx",
    "/a/b.c",
    "12:30",
    "---",
    "...",
    "?",
    ":",
    "a:",
    " lead",
    "trail ",
    "2001-01-01",
    "<<",
    "=",
};

static void test_write(void)
{
    DpcxrMark mark = {g_ref_string_new("test"), 0, 0};
    g_autoptr(DpcxrYaml) root = dpcxr_yaml_new(DPCXR_YAML_MAP, &mark);
    DpcxrYaml *list = dpcxr_yaml_new(DPCXR_YAML_LIST, &mark);
    g_autofree char *wide = repeat("word and ", 100);
    for (gsize i = 0; i < G_N_ELEMENTS(awkward); i++) {
        g_ptr_array_add(list->items, dpcxr_yaml_new_scalar(awkward[i], FALSE, &mark));
        dpcxr_yaml_set(root, awkward[i], dpcxr_yaml_new_scalar(awkward[i], FALSE, &mark));
    }
    dpcxr_yaml_set(root, "list", list);
    dpcxr_yaml_set(root, "wide", dpcxr_yaml_new_scalar(wide, FALSE, &mark));
    dpcxr_yaml_set(root, "number", dpcxr_yaml_new_scalar("1e-06", TRUE, &mark));
    dpcxr_yaml_set(root, "nothing", dpcxr_yaml_new_scalar("null", TRUE, &mark));
    dpcxr_yaml_set(root, "empty list", dpcxr_yaml_new(DPCXR_YAML_LIST, &mark));
    dpcxr_yaml_set(root, "empty map", dpcxr_yaml_new(DPCXR_YAML_MAP, &mark));
    dpcxr_mark_clear(&mark);
    g_autofree char *text = dpcxr_yaml_write(root);
    g_autoptr(DpcxrYaml) back = parse(text);
    check_equal(root, back);
}

static void test_edit(void)
{
    g_autoptr(DpcxrYaml) root = parse("a: 1\nb: 2\n");
    dpcxr_yaml_set(root, "a", dpcxr_yaml_copy(dpcxr_yaml_get(root, "b")));
    g_assert_cmpuint(root->keys->len, ==, 2);
    g_assert_cmpstr(dpcxr_yaml_get(root, "a")->text, ==, "2");
    g_assert_true(dpcxr_yaml_remove(root, "b"));
    g_assert_false(dpcxr_yaml_remove(root, "b"));
    g_assert_cmpuint(root->items->len, ==, 1);
}

static void test_show(void)
{
    g_autofree char *x = repeat("\xC3\xA4", 100);
    g_autofree char *shown = dpcxr_yaml_show(x), *control = dpcxr_yaml_show("a\x1b[0m\nb");
    g_assert_true(g_utf8_validate(shown, -1, NULL) && g_str_has_suffix(shown, "...") && strlen(shown) < 70);
    g_assert_cmpstr(control, ==, "a?[0m?b");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/yaml/tree", test_tree);
    g_test_add_func("/yaml/empty", test_empty);
    g_test_add_func("/yaml/byte-order-mark", test_byte_order_mark);
    g_test_add_func("/yaml/core-schema", test_core_schema);
    g_test_add_func("/yaml/refused", test_refused);
    g_test_add_func("/yaml/aliases", test_aliases);
    g_test_add_func("/yaml/hostile/deep", test_deep);
    g_test_add_func("/yaml/hostile/alias-bomb", test_alias_bomb);
    g_test_add_func("/yaml/hostile/large", test_large);
    g_test_add_func("/yaml/files", test_files);
    g_test_add_func("/yaml/write", test_write);
    g_test_add_func("/yaml/edit", test_edit);
    g_test_add_func("/yaml/show", test_show);
    return g_test_run();
}
