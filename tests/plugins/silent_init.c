/* SPDX-License-Identifier: MIT
 * Its init says no and not why. */
#include "good.h"

static gboolean init(GError **error)
{
    return FALSE;
}

DPCXR_PLUGIN_DEFINE_MODEL(silent_init, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .feature = &model, .init = init);
