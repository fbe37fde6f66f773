/* SPDX-License-Identifier: MIT
 * Being asked to stop: SIGTERM and SIGINT are noted and looked at between steps; a second one ends the process at once. */
#pragma once
#include <glib.h>

void dpcxr_stop_install(void);     /* from now on signals are noted */
gboolean dpcxr_stop_wanted(void);
