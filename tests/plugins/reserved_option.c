/* SPDX-License-Identifier: MIT
 * An option that takes a key of dpcxr's own. */
#include "good.h"

static const DpcxrOptionSpec options[] = {
    {"init", DPCXR_OPTION_PATH, "null", .summary = "Weights."},
    {NULL},
};

DPCXR_PLUGIN_DEFINE_MODEL(reserved_option, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .options = options, .feature = &model);
