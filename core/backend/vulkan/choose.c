/* SPDX-License-Identifier: MIT
 * Which device a name means. Nothing here calls Vulkan. */
#include "backend/vulkan/vulkan.h"
#include <stdlib.h>
#include <string.h>

const char *dpcxr_vulkan_kind_name(DpcxrVulkanKind kind)
{
    static const char *const names[DPCXR_N_VULKAN_KINDS] = {"discrete", "integrated", "virtual", "other",
                                                            "software"};
    return names[kind];
}

static const DpcxrVulkanDevice *device_at(const GPtrArray *devices, guint i)
{
    return g_ptr_array_index(devices, i);
}

static void list(const GPtrArray *devices, GString *text)
{
    for (guint i = 0; i < devices->len; i++) {
        const DpcxrVulkanDevice *device = device_at(devices, i);
        g_string_append_printf(text, "\n  %d: %s, %s, %s", device->index, device->name,
                               dpcxr_vulkan_kind_name(device->kind), device->uuid);
        if (device->problem)
            g_string_append_printf(text, " (not usable: %s)", device->problem);
    }
}

static int fail(const GPtrArray *devices, GError **error, const char *what)
{
    g_autoptr(GString) text = g_string_new(what);
    list(devices, text);
    g_set_error_literal(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, text->str);
    return -1;
}

/* -1: none can be used. */
static int best(const GPtrArray *devices)
{
    int found = -1;
    for (guint i = 0; i < devices->len; i++)
        if (!device_at(devices, i)->problem &&
            (found < 0 || device_at(devices, i)->kind < device_at(devices, (guint)found)->kind))
            found = (int)i;
    return found;
}

static int fail_without(const GPtrArray *devices, GError **error)
{
    return fail(devices, error,
                devices->len ? "device.type: none of this machine's Vulkan devices can be used:"
                             : "device.type: this machine has no Vulkan device (a driver is missing; Debian: "
                               "mesa-vulkan-drivers, or the GPU maker's)");
}

static gboolean is_index(const char *name)
{
    return *name && strspn(name, "0123456789") == strlen(name) && strlen(name) < 6;
}

static gboolean has_part(const char *name, const char *part)
{
    g_autofree char *a = g_utf8_casefold(name, -1), *b = g_utf8_casefold(part, -1);
    return strstr(a, b) != NULL;
}

/* An index or a UUID names one device; a name may be that of several, and then the index must say which. */
static int named(const GPtrArray *devices, const char *name, gboolean *several)
{
    int found = -1;
    *several = FALSE;
    for (guint i = 0; i < devices->len; i++) {
        const DpcxrVulkanDevice *device = device_at(devices, i);
        if (is_index(name) ? device->index == atoi(name) : g_ascii_strcasecmp(device->uuid, name) == 0)
            return (int)i;
        if (!is_index(name) && has_part(device->name, name)) {
            *several = *several || found >= 0;
            found = (int)i;
        }
    }
    return found;
}

int dpcxr_vulkan_choose(const GPtrArray *devices, const char *name, GError **error)
{
    gboolean several;
    int found = name ? named(devices, name, &several) : best(devices);
    if (!name)
        return found >= 0 ? found : fail_without(devices, error);
    g_autofree char *what = NULL;
    if (found < 0)
        what = g_strdup_printf("device.name: no Vulkan device \"%s\"; there %s", name,
                               devices->len ? "are:" : "is none");
    else if (several)
        what = g_strdup_printf(
            "device.name: several Vulkan devices are called \"%s\"; use an index or a UUID:", name);
    else if (device_at(devices, (guint)found)->problem)
        what = g_strdup_printf("device.name: Vulkan device \"%s\" cannot be used: %s; there are:", name,
                               device_at(devices, (guint)found)->problem);
    return what ? fail(devices, error, what) : found;
}

int dpcxr_vulkan_choose_automatic(const GPtrArray *devices, DpcxrPrecision precision, gboolean grid)
{
    int found = precision == DPCXR_PRECISION_BF16 ? -1 : best(devices);
    if (found < 0)
        return -1;
    const DpcxrVulkanDevice *device = device_at(devices, (guint)found);
    gboolean is_gpu = device->kind == DPCXR_VULKAN_DISCRETE || device->kind == DPCXR_VULKAN_INTEGRATED ||
                      device->kind == DPCXR_VULKAN_VIRTUAL;
    return is_gpu && (precision != DPCXR_PRECISION_FP16 || device->float16) &&
                   (!grid || (device->float64 && device->int64))
               ? found
               : -1;
}
