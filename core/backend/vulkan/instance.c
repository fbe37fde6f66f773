/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/instance.h"
#include "backend/vulkan/pipeline.h"
#include <string.h>

/* --- Messages of the validation layer --- */

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data, void *user)
{
    g_warning("vulkan: %s", data->pMessage);
    return VK_FALSE;
}

static const VkDebugUtilsMessengerCreateInfoEXT messages = {
    .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
    .messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
    .messageType =
        VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
    .pfnUserCallback = on_message};

static gboolean wants_validation(void)
{
    const char *value = g_getenv("DPCXR_VULKAN_VALIDATE");
    return value && *value && !g_str_equal(value, "0");
}

/* --- Instance --- */

static gboolean has_instance_extension(const char *name)
{
    guint32 n = 0;
    vkEnumerateInstanceExtensionProperties(NULL, &n, NULL);
    g_autofree VkExtensionProperties *all = g_new0(VkExtensionProperties, n + 1);
    vkEnumerateInstanceExtensionProperties(NULL, &n, all);
    for (guint32 i = 0; i < n; i++)
        if (g_str_equal(all[i].extensionName, name))
            return TRUE;
    return FALSE;
}

static gboolean load(GError **error)
{
    if (volkInitialize() != VK_SUCCESS) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "device.type: this machine has no Vulkan loader (libvulkan.so.1; Debian: libvulkan1)");
        return FALSE;
    }
    if (volkGetInstanceVersion() >= VK_API_VERSION_1_2)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "device.type: the Vulkan loader is older than 1.2");
    return FALSE;
}

VkInstance dpcxr_vulkan_instance_new(VkDebugUtilsMessengerEXT *messenger, gboolean *names, GError **error)
{
    static const char *const layers[] = {"VK_LAYER_KHRONOS_validation"};
    static const char *const extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME};
    gboolean validate = wants_validation();
    if (!load(error))
        return VK_NULL_HANDLE;
    *names = has_instance_extension(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .pApplicationName = "dpcxr",
                                           .pEngineName = "dpcxr",
                                           .apiVersion = VK_API_VERSION_1_2};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pNext = validate && *names ? &messages : NULL,
                                       .pApplicationInfo = &application,
                                       .enabledLayerCount = validate,
                                       .ppEnabledLayerNames = layers,
                                       .enabledExtensionCount = *names != FALSE,
                                       .ppEnabledExtensionNames = extensions};
    VkInstance instance;
    VkResult result = vkCreateInstance(&info, NULL, &instance);
    if (result == VK_ERROR_LAYER_NOT_PRESENT || (result == VK_SUCCESS && validate && !*names)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "DPCXR_VULKAN_VALIDATE is set, but there is no %s (Debian: vulkan-validationlayers)",
                    layers[0]);
        return VK_NULL_HANDLE;
    }
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "device.type: this machine has no Vulkan driver (Debian: mesa-vulkan-drivers, or the GPU "
                    "maker's)");
        return VK_NULL_HANDLE;
    }
    if (!dpcxr_vulkan_check(result, "vkCreateInstance", error))
        return VK_NULL_HANDLE;
    volkLoadInstanceOnly(instance);
    *messenger = VK_NULL_HANDLE;
    if (validate && !dpcxr_vulkan_check(vkCreateDebugUtilsMessengerEXT(instance, &messages, NULL, messenger),
                                        "vkCreateDebugUtilsMessengerEXT", error)) {
        vkDestroyInstance(instance, NULL);
        return VK_NULL_HANDLE;
    }
    return instance;
}

void dpcxr_vulkan_instance_free(VkInstance instance, VkDebugUtilsMessengerEXT messenger)
{
    if (messenger)
        vkDestroyDebugUtilsMessengerEXT(instance, messenger, NULL);
    if (instance)
        vkDestroyInstance(instance, NULL);
}

VkPhysicalDevice *dpcxr_vulkan_physical_devices(VkInstance instance, guint32 *n, GError **error)
{
    *n = 0;
    /* A loader without any driver says so with an error; to us that is a machine with no devices. */
    if (vkEnumeratePhysicalDevices(instance, n, NULL) == VK_ERROR_INITIALIZATION_FAILED)
        *n = 0;
    VkPhysicalDevice *devices = g_new0(VkPhysicalDevice, *n + 1);
    VkResult result = *n ? vkEnumeratePhysicalDevices(instance, n, devices) : VK_SUCCESS;
    if (result == VK_INCOMPLETE || dpcxr_vulkan_check(result, "vkEnumeratePhysicalDevices", error))
        return devices;
    g_free(devices);
    return NULL;
}

/* --- Devices --- */

guint32 dpcxr_vulkan_compute_family(VkPhysicalDevice physical)
{
    guint32 n = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &n, NULL);
    g_autofree VkQueueFamilyProperties *families = g_new0(VkQueueFamilyProperties, n + 1);
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &n, families);
    for (guint32 i = 0; i < n; i++)
        if (families[i].queueCount && (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT))
            return i;
    return G_MAXUINT32;
}

gboolean dpcxr_vulkan_has_extension(VkPhysicalDevice physical, const char *name)
{
    guint32 n = 0;
    vkEnumerateDeviceExtensionProperties(physical, NULL, &n, NULL);
    g_autofree VkExtensionProperties *all = g_new0(VkExtensionProperties, n + 1);
    vkEnumerateDeviceExtensionProperties(physical, NULL, &n, all);
    for (guint32 i = 0; i < n; i++)
        if (g_str_equal(all[i].extensionName, name))
            return TRUE;
    return FALSE;
}

static DpcxrVulkanKind kind_of(VkPhysicalDeviceType type)
{
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return DPCXR_VULKAN_DISCRETE;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return DPCXR_VULKAN_INTEGRATED;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return DPCXR_VULKAN_VIRTUAL;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return DPCXR_VULKAN_SOFTWARE;
    default:
        return DPCXR_VULKAN_OTHER;
    }
}

static char *uuid_text(const guint8 *bytes)
{
    GString *text = g_string_new(NULL);
    for (int i = 0; i < VK_UUID_SIZE; i++)
        g_string_append_printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    return g_string_free(text, FALSE);
}

static guint64 local_memory(VkPhysicalDevice physical)
{
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);
    guint64 most = 0;
    for (guint32 i = 0; i < memory.memoryHeapCount; i++)
        if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
            most = MAX(most, memory.memoryHeaps[i].size);
    return most;
}

/* What the shaders ask of every device. NaN is how a spoilt image shows: a device that may lose it is not for us. */
static char *problem_of(VkPhysicalDevice physical, const VkPhysicalDeviceProperties *properties,
                        const VkPhysicalDeviceVulkan12Properties *twelve,
                        const VkPhysicalDeviceVulkan12Features *features)
{
    if (properties->apiVersion < VK_API_VERSION_1_2)
        return g_strdup("it has no Vulkan 1.2");
    if (dpcxr_vulkan_compute_family(physical) == G_MAXUINT32)
        return g_strdup("it has no queue that computes");
    if (!features->timelineSemaphore)
        return g_strdup("it has no timeline semaphores");
    if (!twelve->shaderSignedZeroInfNanPreserveFloat32)
        return g_strdup("its shaders may lose NaN and infinity");
    if (properties->limits.maxComputeWorkGroupInvocations < 256 ||
        properties->limits.maxComputeWorkGroupSize[0] < 256 ||
        properties->limits.maxPerStageDescriptorStorageBuffers < VULKAN_MAX_BINDINGS ||
        properties->limits.maxDescriptorSetStorageBuffers < VULKAN_MAX_BINDINGS)
        return g_strdup_printf("its work groups are smaller than 256, or see fewer than %d buffers",
                               VULKAN_MAX_BINDINGS);
    return NULL;
}

DpcxrVulkanDevice *dpcxr_vulkan_device_new(VkPhysicalDevice physical, int index)
{
    VkPhysicalDeviceVulkan12Properties twelve = {.sType =
                                                     VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES};
    VkPhysicalDeviceVulkan11Properties eleven = {.sType =
                                                     VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES};
    VkPhysicalDeviceProperties2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    VkPhysicalDeviceVulkan11Features storage = {.sType =
                                                    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
    VkPhysicalDeviceVulkan12Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &storage};
    VkPhysicalDeviceFeatures2 offered = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(physical, &properties);
    if (properties.apiVersion >= VK_API_VERSION_1_2) {
        all.pNext = &twelve;
        twelve.pNext = &eleven;
        offered.pNext = &features;
        vkGetPhysicalDeviceProperties2(physical, &all);
        vkGetPhysicalDeviceFeatures2(physical, &offered);
    }
    DpcxrVulkanDevice *device = g_new0(DpcxrVulkanDevice, 1);
    *device = (DpcxrVulkanDevice){
        .index = index,
        .name = g_strdup(properties.deviceName),
        .uuid = uuid_text(eleven.deviceUUID),
        .driver = g_strdup_printf("%s %s", twelve.driverName, twelve.driverInfo),
        .api = g_strdup_printf("%u.%u.%u", VK_API_VERSION_MAJOR(properties.apiVersion),
                               VK_API_VERSION_MINOR(properties.apiVersion),
                               VK_API_VERSION_PATCH(properties.apiVersion)),
        .kind = kind_of(properties.deviceType),
        .memory = local_memory(physical),
        .storage_range = properties.limits.maxStorageBufferRange,
        .subgroup = (int)eleven.subgroupSize,
        .float64 = offered.features.shaderFloat64,
        .int64 = offered.features.shaderInt64,
        .float16 = features.shaderFloat16 && storage.storageBuffer16BitAccess,
        .cooperative_matrix =
            dpcxr_vulkan_has_extension(physical, VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME),
        .problem = problem_of(physical, &properties, &twelve, &features)};
    return device;
}

void dpcxr_vulkan_device_free(DpcxrVulkanDevice *device)
{
    if (!device)
        return;
    g_free(device->name);
    g_free(device->uuid);
    g_free(device->driver);
    g_free(device->api);
    g_free(device->problem);
    g_free(device);
}
