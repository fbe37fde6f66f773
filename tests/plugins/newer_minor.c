/* SPDX-License-Identifier: MIT
 * Compiled for a later minor ABI number than the core has. */
#include "good.h"

DPCXR_PLUGIN_DEFINE_MODEL(newer_minor, .abi_minor = DPCXR_ABI_MINOR + 1, .version = "1",
                          .summary = "Broken on purpose.", .licence = "MIT", .feature = &model);
