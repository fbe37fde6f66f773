/* SPDX-License-Identifier: MIT
 * Command buffers that are recorded once and replayed for any batch. How many work groups a dispatch has follows from the
 * rows, units and pairs of the batch, which are read from memory when it runs (indirect dispatch). Barriers are put where a
 * dispatch touches what an earlier one has written, or writes what it has read, and nowhere else. */
#pragma once
#include "backend/vulkan/memory.h"
#include "backend/vulkan/pipeline.h"
#include "shared/batch.h"
#include "shared/push.h"

/* Work groups = times * ceil(n * items / group), where n is 1, or how many of the batch's rows (units, pairs) are among
 * first .. first + count - 1. */
typedef enum { VULKAN_ONCE, VULKAN_ROWS, VULKAN_UNITS, VULKAN_PAIRS } VulkanCount;

typedef struct {
    VulkanCount of;
    int first, count;
    gint64 items, group, times; /* times 0 means 1 */
} VulkanExtent;

typedef struct {
    VulkanKernel kernel;
    VulkanSpan spans[VULKAN_MAX_BINDINGS]; /* as many as the shader has bindings */
    struct Push push;
    VulkanExtent extent;
} VulkanDispatch;

/* What all recordings of a program share. */
typedef struct {
    const VulkanContext *context;
    VulkanMemory *memory;
    VulkanPipelines *pipelines;
    VkCommandPool pool;
    VkSemaphore timeline;
    guint64 submitted; /* value that the last submission will give the timeline */
    guint64 waited;    /* value that is known to be reached */
} VulkanQueue;

typedef struct _VulkanRecording VulkanRecording;

gboolean dpcxr_vulkan_queue_init(VulkanQueue *queue, const VulkanContext *context, VulkanMemory *memory,
                                 VulkanPipelines *pipelines, GError **error);
/* Waits for all that was submitted. */
void dpcxr_vulkan_queue_clear(VulkanQueue *queue);

/* Begins a recording; everything that was submitted before it is done before it starts. @name: for debuggers. */
VulkanRecording *dpcxr_vulkan_record(VulkanQueue *queue, const char *name, GError **error);
gboolean dpcxr_vulkan_record_dispatch(VulkanRecording *recording, const VulkanDispatch *dispatch,
                                      GError **error);
/* @to and @from: of equal size. */
void dpcxr_vulkan_record_copy(VulkanRecording *recording, VulkanSpan from, VulkanSpan to);
/* @to <- zeros. */
void dpcxr_vulkan_record_zero(VulkanRecording *recording, VulkanSpan to);
gboolean dpcxr_vulkan_record_end(VulkanRecording *recording, GError **error);
/* Only when nothing of it is still running. */
void dpcxr_vulkan_recording_free(VulkanRecording *recording);

/* Sets the work groups of all dispatches for a batch; @batch: rows, units, pairs. Not while it is running. */
void dpcxr_vulkan_recording_fit(VulkanRecording *recording, const struct Batch *batch);
/* Submits recordings one after the other and returns at once. NULL entries are left out. */
gboolean dpcxr_vulkan_submit(VulkanQueue *queue, VulkanRecording *const *recordings, int n, GError **error);
/* Until all that was submitted is done, and the host sees what it has written. */
gboolean dpcxr_vulkan_wait(VulkanQueue *queue, GError **error);
