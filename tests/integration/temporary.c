/* SPDX-License-Identifier: MIT */
#include "temporary.h"
#include "base/files.h"

char *temporary_folder(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("dpcxr-test-XXXXXX", &error);
    g_assert_no_error(error);
    return folder;
}

void temporary_remove(char *folder)
{
    dpcxr_remove_tree(folder);
    g_free(folder);
}
