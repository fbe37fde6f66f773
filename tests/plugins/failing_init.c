/* SPDX-License-Identifier: MIT
 * Its init says no. */
#include "good.h"

static gboolean init(GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "the moon is not full");
    return FALSE;
}

DPCXR_PLUGIN_DEFINE_MODEL(failing_init, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .feature = &model, .init = init);
