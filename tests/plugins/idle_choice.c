/* SPDX-License-Identifier: MIT
 * Choices where any text will do. */
#include "good.h"

static const DpcxrOptionSpec options[] = {
    {"title", DPCXR_OPTION_STRING, "null", .choices = "a|b", .summary = "For plots."},
    {NULL},
};

DPCXR_PLUGIN_DEFINE_MODEL(idle_choice, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .options = options, .feature = &model);
