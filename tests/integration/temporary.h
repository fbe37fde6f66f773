/* SPDX-License-Identifier: MIT
 * A folder of its own for each test. */
#pragma once
#include <glib.h>

char *temporary_folder(void); /* (transfer full) its path, for temporary_remove */
/* Removes the folder with all that is in it, and frees @folder. */
void temporary_remove(char *folder);
