/* SPDX-License-Identifier: MIT
 * A choice between nothing. */
#include "good.h"

static const DpcxrOptionSpec options[] = {
    {"side", DPCXR_OPTION_CHOICE, "left", .summary = "Which side."},
    {NULL},
};

DPCXR_PLUGIN_DEFINE_MODEL(empty_choice, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .options = options, .feature = &model);
