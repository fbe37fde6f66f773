/* SPDX-License-Identifier: MIT
 * Which backends there are. `auto` takes the first of the table that wants to be taken, and a run names what it took. */
#include "backend/cpu/cpu.h"
#include "backend/program.h"
#include "backend/ref/ref.h"
#include "backend/vulkan/vulkan.h"

static const DpcxrBackend *const backends[] = {
    &dpcxr_backend_vulkan,
    &dpcxr_backend_cpu,
    &dpcxr_backend_ref,
};

static const char *unavailable(const DpcxrBackend *backend)
{
    return backend->unavailable ? backend->unavailable() : NULL;
}

/* NULL where none is left; ref always is. */
static const DpcxrBackend *choose(const DpcxrProgramOptions *options)
{
    for (guint i = 0; i < G_N_ELEMENTS(backends); i++)
        if (!unavailable(backends[i]) && (!backends[i]->automatic || backends[i]->automatic(options)))
            return backends[i];
    return NULL;
}

const DpcxrBackend *dpcxr_backend_find(const char *name, const DpcxrProgramOptions *options, GError **error)
{
    if (g_str_equal(name, "auto")) {
        if (!options || !options->device)
            return choose(options);
        name = dpcxr_backend_vulkan.name; /* no other has devices to name */
    }
    for (guint i = 0; i < G_N_ELEMENTS(backends); i++) {
        if (!g_str_equal(name, backends[i]->name))
            continue;
        const char *reason = unavailable(backends[i]);
        if (!reason)
            return backends[i];
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "device.type: %s cannot run here: %s", name, reason);
        return NULL;
    }
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "device.type: this build has no backend \"%s\"", name);
    return NULL;
}
