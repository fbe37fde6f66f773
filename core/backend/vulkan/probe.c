/* SPDX-License-Identifier: MIT
 * Peaks of a device: fma's in registers, and a copy from buffer to buffer. By the host's clock, around loads that grow until
 * they take long enough for what a submission costs not to matter. */
#include "backend/vulkan/context.h"
#include "backend/vulkan/recording.h"
#include "backend/vulkan/vulkan.h"

enum { LOCAL = 64, CHAINS = 8, STEPS = 1024, REPEATS = 5 };

static const double long_enough = 0.02; /* seconds */

typedef struct {
    VulkanContext *context;
    VulkanMemory memory;
    VulkanPipelines pipelines;
    VulkanQueue queue;
} Probe;

static void probe_clear(Probe *probe)
{
    dpcxr_vulkan_queue_clear(&probe->queue);
    dpcxr_vulkan_pipelines_clear(&probe->pipelines);
    dpcxr_vulkan_memory_clear(&probe->memory);
    dpcxr_vulkan_context_free(probe->context);
}

static gboolean probe_open(Probe *probe, const char *device, GError **error)
{
    *probe = (Probe){.context = dpcxr_vulkan_context_new(device, error)};
    return probe->context && dpcxr_vulkan_memory_init(&probe->memory, probe->context, error) &&
           dpcxr_vulkan_pipelines_init(&probe->pipelines, probe->context, error) &&
           dpcxr_vulkan_queue_init(&probe->queue, probe->context, &probe->memory, &probe->pipelines, error);
}

/* Seconds of one run, the least of @repeats; -1: error set. */
static double seconds_of(Probe *probe, VulkanRecording *recording, int repeats, GError **error)
{
    double least = G_MAXDOUBLE;
    for (int i = 0; i < repeats; i++) {
        gint64 start = g_get_monotonic_time();
        if (!dpcxr_vulkan_submit(&probe->queue, &recording, 1, error) ||
            !dpcxr_vulkan_wait(&probe->queue, error))
            return -1;
        least = MIN(least, (double)MAX(g_get_monotonic_time() - start, 1) / 1e6);
    }
    return least;
}

/* Records @times repetitions of a load; FALSE with the error set. */
typedef gboolean (*Load)(VulkanRecording *recording, const VulkanSpan *spans, int times, GError **error);

static double time_load(Probe *probe, Load load, const VulkanSpan *spans, int times, int repeats,
                        GError **error)
{
    VulkanRecording *recording = dpcxr_vulkan_record(&probe->queue, "probe", error);
    gboolean good =
        recording && load(recording, spans, times, error) && dpcxr_vulkan_record_end(recording, error);
    double seconds = good ? seconds_of(probe, recording, repeats, error) : -1;
    dpcxr_vulkan_recording_free(recording);
    return seconds;
}

/* Repetitions per second; -1: error set. */
static double rate_of(Probe *probe, Load load, const VulkanSpan *spans, GError **error)
{
    int times = 1;
    double seconds = time_load(probe, load, spans, times, 2, error);
    while (seconds >= 0 && seconds < long_enough && times < 1024) {
        times *= 2;
        seconds = time_load(probe, load, spans, times, 2, error);
    }
    if (seconds >= 0)
        seconds = time_load(probe, load, spans, times, REPEATS, error);
    return seconds < 0 ? -1 : times / seconds;
}

static gboolean load_arithmetic(VulkanRecording *recording, const VulkanSpan *spans, int times,
                                GError **error)
{
    gint64 groups = (gint64)(spans[0].bytes / sizeof(float) / LOCAL);
    const VulkanDispatch dispatch = {
        .kernel = {.shader = SHADER_PROBE_ARITHMETIC, .n_constants = 2, .constants = {LOCAL, STEPS}},
        .spans = {spans[0]},
        .push = {.size = 1},
        .extent = {.of = VULKAN_ONCE, .items = groups, .group = 1}};
    for (int i = 0; i < times; i++)
        if (!dpcxr_vulkan_record_dispatch(recording, &dispatch, error))
            return FALSE;
    return TRUE;
}

static gboolean load_copy(VulkanRecording *recording, const VulkanSpan *spans, int times, GError **error)
{
    for (int i = 0; i < times; i++)
        dpcxr_vulkan_record_copy(recording, spans[i % 2], spans[1 - i % 2]);
    return TRUE;
}

/* Larger than caches, and a part of the memory only. */
static VkDeviceSize copied_bytes(const Probe *probe)
{
    const VulkanMemory *memory = &probe->memory;
    guint32 heap = probe->context->memory.memoryTypes[memory->types[VULKAN_DEVICE]].heapIndex;
    VkDeviceSize bytes = MIN(dpcxr_vulkan_heap_budget(probe->context, heap) / 32, (VkDeviceSize)256 << 20);
    return MAX(MIN(bytes, memory->largest / 2), 1 << 20) & ~(VkDeviceSize)1023;
}

static gboolean measure(Probe *probe, DpcxrVulkanPeak *peak, GError **error)
{
    const VkDeviceSize invocations = probe->context->software ? 1 << 14 : 1 << 18;
    VkDeviceSize bytes = copied_bytes(probe);
    VulkanSpan results, copies[2];
    if (!dpcxr_vulkan_allocate(&probe->memory, VULKAN_DEVICE, invocations * sizeof(float), "probe", &results,
                               error) ||
        !dpcxr_vulkan_allocate(&probe->memory, VULKAN_DEVICE, bytes, "probe", &copies[0], error) ||
        !dpcxr_vulkan_allocate(&probe->memory, VULKAN_DEVICE, bytes, "probe", &copies[1], error))
        return FALSE;
    double arithmetic = rate_of(probe, load_arithmetic, &results, error);
    double copied = arithmetic < 0 ? -1 : rate_of(probe, load_copy, copies, error);
    g_strlcpy(peak->name, probe->context->properties.deviceName, sizeof peak->name);
    peak->flops = arithmetic * (double)invocations * CHAINS * STEPS * 2;
    peak->bytes = copied * (double)bytes * 2;
    return copied >= 0;
}

gboolean dpcxr_vulkan_probe(const char *device, DpcxrVulkanPeak *peak, GError **error)
{
    Probe probe;
    gboolean good = probe_open(&probe, device, error) && measure(&probe, peak, error);
    probe_clear(&probe);
    return good;
}
