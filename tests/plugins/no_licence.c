/* SPDX-License-Identifier: MIT
 * Does not say under which licence it may be used. */
#include "good.h"

DPCXR_PLUGIN_DEFINE_MODEL(no_licence, .version = "1", .summary = "Broken on purpose.", .feature = &model);
