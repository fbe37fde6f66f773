/* SPDX-License-Identifier: MIT
 * The CSV reader over the shapes that files of others have. */
#include <dpcxr/dataset.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder, *path;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    fixture->folder = g_dir_make_tmp("dpcxr-csv-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->path = g_build_filename(fixture->folder, "table.csv", NULL);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    g_remove(fixture->path);
    g_rmdir(fixture->folder);
    g_free(fixture->path);
    g_free(fixture->folder);
}

static void write_bytes(Fixture *fixture, const char *bytes, gssize n)
{
    g_autoptr(GError) error = NULL;
    g_file_set_contents(fixture->path, bytes, n, &error);
    g_assert_no_error(error);
}

static DpcxrCsv *open_text(Fixture *fixture, const char *text)
{
    g_autoptr(GError) error = NULL;
    write_bytes(fixture, text, -1);
    DpcxrCsv *csv = dpcxr_csv_open(fixture->path, &error);
    g_assert_no_error(error);
    return csv;
}

/* The next row joined by '|', or NULL at the end. (transfer full) */
static char *next_row(DpcxrCsv *csv, int columns)
{
    g_autoptr(GError) error = NULL;
    if (!dpcxr_csv_next(csv, &error)) {
        g_assert_no_error(error);
        return NULL;
    }
    GString *row = g_string_new(NULL);
    for (int i = 0; i < columns; i++)
        g_string_append_printf(row, "%s%s", i ? "|" : "", dpcxr_csv_cell(csv, i));
    return g_string_free(row, FALSE);
}

static void assert_row(DpcxrCsv *csv, int columns, int line, const char *expected)
{
    g_autofree char *row = next_row(csv, columns);
    g_assert_cmpstr(row, ==, expected);
    if (row)
        g_assert_cmpint(dpcxr_csv_line(csv), ==, line);
}

static void test_quoting(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrCsv) csv = open_text(fixture, "a,b,c\n"
                                                 "1,\"x, y\",\"say \"\"no\"\"\"\n"
                                                 "2,\"two\nlines\r\nthree\",\n"
                                                 " 3 ,\"\",end");
    assert_row(csv, 3, 2, "1|x, y|say \"no\"");
    assert_row(csv, 3, 3, "2|two\nlines\r\nthree|");
    assert_row(csv, 3, 6, " 3 ||end");
    assert_row(csv, 3, 0, NULL);
    assert_row(csv, 3, 0, NULL);
}

static void test_line_ends(Fixture *fixture, gconstpointer data)
{
    static const char *const texts[] = {"a,b\n1,2\n\n\n3,4\n", "a,b\r\n1,2\r\n\r\n\r\n3,4\r\n",
                                        "a,b\r1,2\r\r\r3,4\r"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(DpcxrCsv) csv = open_text(fixture, texts[i]);
        assert_row(csv, 2, 2, "1|2");
        assert_row(csv, 2, 5, "3|4");
        assert_row(csv, 2, 0, NULL);
    }
}

static void test_byte_order_mark(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrCsv) csv = open_text(fixture, "\xEF\xBB\xBFpath,age\nx,3\n");
    g_assert_true(dpcxr_csv_has_column(csv, "path"));
    assert_row(csv, 2, 2, "x|3");
}

static void test_ragged(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrCsv) csv = open_text(fixture, "a,b,c\n1\n1,2,3,4,5\n,,\n");
    assert_row(csv, 3, 2, "1||");
    assert_row(csv, 3, 3, "1|2|3");
    assert_row(csv, 3, 4, "||");
}

static void test_columns(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrCsv) csv = open_text(fixture, ",Path,Sex,Sex\n0,p,M,F\n");
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(dpcxr_csv_column(csv, "Path", &error), ==, 1);
    g_assert_no_error(error);
    g_assert_cmpint(dpcxr_csv_column(csv, "path", &error), ==, -1);
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_assert_nonnull(strstr(error->message, fixture->path));
    g_assert_nonnull(strstr(error->message, "no column \"path\"; it has: , Path, Sex, Sex"));
    g_clear_error(&error);
    g_assert_cmpint(dpcxr_csv_column(csv, "Sex", &error), ==, -1);
    g_assert_nonnull(strstr(error->message, "2 columns are named \"Sex\""));
}

static char *gzip(const char *text, gsize *n)
{
    g_autoptr(GConverter) compressor = G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6));
    g_autoptr(GError) error = NULL;
    gsize read, length = strlen(text);
    char *out = g_malloc(length + 1024);
    GConverterResult result = g_converter_convert(compressor, text, length, out, length + 1024,
                                                  G_CONVERTER_INPUT_AT_END, &read, n, &error);
    g_assert_no_error(error);
    g_assert_cmpint(result, ==, G_CONVERTER_FINISHED);
    return out;
}

/* Two members after each other are one file (as `cat a.gz b.gz` and bgzip make them); the
 * name says nothing. */
static void test_gzip(Fixture *fixture, gconstpointer data)
{
    gsize n, m;
    g_autofree char *first = gzip("a,b\n1,2\n", &n), *second = gzip("3,4\n", &m);
    g_autofree char *both = g_malloc(n + m);
    memcpy(both, first, n);
    memcpy(both + n, second, m);
    write_bytes(fixture, both, n + m);
    g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(fixture->path, NULL);
    assert_row(csv, 2, 2, "1|2");
    assert_row(csv, 2, 3, "3|4");
    assert_row(csv, 2, 0, NULL);
}

static void test_cut_gzip(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new("a,b\n");
    for (int i = 0; i < 60000; i++)
        g_string_append_printf(text, "%d,%u\n", i, i * 2654435761u);
    gsize n;
    g_autofree char *packed = gzip(text->str, &n);
    write_bytes(fixture, packed, n - 100);
    g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(fixture->path, NULL);
    g_assert_nonnull(csv);
    g_autoptr(GError) error = NULL;
    int rows = 0;
    while (dpcxr_csv_next(csv, &error))
        rows++;
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_assert_nonnull(strstr(error->message, fixture->path));
    g_assert_nonnull(strstr(error->message, "ends early"));
    g_assert_cmpint(rows, <, 60000);
    g_assert_false(dpcxr_csv_next(csv, NULL)); /* no row after an error */
}

typedef struct {
    const char *text;
    gssize length;
    const char *where, *what; /* expected in the message */
} Bad;

static void test_errors(Fixture *fixture, gconstpointer data)
{
    static const Bad cases[] = {
        {"", 0, "table.csv: ", "is empty"},
        {"\n\n\n", -1, "table.csv: ", "is empty"},
        {"a,b\n1,2\n3,x\"y\n", -1, "table.csv:3: ", "not CSV"},
        {"a,b\n1,2\n\"x\" y,2\n", -1, "table.csv:3: ", "not CSV"},
        {"a,b\n1,\"never\nclosed", -1, "table.csv:2: ", "ends inside a quoted cell"},
        {"a,b\n1,\0x\n", 9, "table.csv:2: ", "NUL byte"},
        {"\xFF\xFE"
         "a\0,\0b\0\n\0",
         10, "table.csv:1: ", "UTF-16"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        write_bytes(fixture, cases[i].text, cases[i].length);
        g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(fixture->path, &error);
        while (csv && dpcxr_csv_next(csv, &error))
            ;
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].where));
        g_assert_nonnull(strstr(error->message, cases[i].what));
    }
}

static void test_no_file(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(dpcxr_csv_open(fixture->path, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_assert_nonnull(strstr(error->message, fixture->path));
    g_clear_error(&error);
    g_assert_null(dpcxr_csv_open(fixture->folder, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_assert_nonnull(strstr(error->message, fixture->folder));
}

/* A row over the limit ends in an error long before the file does; one below it, longer than any buffer, is
 * read. */
static void test_long_rows(Fixture *fixture, gconstpointer data)
{
    g_autofree char *cell = g_strnfill(1000000, 'x');
    g_autofree char *fits = g_strdup_printf("a,b\n%s,2\n", cell);
    g_autoptr(DpcxrCsv) csv = open_text(fixture, fits);
    g_assert_true(dpcxr_csv_next(csv, NULL));
    g_assert_cmpuint(strlen(dpcxr_csv_cell(csv, 0)), ==, 1000000);
    g_assert_cmpstr(dpcxr_csv_cell(csv, 1), ==, "2");

    g_autofree char *huge = g_strdup_printf("a,b\n1,2\n\"%s%s%s", cell, cell, cell);
    g_autoptr(DpcxrCsv) second = open_text(fixture, huge);
    g_autoptr(GError) error = NULL;
    g_assert_true(dpcxr_csv_next(second, NULL));
    g_assert_false(dpcxr_csv_next(second, &error));
    g_assert_nonnull(strstr(error->message, "table.csv:3: this row is longer than 1 MiB"));
}

static void test_labels(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrCsv) csv = open_text(fixture, "x\n1\n1.0\n0\n0.0\n-1\n-1.0\n\"\"\n2\n");
    static const DpcxrLabel expected[] = {1, 1, 0, 0, -1, -1, -2};
    g_autoptr(GError) error = NULL;
    DpcxrLabel label;
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_true(dpcxr_csv_next(csv, NULL));
        g_assert_true(dpcxr_csv_label(csv, 0, &label, &error));
        g_assert_cmpint(label, ==, expected[i]);
    }
    g_assert_true(dpcxr_csv_next(csv, NULL));
    g_assert_false(dpcxr_csv_label(csv, 0, &label, &error));
    g_assert_nonnull(strstr(error->message, "table.csv:9: column \"x\" has \"2\"; a label is 1, 0, -1"));
}

/* Rows across the boundaries of the reader's buffer, checked one by one. */
static void test_many_rows(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new("n,square\n");
    for (guint i = 0; i < 30000; i++)
        g_string_append_printf(text, "%u,\"%u\"\n", i, i * i);
    g_autoptr(DpcxrCsv) csv = open_text(fixture, text->str);
    for (guint i = 0; i < 30000; i++) {
        g_assert_true(dpcxr_csv_next(csv, NULL));
        g_assert_cmpint(dpcxr_csv_line(csv), ==, i + 2);
        g_assert_cmpuint(g_ascii_strtoull(dpcxr_csv_cell(csv, 0), NULL, 10), ==, i);
        g_assert_cmpuint(g_ascii_strtoull(dpcxr_csv_cell(csv, 1), NULL, 10), ==, i * i);
    }
    assert_row(csv, 2, 0, NULL);
}

#define ADD(path, test) g_test_add(path, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/csv/quoting", test_quoting);
    ADD("/csv/line-ends", test_line_ends);
    ADD("/csv/byte-order-mark", test_byte_order_mark);
    ADD("/csv/ragged", test_ragged);
    ADD("/csv/columns", test_columns);
    ADD("/csv/gzip", test_gzip);
    ADD("/csv/cut-gzip", test_cut_gzip);
    ADD("/csv/errors", test_errors);
    ADD("/csv/no-file", test_no_file);
    ADD("/csv/long-rows", test_long_rows);
    ADD("/csv/labels", test_labels);
    ADD("/csv/many-rows", test_many_rows);
    return g_test_run();
}
