/* SPDX-License-Identifier: MIT
 * Runs a fuzz target over the files and folders named on the command line: a test of the seed corpus without libFuzzer,
 * and the way to look at a crash with a debugger. */
#include <glib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static int run(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *content = NULL;
    const char *name;
    gsize size;
    int n = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *entry = g_build_filename(path, name, NULL);
        n += run(entry);
    }
    if (dir)
        return n;
    if (!g_file_get_contents(path, &content, &size, &error))
        g_error("%s", error->message);
    LLVMFuzzerTestOneInput((const guint8 *)content, size);
    return 1;
}

int main(int argc, char **argv)
{
    int n = 0;

    for (int i = 1; i < argc; i++)
        n += run(argv[i]);
    g_print("%d inputs\n", n);
    return n > 0 ? 0 : 1;
}
