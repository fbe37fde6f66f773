/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/context.h"
#include "backend/vulkan/instance.h"

static const char *result_text(VkResult result)
{
    switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        return "out of host memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        return "out of device memory";
    case VK_ERROR_TOO_MANY_OBJECTS:
        return "too many objects";
    case VK_ERROR_INITIALIZATION_FAILED:
        return "initialisation failed";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
        return "no driver fits";
    case VK_ERROR_EXTENSION_NOT_PRESENT:
        return "an extension is missing";
    case VK_ERROR_FEATURE_NOT_PRESENT:
        return "a feature is missing";
    case VK_TIMEOUT:
        return "it took too long";
    default:
        return "unknown error";
    }
}

gboolean dpcxr_vulkan_check(VkResult result, const char *call, GError **error)
{
    if (result == VK_SUCCESS)
        return TRUE;
    gboolean memory = result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY ||
                      result == VK_ERROR_TOO_MANY_OBJECTS;
    if (result == VK_ERROR_DEVICE_LOST)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
                    "the Vulkan device was lost (%s): it was reset, removed, or its driver failed, and what "
                    "it had in memory "
                    "is gone; --resume goes on from the last checkpoint",
                    call);
    else
        g_set_error(error, DPCXR_ERROR, memory ? DPCXR_ERROR_MEMORY : DPCXR_ERROR_FAILED,
                    "Vulkan: %s: %s (%d)", call, result_text(result), (int)result);
    return FALSE;
}

void dpcxr_vulkan_name(const VulkanContext *context, VkObjectType type, guint64 object, const char *format,
                       ...)
{
    if (!context->names)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *name = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    const VkDebugUtilsObjectNameInfoEXT info = {.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
                                                .objectType = type,
                                                .objectHandle = object,
                                                .pObjectName = name};
    vkSetDebugUtilsObjectNameEXT(context->device, &info);
}

VkDeviceSize dpcxr_vulkan_heap_budget(const VulkanContext *context, guint32 heap)
{
    if (!context->budgets)
        return context->memory.memoryHeaps[heap].size / 5 * 4;
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 memory = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget};
    vkGetPhysicalDeviceMemoryProperties2(context->physical, &memory);
    return budget.heapBudget[heap] - MIN(budget.heapBudget[heap], budget.heapUsage[heap]);
}

/* The index of the physical device that @name means; -1: error set. */
static int choose(VkInstance instance, const char *name, VkPhysicalDevice *physical, GError **error)
{
    guint32 n;
    g_autofree VkPhysicalDevice *all = dpcxr_vulkan_physical_devices(instance, &n, error);
    if (!all)
        return -1;
    g_autoptr(GPtrArray) devices = g_ptr_array_new_with_free_func((GDestroyNotify)dpcxr_vulkan_device_free);
    for (guint32 i = 0; i < n; i++)
        g_ptr_array_add(devices, dpcxr_vulkan_device_new(all[i], (int)i));
    int chosen = dpcxr_vulkan_choose(devices, name, error);
    if (chosen >= 0)
        *physical = all[chosen];
    return chosen;
}

static void read_properties(VulkanContext *context)
{
    VkPhysicalDeviceVulkan11Properties eleven = {.sType =
                                                     VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES};
    VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                              .pNext = &eleven};
    vkGetPhysicalDeviceProperties2(context->physical, &properties);
    vkGetPhysicalDeviceMemoryProperties(context->physical, &context->memory);
    context->properties = properties.properties;
    context->software = properties.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    context->subgroup = eleven.subgroupSize;
    context->broadcasts = (eleven.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
                          (eleven.subgroupSupportedOperations & VK_SUBGROUP_FEATURE_BALLOT_BIT);
    context->family = dpcxr_vulkan_compute_family(context->physical);
    context->budgets = dpcxr_vulkan_has_extension(context->physical, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
}

/* Subgroups of f16 matrices of 16 x 16 x 16, added up in f32, are what gemm.glsl multiplies. DPCXR_VULKAN_MATRIX=0: without. */
static gboolean has_matrices(const VulkanContext *context)
{
    guint32 n = 0;
    if (!g_strcmp0(g_getenv("DPCXR_VULKAN_MATRIX"), "0") || context->subgroup < 16 ||
        context->subgroup > 256 ||
        !dpcxr_vulkan_has_extension(context->physical, VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME) ||
        vkGetPhysicalDeviceCooperativeMatrixPropertiesNV(context->physical, &n, NULL) != VK_SUCCESS)
        return FALSE;
    g_autofree VkCooperativeMatrixPropertiesNV *all = g_new0(VkCooperativeMatrixPropertiesNV, n + 1);
    for (guint32 i = 0; i < n; i++)
        all[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV;
    if (vkGetPhysicalDeviceCooperativeMatrixPropertiesNV(context->physical, &n, all) != VK_SUCCESS)
        return FALSE;
    for (guint32 i = 0; i < n; i++)
        if (all[i].MSize == 16 && all[i].NSize == 16 && all[i].KSize == 16 &&
            all[i].AType == VK_COMPONENT_TYPE_FLOAT16_NV && all[i].BType == VK_COMPONENT_TYPE_FLOAT16_NV &&
            all[i].CType == VK_COMPONENT_TYPE_FLOAT32_NV && all[i].DType == VK_COMPONENT_TYPE_FLOAT32_NV &&
            all[i].scope == VK_SCOPE_SUBGROUP_NV)
            return TRUE;
    return FALSE;
}

/* What of the device's features is switched on. */
static void read_features(VulkanContext *context)
{
    VkPhysicalDeviceVulkan11Features eleven = {.sType =
                                                   VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
    VkPhysicalDeviceVulkan12Features twelve = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                               .pNext = &eleven};
    VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &twelve};
    vkGetPhysicalDeviceFeatures2(context->physical, &all);
    context->float64 = all.features.shaderFloat64;
    context->int64 = all.features.shaderInt64;
    context->float16 = twelve.shaderFloat16 && eleven.storageBuffer16BitAccess;
    context->matrices = context->float16 && twelve.vulkanMemoryModel && has_matrices(context);
    context->broadcasts = context->broadcasts && twelve.subgroupBroadcastDynamicId;
}

/* @features: the chain that says what is switched on. */
static gboolean create_device(VulkanContext *context, const VkPhysicalDeviceFeatures2 *features,
                              GError **error)
{
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = context->family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const char *extensions[2];
    guint32 n = 0;
    if (context->budgets)
        extensions[n++] = VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
    if (context->matrices)
        extensions[n++] = VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME;
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = features,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue,
                                     .enabledExtensionCount = n,
                                     .ppEnabledExtensionNames = extensions};
    return dpcxr_vulkan_check(vkCreateDevice(context->physical, &info, NULL, &context->device),
                              "vkCreateDevice", error);
}

static gboolean open_device(VulkanContext *context, GError **error)
{
    VkPhysicalDeviceCooperativeMatrixFeaturesNV matrices = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV,
        .cooperativeMatrix = VK_TRUE};
    VkPhysicalDeviceVulkan11Features eleven = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
                                               .pNext = context->matrices ? &matrices : NULL,
                                               .storageBuffer16BitAccess = context->float16};
    VkPhysicalDeviceVulkan12Features twelve = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                               .pNext = &eleven,
                                               .timelineSemaphore = VK_TRUE,
                                               .shaderFloat16 = context->float16,
                                               .vulkanMemoryModel = context->matrices,
                                               .subgroupBroadcastDynamicId = context->broadcasts};
    const VkPhysicalDeviceFeatures2 features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
        .pNext = &twelve,
        .features = {.shaderFloat64 = context->float64, .shaderInt64 = context->int64}};
    if (!create_device(context, &features, error))
        return FALSE;
    volkLoadDeviceTable(&context->vk, context->device);
    context->vk.vkGetDeviceQueue(context->device, context->family, 0, &context->queue);
    return TRUE;
}

VulkanContext *dpcxr_vulkan_context_new(const char *name, GError **error)
{
    VulkanContext *context = g_new0(VulkanContext, 1);
    context->instance = dpcxr_vulkan_instance_new(&context->messenger, &context->names, error);
    if (context->instance && choose(context->instance, name, &context->physical, error) >= 0) {
        read_properties(context);
        read_features(context);
        if (open_device(context, error))
            return context;
    }
    dpcxr_vulkan_context_free(context);
    return NULL;
}

void dpcxr_vulkan_context_free(VulkanContext *context)
{
    if (!context)
        return;
    if (context->device)
        context->vk.vkDestroyDevice(context->device, NULL);
    dpcxr_vulkan_instance_free(context->instance, context->messenger);
    g_free(context);
}
