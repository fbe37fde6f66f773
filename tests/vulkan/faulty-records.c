/* SPDX-License-Identifier: MIT
 * What the layer knows of instances, physical devices and devices. Dispatchable handles begin with a pointer
 * to the loader's dispatch table: an instance shares its own with its physical devices, a device with its
 * queues, so it is the key under which we find what is ours. */
#include "faulty.h"
#include <pthread.h>
#include <stdlib.h>

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

void faulty_instance_add(Instance *instance)
{
    record_add(&instances, &instance->record, instance->handle);
}

Instance *faulty_instance(const void *handle)
{
    return (Instance *)record_find(&instances, handle);
}

Instance *faulty_instance_take(VkInstance handle)
{
    return (Instance *)record_take(&instances, handle);
}

void faulty_device_add(Device *device, VkDevice handle)
{
    record_add(&devices, &device->record, handle);
}

Device *faulty_device(const void *handle)
{
    return (Device *)record_find(&devices, handle);
}

Device *faulty_device_take(VkDevice handle)
{
    return (Device *)record_take(&devices, handle);
}

Gpu *faulty_gpu(Instance *instance, VkPhysicalDevice handle)
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

void *faulty_in_chain(const void *chain, VkStructureType type)
{
    const VkBaseInStructure *link = chain;
    while (link && link->sType != type)
        link = link->pNext;
    return (void *)link;
}
