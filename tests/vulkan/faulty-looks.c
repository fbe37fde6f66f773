/* SPDX-License-Identifier: MIT
 * What the devices look like: which there are, their properties, features and heaps. */
#include "faulty.h"

VkResult faulty_EnumeratePhysicalDevices(VkInstance handle, uint32_t *n, VkPhysicalDevice *found)
{
    Instance *instance = faulty_instance(handle);
    if (!instance->settings.no_devices)
        return instance->enumerate(handle, n, found);
    *n = 0;
    return VK_SUCCESS;
}

VkResult faulty_EnumeratePhysicalDeviceGroups(VkInstance handle, uint32_t *n,
                                              VkPhysicalDeviceGroupProperties *found)
{
    Instance *instance = faulty_instance(handle);
    if (!instance->settings.no_devices)
        return instance->enumerate_groups(handle, n, found);
    *n = 0;
    return VK_SUCCESS;
}

static void disguise_properties(const FaultySettings *settings, VkPhysicalDeviceProperties *properties)
{
    if (settings->typed)
        properties->deviceType = settings->type;
    if (settings->storage_range && properties->limits.maxStorageBufferRange > settings->storage_range)
        properties->limits.maxStorageBufferRange = (uint32_t)settings->storage_range;
}

void faulty_GetPhysicalDeviceProperties(VkPhysicalDevice gpu, VkPhysicalDeviceProperties *properties)
{
    Instance *instance = faulty_instance(gpu);
    instance->properties(gpu, properties);
    disguise_properties(&instance->settings, properties);
}

void faulty_GetPhysicalDeviceProperties2(VkPhysicalDevice gpu, VkPhysicalDeviceProperties2 *properties)
{
    Instance *instance = faulty_instance(gpu);
    instance->properties2(gpu, properties);
    disguise_properties(&instance->settings, &properties->properties);
}

static void disguise_features(const FaultySettings *settings, VkPhysicalDeviceFeatures *features)
{
    if (settings->no_float64)
        features->shaderFloat64 = features->shaderInt64 = VK_FALSE;
}

void faulty_GetPhysicalDeviceFeatures(VkPhysicalDevice gpu, VkPhysicalDeviceFeatures *features)
{
    Instance *instance = faulty_instance(gpu);
    instance->features(gpu, features);
    disguise_features(&instance->settings, features);
}

void faulty_GetPhysicalDeviceFeatures2(VkPhysicalDevice gpu, VkPhysicalDeviceFeatures2 *features)
{
    Instance *instance = faulty_instance(gpu);
    instance->features2(gpu, features);
    disguise_features(&instance->settings, &features->features);
}

static void disguise_memory(const FaultySettings *settings, VkPhysicalDeviceMemoryProperties *memory)
{
    for (uint32_t i = 0; settings->heap && i < memory->memoryHeapCount; i++)
        memory->memoryHeaps[i].size = settings->heap;
}

static void disguise_budget(const FaultySettings *settings, Gpu *gpu,
                            VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget)
{
    for (uint32_t i = 0; i < gpu->memory.memoryHeapCount; i++) {
        budget->heapBudget[i] = settings->heap;
        budget->heapUsage[i] = atomic_load(&gpu->allocated[i]);
    }
}

void faulty_GetPhysicalDeviceMemoryProperties(VkPhysicalDevice gpu, VkPhysicalDeviceMemoryProperties *memory)
{
    Instance *instance = faulty_instance(gpu);
    instance->memory(gpu, memory);
    disguise_memory(&instance->settings, memory);
}

void faulty_GetPhysicalDeviceMemoryProperties2(VkPhysicalDevice handle,
                                               VkPhysicalDeviceMemoryProperties2 *memory)
{
    Instance *instance = faulty_instance(handle);
    instance->memory2(handle, memory);
    disguise_memory(&instance->settings, &memory->memoryProperties);
    VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget =
        faulty_in_chain(memory, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
    Gpu *gpu = faulty_gpu(instance, handle);
    if (budget && gpu && instance->settings.heap)
        disguise_budget(&instance->settings, gpu, budget);
}
