/* SPDX-License-Identifier: MIT
 * Option tables: every type with right and wrong values, defaults, suggestions, positions, and
 * back to YAML. */
#include "config/options.h"
#include <float.h>
#include <string.h>

static const DpcxrOptionSpec table[] = {
    {"flag", DPCXR_OPTION_BOOL, "false", .summary = "A flag."},
    {"count", DPCXR_OPTION_INT, "3", .min = 1, .max = 9, .unit = "things", .summary = "A count."},
    {"workers", DPCXR_OPTION_INT, "auto", .min = 1, .max = 64, .choices = "auto",
     .summary = "A count or a word."},
    {"rate", DPCXR_OPTION_NUMBER, "0.5", .min = DBL_MIN, .max = DBL_MAX, .summary = "Above 0."},
    {"free", DPCXR_OPTION_NUMBER, "null", .summary = "Without limits or default."},
    {"title", DPCXR_OPTION_STRING, "plain", .summary = "A text."},
    {"side", DPCXR_OPTION_CHOICE, "keep", .choices = "swap|keep|refuse", .summary = "A choice."},
    {"root", DPCXR_OPTION_PATH, "null", .summary = "A folder."},
    {"names", DPCXR_OPTION_STRINGS, "[a, b]", .summary = "A list."},
    {"splits", DPCXR_OPTION_STRINGS, "[]", .choices = "train|valid|test", .summary = "A list of choices."},
    {"bins", DPCXR_OPTION_NUMBERS, "[1, 2.5]", .min = 0, .max = 10, .summary = "Numbers."},
    {"columns", DPCXR_OPTION_MAP, "{}", .summary = "A map."},
    {0}};

static DpcxrOptions *parse(const char *yaml)
{
    g_autoptr(GError) error = NULL;
    DpcxrOptions *options = dpcxr_options_parse(table, yaml, &error);
    g_assert_no_error(error);
    return options;
}

static void test_defaults(void)
{
    g_autoptr(DpcxrOptions) options = parse("");
    gsize n;
    g_assert_false(dpcxr_options_get_bool(options, "flag"));
    g_assert_cmpint(dpcxr_options_get_int(options, "count"), ==, 3);
    g_assert_cmpint(dpcxr_options_get_int(options, "workers"), ==, 0);
    g_assert_cmpstr(dpcxr_options_get_string(options, "workers"), ==, "auto");
    g_assert_cmpfloat(dpcxr_options_get_number(options, "rate"), ==, 0.5);
    g_assert_false(dpcxr_options_is_set(options, "free"));
    g_assert_true(dpcxr_options_is_set(options, "rate"));
    g_assert_cmpstr(dpcxr_options_get_string(options, "title"), ==, "plain");
    g_assert_cmpstr(dpcxr_options_get_string(options, "side"), ==, "keep");
    g_assert_cmpint(dpcxr_options_get_choice(options, "side"), ==, 1);
    g_assert_null(dpcxr_options_get_string(options, "root"));
    g_assert_cmpstr(dpcxr_options_get_strings(options, "names")[1], ==, "b");
    g_assert_null(dpcxr_options_get_strings(options, "names")[2]);
    g_assert_null(dpcxr_options_get_strings(options, "splits")[0]);
    g_assert_cmpfloat(dpcxr_options_get_numbers(options, "bins", &n)[1], ==, 2.5);
    g_assert_cmpuint(n, ==, 2);
    g_assert_null(dpcxr_options_get_map(options, "columns", "a"));
    g_assert_null(dpcxr_options_get_map_keys(options, "columns")[0]);
}

static void test_values(void)
{
    g_autoptr(DpcxrOptions) options =
        parse("flag: true\ncount: 0x9\nworkers: 4\nrate: 1e-6\nfree: -3\ntitle: 5\nside: refuse\nroot: /a b\n"
              "names: [no, 1]\nsplits: [test]\nbins: []\ncolumns: {age: Alter, n: 7}\n");
    gsize n = 7;
    g_assert_true(dpcxr_options_get_bool(options, "flag"));
    g_assert_cmpint(dpcxr_options_get_int(options, "count"), ==, 9);
    g_assert_cmpint(dpcxr_options_get_int(options, "workers"), ==, 4);
    g_assert_null(dpcxr_options_get_string(options, "workers"));
    g_assert_cmpfloat(dpcxr_options_get_number(options, "rate"), ==, 1e-6);
    g_assert_cmpfloat(dpcxr_options_get_number(options, "free"), ==, -3);
    g_assert_cmpstr(dpcxr_options_get_string(options, "title"), ==, "5");
    g_assert_cmpint(dpcxr_options_get_choice(options, "side"), ==, 2);
    g_assert_cmpstr(dpcxr_options_get_string(options, "root"), ==, "/a b");
    g_assert_cmpstr(dpcxr_options_get_strings(options, "names")[0], ==, "no");
    g_assert_cmpstr(dpcxr_options_get_strings(options, "splits")[0], ==, "test");
    dpcxr_options_get_numbers(options, "bins", &n);
    g_assert_cmpuint(n, ==, 0);
    g_assert_true(dpcxr_options_is_set(options, "bins"));
    g_assert_cmpstr(dpcxr_options_get_map(options, "columns", "age"), ==, "Alter");
    g_assert_cmpstr(dpcxr_options_get_map_keys(options, "columns")[1], ==, "n");
    g_assert_cmpstr(dpcxr_options_where(options, "rate"), ==, "options:4:7");
    g_assert_cmpstr(dpcxr_options_where(options, "columns"), ==, "options:12:10");
}

static void test_null(void)
{
    g_autoptr(DpcxrOptions) options = parse("{free: null, title: null, root: ~, names: , columns: null}");
    g_assert_false(dpcxr_options_is_set(options, "free"));
    g_assert_null(dpcxr_options_get_string(options, "title"));
    g_assert_null(dpcxr_options_get_strings(options, "names")[0]);
}

typedef struct {
    const char *yaml, *want;
} Wrong;

static const Wrong wrongs[] = {
    {"flag: yes", "options:1:7: flag: expected true or false, got the text \"yes\""},
    {"count: 10", "options:1:8: count: must be at least 1 and at most 9 things, got 10"},
    {"count: 2.5", "options:1:8: count: expected a whole number, got the number 2.5"},
    {"count: \"5\"", "options:1:8: count: expected a whole number, got the quoted text \"5\""},
    {"count: null", "options:1:8: count: has no value; the default is 3"},
    {"count: 99999999999999999999",
     "options:1:8: count: expected a whole number, got the number 99999999999999999999"},
    {"workers: many", "options:1:10: workers: expected a whole number or auto, got the text \"many\""},
    {"workers: 0", "options:1:10: workers: must be at least 1 and at most 64, got 0"},
    {"rate: 0", "options:1:7: rate: must be above 0, got 0"},
    {"rate: .nan", "options:1:7: rate: expected a finite number, got the number .nan"},
    {"rate: 1e999", "options:1:7: rate: expected a finite number, got the number 1e999"},
    {"rate: [1]", "options:1:7: rate: expected a number, got a list"},
    {"title: {a: b}", "options:1:8: title: expected a text, got a map"},
    {"side: kep",
     "options:1:7: side: expected one of swap, keep, refuse, got the text \"kep\"; did you mean \"keep\"?"},
    {"side: 7", "options:1:7: side: expected one of swap, keep, refuse, got the number 7"},
    {"root: ''", "options:1:7: root: expected a file or folder, got an empty text"},
    {"names: a", "options:1:8: names: expected a list, as in [a, b], got the text \"a\""},
    {"names: [a, {b: c}]", "options:1:12: names: expected a text, got a map"},
    {"splits: [tset]", "options:1:10: splits: expected one of train, valid, test, got the text \"tset\"; did "
                       "you mean \"test\"?"},
    {"bins: [1, 11]", "options:1:11: bins: must be at least 0 and at most 10, got 11"},
    {"bins: 3", "options:1:7: bins: expected a list of numbers, as in [1, 2], got the number 3"},
    {"columns: [a]", "options:1:10: columns: expected a map, as in {name: value}, got a list"},
    {"columns: {a: [b]}", "options:1:14: columns: expected a text, got a list"},
    {"cuont: 3", "options:1:1: cuont: unknown key; did you mean \"count\"?"},
    {"zzzzzz: 3",
     "options:1:1: zzzzzz: unknown key; there are flag, count, workers, rate, free, title, side, root, "
     "names, splits, bins, columns"},
    {"[1]", "options:1:1: expected a map, as in {name: value}, got a list"},
    {"{", "options:2:1: not YAML: did not find expected node content, while parsing a flow node"},
};

static void test_wrong(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wrongs); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DpcxrOptions) options = dpcxr_options_parse(table, wrongs[i].yaml, &error);
        g_assert_null(options);
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
        g_assert_cmpstr(error->message, ==, wrongs[i].want);
    }
}

static void test_all_problems(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(dpcxr_options_parse(table, "rate: -1\nnmaes: []\nflag: 1\nside: up\n", &error));
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 4);
    g_assert_true(g_str_has_prefix(lines[0], "options:1:7: rate:"));
    g_assert_true(g_str_has_prefix(lines[1], "options:2:1: nmaes:"));
    g_assert_true(g_str_has_prefix(lines[2], "options:3:7: flag:"));
    g_assert_true(g_str_has_prefix(lines[3], "options:4:7: side:"));
}

static void test_required(void)
{
    static const DpcxrOptionSpec needs[] = {{"root", DPCXR_OPTION_PATH, .summary = "the folder"}, {0}};
    static const char *const texts[] = {"", "{root: null}"},
                             *const wants[] = {"options:1:1: root: is missing: the folder",
                                               "options:1:8: root: needs a value: the folder"};
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(dpcxr_options_parse(needs, texts[i], &error));
        g_assert_cmpstr(error->message, ==, wants[i]);
    }
}

static void test_no_table(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(NULL, "", &error);
    g_assert_no_error(error);
    g_assert_nonnull(options);
    g_assert_null(dpcxr_options_parse(NULL, "{a: 1}", &error));
    g_assert_cmpstr(error->message, ==, "options:1:2: a: unknown key; no keys are known here");
}

static void check_round_trip(const char *yaml)
{
    DpcxrMark mark = {g_ref_string_new("test"), 0, 0};
    g_autoptr(DpcxrOptions) options = parse(yaml);
    g_autoptr(DpcxrYaml) map = dpcxr_yaml_new(DPCXR_YAML_MAP, &mark);
    g_autoptr(DpcxrYaml) again = dpcxr_yaml_copy(map);
    dpcxr_mark_clear(&mark);
    dpcxr_options_write(options, TRUE, map);
    g_autofree char *text = dpcxr_yaml_write(map);
    g_autoptr(DpcxrOptions) back = parse(text);
    dpcxr_options_write(back, TRUE, again);
    g_autofree char *second = dpcxr_yaml_write(again);
    g_assert_cmpstr(text, ==, second);
    for (const DpcxrOptionSpec *spec = table; spec->name; spec++)
        g_assert_cmpint(dpcxr_options_is_set(options, spec->name), ==,
                        dpcxr_options_is_set(back, spec->name));
    g_assert_cmpfloat(dpcxr_options_get_number(options, "rate"), ==, dpcxr_options_get_number(back, "rate"));
    g_assert_cmpstr(dpcxr_options_get_string(options, "title"), ==, dpcxr_options_get_string(back, "title"));
}

static void test_round_trip(void)
{
    check_round_trip("");
    check_round_trip(
        "{rate: 0.1, title: \"no\", names: [\"1\", \"a: b\", \"\"], columns: {\"y\": \"1e5\", \"a b\": ''}}");
    check_round_trip(
        "{rate: 0.30000000000000004, free: 5e-324, title: null, workers: 5, bins: [0.1, 1e-300]}");
}

static void test_write_without_paths(void)
{
    DpcxrMark mark = {g_ref_string_new("test"), 0, 0};
    g_autoptr(DpcxrOptions) options = parse("{root: /secret}");
    g_autoptr(DpcxrYaml) map = dpcxr_yaml_new(DPCXR_YAML_MAP, &mark);
    dpcxr_mark_clear(&mark);
    dpcxr_options_write(options, FALSE, map);
    g_autofree char *text = dpcxr_yaml_write(map);
    g_assert_null(dpcxr_yaml_get(map, "root"));
    g_assert_null(strstr(text, "secret"));
    g_assert_nonnull(dpcxr_yaml_get(map, "rate"));
}

/* A table or a caller that is wrong is a bug, not a message to the user. */
static void test_misuse(void)
{
    if (g_test_subprocess()) {
        g_autoptr(DpcxrOptions) options = parse("");
        dpcxr_options_get_int(options, "title");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*option \"title\" is of another type*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/defaults", test_defaults);
    g_test_add_func("/options/values", test_values);
    g_test_add_func("/options/null", test_null);
    g_test_add_func("/options/wrong", test_wrong);
    g_test_add_func("/options/all-problems", test_all_problems);
    g_test_add_func("/options/required", test_required);
    g_test_add_func("/options/no-table", test_no_table);
    g_test_add_func("/options/round-trip", test_round_trip);
    g_test_add_func("/options/write-without-paths", test_write_without_paths);
    g_test_add_func("/options/misuse", test_misuse);
    return g_test_run();
}
