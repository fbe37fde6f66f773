/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/memory.h"
#include <string.h>

typedef struct {
    VulkanPurpose purpose;
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkDeviceSize bytes, used;
    char *mapped;
} Slab;

static const VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                        VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;

/* Types of memory that a buffer may lie in: not all are, and the same for all buffers of one usage. */
static gboolean buffer_types(const VulkanContext *context, guint32 *types, GError **error)
{
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = 4, .usage = usage};
    VkBuffer buffer;
    VkMemoryRequirements needs;
    if (!VULKAN_CALL(context, vkCreateBuffer, context->device, &info, NULL, &buffer))
        return FALSE;
    context->vk.vkGetBufferMemoryRequirements(context->device, buffer, &needs);
    context->vk.vkDestroyBuffer(context->device, buffer, NULL);
    *types = needs.memoryTypeBits;
    return TRUE;
}

static guint32 find_type(const VulkanContext *context, guint32 types, VkMemoryPropertyFlags wanted)
{
    for (guint32 i = 0; i < context->memory.memoryTypeCount; i++)
        if ((types >> i & 1) && (context->memory.memoryTypes[i].propertyFlags & wanted) == wanted)
            return i;
    return G_MAXUINT32;
}

/* The first of some wishes that the device can fulfil. */
static guint32 first_type(const VulkanContext *context, guint32 types, const VkMemoryPropertyFlags *wishes,
                          int n)
{
    for (int i = 0; i < n; i++) {
        guint32 type = find_type(context, types, wishes[i]);
        if (type != G_MAXUINT32)
            return type;
    }
    return G_MAXUINT32;
}

static const VkMemoryHeap *heap_of(const VulkanContext *context, guint32 type)
{
    return &context->memory.memoryHeaps[context->memory.memoryTypes[type].heapIndex];
}

gboolean dpcxr_vulkan_memory_init(VulkanMemory *memory, const VulkanContext *context, GError **error)
{
    enum {
        LOCAL = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
        VISIBLE = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
        CACHED = VK_MEMORY_PROPERTY_HOST_CACHED_BIT
    };
    static const VkMemoryPropertyFlags device[] = {LOCAL, 0}, upload[] = {LOCAL | VISIBLE, VISIBLE},
                                       plain[] = {VISIBLE}, readback[] = {VISIBLE | CACHED, VISIBLE};
    VkPhysicalDeviceMaintenance3Properties three = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
    VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                              .pNext = &three};
    vkGetPhysicalDeviceProperties2(context->physical, &properties);
    *memory = (VulkanMemory){.context = context,
                             .slabs = g_array_new(FALSE, TRUE, sizeof(Slab)),
                             .alignment = MAX(context->properties.limits.minStorageBufferOffsetAlignment, 64),
                             .largest = three.maxMemoryAllocationSize};
    guint32 types;
    if (!buffer_types(context, &types, error))
        return FALSE;
    guint32 local = memory->types[VULKAN_DEVICE] = first_type(context, types, device, 2);
    memory->types[VULKAN_UPLOAD] = first_type(context, types, upload, 2);
    memory->types[VULKAN_READBACK] = first_type(context, types, readback, 2);
    if (local == G_MAXUINT32 || memory->types[VULKAN_UPLOAD] == G_MAXUINT32) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
                    "Vulkan: the device has no memory that the host can write");
        return FALSE;
    }
    /* A discrete card's window into its own memory may be small: only a whole one counts. */
    memory->unified = heap_of(context, memory->types[VULKAN_UPLOAD]) == heap_of(context, local);
    if (!memory->unified)
        memory->types[VULKAN_UPLOAD] = first_type(context, types, plain, 1);
    return TRUE;
}

void dpcxr_vulkan_memory_clear(VulkanMemory *memory)
{
    for (guint i = 0; memory->slabs && i < memory->slabs->len; i++) {
        const Slab *slab = &g_array_index(memory->slabs, Slab, i);
        memory->context->vk.vkDestroyBuffer(memory->context->device, slab->buffer, NULL);
        memory->context->vk.vkFreeMemory(memory->context->device, slab->memory, NULL);
    }
    g_clear_pointer(&memory->slabs, g_array_unref);
}

/* A heap's budget is asked before: some drivers grant more than there is and fail later, or swap. */
static gboolean check_budget(const VulkanMemory *memory, VulkanPurpose purpose, VkDeviceSize bytes,
                             const char *name, GError **error)
{
    const VulkanContext *context = memory->context;
    guint32 heap = context->memory.memoryTypes[memory->types[purpose]].heapIndex;
    VkDeviceSize used = context->budgets ? 0 : memory->bytes,
                 budget = dpcxr_vulkan_heap_budget(context, heap);
    if (used + bytes <= budget && bytes <= memory->largest)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                "not enough memory on %s for %s (%.0f MB more; %.0f MB of it %s)",
                context->properties.deviceName, name, (double)bytes / 1e6,
                (double)(bytes > memory->largest ? memory->largest : budget - MIN(budget, used)) / 1e6,
                bytes > memory->largest ? "can be had in one piece" : "are free");
    return FALSE;
}

static gboolean open_slab(VulkanMemory *memory, Slab *slab, const char *name, GError **error)
{
    const VulkanContext *context = memory->context;
    const VkBufferCreateInfo buffer = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = slab->bytes, .usage = usage};
    if (!VULKAN_CALL(context, vkCreateBuffer, context->device, &buffer, NULL, &slab->buffer))
        return FALSE;
    VkMemoryRequirements needs;
    context->vk.vkGetBufferMemoryRequirements(context->device, slab->buffer, &needs);
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .allocationSize = needs.size,
                                       .memoryTypeIndex = memory->types[slab->purpose]};
    VkResult result = context->vk.vkAllocateMemory(context->device, &info, NULL, &slab->memory);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY, "not enough memory on %s for %s (%.0f MB more)",
                    context->properties.deviceName, name, (double)needs.size / 1e6);
        return FALSE;
    }
    dpcxr_vulkan_name(context, VK_OBJECT_TYPE_BUFFER, (guint64)slab->buffer, "%s", name);
    return dpcxr_vulkan_check(result, "vkAllocateMemory", error) &&
           VULKAN_CALL(context, vkBindBufferMemory, context->device, slab->buffer, slab->memory, 0) &&
           (slab->purpose == VULKAN_DEVICE || VULKAN_CALL(context, vkMapMemory, context->device, slab->memory,
                                                          0, VK_WHOLE_SIZE, 0, (void **)&slab->mapped));
}

static Slab *new_slab(VulkanMemory *memory, VulkanPurpose purpose, VkDeviceSize bytes, const char *name,
                      GError **error)
{
    Slab slab = {.purpose = purpose, .bytes = MAX(bytes, (VkDeviceSize)VULKAN_SLAB_BYTES)};
    if (bytes > VULKAN_SLAB_BYTES / 4) /* of its own */
        slab.bytes = bytes;
    if (!check_budget(memory, purpose, slab.bytes, name, error))
        return NULL;
    gboolean good = open_slab(memory, &slab, name, error);
    if (!good)
        slab.used = slab.bytes; /* half open: cleared with the others, and never cut */
    g_array_append_val(memory->slabs, slab);
    memory->bytes += good ? slab.bytes : 0;
    return good ? &g_array_index(memory->slabs, Slab, memory->slabs->len - 1) : NULL;
}

static Slab *find_slab(VulkanMemory *memory, VulkanPurpose purpose, VkDeviceSize bytes, const char *name,
                       GError **error)
{
    for (guint i = 0; i < memory->slabs->len; i++) {
        Slab *slab = &g_array_index(memory->slabs, Slab, i);
        if (slab->purpose == purpose && slab->bytes - slab->used >= bytes)
            return slab;
    }
    return new_slab(memory, purpose, bytes, name, error);
}

gboolean dpcxr_vulkan_allocate(VulkanMemory *memory, VulkanPurpose purpose, VkDeviceSize bytes,
                               const char *name, VulkanSpan *span, GError **error)
{
    VkDeviceSize whole = (MAX(bytes, 4) + memory->alignment - 1) / memory->alignment * memory->alignment;
    Slab *slab = find_slab(memory, purpose, whole, name, error);
    if (!slab)
        return FALSE;
    *span = (VulkanSpan){slab->buffer, slab->used, MAX(bytes, 4),
                         slab->mapped ? slab->mapped + slab->used : NULL};
    slab->used += whole;
    return TRUE;
}

VulkanSpan dpcxr_vulkan_part(VulkanSpan span, VkDeviceSize offset, VkDeviceSize bytes)
{
    return (VulkanSpan){span.buffer, span.offset + offset, bytes,
                        span.mapped ? (char *)span.mapped + offset : NULL};
}
