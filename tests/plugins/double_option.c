/* SPDX-License-Identifier: MIT
 * One option twice. */
#include "good.h"

static const DpcxrOptionSpec options[] = {
    {"depth", DPCXR_OPTION_INT, "2", .summary = "Number of layers."},
    {"depth", DPCXR_OPTION_INT, "3", .summary = "Number of layers."},
    {NULL},
};

DPCXR_PLUGIN_DEFINE_MODEL(double_option, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .options = options, .feature = &model);
