/* SPDX-License-Identifier: MIT
 * Phase A and evaluation: what the host sends, what is recorded, what comes back. */
#include "backend/vulkan/internal.h"
#include <math.h>
#include <string.h>

static const VulkanOps *const ops[DPCXR_N_LAYER_TYPES] = {
    [DPCXR_LAYER_CONV2D] = &dpcxr_vulkan_conv2d,
    [DPCXR_LAYER_GROUP_NORM] = &dpcxr_vulkan_group_norm,
    [DPCXR_LAYER_LINEAR] = &dpcxr_vulkan_conv2d,
    [DPCXR_LAYER_RELU] = &dpcxr_vulkan_activation,
    [DPCXR_LAYER_MISH] = &dpcxr_vulkan_activation,
    [DPCXR_LAYER_ADD] = &dpcxr_vulkan_add,
    [DPCXR_LAYER_MAX_POOL2D] = &dpcxr_vulkan_max_pool2d,
    [DPCXR_LAYER_GLOBAL_AVERAGE_POOL] = &dpcxr_vulkan_average_pool,
};

/* --- What is recorded, once --- */

static gboolean record_upload(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    dpcxr_vulkan_record_copy(recording, program->staging, program->staged);
    return dpcxr_vulkan_record_from_host(program, recording, program->images, 0,
                                         dpcxr_vulkan_output(program, 0), error);
}

static gboolean record_forward(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    VulkanBuild build = {.program = program, .recording = recording};
    for (int s = 0; s < program->plan.n_steps; s++)
        if (!ops[program->plan.steps[s].type]->forward(&build, s, error)) {
            dpcxr_vulkan_blame(program, s, error);
            return FALSE;
        }
    int output = program->base.graph->output;
    return dpcxr_vulkan_record_to_host(program, recording, output, dpcxr_vulkan_output(program, output),
                                       program->read.logits, error);
}

static gboolean record_evaluate(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    dpcxr_vulkan_record_copy(recording, program->evaluated_host, program->evaluation.lists);
    return dpcxr_vulkan_record_from_host(program, recording, program->images, 0,
                                         dpcxr_vulkan_output(program, 0), error) &&
           record_forward(program, recording, which, error);
}

static gboolean need_evaluate(VulkanProgram *program, GError **error)
{
    const VulkanPass *before = program->pass;
    program->pass = &program->evaluation;
    gboolean good = dpcxr_vulkan_need(program, &program->evaluate, "evaluation", record_evaluate, 0, error);
    program->pass = before;
    return good;
}

static gboolean record_loss(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    int output = program->base.graph->output;
    gboolean narrow = program->plan.narrow[output]; /* forward has left the logits in f32 for the host */
    VulkanBinding logits = dpcxr_vulkan_output(program, output),
                  gradient = dpcxr_vulkan_dout(program, output);
    VulkanBinding from = narrow ? dpcxr_vulkan_wide(program, program->wide_out, output) : logits,
                  to = narrow ? dpcxr_vulkan_wide(program, program->wide_in, output) : gradient;
    float scale = dpcxr_vulkan_loss_scale(program);
    gint32 constants[] = {program->base.n_outputs, 0};
    memcpy(&constants[1], &scale, sizeof scale);
    VulkanOperation operation = {
        .kernel = dpcxr_vulkan_kernel(program, SHADER_LOSS, 2, constants),
        .bindings = {dpcxr_vulkan_whole(program->pass->lists), dpcxr_vulkan_whole(from.span),
                     dpcxr_vulkan_whole(program->inputs.targets), dpcxr_vulkan_whole(program->inputs.mask),
                     dpcxr_vulkan_whole(program->inputs.row_weights),
                     dpcxr_vulkan_whole(program->inputs.pos_weight),
                     dpcxr_vulkan_whole(program->results.losses), dpcxr_vulkan_whole(to.span)},
        .of = VULKAN_ROWS,
        .items = 1,
        .group = program->plan.tuning->local};
    if (!dpcxr_vulkan_record_operation(program, recording, &operation, error))
        return FALSE;
    dpcxr_vulkan_record_copy(recording, program->results.losses, program->read.losses);
    return !narrow ||
           dpcxr_vulkan_record_convert(program, recording, SHADER_NARROW, output, to, gradient, error);
}

static gboolean record_given(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    int output = program->base.graph->output;
    return dpcxr_vulkan_record_from_host(program, recording, program->output_gradient, output,
                                         dpcxr_vulkan_dout(program, output), error);
}

/* In place of the loss: the gradient that a test hands in. */
static gboolean need_given(VulkanProgram *program, GError **error)
{
    gsize bytes = (gsize)program->base.options.max_rows * (gsize)program->base.n_outputs * sizeof(float);
    return (program->output_gradient.bytes ||
            dpcxr_vulkan_allocate(&program->memory, VULKAN_UPLOAD, bytes, "an output gradient",
                                  &program->output_gradient, error)) &&
           dpcxr_vulkan_need(program, &program->given, "given gradient", record_given, 0, error);
}

static gboolean record_backward(VulkanProgram *program, VulkanRecording *recording, int image_gradient,
                                GError **error)
{
    g_autofree gboolean *written = g_new0(gboolean, dpcxr_graph_n_layers(program->base.graph));
    VulkanBuild build = {program, recording, written, image_gradient};
    if (image_gradient) /* of an image that no step reads it is zero */
        dpcxr_vulkan_record_zero(recording, program->input_gradient);
    for (int s = program->plan.n_steps - 1; s >= 0; s--)
        if (!ops[program->plan.steps[s].type]->backward(&build, s, error)) {
            dpcxr_vulkan_blame(program, s, error);
            return FALSE;
        }
    return !image_gradient ||
           dpcxr_vulkan_record_to_host(program, recording, 0, dpcxr_vulkan_dout(program, 0),
                                       program->image_gradients_host, error);
}

static gboolean need_backward(VulkanProgram *program, gboolean image_gradient, GError **error)
{
    gsize rows = (gsize)program->base.options.max_rows, wide = rows * dpcxr_vulkan_image_bytes(program);
    gsize bytes = (rows * program->plan.evaluation.outputs[0].row + 3) & ~(gsize)3; /* zeroed by words */
    return (!image_gradient || program->image_gradients_host.bytes ||
            (dpcxr_vulkan_allocate(&program->memory, VULKAN_DEVICE, bytes, "the images' gradient",
                                   &program->input_gradient, error) &&
             dpcxr_vulkan_allocate(&program->memory, VULKAN_READBACK, wide, "the images' gradient",
                                   &program->image_gradients_host, error))) &&
           dpcxr_vulkan_need(program, &program->backward[image_gradient], "backward", record_backward,
                             image_gradient, error);
}

static gboolean record_norms(VulkanProgram *program, VulkanRecording *recording, int which, GError **error)
{
    for (int i = 0; i < program->base.n_parameters; i++) {
        const VulkanGradient *gradient = &program->plan.gradients[i];
        gboolean good =
            gradient->method == VULKAN_GRAM
                ? dpcxr_vulkan_record_gram(program, recording, gradient->step, error)
                : dpcxr_vulkan_record_squares(program, recording, dpcxr_vulkan_slots(program, i), i,
                                              program->results.squares, gradient->squares_at, error);
        if (!good) {
            dpcxr_vulkan_blame(program, gradient->step, error);
            return FALSE;
        }
    }
    dpcxr_vulkan_record_copy(recording, program->results.squares, program->read.squares);
    dpcxr_vulkan_record_copy(recording, program->results.grams, program->read.grams);
    dpcxr_vulkan_record_copy(recording, program->results.lengths, program->read.lengths);
    return TRUE;
}

static gboolean need_phase_a(VulkanProgram *program, gboolean given, gboolean image_gradient, GError **error)
{
    return dpcxr_vulkan_need(program, &program->upload, "upload", record_upload, 0, error) &&
           dpcxr_vulkan_need(program, &program->forward, "forward", record_forward, 0, error) &&
           (given ? need_given(program, error)
                  : dpcxr_vulkan_need(program, &program->loss, "loss", record_loss, 0, error)) &&
           need_backward(program, image_gradient, error) &&
           (!program->base.options.norms ||
            dpcxr_vulkan_need(program, &program->norms, "norms", record_norms, 0, error));
}

gboolean dpcxr_vulkan_record_first(VulkanProgram *program, GError **error)
{
    return program->base.options.training ? need_phase_a(program, FALSE, FALSE, error)
                                          : need_evaluate(program, error);
}

/* --- What the host sends --- */

/* Pairs of images of units that are small enough; the first of a pair is the later one. Returns how many. */
static int write_pairs(const DpcxrBatch *batch, gint32 *pairs)
{
    int n = 0;
    for (int u = 0; u < batch->units; u++) {
        int first = batch->unit_offsets[u], last = batch->unit_offsets[u + 1];
        for (int i = first; last - first <= VULKAN_PAIR_ROWS && i < last; i++)
            for (int j = first; j <= i; j++, n++) {
                pairs[2 * n] = i;
                pairs[2 * n + 1] = j;
            }
    }
    return n;
}

static void write_lists(VulkanProgram *program, const DpcxrBatch *batch)
{
    const DpcxrProgramOptions *options = &program->base.options;
    const int head = sizeof(struct Batch) / sizeof(gint32);
    struct Batch *to = program->host.lists.mapped;
    gint32 *words = program->host.lists.mapped;
    *to = (struct Batch){.rows = batch->rows,
                         .units = batch->units,
                         .next_piece = batch->piece == DPCXR_NEXT_PIECE,
                         .unit_offsets = head,
                         .unit_of_row = head + options->max_units + 1,
                         .pair_rows = head + options->max_units + 1 + options->max_rows};
    memcpy(words + to->unit_offsets, batch->unit_offsets, ((gsize)batch->units + 1) * sizeof *words);
    for (int u = 0; u < batch->units; u++)
        for (int row = batch->unit_offsets[u]; row < batch->unit_offsets[u + 1]; row++)
            words[to->unit_of_row + row] = u;
    to->pairs = options->norms ? write_pairs(batch, words + to->pair_rows) : 0;
}

static void write_batch(VulkanProgram *program, const DpcxrBatch *batch)
{
    gsize rows = (gsize)batch->rows, outputs = (gsize)program->base.n_outputs;
    float *pos_weight = program->host.pos_weight.mapped;
    write_lists(program, batch);
    memcpy(program->images.mapped, batch->images, rows * dpcxr_vulkan_image_bytes(program));
    memcpy(program->host.row_weights.mapped, batch->row_weights, rows * sizeof(float));
    if (batch->output_gradient) {
        float *to = program->output_gradient.mapped, scale = dpcxr_vulkan_loss_scale(program);
        for (gsize i = 0; i < rows * outputs; i++)
            to[i] = batch->output_gradient[i] * scale;
        return;
    }
    memcpy(program->host.targets.mapped, batch->targets, rows * outputs * sizeof(float));
    memcpy(program->host.mask.mapped, batch->mask, rows * outputs * sizeof(float));
    for (gsize i = 0; i < outputs; i++)
        pos_weight[i] = program->base.options.pos_weight ? program->base.options.pos_weight[i] : 1;
}

/* --- Entries --- */

static gboolean submit(VulkanProgram *program, VulkanRecording *const *recordings, int n, GError **error)
{
    const struct Batch *batch = program->host.lists.mapped;
    for (int i = 0; i < n; i++)
        if (recordings[i])
            dpcxr_vulkan_recording_fit(recordings[i], batch);
    return dpcxr_vulkan_submit(&program->queue, recordings, n, error);
}

static void read_rows(const VulkanProgram *program, const DpcxrBatch *batch, DpcxrBatchResult *result)
{
    gsize rows = (gsize)batch->rows;
    memcpy(result->logits, program->read.logits.mapped,
           rows * (gsize)program->base.n_outputs * sizeof(float));
    if (batch->output_gradient)
        memset(result->losses, 0, rows * sizeof(float));
    else
        memcpy(result->losses, program->read.losses.mapped, rows * sizeof(float));
    const float *gradient = program->image_gradients_host.mapped;
    gsize elements = result->input_gradient ? rows * dpcxr_vulkan_image_bytes(program) / sizeof(float) : 0;
    for (gsize i = 0; i < elements; i++)
        result->input_gradient[i] = gradient[i] / dpcxr_vulkan_loss_scale(program);
}

gboolean dpcxr_vulkan_phase_a(DpcxrProgram *base, const DpcxrBatch *batch, DpcxrBatchResult *result,
                              GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    gboolean given = batch->output_gradient != NULL, image_gradient = result->input_gradient != NULL;
    if (!need_phase_a(program, given, image_gradient, error))
        return FALSE;
    write_batch(program, batch); /* while phase B of the last batch may be running */
    memcpy(program->unit_offsets, batch->unit_offsets, ((gsize)batch->units + 1) * sizeof(int));
    VulkanRecording *const recordings[] = {program->upload, program->forward,
                                           given ? program->given : program->loss,
                                           program->backward[image_gradient], program->norms};
    if (!submit(program, recordings, G_N_ELEMENTS(recordings), error) ||
        !dpcxr_vulkan_wait(&program->queue, error))
        return FALSE;
    read_rows(program, batch, result);
    return !base->options.norms || dpcxr_vulkan_norms(program, result->norms2, error);
}

gboolean dpcxr_vulkan_forward(DpcxrProgram *base, int rows, const float *images, float *outputs,
                              GError **error)
{
    VulkanProgram *program = (VulkanProgram *)base;
    gsize n = (gsize)base->n_outputs, image = dpcxr_vulkan_image_bytes(program);
    struct Batch *batch = program->evaluated_host.mapped;
    if (!need_evaluate(program, error))
        return FALSE;
    for (int first = 0; first < rows; first += base->options.max_rows) {
        int some = MIN(rows - first, base->options.max_rows);
        *batch = (struct Batch){.rows = some};
        memcpy(program->images.mapped, (const char *)images + (gsize)first * image, (gsize)some * image);
        dpcxr_vulkan_recording_fit(program->evaluate, batch);
        if (!dpcxr_vulkan_run(program, program->evaluate, error))
            return FALSE;
        memcpy(outputs + (gsize)first * n, program->read.logits.mapped, (gsize)some * n * sizeof(float));
    }
    return TRUE;
}
