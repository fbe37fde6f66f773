/* SPDX-License-Identifier: MIT
 * A Vulkan layer for tests: the devices beneath it break, or look like others, as the environment says. The
 * variables are read when an instance is created; empty is as good as unset; a wrong one fails
 * vkCreateInstance (VK_ERROR_INITIALIZATION_FAILED) with a line on stderr. 1 MB is 2^20 bytes.
 *
 * DPCXR_FAULTY_LOSE_DEVICE_AFTER=N  Each VkDevice accepts N submissions (calls of vkQueueSubmit and
 *     vkQueueSubmit2, whatever their queue). From the next on, VK_ERROR_DEVICE_LOST is what submitting,
 *     waiting (for semaphores, fences, a queue, the device), vkGetSemaphoreCounterValue and
 *     vkGetFenceStatus return; a wait under way in another thread ends so as well. What the queue had
 *     accepted is finished by then, so it must not wait for anything submitted later.
 * DPCXR_FAULTY_HEAP_MB=N  Each memory heap is reported with N MB, VK_EXT_memory_budget included (budget N
 *     MB, usage what was allocated through the layer), and vkAllocateMemory returns
 *     VK_ERROR_OUT_OF_DEVICE_MEMORY rather than allocate more than that from a heap, over all the
 *     instance's devices on that GPU. vkFreeMemory gives back.
 * DPCXR_FAULTY_ALLOCATE_MB=N  The same limit of vkAllocateMemory, but nothing reported says so. With both,
 *     the smaller one limits.
 * DPCXR_FAULTY_TYPE=discrete|integrated|virtual|cpu  VkPhysicalDeviceProperties.deviceType.
 * DPCXR_FAULTY_STORAGE_RANGE_MB=N  limits.maxStorageBufferRange is at most N MB.
 * DPCXR_FAULTY_NO_FLOAT64=1  shaderFloat64 and shaderInt64 are not supported, and vkCreateDevice with one
 *     of them returns VK_ERROR_FEATURE_NOT_PRESENT.
 * DPCXR_FAULTY_NO_DEVICES=1  vkEnumeratePhysicalDevices and vkEnumeratePhysicalDeviceGroups find none. Set
 *     NODEVICE_SELECT=1 beside it: it keeps out Mesa's implicit layer device_select, which (in 22.3)
 *     crashes where there is no device.
 *
 * The interface between loader and layers: "Loader and Layer Interface" in the documentation of the Khronos
 * Vulkan-Loader, and vulkan/vk_layer.h. */
#include "faulty.h"
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>

/* Creation and destruction. */

/* By its name in Vulkan's core, or else by that of the extension (NULL: none) it was promoted from. */
static PFN_vkVoidFunction next_of_instance(const Instance *instance, const char *core, const char *extension)
{
    PFN_vkVoidFunction function = instance->get_proc(instance->handle, core);
    return function || !extension ? function : instance->get_proc(instance->handle, extension);
}

static PFN_vkVoidFunction next_of_device(const Device *device, VkDevice handle, const char *core,
                                         const char *extension)
{
    PFN_vkVoidFunction function = device->get_proc(handle, core);
    return function || !extension ? function : device->get_proc(handle, extension);
}

static void load_instance(Instance *i)
{
#define LOAD(member, name, extension) i->member = (PFN_##name)next_of_instance(i, #name, extension)
    LOAD(destroy, vkDestroyInstance, NULL);
    LOAD(enumerate, vkEnumeratePhysicalDevices, NULL);
    LOAD(enumerate_groups, vkEnumeratePhysicalDeviceGroups, "vkEnumeratePhysicalDeviceGroupsKHR");
    LOAD(properties, vkGetPhysicalDeviceProperties, NULL);
    LOAD(properties2, vkGetPhysicalDeviceProperties2, "vkGetPhysicalDeviceProperties2KHR");
    LOAD(features, vkGetPhysicalDeviceFeatures, NULL);
    LOAD(features2, vkGetPhysicalDeviceFeatures2, "vkGetPhysicalDeviceFeatures2KHR");
    LOAD(memory, vkGetPhysicalDeviceMemoryProperties, NULL);
    LOAD(memory2, vkGetPhysicalDeviceMemoryProperties2, "vkGetPhysicalDeviceMemoryProperties2KHR");
#undef LOAD
}

static void load_device(Device *d, VkDevice handle)
{
#define LOAD(member, name, extension) d->member = (PFN_##name)next_of_device(d, handle, #name, extension)
    LOAD(destroy, vkDestroyDevice, NULL);
    LOAD(submit, vkQueueSubmit, NULL);
    LOAD(submit2, vkQueueSubmit2, "vkQueueSubmit2KHR");
    LOAD(queue_wait_idle, vkQueueWaitIdle, NULL);
    LOAD(device_wait_idle, vkDeviceWaitIdle, NULL);
    LOAD(wait_semaphores, vkWaitSemaphores, "vkWaitSemaphoresKHR");
    LOAD(semaphore_value, vkGetSemaphoreCounterValue, "vkGetSemaphoreCounterValueKHR");
    LOAD(wait_fences, vkWaitForFences, NULL);
    LOAD(fence_status, vkGetFenceStatus, NULL);
    LOAD(allocate, vkAllocateMemory, NULL);
    LOAD(free, vkFreeMemory, NULL);
#undef LOAD
}

/* The loader's link to the layers below, in the chain of the create info. It is for us to move on. */
static VkLayerInstanceCreateInfo *instance_link(const VkInstanceCreateInfo *info)
{
    VkLayerInstanceCreateInfo *link =
        faulty_in_chain(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    while (link && link->function != VK_LAYER_LINK_INFO)
        link = faulty_in_chain(link->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    return link;
}

static VkLayerDeviceCreateInfo *device_link(const VkDeviceCreateInfo *info)
{
    VkLayerDeviceCreateInfo *link = faulty_in_chain(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    while (link && link->function != VK_LAYER_LINK_INFO)
        link = faulty_in_chain(link->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    return link;
}

static VkResult create_below(Instance *instance, const VkInstanceCreateInfo *info,
                             const VkAllocationCallbacks *allocator)
{
    VkLayerInstanceCreateInfo *link = instance_link(info);
    if (!link || !faulty_settings_read(&instance->settings))
        return VK_ERROR_INITIALIZATION_FAILED;
    instance->get_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    PFN_vkCreateInstance create = (PFN_vkCreateInstance)instance->get_proc(NULL, "vkCreateInstance");
    return create ? create(info, allocator, &instance->handle) : VK_ERROR_INITIALIZATION_FAILED;
}

static VkResult faulty_CreateInstance(const VkInstanceCreateInfo *info,
                                      const VkAllocationCallbacks *allocator, VkInstance *handle)
{
    Instance *instance = calloc(1, sizeof *instance);
    if (!instance)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    /* Layers below are given the loader's own place for the handle: some look at what is in it. */
    instance->handle = *handle;
    VkResult result = create_below(instance, info, allocator);
    if (result != VK_SUCCESS) {
        free(instance);
        return result;
    }
    *handle = instance->handle;
    load_instance(instance);
    faulty_instance_add(instance);
    return VK_SUCCESS;
}

static void faulty_DestroyInstance(VkInstance handle, const VkAllocationCallbacks *allocator)
{
    if (!handle)
        return;
    Instance *instance = faulty_instance_take(handle);
    instance->destroy(handle, allocator);
    for (Gpu *gpu = instance->gpus, *next; gpu; gpu = next) {
        next = gpu->next;
        free(gpu);
    }
    free(instance);
}

static bool wants_float64(const VkDeviceCreateInfo *info)
{
    const VkPhysicalDeviceFeatures2 *chained =
        faulty_in_chain(info->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
    const VkPhysicalDeviceFeatures *features = chained ? &chained->features : info->pEnabledFeatures;
    return features && (features->shaderFloat64 || features->shaderInt64);
}

/* Makes the VkDevice and lets `device` know the way down from it. */
static VkResult create_device_below(Instance *instance, Device *device, const VkDeviceCreateInfo *info,
                                    const VkAllocationCallbacks *allocator, VkDevice *handle)
{
    VkLayerDeviceCreateInfo *link = device_link(info);
    if (!link)
        return VK_ERROR_INITIALIZATION_FAILED;
    PFN_vkGetInstanceProcAddr get_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    device->get_proc = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    PFN_vkCreateDevice create = (PFN_vkCreateDevice)get_proc(instance->handle, "vkCreateDevice");
    return create ? create(device->gpu->handle, info, allocator, handle) : VK_ERROR_INITIALIZATION_FAILED;
}

static VkResult faulty_CreateDevice(VkPhysicalDevice gpu, const VkDeviceCreateInfo *info,
                                    const VkAllocationCallbacks *allocator, VkDevice *handle)
{
    Instance *instance = faulty_instance(gpu);
    if (instance->settings.no_float64 && wants_float64(info))
        return VK_ERROR_FEATURE_NOT_PRESENT;
    Device *device = calloc(1, sizeof *device);
    if (!device)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    device->settings = &instance->settings;
    device->gpu = faulty_gpu(instance, gpu);
    VkResult result = device->gpu ? create_device_below(instance, device, info, allocator, handle)
                                  : VK_ERROR_OUT_OF_HOST_MEMORY;
    if (result != VK_SUCCESS) {
        free(device);
        return result;
    }
    load_device(device, *handle);
    faulty_device_add(device, *handle);
    return VK_SUCCESS;
}

static void faulty_DestroyDevice(VkDevice handle, const VkAllocationCallbacks *allocator)
{
    if (!handle)
        return;
    Device *device = faulty_device_take(handle);
    device->destroy(handle, allocator);
    faulty_free_allocations(device);
    free(device);
}

/* Where the loader and the layers above find us. */

static PFN_vkVoidFunction faulty_GetInstanceProcAddr(VkInstance instance, const char *name);
static PFN_vkVoidFunction faulty_GetDeviceProcAddr(VkDevice device, const char *name);

typedef struct {
    const char *name;
    PFN_vkVoidFunction function;
} Command;

#define COMMAND(name)                                                                                        \
    {                                                                                                        \
        "vk" #name, (PFN_vkVoidFunction)faulty_##name                                                        \
    }
#define COMMAND_KHR(name)                                                                                    \
    COMMAND(name),                                                                                           \
    {                                                                                                        \
        "vk" #name "KHR", (PFN_vkVoidFunction)faulty_##name                                                  \
    }

/* Those that are asked for before there is an instance. */
static const Command global_commands[] = {
    COMMAND(GetInstanceProcAddr),
    COMMAND(CreateInstance),
    COMMAND(CreateDevice),
    COMMAND(GetDeviceProcAddr),
    {NULL},
};

static const Command instance_commands[] = {
    COMMAND(DestroyInstance),
    COMMAND(EnumeratePhysicalDevices),
    COMMAND_KHR(EnumeratePhysicalDeviceGroups),
    COMMAND(GetPhysicalDeviceProperties),
    COMMAND_KHR(GetPhysicalDeviceProperties2),
    COMMAND(GetPhysicalDeviceFeatures),
    COMMAND_KHR(GetPhysicalDeviceFeatures2),
    COMMAND(GetPhysicalDeviceMemoryProperties),
    COMMAND_KHR(GetPhysicalDeviceMemoryProperties2),
    {NULL},
};

static const Command device_commands[] = {
    COMMAND(GetDeviceProcAddr),
    COMMAND(DestroyDevice),
    COMMAND(QueueSubmit),
    COMMAND_KHR(QueueSubmit2),
    COMMAND(QueueWaitIdle),
    COMMAND(DeviceWaitIdle),
    COMMAND_KHR(WaitSemaphores),
    COMMAND_KHR(GetSemaphoreCounterValue),
    COMMAND(WaitForFences),
    COMMAND(GetFenceStatus),
    COMMAND(AllocateMemory),
    COMMAND(FreeMemory),
    {NULL},
};

static PFN_vkVoidFunction find_command(const Command *commands, const char *name)
{
    while (commands->name && strcmp(commands->name, name))
        commands++;
    return commands->function;
}

/* An instance command exists if the chain below has it: its extension may be missing. Device commands are not
 * in the loader's chain of instances, so nobody below can be asked about them. */
static PFN_vkVoidFunction faulty_GetInstanceProcAddr(VkInstance handle, const char *name)
{
    PFN_vkVoidFunction ours = find_command(global_commands, name);
    if (ours || !handle)
        return ours;
    if ((ours = find_command(device_commands, name)))
        return ours;
    Instance *instance = faulty_instance(handle);
    PFN_vkVoidFunction next = instance ? instance->get_proc(handle, name) : NULL;
    ours = find_command(instance_commands, name);
    return next && ours ? ours : next;
}

static PFN_vkVoidFunction faulty_GetDeviceProcAddr(VkDevice handle, const char *name)
{
    Device *device = faulty_device(handle);
    PFN_vkVoidFunction next = device ? device->get_proc(handle, name) : NULL;
    PFN_vkVoidFunction ours = find_command(device_commands, name);
    return next && ours ? ours : next;
}

VK_LAYER_EXPORT VkResult vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *negotiated)
{
    if (negotiated->sType != LAYER_NEGOTIATE_INTERFACE_STRUCT ||
        negotiated->loaderLayerInterfaceVersion < CURRENT_LOADER_LAYER_INTERFACE_VERSION)
        return VK_ERROR_INITIALIZATION_FAILED;
    negotiated->loaderLayerInterfaceVersion = CURRENT_LOADER_LAYER_INTERFACE_VERSION;
    negotiated->pfnGetInstanceProcAddr = faulty_GetInstanceProcAddr;
    negotiated->pfnGetDeviceProcAddr = faulty_GetDeviceProcAddr;
    negotiated->pfnGetPhysicalDeviceProcAddr = NULL; /* no command of ours is unknown to the loader */
    return VK_SUCCESS;
}
