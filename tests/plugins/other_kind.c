/* SPDX-License-Identifier: MIT
 * The descriptor's kind is not that of the file. */
#include "good.h"

DPCXR_PLUGIN_DEFINE_MODEL(other_kind, .kind = DPCXR_PLUGIN_DATASET, .version = "1",
                          .summary = "Broken on purpose.", .licence = "MIT", .feature = &model);
