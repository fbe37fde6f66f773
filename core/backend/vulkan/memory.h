/* SPDX-License-Identifier: MIT
 * Device memory of one program: slabs, each one buffer, from which spans are cut one after the other. A program allocates when
 * it is compiled and when a bank is first used, and gives everything back at its end; nothing is freed between. */
#pragma once
#include "backend/vulkan/context.h"

typedef enum {
    VULKAN_DEVICE, /* local to the device */
    VULKAN_UPLOAD, /* written by the host, mapped; local to the device too where it has such memory in full */
    VULKAN_READBACK, /* read by the host, mapped, cached */
    VULKAN_N_PURPOSES
} VulkanPurpose;

/* Small spans share a slab of this many bytes: programs have hundreds of them, and drivers may allow few allocations. */
enum { VULKAN_SLAB_BYTES = 8 << 20 };

/* Part of a buffer. */
typedef struct {
    VkBuffer buffer;
    VkDeviceSize offset, bytes;
    gpointer mapped; /* of UPLOAD and READBACK: the first byte */
} VulkanSpan;

typedef struct {
    const VulkanContext *context;
    GArray *slabs;                    /* Slab */
    guint32 types[VULKAN_N_PURPOSES]; /* memory types */
    gboolean unified;                 /* UPLOAD is as good as DEVICE */
    VkDeviceSize alignment;           /* of a span's offset */
    VkDeviceSize largest;             /* bytes of one allocation, at most */
    VkDeviceSize bytes;               /* allocated, of all purposes */
} VulkanMemory;

/* DPCXR_ERROR_FAILED where the device has no memory type that fits. */
gboolean dpcxr_vulkan_memory_init(VulkanMemory *memory, const VulkanContext *context, GError **error);
void dpcxr_vulkan_memory_clear(VulkanMemory *memory);

/* Cuts @bytes (0 counts as 4) from a slab. @name: for debuggers and messages. DPCXR_ERROR_MEMORY. */
gboolean dpcxr_vulkan_allocate(VulkanMemory *memory, VulkanPurpose purpose, VkDeviceSize bytes,
                               const char *name, VulkanSpan *span, GError **error);

/* Bytes @offset .. @offset + @bytes - 1 of @span. */
VulkanSpan dpcxr_vulkan_part(VulkanSpan span, VkDeviceSize offset, VkDeviceSize bytes);
