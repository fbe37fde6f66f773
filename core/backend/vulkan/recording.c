/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/recording.h"
#include <string.h>

enum { ARGUMENTS = 256, SETS = 64 }; /* of one allocation */

typedef struct {
    VulkanExtent extent;
    VkDispatchIndirectCommand *groups; /* mapped */
} Sized;

/* A span that was touched since the last barrier. */
typedef struct {
    VulkanSpan span;
    gboolean written;
} Access;

struct _VulkanRecording {
    VulkanQueue *queue;
    VkCommandBuffer commands;
    GArray *sized;  /* Sized */
    GArray *pools;  /* VkDescriptorPool */
    GArray *recent; /* Access */
    VulkanSpan arguments;
    guint n_arguments, n_sets; /* used of the last span, of the last pool */
};

/* --- Queue --- */

gboolean dpcxr_vulkan_queue_init(VulkanQueue *queue, const VulkanContext *context, VulkanMemory *memory,
                                 VulkanPipelines *pipelines, GError **error)
{
    *queue = (VulkanQueue){.context = context, .memory = memory, .pipelines = pipelines};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = context->family};
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                             .pNext = &type};
    return VULKAN_CALL(context, vkCreateCommandPool, context->device, &pool, NULL, &queue->pool) &&
           VULKAN_CALL(context, vkCreateSemaphore, context->device, &semaphore, NULL, &queue->timeline);
}

void dpcxr_vulkan_queue_clear(VulkanQueue *queue)
{
    const VulkanContext *context = queue->context;
    if (!context)
        return;
    context->vk.vkDeviceWaitIdle(context->device);
    context->vk.vkDestroyCommandPool(context->device, queue->pool, NULL);
    context->vk.vkDestroySemaphore(context->device, queue->timeline, NULL);
    *queue = (VulkanQueue){0};
}

gboolean dpcxr_vulkan_submit(VulkanQueue *queue, VulkanRecording *const *recordings, int n, GError **error)
{
    VkCommandBuffer commands[8];
    guint32 count = 0;
    g_assert(n <= (int)G_N_ELEMENTS(commands));
    for (int i = 0; i < n; i++)
        if (recordings[i])
            commands[count++] = recordings[i]->commands;
    guint64 value = queue->submitted + 1;
    const VkTimelineSemaphoreSubmitInfo timeline = {.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                                    .signalSemaphoreValueCount = 1,
                                                    .pSignalSemaphoreValues = &value};
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .pNext = &timeline,
                                 .commandBufferCount = count,
                                 .pCommandBuffers = commands,
                                 .signalSemaphoreCount = 1,
                                 .pSignalSemaphores = &queue->timeline};
    if (!VULKAN_CALL(queue->context, vkQueueSubmit, queue->context->queue, 1, &submit, VK_NULL_HANDLE))
        return FALSE;
    queue->submitted = value;
    return TRUE;
}

gboolean dpcxr_vulkan_wait(VulkanQueue *queue, GError **error)
{
    const VkSemaphoreWaitInfo wait = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &queue->timeline,
                                      .pValues = &queue->submitted};
    if (!VULKAN_CALL(queue->context, vkWaitSemaphores, queue->context->device, &wait, G_MAXUINT64))
        return FALSE;
    queue->waited = queue->submitted;
    return TRUE;
}

/* --- Barriers --- */

static void barrier(VulkanRecording *recording)
{
    const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    const VkMemoryBarrier memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
                         VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT};
    recording->queue->context->vk.vkCmdPipelineBarrier(recording->commands, stages, stages, 0, 1, &memory, 0,
                                                       NULL, 0, NULL);
    g_array_set_size(recording->recent, 0);
}

static gboolean overlap(VulkanSpan a, VulkanSpan b)
{
    return a.buffer == b.buffer && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

static gboolean in_the_way(const VulkanRecording *recording, VulkanSpan span, gboolean written)
{
    for (guint i = 0; i < recording->recent->len; i++) {
        const Access *access = &g_array_index(recording->recent, Access, i);
        if ((written || access->written) && overlap(access->span, span))
            return TRUE;
    }
    return FALSE;
}

/* What a command is about to touch: all its spans before the command, or a barrier would come too late. */
static void touch(VulkanRecording *recording, const VulkanSpan *spans, const gboolean *written, guint n)
{
    for (guint i = 0; i < n; i++)
        if (in_the_way(recording, spans[i], written[i])) {
            barrier(recording);
            break;
        }
    for (guint i = 0; i < n; i++) {
        Access access = {spans[i], written[i]};
        g_array_append_val(recording->recent, access);
    }
}

/* --- Recordings --- */

static gboolean begin(VulkanRecording *recording, GError **error)
{
    const VulkanContext *context = recording->queue->context;
    const VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = recording->queue->pool,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                              .commandBufferCount = 1};
    const VkCommandBufferBeginInfo start = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    if (!VULKAN_CALL(context, vkAllocateCommandBuffers, context->device, &info, &recording->commands) ||
        !VULKAN_CALL(context, vkBeginCommandBuffer, recording->commands, &start))
        return FALSE;
    barrier(recording);
    return TRUE;
}

VulkanRecording *dpcxr_vulkan_record(VulkanQueue *queue, const char *name, GError **error)
{
    VulkanRecording *recording = g_new0(VulkanRecording, 1);
    *recording = (VulkanRecording){.queue = queue,
                                   .sized = g_array_new(FALSE, FALSE, sizeof(Sized)),
                                   .pools = g_array_new(FALSE, FALSE, sizeof(VkDescriptorPool)),
                                   .recent = g_array_new(FALSE, FALSE, sizeof(Access)),
                                   .n_arguments = ARGUMENTS,
                                   .n_sets = SETS};
    if (begin(recording, error)) {
        dpcxr_vulkan_name(queue->context, VK_OBJECT_TYPE_COMMAND_BUFFER, (guint64)(gsize)recording->commands,
                          "%s", name);
        return recording;
    }
    dpcxr_vulkan_recording_free(recording);
    return NULL;
}

void dpcxr_vulkan_recording_free(VulkanRecording *recording)
{
    if (!recording)
        return;
    const VulkanContext *context = recording->queue->context;
    for (guint i = 0; i < recording->pools->len; i++)
        context->vk.vkDestroyDescriptorPool(context->device,
                                            g_array_index(recording->pools, VkDescriptorPool, i), NULL);
    if (recording->commands)
        context->vk.vkFreeCommandBuffers(context->device, recording->queue->pool, 1, &recording->commands);
    g_array_unref(recording->sized);
    g_array_unref(recording->pools);
    g_array_unref(recording->recent);
    g_free(recording);
}

static gboolean need_set(VulkanRecording *recording, GError **error)
{
    const VulkanContext *context = recording->queue->context;
    if (recording->n_sets < SETS)
        return TRUE;
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, SETS * VULKAN_MAX_BINDINGS};
    const VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = SETS,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    VkDescriptorPool pool;
    if (!VULKAN_CALL(context, vkCreateDescriptorPool, context->device, &info, NULL, &pool))
        return FALSE;
    g_array_append_val(recording->pools, pool);
    recording->n_sets = 0;
    return TRUE;
}

static gboolean bind(VulkanRecording *recording, const VulkanPipeline *pipeline, const VulkanSpan *spans,
                     guint32 n, GError **error)
{
    const VulkanContext *context = recording->queue->context;
    if (!need_set(recording, error))
        return FALSE;
    VkDescriptorSet set;
    const VkDescriptorSetAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = g_array_index(recording->pools, VkDescriptorPool, recording->pools->len - 1),
        .descriptorSetCount = 1,
        .pSetLayouts = &pipeline->set_layout};
    if (!VULKAN_CALL(context, vkAllocateDescriptorSets, context->device, &info, &set))
        return FALSE;
    recording->n_sets++;
    VkDescriptorBufferInfo buffers[VULKAN_MAX_BINDINGS];
    for (guint32 i = 0; i < n; i++)
        buffers[i] = (VkDescriptorBufferInfo){spans[i].buffer, spans[i].offset, spans[i].bytes};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = set,
                                        .descriptorCount = n,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                        .pBufferInfo = buffers};
    context->vk.vkUpdateDescriptorSets(context->device, 1, &write, 0, NULL);
    context->vk.vkCmdBindDescriptorSets(recording->commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->layout,
                                        0, 1, &set, 0, NULL);
    return TRUE;
}

/* --- Work groups --- */

/* One axis may end at 65535: groups fill rows of that length, and shaders leave those beyond the last alone. */
static VkDispatchIndirectCommand groups_of(const VulkanExtent *extent, gint64 n)
{
    gint64 groups =
        (extent->times ? extent->times : 1) * ((n * extent->items + extent->group - 1) / extent->group);
    if (groups == 0)
        return (VkDispatchIndirectCommand){0, 0, 0};
    guint32 x = (guint32)MIN(groups, 65535);
    return (VkDispatchIndirectCommand){x, (guint32)((groups + x - 1) / x), 1};
}

static int count_of(const VulkanExtent *extent, const struct Batch *batch)
{
    int all = extent->of == VULKAN_ROWS    ? batch->rows
              : extent->of == VULKAN_UNITS ? batch->units
                                           : batch->pairs;
    return CLAMP(all - extent->first, 0, extent->count);
}

void dpcxr_vulkan_recording_fit(VulkanRecording *recording, const struct Batch *batch)
{
    for (guint i = 0; i < recording->sized->len; i++) {
        const Sized *sized = &g_array_index(recording->sized, Sized, i);
        *sized->groups = groups_of(&sized->extent, count_of(&sized->extent, batch));
    }
}

static gboolean dispatch_sized(VulkanRecording *recording, const VulkanExtent *extent, GError **error)
{
    const VulkanContext *context = recording->queue->context;
    const gsize size = sizeof(VkDispatchIndirectCommand);
    if (recording->n_arguments == ARGUMENTS) {
        if (!dpcxr_vulkan_allocate(recording->queue->memory, VULKAN_UPLOAD, ARGUMENTS * size, "work groups",
                                   &recording->arguments, error))
            return FALSE;
        recording->n_arguments = 0;
    }
    VulkanSpan place = dpcxr_vulkan_part(recording->arguments, recording->n_arguments++ * size, size);
    Sized sized = {*extent, place.mapped};
    *sized.groups = (VkDispatchIndirectCommand){0, 0, 0};
    g_array_append_val(recording->sized, sized);
    context->vk.vkCmdDispatchIndirect(recording->commands, place.buffer, place.offset);
    return TRUE;
}

gboolean dpcxr_vulkan_record_dispatch(VulkanRecording *recording, const VulkanDispatch *dispatch,
                                      GError **error)
{
    const VulkanContext *context = recording->queue->context;
    const VulkanPipeline *pipeline =
        dpcxr_vulkan_pipeline(recording->queue->pipelines, &dispatch->kernel, error);
    if (!pipeline)
        return FALSE;
    gboolean written[VULKAN_MAX_BINDINGS];
    guint n = (guint)strlen(pipeline->info->access);
    for (guint i = 0; i < n; i++)
        written[i] = pipeline->info->access[i] != 'r';
    touch(recording, dispatch->spans, written, n);
    context->vk.vkCmdBindPipeline(recording->commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->pipeline);
    if (!bind(recording, pipeline, dispatch->spans, n, error))
        return FALSE;
    context->vk.vkCmdPushConstants(recording->commands, pipeline->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                                   sizeof dispatch->push, &dispatch->push);
    if (dispatch->extent.of != VULKAN_ONCE)
        return dispatch_sized(recording, &dispatch->extent, error);
    VkDispatchIndirectCommand groups = groups_of(&dispatch->extent, 1);
    context->vk.vkCmdDispatch(recording->commands, groups.x, groups.y, groups.z);
    return TRUE;
}

void dpcxr_vulkan_record_copy(VulkanRecording *recording, VulkanSpan from, VulkanSpan to)
{
    const VulkanSpan spans[] = {from, to};
    const gboolean written[] = {FALSE, TRUE};
    const VkBufferCopy copy = {from.offset, to.offset, from.bytes};
    touch(recording, spans, written, 2);
    recording->queue->context->vk.vkCmdCopyBuffer(recording->commands, from.buffer, to.buffer, 1, &copy);
}

void dpcxr_vulkan_record_zero(VulkanRecording *recording, VulkanSpan to)
{
    const gboolean written = TRUE;
    touch(recording, &to, &written, 1);
    recording->queue->context->vk.vkCmdFillBuffer(recording->commands, to.buffer, to.offset,
                                                  (to.bytes + 3) & ~(VkDeviceSize)3, 0);
}

/* The host may read what was written once the timeline says that it is done. */
gboolean dpcxr_vulkan_record_end(VulkanRecording *recording, GError **error)
{
    const VulkanContext *context = recording->queue->context;
    const VkMemoryBarrier memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                    .srcAccessMask =
                                        VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_SHADER_WRITE_BIT,
                                    .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    context->vk.vkCmdPipelineBarrier(recording->commands,
                                     VK_PIPELINE_STAGE_TRANSFER_BIT | VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                     VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &memory, 0, NULL, 0, NULL);
    return VULKAN_CALL(context, vkEndCommandBuffer, recording->commands);
}
