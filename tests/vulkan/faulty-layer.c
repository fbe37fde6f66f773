/* SPDX-License-Identifier: MIT
 * A Vulkan layer for tests: the devices beneath it break, or look like others, as the environment says. The
 * variables are read when an instance is created; empty is as good as unset; a wrong one fails vkCreateInstance
 * (VK_ERROR_INITIALIZATION_FAILED) with a line on stderr. 1 MB is 2^20 bytes.
 *
 * DPCXR_FAULTY_LOSE_DEVICE_AFTER=N  Each VkDevice accepts N submissions (calls of vkQueueSubmit and
 *     vkQueueSubmit2, whatever their queue). From the next on, VK_ERROR_DEVICE_LOST is what submitting, waiting
 *     (for semaphores, fences, a queue, the device), vkGetSemaphoreCounterValue and vkGetFenceStatus return; a
 *     wait under way in another thread ends so as well. What the queue had accepted is finished by then, so it
 *     must not wait for anything submitted later.
 * DPCXR_FAULTY_HEAP_MB=N  Each memory heap is reported with N MB, VK_EXT_memory_budget included (budget N MB,
 *     usage what was allocated through the layer), and vkAllocateMemory returns VK_ERROR_OUT_OF_DEVICE_MEMORY
 *     rather than allocate more than that from a heap, over all the instance's devices on that GPU. vkFreeMemory
 *     gives back.
 * DPCXR_FAULTY_ALLOCATE_MB=N  The same limit of vkAllocateMemory, but nothing reported says so. With both, the
 *     smaller one limits.
 * DPCXR_FAULTY_TYPE=discrete|integrated|virtual|cpu  VkPhysicalDeviceProperties.deviceType.
 * DPCXR_FAULTY_STORAGE_RANGE_MB=N  limits.maxStorageBufferRange is at most N MB.
 * DPCXR_FAULTY_NO_FLOAT64=1  shaderFloat64 and shaderInt64 are not supported, and vkCreateDevice with one of
 *     them returns VK_ERROR_FEATURE_NOT_PRESENT.
 * DPCXR_FAULTY_NO_DEVICES=1  vkEnumeratePhysicalDevices and vkEnumeratePhysicalDeviceGroups find none. Set
 *     NODEVICE_SELECT=1 beside it: it keeps out Mesa's implicit layer device_select, which (in 22.3) crashes
 *     where there is no device.
 *
 * The interface between loader and layers: "Loader and Layer Interface" in the documentation of the Khronos
 * Vulkan-Loader, and vulkan/vk_layer.h. Dispatchable handles begin with a pointer to the loader's dispatch table:
 * an instance shares its own with its physical devices, a device with its queues, so it is the key under which we
 * find what is ours. */
#include "faulty-settings.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>

/* A wait looks this often whether the device was lost meanwhile, in ns. */
#define WAIT_SLICE UINT64_C(5000000)

/* What is known by its dispatch pointer. */
typedef struct Record {
    struct Record *next;
    const void *key;
} Record;

/* A physical device: what was allocated from its heaps. */
typedef struct Gpu {
    struct Gpu *next;
    VkPhysicalDevice handle;
    VkPhysicalDeviceMemoryProperties memory;              /* as the driver says */
    atomic_uint_least64_t allocated[VK_MAX_MEMORY_HEAPS]; /* bytes */
} Gpu;

/* The next functions down the chain, and what we keep. */
typedef struct {
    Record record;
    FaultySettings settings;
    VkInstance handle;
    Gpu *gpus; /* under `lock` */
    PFN_vkGetInstanceProcAddr get_proc;
    PFN_vkDestroyInstance destroy;
    PFN_vkEnumeratePhysicalDevices enumerate;
    PFN_vkEnumeratePhysicalDeviceGroups enumerate_groups;
    PFN_vkGetPhysicalDeviceProperties properties;
    PFN_vkGetPhysicalDeviceProperties2 properties2;
    PFN_vkGetPhysicalDeviceFeatures features;
    PFN_vkGetPhysicalDeviceFeatures2 features2;
    PFN_vkGetPhysicalDeviceMemoryProperties memory;
    PFN_vkGetPhysicalDeviceMemoryProperties2 memory2;
} Instance;

/* A VkDeviceMemory. */
typedef struct Allocation {
    struct Allocation *next;
    VkDeviceMemory handle;
    VkDeviceSize size;
    uint32_t heap;
} Allocation;

typedef struct {
    Record record;
    const FaultySettings *settings;
    Gpu *gpu;
    Allocation *allocations; /* under `lock` */
    atomic_uint_least64_t submissions;
    atomic_bool lost;
    PFN_vkGetDeviceProcAddr get_proc;
    PFN_vkDestroyDevice destroy;
    PFN_vkQueueSubmit submit;
    PFN_vkQueueSubmit2 submit2;
    PFN_vkQueueWaitIdle queue_wait_idle;
    PFN_vkDeviceWaitIdle device_wait_idle;
    PFN_vkWaitSemaphores wait_semaphores;
    PFN_vkGetSemaphoreCounterValue semaphore_value;
    PFN_vkWaitForFences wait_fences;
    PFN_vkGetFenceStatus fence_status;
    PFN_vkAllocateMemory allocate;
    PFN_vkFreeMemory free;
} Device;

/* Mutable globals, for want of another place: the loader hands a layer no context of its own. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Record *instances, *devices;

static const void *key_of(const void *handle)
{
    return *(const void *const *)handle;
}

static void record_add(Record **list, Record *record, const void *handle)
{
    record->key = key_of(handle);
    pthread_mutex_lock(&lock);
    record->next = *list;
    *list = record;
    pthread_mutex_unlock(&lock);
}

/* A record lives until its handle is destroyed, which nobody may do while using it: it needs no lock once found. */
static Record *record_find(Record **list, const void *handle)
{
    pthread_mutex_lock(&lock);
    Record *record = *list;
    while (record && record->key != key_of(handle))
        record = record->next;
    pthread_mutex_unlock(&lock);
    return record;
}

static Record *record_take(Record **list, const void *handle)
{
    pthread_mutex_lock(&lock);
    Record **link = list;
    while (*link && (*link)->key != key_of(handle))
        link = &(*link)->next;
    Record *record = *link;
    if (record)
        *link = record->next;
    pthread_mutex_unlock(&lock);
    return record;
}

/* Of a VkInstance or VkPhysicalDevice. */
static Instance *instance_of(const void *handle)
{
    return (Instance *)record_find(&instances, handle);
}

/* Of a VkDevice or VkQueue. */
static Device *device_of(const void *handle)
{
    return (Device *)record_find(&devices, handle);
}

/* NULL where there is no memory for it. */
static Gpu *find_gpu(Instance *instance, VkPhysicalDevice handle)
{
    pthread_mutex_lock(&lock);
    Gpu *gpu = instance->gpus;
    while (gpu && gpu->handle != handle)
        gpu = gpu->next;
    if (!gpu && (gpu = calloc(1, sizeof *gpu))) {
        gpu->handle = handle;
        instance->memory(handle, &gpu->memory);
        gpu->next = instance->gpus;
        instance->gpus = gpu;
    }
    pthread_mutex_unlock(&lock);
    return gpu;
}

/* The structure of that type in a chain, or NULL. */
static void *in_chain(const void *chain, VkStructureType type)
{
    const VkBaseInStructure *link = chain;
    while (link && link->sType != type)
        link = link->pNext;
    return (void *)link;
}

/* Devices: what they look like. */

static VkResult faulty_EnumeratePhysicalDevices(VkInstance handle, uint32_t *n, VkPhysicalDevice *found)
{
    Instance *instance = instance_of(handle);
    if (!instance->settings.no_devices)
        return instance->enumerate(handle, n, found);
    *n = 0;
    return VK_SUCCESS;
}

static VkResult faulty_EnumeratePhysicalDeviceGroups(VkInstance handle, uint32_t *n,
                                                     VkPhysicalDeviceGroupProperties *found)
{
    Instance *instance = instance_of(handle);
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

static void faulty_GetPhysicalDeviceProperties(VkPhysicalDevice gpu, VkPhysicalDeviceProperties *properties)
{
    Instance *instance = instance_of(gpu);
    instance->properties(gpu, properties);
    disguise_properties(&instance->settings, properties);
}

static void faulty_GetPhysicalDeviceProperties2(VkPhysicalDevice gpu, VkPhysicalDeviceProperties2 *properties)
{
    Instance *instance = instance_of(gpu);
    instance->properties2(gpu, properties);
    disguise_properties(&instance->settings, &properties->properties);
}

static void disguise_features(const FaultySettings *settings, VkPhysicalDeviceFeatures *features)
{
    if (settings->no_float64)
        features->shaderFloat64 = features->shaderInt64 = VK_FALSE;
}

static void faulty_GetPhysicalDeviceFeatures(VkPhysicalDevice gpu, VkPhysicalDeviceFeatures *features)
{
    Instance *instance = instance_of(gpu);
    instance->features(gpu, features);
    disguise_features(&instance->settings, features);
}

static void faulty_GetPhysicalDeviceFeatures2(VkPhysicalDevice gpu, VkPhysicalDeviceFeatures2 *features)
{
    Instance *instance = instance_of(gpu);
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

static void faulty_GetPhysicalDeviceMemoryProperties(VkPhysicalDevice gpu,
                                                     VkPhysicalDeviceMemoryProperties *memory)
{
    Instance *instance = instance_of(gpu);
    instance->memory(gpu, memory);
    disguise_memory(&instance->settings, memory);
}

static void faulty_GetPhysicalDeviceMemoryProperties2(VkPhysicalDevice handle,
                                                      VkPhysicalDeviceMemoryProperties2 *memory)
{
    Instance *instance = instance_of(handle);
    instance->memory2(handle, memory);
    disguise_memory(&instance->settings, &memory->memoryProperties);
    VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget =
        in_chain(memory, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
    Gpu *gpu = find_gpu(instance, handle);
    if (budget && gpu && instance->settings.heap)
        disguise_budget(&instance->settings, gpu, budget);
}

/* Memory. */

static bool reserve(Device *device, uint32_t heap, VkDeviceSize size)
{
    atomic_uint_least64_t *allocated = &device->gpu->allocated[heap];
    uint64_t limit = device->settings->allocatable, before = atomic_load(allocated);
    do
        if (limit && (size > limit || before > limit - size))
            return false;
    while (!atomic_compare_exchange_weak(allocated, &before, before + size));
    return true;
}

static void remember(Device *device, Allocation *allocation)
{
    pthread_mutex_lock(&lock);
    allocation->next = device->allocations;
    device->allocations = allocation;
    pthread_mutex_unlock(&lock);
}

static Allocation *forget(Device *device, VkDeviceMemory handle)
{
    pthread_mutex_lock(&lock);
    Allocation **link = &device->allocations;
    while (*link && (*link)->handle != handle)
        link = &(*link)->next;
    Allocation *allocation = *link;
    if (allocation)
        *link = allocation->next;
    pthread_mutex_unlock(&lock);
    return allocation;
}

static void give_back(Device *device, Allocation *allocation)
{
    atomic_fetch_sub(&device->gpu->allocated[allocation->heap], allocation->size);
    free(allocation);
}

static VkResult faulty_AllocateMemory(VkDevice handle, const VkMemoryAllocateInfo *info,
                                      const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
    Device *device = device_of(handle);
    uint32_t heap = device->gpu->memory.memoryTypes[info->memoryTypeIndex].heapIndex;
    if (!reserve(device, heap, info->allocationSize))
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    Allocation *allocation = malloc(sizeof *allocation);
    if (!allocation) {
        atomic_fetch_sub(&device->gpu->allocated[heap], info->allocationSize);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *allocation = (Allocation){.size = info->allocationSize, .heap = heap};
    VkResult result = device->allocate(handle, info, allocator, memory);
    if (result == VK_SUCCESS) {
        allocation->handle = *memory;
        remember(device, allocation);
    } else {
        give_back(device, allocation);
    }
    return result;
}

static void faulty_FreeMemory(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks *allocator)
{
    Device *device = device_of(handle);
    /* Forgotten first: once freed, another thread may be given the same handle. */
    Allocation *allocation = memory ? forget(device, memory) : NULL;
    device->free(handle, memory, allocator);
    if (allocation)
        give_back(device, allocation);
}

/* The loss of a device. */

static bool submission_is_lost(Device *device, VkQueue queue)
{
    if (!device->settings->loses_device ||
        atomic_fetch_add(&device->submissions, 1) < device->settings->submissions)
        return false;
    /* A wait that returns VK_ERROR_DEVICE_LOST allows to destroy what was in use: let the driver be done with it. */
    device->queue_wait_idle(queue);
    atomic_store(&device->lost, true);
    return true;
}

static VkResult faulty_QueueSubmit(VkQueue queue, uint32_t n, const VkSubmitInfo *submits, VkFence fence)
{
    Device *device = device_of(queue);
    if (submission_is_lost(device, queue))
        return VK_ERROR_DEVICE_LOST;
    return device->submit(queue, n, submits, fence);
}

static VkResult faulty_QueueSubmit2(VkQueue queue, uint32_t n, const VkSubmitInfo2 *submits, VkFence fence)
{
    Device *device = device_of(queue);
    if (submission_is_lost(device, queue))
        return VK_ERROR_DEVICE_LOST;
    return device->submit2(queue, n, submits, fence);
}

static VkResult unless_lost(Device *device, VkResult result)
{
    return atomic_load(&device->lost) ? VK_ERROR_DEVICE_LOST : result;
}

static VkResult faulty_QueueWaitIdle(VkQueue queue)
{
    Device *device = device_of(queue);
    VkResult result = device->queue_wait_idle(queue);
    return unless_lost(device, result);
}

static VkResult faulty_DeviceWaitIdle(VkDevice handle)
{
    Device *device = device_of(handle);
    VkResult result = device->device_wait_idle(handle);
    return unless_lost(device, result);
}

static VkResult faulty_GetSemaphoreCounterValue(VkDevice handle, VkSemaphore semaphore, uint64_t *value)
{
    Device *device = device_of(handle);
    VkResult result = device->semaphore_value(handle, semaphore, value);
    return unless_lost(device, result);
}

static VkResult faulty_GetFenceStatus(VkDevice handle, VkFence fence)
{
    Device *device = device_of(handle);
    VkResult result = device->fence_status(handle, fence);
    return unless_lost(device, result);
}

/* How long to wait before looking again, in ns, taken off what is left. */
static uint64_t next_slice(const Device *device, uint64_t *left)
{
    uint64_t slice = device->settings->loses_device && *left > WAIT_SLICE ? WAIT_SLICE : *left;
    *left -= slice;
    return slice;
}

static VkResult faulty_WaitSemaphores(VkDevice handle, const VkSemaphoreWaitInfo *info, uint64_t timeout)
{
    Device *device = device_of(handle);
    VkResult result;
    do
        result = device->wait_semaphores(handle, info, next_slice(device, &timeout));
    while (result == VK_TIMEOUT && timeout && !atomic_load(&device->lost));
    return unless_lost(device, result);
}

static VkResult faulty_WaitForFences(VkDevice handle, uint32_t n, const VkFence *fences, VkBool32 all,
                                     uint64_t timeout)
{
    Device *device = device_of(handle);
    VkResult result;
    do
        result = device->wait_fences(handle, n, fences, all, next_slice(device, &timeout));
    while (result == VK_TIMEOUT && timeout && !atomic_load(&device->lost));
    return unless_lost(device, result);
}

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

/* The loader's links for the layers below, in the chain of the create info. The loader made it for us to move on. */
static VkLayerInstanceCreateInfo *instance_link(const VkInstanceCreateInfo *info)
{
    VkLayerInstanceCreateInfo *link = in_chain(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    while (link && link->function != VK_LAYER_LINK_INFO)
        link = in_chain(link->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    return link;
}

static VkLayerDeviceCreateInfo *device_link(const VkDeviceCreateInfo *info)
{
    VkLayerDeviceCreateInfo *link = in_chain(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    while (link && link->function != VK_LAYER_LINK_INFO)
        link = in_chain(link->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
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
    record_add(&instances, &instance->record, *handle);
    return VK_SUCCESS;
}

static void faulty_DestroyInstance(VkInstance handle, const VkAllocationCallbacks *allocator)
{
    if (!handle)
        return;
    Instance *instance = (Instance *)record_take(&instances, handle);
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
        in_chain(info->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
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
    Instance *instance = instance_of(gpu);
    if (instance->settings.no_float64 && wants_float64(info))
        return VK_ERROR_FEATURE_NOT_PRESENT;
    Device *device = calloc(1, sizeof *device);
    if (!device)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    device->settings = &instance->settings;
    device->gpu = find_gpu(instance, gpu);
    VkResult result = device->gpu ? create_device_below(instance, device, info, allocator, handle)
                                  : VK_ERROR_OUT_OF_HOST_MEMORY;
    if (result != VK_SUCCESS) {
        free(device);
        return result;
    }
    load_device(device, *handle);
    record_add(&devices, &device->record, *handle);
    return VK_SUCCESS;
}

static void faulty_DestroyDevice(VkDevice handle, const VkAllocationCallbacks *allocator)
{
    if (!handle)
        return;
    Device *device = (Device *)record_take(&devices, handle);
    device->destroy(handle, allocator);
    for (Allocation *allocation = device->allocations, *next; allocation; allocation = next) {
        next = allocation->next;
        give_back(device, allocation);
    }
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

/* An instance command exists if the chain below has it: its extension may be missing. Device commands end in no
 * chain of instances, so nobody below can be asked about them. */
static PFN_vkVoidFunction faulty_GetInstanceProcAddr(VkInstance handle, const char *name)
{
    PFN_vkVoidFunction ours = find_command(global_commands, name);
    if (ours || !handle)
        return ours;
    if ((ours = find_command(device_commands, name)))
        return ours;
    Instance *instance = instance_of(handle);
    PFN_vkVoidFunction next = instance ? instance->get_proc(handle, name) : NULL;
    ours = find_command(instance_commands, name);
    return next && ours ? ours : next;
}

static PFN_vkVoidFunction faulty_GetDeviceProcAddr(VkDevice handle, const char *name)
{
    Device *device = device_of(handle);
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
