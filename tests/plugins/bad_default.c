/* SPDX-License-Identifier: MIT
 * A default that nobody could have written. */
#include "good.h"

static const DpcxrOptionSpec options[] = {
    {"depth", DPCXR_OPTION_INT, "9", .min = 1, .max = 8, .summary = "Number of layers."},
    {NULL},
};

DPCXR_PLUGIN_DEFINE_MODEL(bad_default, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .options = options, .feature = &model);
