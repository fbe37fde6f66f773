/* SPDX-License-Identifier: MIT
 * What the files of the faulty layer share: the records behind the handles, and the commands that the layer
 * intercepts, each as the Vulkan specification has it. */
#pragma once

#include "faulty-settings.h"
#include <stdatomic.h>
#include <vulkan/vulkan.h>

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
    Gpu *gpus; /* under the lock of faulty-records.c */
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
    Allocation *allocations; /* under the lock of faulty-memory.c */
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

/* Records, by handle. They live until their handle is destroyed, not while another thread uses it: once
 * found, a record needs no lock. */

void faulty_instance_add(Instance *instance);  /* takes it, with its handle set */
Instance *faulty_instance(const void *handle); /* of a VkInstance or VkPhysicalDevice; NULL if unknown */
Instance *faulty_instance_take(VkInstance handle);
void faulty_device_add(Device *device, VkDevice handle); /* takes it */
Device *faulty_device(const void *handle);               /* of a VkDevice or VkQueue; NULL if unknown */
Device *faulty_device_take(VkDevice handle);

/* The instance's, made at its first use. NULL where there is no memory for it. */
Gpu *faulty_gpu(Instance *instance, VkPhysicalDevice handle);

/* Gives back what the device had not freed. */
void faulty_free_allocations(Device *device);

/* The structure of that type in a chain of pNext, or NULL. */
void *faulty_in_chain(const void *chain, VkStructureType type);

/* faulty-looks.c */
VkResult faulty_EnumeratePhysicalDevices(VkInstance handle, uint32_t *n, VkPhysicalDevice *found);
VkResult faulty_EnumeratePhysicalDeviceGroups(VkInstance handle, uint32_t *n,
                                              VkPhysicalDeviceGroupProperties *found);
void faulty_GetPhysicalDeviceProperties(VkPhysicalDevice gpu, VkPhysicalDeviceProperties *properties);
void faulty_GetPhysicalDeviceProperties2(VkPhysicalDevice gpu, VkPhysicalDeviceProperties2 *properties);
void faulty_GetPhysicalDeviceFeatures(VkPhysicalDevice gpu, VkPhysicalDeviceFeatures *features);
void faulty_GetPhysicalDeviceFeatures2(VkPhysicalDevice gpu, VkPhysicalDeviceFeatures2 *features);
void faulty_GetPhysicalDeviceMemoryProperties(VkPhysicalDevice gpu, VkPhysicalDeviceMemoryProperties *memory);
void faulty_GetPhysicalDeviceMemoryProperties2(VkPhysicalDevice handle,
                                               VkPhysicalDeviceMemoryProperties2 *memory);

/* faulty-memory.c */
VkResult faulty_AllocateMemory(VkDevice handle, const VkMemoryAllocateInfo *info,
                               const VkAllocationCallbacks *allocator, VkDeviceMemory *memory);
void faulty_FreeMemory(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks *allocator);

/* faulty-loss.c */
VkResult faulty_QueueSubmit(VkQueue queue, uint32_t n, const VkSubmitInfo *submits, VkFence fence);
VkResult faulty_QueueSubmit2(VkQueue queue, uint32_t n, const VkSubmitInfo2 *submits, VkFence fence);
VkResult faulty_QueueWaitIdle(VkQueue queue);
VkResult faulty_DeviceWaitIdle(VkDevice handle);
VkResult faulty_GetSemaphoreCounterValue(VkDevice handle, VkSemaphore semaphore, uint64_t *value);
VkResult faulty_GetFenceStatus(VkDevice handle, VkFence fence);
VkResult faulty_WaitSemaphores(VkDevice handle, const VkSemaphoreWaitInfo *info, uint64_t timeout);
VkResult faulty_WaitForFences(VkDevice handle, uint32_t n, const VkFence *fences, VkBool32 all,
                              uint64_t timeout);
