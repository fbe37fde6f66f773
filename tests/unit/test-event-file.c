/* SPDX-License-Identifier: MIT
 * CRC-32C, fields and records by published examples; what a reader of another make says is in
 * tests/tools/events.py. */
#include "../integration/temporary.h"
#include "base/crc32c.h"
#include "base/protobuf.h"
#include "eval/pr-curve.h"
#include "train/event-file.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* RFC 3720, B.4. */
static void test_crc(void)
{
    static const guint8 command[48] = {
        [0] = 0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    guint8 zeros[32], ones[32], up[32], down[32];
    for (guint i = 0; i < 32; i++) {
        zeros[i] = 0;
        ones[i] = 0xff;
        up[i] = i;
        down[i] = 31 - i;
    }
    g_assert_cmphex(dpcxr_crc32c(zeros, 32), ==, 0x8a9136aa);
    g_assert_cmphex(dpcxr_crc32c(ones, 32), ==, 0x62a8ab43);
    g_assert_cmphex(dpcxr_crc32c(up, 32), ==, 0x46dd794e);
    g_assert_cmphex(dpcxr_crc32c(down, 32), ==, 0x113fdb5c);
    g_assert_cmphex(dpcxr_crc32c(command, 48), ==, 0xd9963a56);
    g_assert_cmphex(dpcxr_crc32c("", 0), ==, 0);
}

/* protobuf.dev, "Encoding": 150 in field 1, "testing" in field 2, and the first in field 3 of another. */
static void test_fields(void)
{
    static const guint8 number[] = {0x08, 0x96, 0x01},
                        text[] = {0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g'},
                        inside[] = {0x1a, 0x03, 0x08, 0x96, 0x01};
    g_autoptr(GByteArray) a = g_byte_array_new(), b = g_byte_array_new(), c = g_byte_array_new();
    dpcxr_protobuf_put_uint(a, 1, 150);
    g_assert_cmpmem(a->data, a->len, number, sizeof number);
    dpcxr_protobuf_put_string(b, 2, "testing");
    g_assert_cmpmem(b->data, b->len, text, sizeof text);
    dpcxr_protobuf_put_message(c, 3, a);
    g_assert_cmpmem(c->data, c->len, inside, sizeof inside);
}

/* IEEE 754: 1 as float is 3f800000, as double 3ff0000000000000; 2^64 - 1 takes ten bytes. */
static void test_numbers(void)
{
    static const guint8 bytes[] = {0x0d, 0,    0,    0x80, 0x3f, 0x11, 0,    0,    0,
                                   0,    0,    0,    0xf0, 0x3f, 0x18, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    g_autoptr(GByteArray) message = g_byte_array_new();
    dpcxr_protobuf_put_float(message, 1, 1);
    dpcxr_protobuf_put_double(message, 2, 1);
    dpcxr_protobuf_put_uint(message, 3, G_MAXUINT64);
    g_assert_cmpmem(message->data, message->len, bytes, sizeof bytes);
}

static char *nth_file(const char *folder, guint nth)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *end = g_strdup_printf(".%04u", nth);
    const char *name;
    while ((name = g_dir_read_name(dir)))
        if (g_str_has_prefix(name, "events.out.tfevents.") && g_str_has_suffix(name, end))
            return g_build_filename(folder, name, NULL);
    return NULL;
}

/* 8 bytes of length, 4 of its sum, 3, 4; the second file of a folder has another name. */
static void test_records(void)
{
    char *folder = temporary_folder();
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) record = g_byte_array_new();
    g_byte_array_append(record, (const guint8 *)"abc", 3);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(DpcxrEventFile) file = dpcxr_event_file_new(folder, &error);
        g_assert_no_error(error);
        dpcxr_event_file_append(file, record);
        g_assert_true(dpcxr_event_file_flush(file, &error));
        g_autofree char *path = nth_file(folder, i), *content = NULL;
        gsize length;
        struct stat status;
        g_assert_nonnull(path);
        g_assert_true(g_file_get_contents(path, &content, &length, NULL));
        g_assert_cmpuint(length, ==, 19);
        g_assert_cmpmem(content, 8, "\3\0\0\0\0\0\0\0", 8);
        g_assert_cmpmem(content + 12, 3, "abc", 3);
        g_assert_cmpint(stat(path, &status), ==, 0);
        g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    }
    temporary_remove(folder);
}

static void test_nowhere(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(dpcxr_event_file_new("/nowhere/at/all", &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
}

/* Said again and again, also when there is room later: a part is lost. */
static void test_full_disk(void)
{
    char *folder = temporary_folder();
    g_autoptr(GError) error = NULL, late = NULL;
    g_autoptr(DpcxrEventFile) file = dpcxr_event_file_new(folder, &error);
    g_autoptr(GByteArray) record = g_byte_array_new();
    struct rlimit before, limit;
    g_assert_no_error(error);
    g_byte_array_set_size(record, 1000);
    memset(record->data, 0, record->len);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    limit = (struct rlimit){65536, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    for (guint i = 0; i < 100; i++)
        dpcxr_event_file_append(file, record);
    gboolean at_once = dpcxr_event_file_flush(file, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    g_assert_false(at_once);
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, g_strerror(EFBIG)));
    g_assert_false(dpcxr_event_file_flush(file, &late));
    temporary_remove(folder);
}

/* By hand: thresholds 0, 0.25, 0.5, 0.75, 1; a score on a threshold counts there. */
static void test_pr_curve(void)
{
    static const double scores[] = {0.1, 0.25, 0.3, 0.8, 1, 0.6};
    static const guint8 labels[] = {0, 0, 1, 0, 1, 1};
    static const float wanted[DPCXR_PR_ROWS][5] = {{3, 3, 2, 1, 1},
                                                   {3, 2, 1, 1, 0},
                                                   {0, 1, 2, 2, 3},
                                                   {0, 0, 1, 2, 2},
                                                   {3.f / 6, 3.f / 5, 2.f / 3, 1.f / 2, 1},
                                                   {1, 1, 2.f / 3, 1.f / 3, 1.f / 3}};
    float curve[DPCXR_PR_ROWS][5];
    g_assert_true(dpcxr_pr_curve(scores, labels, 6, 5, &curve[0][0]));
    for (guint row = 0; row < DPCXR_PR_ROWS; row++)
        for (guint i = 0; i < 5; i++)
            g_assert_cmpfloat(curve[row][i], ==, wanted[row][i]);
}

static void test_no_pr_curve(void)
{
    static const guint8 labels[] = {1, 1, 0};
    float curve[DPCXR_PR_ROWS][5];
    g_assert_false(dpcxr_pr_curve((const double[]){0.1, 0.2}, labels, 2, 5, &curve[0][0]));
    g_assert_false(dpcxr_pr_curve((const double[]){0.1, NAN, 0.2}, labels, 3, 5, &curve[0][0]));
    g_assert_false(dpcxr_pr_curve((const double[]){0.1, 1.1, 0.2}, labels, 3, 5, &curve[0][0]));
    g_assert_false(dpcxr_pr_curve(NULL, NULL, 0, 5, &curve[0][0]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/event-file/crc32c", test_crc);
    g_test_add_func("/event-file/fields", test_fields);
    g_test_add_func("/event-file/numbers", test_numbers);
    g_test_add_func("/event-file/records", test_records);
    g_test_add_func("/event-file/nowhere", test_nowhere);
    g_test_add_func("/event-file/full-disk", test_full_disk);
    g_test_add_func("/event-file/pr-curve", test_pr_curve);
    g_test_add_func("/event-file/no-pr-curve", test_no_pr_curve);
    return g_test_run();
}
