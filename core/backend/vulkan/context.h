/* SPDX-License-Identifier: MIT
 * One opened device: instance, queue, function table, limits. Every object of a program is made from its context, and all are
 * gone before it is. */
#pragma once
#define VK_NO_PROTOTYPES
#include <dpcxr/error.h>
#include <volk.h>

typedef struct {
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    struct VolkDeviceTable vk; /* the device's functions, past the loader */
    VkQueue queue;
    guint32 family; /* the queue's */
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceMemoryProperties memory;
    guint32 subgroup;                 /* lanes */
    gboolean broadcasts;              /* subgroup operations that gemm.glsl's subgroup way needs */
    gboolean float64, int64, float16; /* features that were switched on; float16: of shaders and of storage */
    gboolean matrices; /* VK_NV_cooperative_matrix is on, with f16 products of 16 x 16 x 16 added up in f32 */
    gboolean software;
    gboolean budgets;                   /* VK_EXT_memory_budget */
    gboolean names;                     /* VK_EXT_debug_utils is on */
    VkDebugUtilsMessengerEXT messenger; /* with DPCXR_VULKAN_VALIDATE */
} VulkanContext;

/* Opens the device that @name means (see dpcxr_vulkan_choose). With DPCXR_VULKAN_VALIDATE=1 in the environment, under the
 * validation layer, each message of which is a g_warning. DPCXR_ERROR_USAGE: no such device, or one that lacks something. */
VulkanContext *dpcxr_vulkan_context_new(const char *name, GError **error);
void dpcxr_vulkan_context_free(VulkanContext *context);

/* Bytes of @heap that this process may still have, as the driver estimates it; else four fifths of its size. */
VkDeviceSize dpcxr_vulkan_heap_budget(const VulkanContext *context, guint32 heap);

/* TRUE for VK_SUCCESS. @call: what was called. Memory becomes DPCXR_ERROR_MEMORY, all else DPCXR_ERROR_FAILED; a lost device
 * says what is left to do. */
gboolean dpcxr_vulkan_check(VkResult result, const char *call, GError **error);

/* Calls a device function of `context` and returns FALSE (or what is given last) with the error set where it fails. */
#define VULKAN_CALL(context, function, ...)                                                                  \
    dpcxr_vulkan_check((context)->vk.function(__VA_ARGS__), #function, error)

/* Names @object for layers and debuggers. */
void dpcxr_vulkan_name(const VulkanContext *context, VkObjectType type, guint64 object, const char *format,
                       ...) G_GNUC_PRINTF(4, 5);
