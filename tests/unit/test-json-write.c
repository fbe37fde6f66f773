/* SPDX-License-Identifier: MIT
 * What is written as JSON is JSON, and reads back as the same numbers and strings. */
#include "base/json-write.h"
#include "base/json.h"
#include <float.h>
#include <math.h>
#include <string.h>

static JsonObject *round_trip(JsonBuilder *json, JsonNode **root)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = dpcxr_json_text(json);
    *root = dpcxr_json_parse(text, strlen(text), 8, &error);
    g_assert_no_error(error);
    return json_node_get_object(*root);
}

/* 1e-08 has no point in its shortest form: some writers put one where none may be. */
static void test_numbers(void)
{
    static const double numbers[] = {1e-8,  1e-10, -1e-10, 1e300, 5e-324, DBL_MAX, DBL_MIN, 1e22, 1e-5,
                                     1e-12, 0,     1,      0.1,   -2,     1e15,    123456789e-20};
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        g_autoptr(JsonNode) root = NULL;
        json_builder_begin_object(json);
        dpcxr_json_put_number(json, "a", numbers[i]);
        dpcxr_json_put_number(json, "b", numbers[i]);
        json_builder_end_object(json);
        JsonObject *object = round_trip(json, &root);
        g_assert_cmpfloat(json_object_get_double_member(object, "a"), ==, numbers[i]);
        g_assert_cmpfloat(json_object_get_double_member(object, "b"), ==, numbers[i]);
    }
}

static void test_no_number(void)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    json_builder_begin_object(json);
    dpcxr_json_put_number(json, "nan", NAN);
    dpcxr_json_put_number(json, "inf", -INFINITY);
    json_builder_end_object(json);
    JsonObject *object = round_trip(json, &root);
    g_assert_true(json_object_get_null_member(object, "nan"));
    g_assert_true(json_object_get_null_member(object, "inf"));
}

/* Whatever looks like a number in a string stays as it is. */
static void test_strings(void)
{
    static const char *const strings[] = {"1e-08.0", "at \"1e-08.0\", 2e+3.0", "ends in \\", "\\\"1e-1.0", "e-.0", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++) {
        g_autoptr(JsonBuilder) json = json_builder_new();
        g_autoptr(JsonNode) root = NULL;
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "a", strings[i]);
        dpcxr_json_put_number(json, strings[i], 1e-8);
        json_builder_end_object(json);
        JsonObject *object = round_trip(json, &root);
        g_assert_cmpstr(json_object_get_string_member(object, "a"), ==, strings[i]);
        g_assert_cmpfloat(json_object_get_double_member(object, strings[i]), ==, 1e-8);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-write/numbers", test_numbers);
    g_test_add_func("/json-write/no-number", test_no_number);
    g_test_add_func("/json-write/strings", test_strings);
    return g_test_run();
}
