/* SPDX-License-Identifier: MIT
 * Being asked to stop: SIGTERM, SIGINT and SIGHUP (a closed terminal) are noted and looked at between steps; a second one
 * ends the process at once. A reader of standard output that went away does not end a training. */
#pragma once
#include <glib.h>

void dpcxr_stop_install(void);     /* from now on signals are noted */
gboolean dpcxr_stop_wanted(void);
