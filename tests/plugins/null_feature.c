/* SPDX-License-Identifier: MIT
 * Describes itself and does nothing. */
#include "good.h"

DPCXR_PLUGIN_DEFINE_MODEL(null_feature, .version = "1", .summary = "Broken on purpose.", .licence = "MIT");
