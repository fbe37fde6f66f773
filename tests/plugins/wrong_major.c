/* SPDX-License-Identifier: MIT
 * From the future: another major ABI number. */
#include "good.h"

DPCXR_PLUGIN_DEFINE_MODEL(wrong_major, .abi_major = DPCXR_ABI_MAJOR + 1, .version = "1",
                          .summary = "Broken on purpose.", .licence = "MIT", .feature = &model);
