/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/fit.h"
#include "backend/vulkan/internal.h"

/* Bytes on the device of a placed plan, and what may stay unused of a slab of each purpose; what is mapped for the host is
 * counted too, as on many devices it is the same memory. */
static double bytes_of(const VulkanPlan *plan, const DpcxrProgramOptions *options, double rows, double units)
{
    double image = (double)dpcxr_shape_size(dpcxr_graph_layer(plan->graph, 0)->shape) * sizeof(float);
    double bank = (double)plan->bank * sizeof(float);
    double bytes = (double)plan->evaluation.bytes + (double)plan->feature_maps.bytes +
                   rows * ((double)plan->parts_row + (plan->narrow[0] ? 3 : 1) * image) + bank +
                   (double)VULKAN_N_PURPOSES * VULKAN_SLAB_BYTES;
    if (!plan->training)
        return bytes;
    double element = options->grid ? 2 : 1; /* of banks that hold integers, in floats */
    bytes += (double)plan->douts_bytes + rows * 4 * (double)plan->row_gradient +
             units * ((double)plan->unit_parts + (double)plan->slots_unit) + (double)plan->scratch;
    bytes +=
        2 * sizeof(float) *
        ((double)plan->squares * (options->grid ? 3 : 1) + (double)plan->grams + 2 * (double)plan->lengths);
    /* the sum, two moments, an average, the noise here and there */
    return bytes + bank * (4 + 2 * element + (options->grid ? 2 : 0));
}

/* Whether slices of rows can be cut for what a step's operations bind together. */
static gboolean sees_step(const VulkanPlan *plan, const VulkanContext *context, int s, int rows)
{
    const DpcxrStep *step = &plan->steps[s];
    const DpcxrLayer *layer = dpcxr_graph_layer(plan->graph, step->layer);
    const VulkanPlace *outputs = plan->evaluation.outputs;
    gboolean norm = step->type == DPCXR_LAYER_GROUP_NORM;
    gsize channels = (gsize)layer->shape.channels * sizeof(float), saved = plan->evaluation.saved[s].row;
    gsize parts = norm ? 2 * channels * (gsize)dpcxr_vulkan_norm_chunks(plan, layer) : 0;
    const gsize maps[] = {outputs[step->x].row, outputs[step->y].row,
                          step->other >= 0 ? outputs[step->other].row : 0, saved, norm ? parts : channels};
    const gsize sums[] = {parts, saved, channels}; /* of a norm, without the feature maps */
    return dpcxr_vulkan_slice(context, maps, G_N_ELEMENTS(maps), rows) >= 1 &&
           (!norm || dpcxr_vulkan_slice(context, sums, G_N_ELEMENTS(sums), rows) >= 1);
}

/* Gram layers are seen whole: their tensors must fit one binding (the last layers, whose tensors are small). */
static gboolean shaders_see(const VulkanPlan *plan, const VulkanContext *context, int rows)
{
    gsize range = context->properties.limits.maxStorageBufferRange;
    for (int i = 0; i < dpcxr_graph_n_parameters(plan->graph); i++) {
        const VulkanGradient *gradient = &plan->gradients[i];
        const DpcxrStep *step = &plan->steps[gradient->step];
        gsize x = plan->evaluation.outputs[step->x].row, dy = plan->douts[step->y].row;
        if (gradient->size * sizeof(gint64) + sizeof(double) > range)
            return FALSE;
        if (plan->norms && gradient->method == VULKAN_GRAM &&
            (x * (gsize)rows > range || dy * (gsize)rows > range))
            return FALSE;
    }
    if (MAX(plan->squares, plan->grams) * sizeof(double) > range || plan->lengths * 2 * sizeof(float) > range)
        return FALSE;
    for (int s = 0; s < plan->n_steps; s++)
        if (!sees_step(plan, context, s, rows))
            return FALSE;
    return TRUE;
}

static gboolean fits(VulkanPlan *plan, const VulkanMemory *memory, const DpcxrProgramOptions *options,
                     int rows, int units)
{
    const VulkanContext *context = memory->context;
    guint32 heap = context->memory.memoryTypes[memory->types[VULKAN_DEVICE]].heapIndex;
    if (!dpcxr_vulkan_plan_place(plan, rows, units, memory->alignment) || !shaders_see(plan, context, rows))
        return FALSE;
    gsize most = MAX(plan->evaluation.bytes, MAX(plan->feature_maps.bytes, plan->douts_bytes));
    for (int i = 0; i < dpcxr_graph_n_parameters(plan->graph); i++)
        if (plan->gradients[i].method == VULKAN_SLOTS && plan->training)
            most = MAX(most, (gsize)units * plan->gradients[i].size * sizeof(float));
    return most <= memory->largest &&
           bytes_of(plan, options, rows, units) <= (double)dpcxr_vulkan_heap_budget(context, heap);
}

/* The most rows, at most @most, that fit; 0: not one. */
static int search(VulkanPlan *plan, const VulkanMemory *memory, const DpcxrProgramOptions *options, int most)
{
    int good = 0, bad = most + 1;
    while (bad - good > 1) {
        int middle = good + (bad - good) / 2;
        if (fits(plan, memory, options, middle, middle))
            good = middle;
        else
            bad = middle;
    }
    return good;
}

gboolean dpcxr_vulkan_fit_check(VulkanPlan *plan, const VulkanMemory *memory,
                                const DpcxrProgramOptions *options, GError **error)
{
    if (fits(plan, memory, options, options->max_rows, options->max_units))
        return TRUE;
    int would = search(plan, memory, options, options->max_rows);
    const char *name = memory->context->properties.deviceName;
    if (would > 0)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                    "not enough memory on %s for %d images at once; %d would fit: use train.batch.physical: "
                    "%d, or auto",
                    name, options->max_rows, would, would);
    else
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
            "not enough memory on %s for even one image at once; use smaller images or another device", name);
    return FALSE;
}

int dpcxr_vulkan_largest_batch(const DpcxrGraph *graph, const DpcxrProgramOptions *options, int most,
                               GError **error)
{
    VulkanContext *context = dpcxr_vulkan_context_new(options->device, error);
    VulkanMemory memory = {0};
    VulkanPlan plan = {0};
    VulkanTuning tuning;
    int rows = -1;
    if (context && dpcxr_vulkan_tuning(context, options->tuning, &tuning, error) &&
        dpcxr_vulkan_memory_init(&memory, context, error) &&
        dpcxr_vulkan_plan_init(&plan, graph, &tuning, options, error)) {
        rows = search(&plan, &memory, options, context->software ? options->max_rows : most);
        if (rows < 1)
            g_set_error(
                error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                "not enough memory on %s for even one image at once; use smaller images or another device",
                context->properties.deviceName);
    }
    dpcxr_vulkan_plan_clear(&plan);
    dpcxr_vulkan_memory_clear(&memory);
    dpcxr_vulkan_context_free(context);
    return MAX(rows, -1) < 1 ? -1 : rows;
}
