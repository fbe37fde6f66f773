/* SPDX-License-Identifier: MIT
 * An option name that YAML users would have to guess. */
#include "good.h"

static const DpcxrOptionSpec options[] = {
    {"Depth-2", DPCXR_OPTION_INT, "2", .summary = "Number of layers."},
    {NULL},
};

DPCXR_PLUGIN_DEFINE_MODEL(odd_option, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .options = options, .feature = &model);
