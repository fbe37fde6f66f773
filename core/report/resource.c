/* SPDX-License-Identifier: MIT */
#include "report/resource.h"
#include "report-resources.h"

/* Uncompressed resources lie in the library as they are, each with a NUL at its end: the bytes outlive the
 * GBytes. */
const char *dpcxr_report_resource(const char *name)
{
    g_autofree char *path = g_strconcat("/dpcxr/report/", name, NULL);
    g_autoptr(GBytes) bytes =
        g_resource_lookup_data(report_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    if (!bytes)
        g_error("%s is not compiled in", path);
    return g_bytes_get_data(bytes, NULL);
}
