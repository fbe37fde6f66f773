/* SPDX-License-Identifier: MIT
 * Memory: so much from each heap, and no more. */
#include "faulty.h"
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all lists of allocations */

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

VkResult faulty_AllocateMemory(VkDevice handle, const VkMemoryAllocateInfo *info,
                               const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
    Device *device = faulty_device(handle);
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

void faulty_FreeMemory(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks *allocator)
{
    Device *device = faulty_device(handle);
    /* Forgotten first: once freed, another thread may be given the same handle. */
    Allocation *allocation = memory ? forget(device, memory) : NULL;
    device->free(handle, memory, allocator);
    if (allocation)
        give_back(device, allocation);
}

void faulty_free_allocations(Device *device)
{
    for (Allocation *allocation = device->allocations, *next; allocation; allocation = next) {
        next = allocation->next;
        give_back(device, allocation);
    }
}
