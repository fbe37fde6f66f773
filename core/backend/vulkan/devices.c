/* SPDX-License-Identifier: MIT
 * The list of devices, and the choice of one. */
#include "backend/vulkan/instance.h"
#include <string.h>

GPtrArray *dpcxr_vulkan_devices(GError **error)
{
    VkDebugUtilsMessengerEXT messenger;
    gboolean names;
    VkInstance instance = dpcxr_vulkan_instance_new(&messenger, &names, error);
    if (!instance)
        return NULL;
    guint32 n;
    g_autofree VkPhysicalDevice *physical = dpcxr_vulkan_physical_devices(instance, &n, error);
    GPtrArray *devices = NULL;
    if (physical) {
        devices = g_ptr_array_new_with_free_func((GDestroyNotify)dpcxr_vulkan_device_free);
        for (guint32 i = 0; i < n; i++)
            g_ptr_array_add(devices, dpcxr_vulkan_device_new(physical[i], (int)i));
    }
    dpcxr_vulkan_instance_free(instance, messenger);
    return devices;
}

gboolean dpcxr_vulkan_automatic(const DpcxrProgramOptions *options)
{
    g_autoptr(GPtrArray) devices = dpcxr_vulkan_devices(NULL);
    DpcxrPrecision precision = options ? options->precision : DPCXR_PRECISION_FP32;
    return devices && dpcxr_vulkan_choose_automatic(devices, precision, options && options->grid) >= 0;
}
