/* SPDX-License-Identifier: MIT
 * No value is allowed. */
#include "good.h"

static const DpcxrOptionSpec options[] = {
    {"depth", DPCXR_OPTION_INT, "2", .min = 3, .max = 1, .summary = "Number of layers."},
    {NULL},
};

DPCXR_PLUGIN_DEFINE_MODEL(crossed_limits, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .options = options, .feature = &model);
