/* SPDX-License-Identifier: MIT
 * The loader, an instance, and what is read from physical devices before one is opened. */
#pragma once
#include "backend/vulkan/context.h"
#include "backend/vulkan/vulkan.h"

/* An instance of Vulkan 1.2, with the validation layer and @messenger (nullable) where DPCXR_VULKAN_VALIDATE asks for it.
 * @names: whether debug names can be given. VK_NULL_HANDLE: error set. */
VkInstance dpcxr_vulkan_instance_new(VkDebugUtilsMessengerEXT *messenger, gboolean *names, GError **error);
void dpcxr_vulkan_instance_free(VkInstance instance, VkDebugUtilsMessengerEXT messenger);

/* Physical devices of @instance. (transfer full) [*n]; NULL: error set. */
VkPhysicalDevice *dpcxr_vulkan_physical_devices(VkInstance instance, guint32 *n, GError **error);
/* What is known of @physical. (transfer full) */
DpcxrVulkanDevice *dpcxr_vulkan_device_new(VkPhysicalDevice physical, int index);
void dpcxr_vulkan_device_free(DpcxrVulkanDevice *device);
/* First queue family that computes; G_MAXUINT32: none. */
guint32 dpcxr_vulkan_compute_family(VkPhysicalDevice physical);
gboolean dpcxr_vulkan_has_extension(VkPhysicalDevice physical, const char *name);
