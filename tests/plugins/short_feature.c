/* SPDX-License-Identifier: MIT
 * Its feature lacks members that the core would call. */
#include "good.h"

DPCXR_PLUGIN_DEFINE_MODEL(short_feature, .feature_size = 4, .version = "1", .summary = "Broken on purpose.",
                          .licence = "MIT", .feature = &model);
