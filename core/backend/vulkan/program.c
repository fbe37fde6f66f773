/* SPDX-License-Identifier: MIT
 * The vulkan backend's program: compiled, allocated, freed. */
#include "backend/vulkan/fit.h"
#include "backend/vulkan/internal.h"
#include "backend/vulkan/vulkan.h"
#include "shared/rule.h"

/* --- Memory --- */

static gboolean device(VulkanProgram *program, gsize bytes, const char *name, VulkanSpan *span,
                       GError **error)
{
    return dpcxr_vulkan_allocate(&program->memory, VULKAN_DEVICE, bytes, name, span, error);
}

static gboolean host(VulkanProgram *program, VulkanPurpose purpose, gsize bytes, const char *name,
                     VulkanSpan *span, GError **error)
{
    return dpcxr_vulkan_allocate(&program->memory, purpose, bytes, name, span, error);
}

/* The next @bytes of both ends of the staging. */
static void cut(VulkanProgram *program, gsize *at, gsize bytes, VulkanSpan *on_host, VulkanSpan *on_device)
{
    *on_host = dpcxr_vulkan_part(program->staging, *at, bytes);
    *on_device = dpcxr_vulkan_part(program->staged, *at, bytes);
    *at += (bytes + program->memory.alignment - 1) / program->memory.alignment * program->memory.alignment;
}

static gboolean allocate_inputs(VulkanProgram *program, GError **error)
{
    const DpcxrProgramOptions *options = &program->base.options;
    gsize rows = (gsize)options->max_rows, outputs = rows * (gsize)program->base.n_outputs * sizeof(float);
    gsize lists =
        sizeof(struct Batch) + sizeof(gint32) * ((gsize)options->max_units + 1 + rows +
                                                 2 * (gsize)dpcxr_vulkan_max_pairs(options->max_rows));
    gsize room = 5 * program->memory.alignment + lists + 2 * outputs + rows * sizeof(float) + outputs, at = 0;
    if (!host(program, VULKAN_UPLOAD, room, "inputs", &program->staging, error) ||
        !device(program, room, "inputs", &program->staged, error) ||
        !host(program, VULKAN_UPLOAD, rows * dpcxr_vulkan_image_bytes(program), "images", &program->images,
              error))
        return FALSE;
    cut(program, &at, lists, &program->host.lists, &program->inputs.lists);
    cut(program, &at, outputs, &program->host.targets, &program->inputs.targets);
    cut(program, &at, outputs, &program->host.mask, &program->inputs.mask);
    cut(program, &at, rows * sizeof(float), &program->host.row_weights, &program->inputs.row_weights);
    cut(program, &at, (gsize)program->base.n_outputs * sizeof(float), &program->host.pos_weight,
        &program->inputs.pos_weight);
    return TRUE;
}

static gboolean allocate_result(VulkanProgram *program, gsize bytes, const char *name, VulkanSpan *on_device,
                                VulkanSpan *on_host, GError **error)
{
    return device(program, bytes, name, on_device, error) &&
           host(program, VULKAN_READBACK, bytes, name, on_host, error);
}

static gboolean allocate_results(VulkanProgram *program, GError **error)
{
    const VulkanPlan *plan = &program->plan;
    VulkanResults *to = &program->results, *read = &program->read;
    gsize rows = (gsize)program->base.options.max_rows;
    return allocate_result(program, rows * sizeof(float), "losses", &to->losses, &read->losses, error) &&
           allocate_result(program, plan->squares * sizeof(float), "squares", &to->squares, &read->squares,
                           error) &&
           allocate_result(program, plan->chunks * sizeof(float), "squares", &to->chunks, &read->chunks,
                           error) &&
           allocate_result(program, plan->grams * sizeof(float), "Gram sums", &to->grams, &read->grams,
                           error) &&
           allocate_result(program, plan->lengths * 2 * sizeof(float), "lengths", &to->lengths,
                           &read->lengths, error);
}

static gboolean allocate_slots(VulkanProgram *program, GError **error)
{
    for (int i = 0; i < program->base.n_parameters; i++) {
        const VulkanGradient *gradient = &program->plan.gradients[i];
        gsize bytes = (gsize)program->base.options.max_units * gradient->size * sizeof(float);
        if (gradient->method == VULKAN_SLOTS &&
            !device(program, bytes, "unit gradients", &program->slots[i], error))
            return FALSE;
    }
    return TRUE;
}

static gboolean allocate_update(VulkanProgram *program, GError **error)
{
    gsize element = program->base.options.grid ? sizeof(gint64) : sizeof(float);
    gsize bytes = sizeof(double) + program->plan.bank * element;
    if (!host(program, VULKAN_UPLOAD, bytes, "noise", &program->noise_host, error) ||
        !host(program, VULKAN_UPLOAD, sizeof(struct Rule), "optimizer", &program->rule, error) ||
        !allocate_result(program, (1 + (gsize)program->base.n_parameters) * sizeof(gint32), "flags",
                         &program->flags, &program->flags_host, error))
        return FALSE;
    program->noise = program->noise_host;
    return program->memory.unified || device(program, bytes, "noise", &program->noise, error);
}

static gboolean allocate_grid(VulkanProgram *program, GError **error)
{
    return device(program, program->plan.bank * sizeof(gint64), "integers", &program->integers, error) &&
           allocate_result(program, program->plan.squares * sizeof(double), "squares", &program->grid_squares,
                           &program->grid_squares_host, error);
}

static gboolean allocate_training(VulkanProgram *program, GError **error)
{
    const DpcxrProgramOptions *options = &program->base.options;
    const VulkanPlan *plan = &program->plan;
    gsize rows = (gsize)options->max_rows, units = (gsize)options->max_units;
    gsize coefficients = (gsize)options->n_groups * units * (options->grid ? sizeof(double) : sizeof(float));
    gsize single = sizeof(struct Batch) + 2 * sizeof(gint32);
    program->training = (VulkanPass){.layout = &plan->feature_maps, .lists = program->inputs.lists};
    program->pass = &program->training;
    return device(program, plan->feature_maps.bytes, "feature maps", &program->training.arena, error) &&
           device(program, plan->douts_bytes, "gradients of feature maps", &program->douts, error) &&
           device(program, rows * plan->row_gradient, "gradients of rows", &program->row_gradients[0],
                  error) &&
           device(program, rows * plan->row_gradient, "gradients of rows", &program->row_gradients[1],
                  error) &&
           device(program, rows * 2 * plan->row_gradient, "means", &program->means, error) &&
           device(program, units * plan->unit_parts, "parts of gradients", &program->unit_parts, error) &&
           device(program, plan->scratch, "a gradient", &program->scratch, error) &&
           device(program, coefficients, "coefficients", &program->coefficients, error) &&
           host(program, VULKAN_UPLOAD, coefficients, "coefficients", &program->coefficients_host, error) &&
           device(program, single, "a unit", &program->single, error) &&
           host(program, VULKAN_UPLOAD, single, "a unit", &program->single_host, error) &&
           allocate_slots(program, error) && allocate_results(program, error) &&
           allocate_update(program, error) && (!options->grid || allocate_grid(program, error)) &&
           dpcxr_vulkan_need_bank(program, DPCXR_BANK_SUM, error);
}

/* Between f32 of the host and f16. */
static gboolean allocate_wide(VulkanProgram *program, GError **error)
{
    gsize rows = (gsize)program->base.options.max_rows, image = dpcxr_vulkan_image_bytes(program);
    gsize outputs = (gsize)program->base.n_outputs * sizeof(float);
    const gboolean *narrow = program->plan.narrow;
    gboolean out = narrow[program->base.graph->output];
    return !narrow[0] ||
           (device(program, rows * MAX(image, out ? outputs : 0), "images in f32", &program->wide_in,
                   error) &&
            device(program, rows * MAX(image, outputs), "results in f32", &program->wide_out, error));
}

static gsize largest_parameter(const DpcxrGraph *graph)
{
    gsize largest = 1;
    for (int i = 0; i < dpcxr_graph_n_parameters(graph); i++)
        largest = MAX(largest, dpcxr_graph_parameter(graph, i)->size);
    return largest;
}

static gboolean allocate(VulkanProgram *program, GError **error)
{
    const VulkanPlan *plan = &program->plan;
    gsize rows = (gsize)program->base.options.max_rows;
    program->evaluation.layout = &plan->evaluation;
    program->pass = &program->evaluation;
    return device(program, plan->evaluation.bytes, "feature maps of evaluation", &program->evaluation.arena,
                  error) &&
           device(program, sizeof(struct Batch), "inputs", &program->evaluation.lists, error) &&
           host(program, VULKAN_UPLOAD, sizeof(struct Batch), "inputs", &program->evaluated_host, error) &&
           device(program, rows * plan->parts_row, "parts of norms", &program->parts, error) &&
           host(program, VULKAN_READBACK, rows * (gsize)program->base.n_outputs * sizeof(float), "logits",
                &program->read.logits, error) &&
           host(program, VULKAN_READBACK, largest_parameter(program->base.graph) * sizeof(float),
                "a parameter", &program->transfer, error) &&
           allocate_inputs(program, error) && allocate_wide(program, error) &&
           dpcxr_vulkan_need_bank(program, DPCXR_BANK_WEIGHT, error) &&
           (!program->base.options.training || allocate_training(program, error));
}

/* --- Program --- */

static void free_recordings(VulkanProgram *program)
{
    VulkanRecording *single[] = {program->upload,      program->evaluate, program->forward,
                                 program->loss,        program->given,    program->backward[0],
                                 program->backward[1], program->norms,    program->fold,
                                 program->update,      program->grid_add, program->grid_measure};
    for (guint i = 0; i < G_N_ELEMENTS(single); i++)
        dpcxr_vulkan_recording_free(single[i]);
    for (int bank = 0; bank < DPCXR_N_BANKS; bank++) {
        dpcxr_vulkan_recording_free(program->phase_b[bank]);
        dpcxr_vulkan_recording_free(program->zero[bank]);
        dpcxr_vulkan_recording_free(program->bank_norms[bank]);
    }
    for (int i = 0; i < program->base.n_parameters; i++) {
        dpcxr_vulkan_recording_free(program->outright[i]);
        dpcxr_vulkan_recording_free(program->settle[i]);
    }
}

static void program_free(DpcxrProgram *base)
{
    VulkanProgram *program = (VulkanProgram *)base;
    if (program->context && program->context->device)
        program->context->vk.vkDeviceWaitIdle(program->context->device);
    free_recordings(program);
    dpcxr_vulkan_queue_clear(&program->queue);
    dpcxr_vulkan_pipelines_clear(&program->pipelines);
    dpcxr_vulkan_memory_clear(&program->memory);
    dpcxr_vulkan_plan_clear(&program->plan);
    dpcxr_vulkan_context_free(program->context);
    g_free(program->slots);
    g_free(program->outright);
    g_free(program->settle);
    g_free(program->unit_offsets);
    g_free(program);
}

static gsize program_memory(const DpcxrProgram *base)
{
    return ((const VulkanProgram *)base)->memory.bytes;
}

static const char *program_device(const DpcxrProgram *base)
{
    return ((const VulkanProgram *)base)->context->properties.deviceName;
}

static gboolean can(const VulkanContext *context, const DpcxrProgramOptions *options, GError **error)
{
    if (options->precision == DPCXR_PRECISION_BF16)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "device.precision: the vulkan backend computes in fp32 or fp16");
    else if (options->precision == DPCXR_PRECISION_FP16 && !context->float16)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "device.precision: fp16 needs 16-bit floats in shaders and in storage, which %s has not; "
                    "use fp32",
                    context->properties.deviceName);
    else if (options->grid && !(context->float64 && context->int64))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "privacy.noise.type: grid needs 64-bit floats and integers in shaders, which %s has not; "
                    "use gaussian, or "
                    "device.type: cpu",
                    context->properties.deviceName);
    else
        return TRUE;
    return FALSE;
}

/* Sums go through all rows, or all units, of a batch in one loop. */
static gboolean loops_reach(const VulkanContext *context, const VulkanTuning *tuning,
                            const DpcxrProgramOptions *options, GError **error)
{
    if (!tuning->rounds || MAX(options->max_rows, options->max_units) <= tuning->rounds)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "%s ends loops after %d rounds, and has no batches of more images: use train.batch.physical: "
                "%d, or auto",
                context->properties.deviceName, tuning->rounds, tuning->rounds);
    return FALSE;
}

static gboolean build(VulkanProgram *program, GError **error)
{
    DpcxrProgramOptions *options = &program->base.options;
    VulkanTuning tuning;
    if (!(program->context = dpcxr_vulkan_context_new(options->device, error)) ||
        !can(program->context, options, error) ||
        !dpcxr_vulkan_tuning(program->context, options->tuning, &tuning, error) ||
        !loops_reach(program->context, &tuning, options, error))
        return FALSE;
    return dpcxr_vulkan_plan_init(&program->plan, program->base.graph, &tuning, options, error) &&
           dpcxr_vulkan_memory_init(&program->memory, program->context, error) &&
           dpcxr_vulkan_fit_check(&program->plan, &program->memory, options, error) &&
           dpcxr_vulkan_pipelines_init(&program->pipelines, program->context, error) &&
           dpcxr_vulkan_queue_init(&program->queue, program->context, &program->memory, &program->pipelines,
                                   error) &&
           allocate(program, error) && dpcxr_vulkan_check_narrow(program, error) &&
           dpcxr_vulkan_record_first(program, error);
}

static DpcxrProgram *compile(const DpcxrGraph *graph, const DpcxrProgramOptions *options, GError **error)
{
    static const DpcxrProgramClass class = {.free = program_free,
                                            .write = dpcxr_vulkan_write,
                                            .read = dpcxr_vulkan_read,
                                            .zero = dpcxr_vulkan_zero,
                                            .forward = dpcxr_vulkan_forward,
                                            .phase_a = dpcxr_vulkan_phase_a,
                                            .phase_b = dpcxr_vulkan_phase_b,
                                            .bank_norms = dpcxr_vulkan_bank_norms,
                                            .fold = dpcxr_vulkan_fold,
                                            .update = dpcxr_vulkan_update,
                                            .memory = program_memory,
                                            .device = program_device,
                                            .phase_b_grid = dpcxr_vulkan_phase_b_grid,
                                            .read_grid = dpcxr_vulkan_read_grid,
                                            .settle = dpcxr_vulkan_settle};
    VulkanProgram *program = g_new0(VulkanProgram, 1);
    program->base = (DpcxrProgram){.class = &class,
                                   .graph = graph,
                                   .options = *options,
                                   .n_parameters = dpcxr_graph_n_parameters(graph)};
    program->base.n_outputs = (int)dpcxr_shape_size(dpcxr_graph_layer(graph, graph->output)->shape);
    program->slots = g_new0(VulkanSpan, program->base.n_parameters + 1);
    program->outright = g_new0(VulkanRecording *, program->base.n_parameters + 1);
    program->settle = g_new0(VulkanRecording *, program->base.n_parameters + 1);
    program->unit_offsets = g_new0(int, options->max_units + 1);
    if (build(program, error))
        return &program->base;
    program_free(&program->base);
    return NULL;
}

gboolean dpcxr_vulkan_finish(DpcxrProgram *base, GError **error)
{
    return dpcxr_vulkan_wait(&((VulkanProgram *)base)->queue, error);
}

gboolean dpcxr_vulkan_takes_gram(const DpcxrProgram *base, int parameter)
{
    return ((const VulkanProgram *)base)->plan.gradients[parameter].method == VULKAN_GRAM;
}

const DpcxrBackend dpcxr_backend_vulkan = {.name = "vulkan",
                                           .summary =
                                               "compute shaders on a GPU, or on Mesa's software device",
                                           .automatic = dpcxr_vulkan_automatic,
                                           .compile = compile,
                                           .largest_batch = dpcxr_vulkan_largest_batch};
