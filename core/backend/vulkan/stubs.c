/* SPDX-License-Identifier: MIT
 * The symbols of a build without Vulkan. */
#include "backend/vulkan/vulkan.h"

static const char missing[] =
    "this build is without Vulkan (its headers and glslc were missing, or -Dvulkan=disabled)";

static const char *unavailable(void)
{
    return missing;
}

static DpcxrProgram *compile(const DpcxrGraph *graph, const DpcxrProgramOptions *options, GError **error)
{
    g_set_error_literal(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, missing);
    return NULL;
}

GPtrArray *dpcxr_vulkan_devices(GError **error)
{
    g_set_error_literal(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, missing);
    return NULL;
}

gboolean dpcxr_vulkan_automatic(const DpcxrProgramOptions *options)
{
    return FALSE;
}

gboolean dpcxr_vulkan_probe(const char *device, DpcxrVulkanPeak *peak, GError **error)
{
    g_set_error_literal(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, missing);
    return FALSE;
}

char **dpcxr_vulkan_tile_candidates(const char *device, GError **error)
{
    g_set_error_literal(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, missing);
    return NULL;
}

gboolean dpcxr_vulkan_finish(DpcxrProgram *program, GError **error)
{
    g_set_error_literal(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, missing);
    return FALSE;
}

gboolean dpcxr_vulkan_takes_gram(const DpcxrProgram *program, int parameter)
{
    return FALSE; /* there is no program of this backend */
}

const DpcxrBackend dpcxr_backend_vulkan = {.name = "vulkan",
                                           .summary = "not in this build",
                                           .unavailable = unavailable,
                                           .automatic = dpcxr_vulkan_automatic,
                                           .compile = compile};
