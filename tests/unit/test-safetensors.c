/* SPDX-License-Identifier: MIT
 * safetensors: a file of Python's is read, a file of ours reads back, and no malformed file is believed. */
#include "base/json.h"
#include "tensor/safetensors.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *golden_path(const char *name)
{
    return g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "safetensors", name, NULL);
}

static DpcxrSafetensors *open_ok(const char *path)
{
    g_autoptr(GError) error = NULL;
    DpcxrSafetensors *file = dpcxr_safetensors_open(path, &error);

    g_assert_no_error(error);
    g_assert_nonnull(file);
    return file;
}

static void assert_same_floats(const float *a, const float *b, gsize n)
{
    for (gsize i = 0; i < n; i++) /* by bits: -0 is not 0, and an infinity is itself */
        g_assert_cmpmem(&a[i], sizeof *a, &b[i], sizeof *b);
}

static void assert_converts(const DpcxrSafetensors *file, const char *name, const int *dims, int n_dims)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *expected_name = g_strconcat(name, " as f32", NULL);
    float found[12], expected[12];
    int n = 1;

    for (int i = 0; i < n_dims; i++)
        n *= dims[i];
    dpcxr_safetensors_copy_f32(file, name, dims, n_dims, found, &error);
    g_assert_no_error(error);
    dpcxr_safetensors_copy_f32(file, expected_name,
                               dpcxr_safetensors_find(file, expected_name)->n_dims == 1 ? &n : dims,
                               dpcxr_safetensors_find(file, expected_name)->n_dims, expected, &error);
    g_assert_no_error(error);
    assert_same_floats(found, expected, n);
}

static void test_reads_python(void)
{
    g_autofree char *path = golden_path("mixed.safetensors");
    g_autoptr(DpcxrSafetensors) file = open_ok(path);
    g_autoptr(GError) error = NULL;
    const DpcxrNamedTensor *steps = dpcxr_safetensors_find(file, "steps");
    float values[6];

    g_assert_cmpuint(dpcxr_safetensors_count(file), ==, 11);
    g_assert_cmpstr(dpcxr_safetensors_get(file, 0)->name, ==, "odd");
    g_assert_cmpstr(dpcxr_safetensors_metadata(file, "format"), ==, "pt");
    g_assert_cmpstr(dpcxr_safetensors_metadata(file, "note"), ==, "line\nbreak, \"quotes\", ünïcode");
    g_assert_null(dpcxr_safetensors_metadata(file, "absent"));
    g_assert_null(dpcxr_safetensors_find(file, "__metadata__"));

    assert_converts(file, "half", (const int[]){3, 4}, 2);
    assert_converts(file, "brain", (const int[]){9}, 1);
    assert_converts(file, "wide", (const int[]){1, 2, 1, 3}, 4);
    g_assert_true(dpcxr_safetensors_copy_f32(file, "scalar", NULL, 0, values, &error));
    g_assert_cmpfloat(values[0], ==, 2.5f);
    g_assert_true(dpcxr_safetensors_copy_f32(file, "empty", (const int[]){0, 7}, 2, values, &error));
    g_assert_true(dpcxr_safetensors_copy_f32(file, "Größe \"q\"\\n", (const int[]){2, 3}, 2, values, &error));
    for (int i = 0; i < 6; i++)
        g_assert_cmpfloat(values[i], ==, (float)i / 7);

    gint64 integers[2];
    g_assert_cmpuint(steps->bytes, ==, sizeof integers);
    memcpy(integers, steps->data, sizeof integers);
    g_assert_cmpint(integers[0], ==, -1);
    g_assert_cmpint(integers[1], ==, G_GINT64_CONSTANT(1) << 62);
}

static void test_copy_refuses(void)
{
    g_autofree char *path = golden_path("mixed.safetensors");
    g_autoptr(DpcxrSafetensors) file = open_ok(path);
    const struct {
        const char *name;
        int dims[3], n_dims;
        const char *message;
    } cases[] = {
        {"absent", {1}, 1, "no tensor \"absent\""},
        {"half", {4, 3}, 2, "shape [3, 4], expected [4, 3]"},
        {"half", {12}, 1, "shape [3, 4], expected [12]"},
        {"scalar", {1}, 1, "shape [], expected [1]"},
        {"steps", {2}, 1, "holds integers (I64)"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        float out[12];
        g_assert_false(
            dpcxr_safetensors_copy_f32(file, cases[i].name, cases[i].dims, cases[i].n_dims, out, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
        g_assert_nonnull(strstr(error->message, cases[i].message));
        g_assert_nonnull(strstr(error->message, path));
    }
}

/* A file of @header and @data_size bytes of data. */
static GBytes *make_file(const char *header, gsize data_size)
{
    GByteArray *content = g_byte_array_new();
    guint64 length = strlen(header);
    g_autofree guint8 *data = g_malloc0(data_size + 1);

    g_byte_array_append(content, (const guint8 *)&length, sizeof length);
    g_byte_array_append(content, (const guint8 *)header, length);
    g_byte_array_append(content, data, data_size);
    return g_byte_array_free_to_bytes(content);
}

#define F32(shape, begin, end)                                                                               \
    "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static void test_malformed(void)
{
    const struct {
        const char *header;
        gsize data_size;
        const char *message;
    } cases[] = {
        {"", 0, "empty"},
        {"[]", 0, "no JSON object"},
        {"{\"a\":1}", 0, "needs dtype"},
        {"{\"a\":{}}", 0, "needs dtype"},
        {"{\"a\":{\"dtype\":1,\"shape\":[],\"data_offsets\":[0,4]}}", 4, "needs dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,4]}}", 4, "needs dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "needs dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4,8]}}", 4, "needs dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,\"4\"]}}", 4, "needs dtype"},
        {"{\"a\":{\"dtype\":\"F31\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "dtype F31 is not supported"},
        {"{\"a\":" F32("[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4, "9 dimensions"},
        {"{\"a\":" F32("[2]", 0, 4) "}", 4, "do not make the 4 bytes"},
        {"{\"a\":" F32("[-1]", 0, 4) "}", 4, "do not make"},
        {"{\"a\":" F32("[4611686018427387904,4611686018427387904]", 0, 0) "}", 0, "do not make"},
        {"{\"a\":" F32("[4611686018427387905]", 0, 4) "}", 4,
         "do not make"}, /* 4 (2^62 + 1) is 4 modulo 2^64 */
        {"{\"a\":" F32("[2]", 0, 8) "}", 4, "outside of the 4 bytes"},
        {"{\"a\":" F32("[2]", -8, 0) "}", 8, "outside of"},
        {"{\"a\":" F32("[2]", 8, 0) "}", 8, "outside of"},
        {"{\"a\":" F32("[0]", 9223372036854775807, 9223372036854775807) "}", 8, "outside of"},
        {"{\"a\":" F32("[1]", 0, 18446744073709551615) "}", 8, "in range"},
        {"{\"a\":" F32("[2]", 0, 8) ",\"b\":" F32("[1]", 4, 8) "}", 8, "overlaps with \"a\""},
        {"{\"a\":" F32("[2]", 0, 8) ",\"b\":" F32("[2]", 0, 8) "}", 8, "overlaps"},
        {"{\"a\":" F32("[1]", 0, 4) ",\"b\":" F32("[1]", 8, 12) "}", 12, "a hole after \"a\""},
        {"{\"a\":" F32("[1]", 4, 8) "}", 8, "a hole after \"the header\""},
        {"{\"a\":" F32("[1]", 0, 4) "}", 8, "4 bytes at the end"},
        {"{}", 1, "1 bytes at the end"},
        {"{\"a\":" F32("[1]", 0, 4) ",\"a\":" F32("[1]", 4, 8) "}", 8, "two entries named a"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "strings to strings"},
        {"{\"__metadata__\":{\"a\":null}}", 0, "strings to strings"},
        {"{\"__metadata__\":\"a\"}", 0, "strings to strings"},
        {"{\"a\":[[[[]]]]}", 0, "nested too deep"},
        {"{\"\\u0000\":" F32("[1]", 0, 4) "}", 4, "no character"},
        {"{\"\xff\":" F32("[1]", 0, 4) "}", 4, "not UTF-8"},
        {"{\"a\":" F32("[1]", 0, 4) "} x", 4, "after the end"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) bytes = make_file(cases[i].header, cases[i].data_size);
        g_assert_null(dpcxr_safetensors_from_bytes(bytes, "bad.safetensors", &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
        if (!strstr(error->message, cases[i].message) ||
            !g_str_has_prefix(error->message, "bad.safetensors: "))
            g_error("%s: expected \"%s\", got \"%s\"", cases[i].header, cases[i].message, error->message);
    }
}

/* The cases above would be worth nothing if a good file of the same make were refused. */
static void test_well_formed(void)
{
    const char *headers[] = {
        "{\"b\":" F32("[1]", 4, 8) ",\"a\":" F32("[1]", 0, 4) "}",
        " {\"a\":" F32("[2,1]", 0, 8) ",\"__metadata__\":{}, \"z\":" F32("[0]", 8, 8) "}  ",
        "{\"a\":{\"data_offsets\":[0,8],\"more\":true,\"shape\":[],\"dtype\":\"F64\"}}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) bytes = make_file(headers[i], 8);
        g_autoptr(DpcxrSafetensors) file = dpcxr_safetensors_from_bytes(bytes, "good", &error);
        g_assert_no_error(error);
        g_assert_cmpstr(dpcxr_safetensors_get(file, 0)->name, ==, "a");
        g_assert_nonnull(dpcxr_safetensors_find(file, "a"));
    }
}

static void test_header_size(void)
{
    const guint64 lengths[] = {1, 100, G_MAXINT64, G_MAXUINT64, G_MAXUINT64 - 7};

    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) bytes = g_bytes_new(&lengths[i], sizeof lengths[i]);
        g_assert_null(dpcxr_safetensors_from_bytes(bytes, "bad", &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
        g_assert_nonnull(strstr(error->message, "does not fit"));
    }
}

/* 2 MB of '[' end json-glib's stack; here they are an error, and a quick one. */
static void test_deep_nesting(void)
{
    g_autofree char *deep = g_strnfill(2000000, '[');
    g_autofree char *header = g_strconcat("{\"a\":", deep, NULL);
    g_autoptr(GBytes) bytes = make_file(header, 0);
    g_autoptr(GError) error = NULL;

    g_assert_null(dpcxr_safetensors_from_bytes(bytes, "bad", &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
}

static void read_all(const DpcxrSafetensors *file)
{
    guint8 sum = 0;

    for (gsize i = 0; i < dpcxr_safetensors_count(file); i++) {
        const DpcxrNamedTensor *tensor = dpcxr_safetensors_get(file, i);
        for (gsize j = 0; j < tensor->bytes; j++)
            sum ^= ((const guint8 *)tensor->data)[j];
    }
    g_assert_cmpint(sum, <=, 255);
}

static void test_cut(void)
{
    g_autofree char *path = golden_path("mixed.safetensors"), *content = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &content, &size, NULL));
    for (gsize n = 0; n < size; n++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) bytes = g_bytes_new(content, n);
        g_assert_null(dpcxr_safetensors_from_bytes(bytes, "cut", &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    }
}

/* Random damage: either an error or a file whose tensors all lie inside of it (under ASan this
 * is a check). */
static void test_damaged(void)
{
    g_autofree char *path = golden_path("mixed.safetensors"), *content = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &content, &size, NULL));
    for (int round = 0; round < 3000; round++) {
        g_autoptr(GError) error = NULL;
        guint8 *copy = g_memdup2(content, size);
        for (int i = g_test_rand_int_range(1, 4); i > 0; i--)
            copy[g_test_rand_int_range(0, (gint32)size)] = (guint8)g_test_rand_int();
        g_autoptr(GBytes) bytes = g_bytes_new_take(copy, size);
        g_autoptr(DpcxrSafetensors) file = dpcxr_safetensors_from_bytes(bytes, "damaged", &error);
        if (file)
            read_all(file);
        else
            g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    }
}

static void test_no_file(void)
{
    const char *paths[] = {"/nonexistent/model.safetensors", "/", "/dev/null"};

    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(dpcxr_safetensors_open(paths[i], &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
        g_assert_nonnull(strstr(error->message, paths[i]));
    }
}

static void test_round_trip(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("dpcxr-safetensors-XXXXXX", &error);
    g_autofree char *path = g_build_filename(folder, "a.safetensors", NULL), *content = NULL;
    const float weights[] = {1, -0.0f, INFINITY, 1e-40f, 5, 6};
    const gint64 step = 12345678901234;
    const guint8 bytes[] = {1, 2, 3};
    const DpcxrNamedTensor tensors[] = {
        {"z.weight", DPCXR_F32, 2, {2, 3}, weights, sizeof weights},
        {"empty", DPCXR_F32, 1, {0}, NULL, 0},
        {"bytes", DPCXR_U8, 1, {3}, bytes, 3},
        {"a \"step\"", DPCXR_I64, 0, {0}, &step, 8},
    };
    const char *const metadata[] = {"format", "pt", "dpcxr", "ü\n\"", NULL};
    float back[6];
    guint64 header_size;
    gsize size;

    dpcxr_safetensors_write(path, 0600, tensors, G_N_ELEMENTS(tensors), metadata, &error);
    g_assert_no_error(error);
    DpcxrSafetensors *file = open_ok(path);
    g_assert_cmpuint(dpcxr_safetensors_count(file), ==, G_N_ELEMENTS(tensors));
    g_assert_cmpstr(dpcxr_safetensors_get(file, 0)->name, ==, "z.weight");
    g_assert_cmpstr(dpcxr_safetensors_metadata(file, "dpcxr"), ==, "ü\n\"");
    g_assert_true(dpcxr_safetensors_copy_f32(file, "z.weight", (const int[]){2, 3}, 2, back, &error));
    assert_same_floats(back, weights, 6);
    g_assert_cmpmem(dpcxr_safetensors_find(file, "a \"step\"")->data, 8, &step, 8);
    dpcxr_safetensors_free(file);

    g_assert_true(g_file_get_contents(path, &content, &size, NULL));
    memcpy(&header_size, content, sizeof header_size);
    g_assert_cmpuint(header_size % 8, ==, 0);
    g_assert_cmpint(content[8], ==, '{');

    g_assert_true(dpcxr_safetensors_write(path, 0600, NULL, 0, NULL, &error)); /* no tensors at all */
    file = open_ok(path);
    g_assert_cmpuint(dpcxr_safetensors_count(file), ==, 0);
    dpcxr_safetensors_free(file);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_write_refuses(void)
{
    const float one = 1;
    const DpcxrNamedTensor cases[][2] = {
        {{"a", DPCXR_F32, 1, {1}, &one, 4}, {"a", DPCXR_F32, 1, {1}, &one, 4}},
        {{"a", DPCXR_F32, 1, {1}, &one, 4}, {"b", DPCXR_F32, 1, {2}, &one, 4}},
        {{"a", DPCXR_F32, 1, {1}, &one, 4}, {"b", DPCXR_F32, 1, {-1}, &one, 4}},
        {{"a", DPCXR_F32, 1, {1}, &one, 4}, {"b\xff", DPCXR_F32, 1, {1}, &one, 4}},
        {{"a", DPCXR_F32, 1, {1}, &one, 4}, {"__metadata__", DPCXR_F32, 1, {1}, &one, 4}},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(dpcxr_safetensors_write("/nonexistent/x", 0600, cases[i], 2, NULL, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, "cannot write tensor"));
    }
}

/* What json-glib lets pass, or falls over, and dpcxr_json_parse must not. */
static void test_json(void)
{
    const char *bad[] = {"",
                         "{\"a\":1,}",
                         "var x = 1",
                         "{a:1}",
                         "{'a':1}",
                         "/**/{}",
                         "{\"a\":1} {}",
                         "[1 2]",
                         "{\"a\" 1}",
                         "]",
                         "]][[",
                         "{\"a\":1}}",
                         "[1,,2]",
                         "[--1]",
                         "[010]",
                         "[1.]",
                         "[.5]",
                         "[1e]",
                         "[+1]",
                         "[1e999]",
                         "[9223372036854775808]",
                         "[tru]",
                         "[nullx]",
                         "[NaN]",
                         "\"\\u0000\"",
                         "\"\\ud800\"",
                         "\"\\udc00\"",
                         "\"\\ud800\\u0041\"",
                         "\"\\x41\"",
                         "\"\\u12\"",
                         "\"a",
                         "\"\\",
                         "\"\x01\"",
                         "\xc0\x80",
                         "{\"a\":{\"b\":1,\"b\":2}}",
                         "{\"a\":1,\"\\u0061\":2}"};
    const char *good[] = {"{}", " [1, -2.5e-3, true, null, \"\\ud83d\\ude00\\n\"]\n",
                          "{\"a\":{\"b\":1},\"c\":{\"b\":1}}", "0",
                          "[9223372036854775807,-9223372036854775808,-0]"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonNode) node = dpcxr_json_parse(bad[i], strlen(bad[i]), 3, &error);
        if (node)
            g_error("accepted: %s", bad[i]);
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *exact = g_memdup2(good[i], strlen(good[i])); /* without a NUL, for ASan */
        g_autoptr(JsonNode) node = dpcxr_json_parse(exact, strlen(good[i]), 3, &error);
        g_assert_no_error(error);
        g_assert_nonnull(node);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/safetensors/json", test_json);
    g_test_add_func("/safetensors/reads-python", test_reads_python);
    g_test_add_func("/safetensors/copy-refuses", test_copy_refuses);
    g_test_add_func("/safetensors/malformed", test_malformed);
    g_test_add_func("/safetensors/well-formed", test_well_formed);
    g_test_add_func("/safetensors/header-size", test_header_size);
    g_test_add_func("/safetensors/deep-nesting", test_deep_nesting);
    g_test_add_func("/safetensors/cut", test_cut);
    g_test_add_func("/safetensors/damaged", test_damaged);
    g_test_add_func("/safetensors/no-file", test_no_file);
    g_test_add_func("/safetensors/round-trip", test_round_trip);
    g_test_add_func("/safetensors/write-refuses", test_write_refuses);
    return g_test_run();
}
