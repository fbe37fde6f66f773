/* SPDX-License-Identifier: MIT
 * Fuzz target: any bytes as a CSV file. Rows come one by one, lines only go up, and every cell of the
 * header's width is a string; after an error there are no more rows. */
#include <dpcxr/dataset.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void read_all(DpcxrCsv *csv)
{
    g_autoptr(GError) error = NULL;
    int line = 0;
    while (dpcxr_csv_next(csv, &error)) {
        g_assert_cmpint(dpcxr_csv_line(csv), >=, line);
        line = dpcxr_csv_line(csv);
        for (int i = 0; i < 8; i++)
            g_assert_cmpuint(strlen(dpcxr_csv_cell(csv, i)), <, 1 << 20);
    }
    g_assert_false(dpcxr_csv_next(csv, NULL));
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", file);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(write(file, data, size), ==, size);
    g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(path, &error);
    g_assert((csv == NULL) == (error != NULL));
    if (csv)
        read_all(csv);
    close(file);
    return 0;
}
