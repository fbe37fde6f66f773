/* SPDX-License-Identifier: MIT
 * The descriptor's name is not that of the file. */
#include "good.h"

DPCXR_PLUGIN_DEFINE_MODEL(other_name, .name = "somebody", .version = "1", .summary = "Broken on purpose.",
                          .licence = "MIT", .feature = &model);
