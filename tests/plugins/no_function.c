/* SPDX-License-Identifier: MIT
 * A model that cannot build. */
#include <dpcxr/dpcxr.h>

static const DpcxrModel model = {.build = NULL};

DPCXR_PLUGIN_DEFINE_MODEL(no_function, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .feature = &model);
