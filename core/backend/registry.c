/* SPDX-License-Identifier: MIT
 * Which backends there are. `auto` takes the first of the table that can run here, and a run names what it took. */
#include "backend/cpu/cpu.h"
#include "backend/program.h"
#include "backend/ref/ref.h"
#include "backend/vulkan/vulkan.h"

static const DpcxrBackend *const backends[] = {
    &dpcxr_backend_cpu,
    &dpcxr_backend_ref,
    &dpcxr_backend_vulkan,
};

static const char *unavailable(const DpcxrBackend *backend)
{
    return backend->unavailable ? backend->unavailable() : NULL;
}

const DpcxrBackend *dpcxr_backend_find(const char *name, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(backends); i++) {
        const char *reason = unavailable(backends[i]);
        if (g_str_equal(name, "auto") && !reason)
            return backends[i];
        if (!g_str_equal(name, backends[i]->name))
            continue;
        if (!reason)
            return backends[i];
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "device.type: %s cannot run here: %s", name, reason);
        return NULL;
    }
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "device.type: this build has no backend \"%s\"", name);
    return NULL;
}
