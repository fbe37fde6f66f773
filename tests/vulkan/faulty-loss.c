/* SPDX-License-Identifier: MIT
 * The loss of a device: its submissions are counted, and from one on everything fails. */
#include "faulty.h"

/* A wait looks this often whether the device was lost meanwhile, in ns. */
#define WAIT_SLICE UINT64_C(5000000)

static bool submission_is_lost(Device *device, VkQueue queue)
{
    if (!device->settings->loses_device ||
        atomic_fetch_add(&device->submissions, 1) < device->settings->submissions)
        return false;
    /* A wait that returns VK_ERROR_DEVICE_LOST allows to destroy what was in use: let the driver be done. */
    device->queue_wait_idle(queue);
    atomic_store(&device->lost, true);
    return true;
}

VkResult faulty_QueueSubmit(VkQueue queue, uint32_t n, const VkSubmitInfo *submits, VkFence fence)
{
    Device *device = faulty_device(queue);
    if (submission_is_lost(device, queue))
        return VK_ERROR_DEVICE_LOST;
    return device->submit(queue, n, submits, fence);
}

VkResult faulty_QueueSubmit2(VkQueue queue, uint32_t n, const VkSubmitInfo2 *submits, VkFence fence)
{
    Device *device = faulty_device(queue);
    if (submission_is_lost(device, queue))
        return VK_ERROR_DEVICE_LOST;
    return device->submit2(queue, n, submits, fence);
}

static VkResult unless_lost(Device *device, VkResult result)
{
    return atomic_load(&device->lost) ? VK_ERROR_DEVICE_LOST : result;
}

VkResult faulty_QueueWaitIdle(VkQueue queue)
{
    Device *device = faulty_device(queue);
    VkResult result = device->queue_wait_idle(queue);
    return unless_lost(device, result);
}

VkResult faulty_DeviceWaitIdle(VkDevice handle)
{
    Device *device = faulty_device(handle);
    VkResult result = device->device_wait_idle(handle);
    return unless_lost(device, result);
}

VkResult faulty_GetSemaphoreCounterValue(VkDevice handle, VkSemaphore semaphore, uint64_t *value)
{
    Device *device = faulty_device(handle);
    VkResult result = device->semaphore_value(handle, semaphore, value);
    return unless_lost(device, result);
}

VkResult faulty_GetFenceStatus(VkDevice handle, VkFence fence)
{
    Device *device = faulty_device(handle);
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

VkResult faulty_WaitSemaphores(VkDevice handle, const VkSemaphoreWaitInfo *info, uint64_t timeout)
{
    Device *device = faulty_device(handle);
    VkResult result;
    do
        result = device->wait_semaphores(handle, info, next_slice(device, &timeout));
    while (result == VK_TIMEOUT && timeout && !atomic_load(&device->lost));
    return unless_lost(device, result);
}

VkResult faulty_WaitForFences(VkDevice handle, uint32_t n, const VkFence *fences, VkBool32 all,
                              uint64_t timeout)
{
    Device *device = faulty_device(handle);
    VkResult result;
    do
        result = device->wait_fences(handle, n, fences, all, next_slice(device, &timeout));
    while (result == VK_TIMEOUT && timeout && !atomic_load(&device->lost));
    return unless_lost(device, result);
}
