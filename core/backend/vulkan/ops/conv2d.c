/* SPDX-License-Identifier: MIT
 * Convolutions and linear layers, which are convolutions of one pixel. All are tiles of gemm.glsl. */
#include "backend/vulkan/internal.h"

typedef struct {
    DpcxrShape in, out;
    int kernel, stride, padding;
    int weight, bias; /* parameters; bias -1: none */
    int taps;
    guint half; /* VULKAN_HALF, where x and y are stored so */
} Window;

static Window window_of(const VulkanPlan *plan, int s)
{
    const DpcxrStep *step = &plan->steps[s];
    const DpcxrLayer *layer = dpcxr_graph_layer(plan->graph, step->layer);
    gboolean linear = step->type == DPCXR_LAYER_LINEAR;
    Window w = {.in = dpcxr_graph_layer(plan->graph, step->x)->shape,
                .out = layer->shape,
                .kernel = linear ? 1 : layer->kernel,
                .stride = linear ? 1 : layer->stride,
                .padding = linear ? 0 : layer->padding,
                .weight = layer->parameters[0],
                .bias = layer->parameters[1],
                .half = dpcxr_vulkan_half(plan, step->x)};
    w.taps = w.kernel * w.kernel;
    return w;
}

static gint64 divide_up(gint64 a, gint64 b)
{
    return (a + b - 1) / b;
}

/* @option: constant OPTION of the shader. */
static VulkanKernel tiled(VulkanShader shader, const VulkanTile *tile, const Window *w, int option)
{
    return (VulkanKernel){.shader = shader,
                          .way = tile->way | w->half,
                          .n_constants = 16,
                          .constants = {dpcxr_vulkan_tile_size(tile), tile->x, tile->y, tile->m, tile->n,
                                        tile->k, w->in.height, w->in.width, w->in.channels, w->out.height,
                                        w->out.width, w->out.channels, w->kernel, w->stride, w->padding,
                                        option}};
}

/* The same geometry for one invocation an element. */
static VulkanKernel plain(const VulkanProgram *program, VulkanShader shader, const Window *w)
{
    const VulkanTile one = {0, program->plan.tuning->local, 1, 1, 1, 1};
    return tiled(shader, &one, w, 0);
}

static gint64 weight_tiles(const VulkanTile *tile, const Window *w)
{
    return divide_up((gint64)w->taps * w->in.channels, dpcxr_vulkan_tile_rows(tile)) *
           divide_up(w->out.channels, dpcxr_vulkan_tile_columns(tile));
}

/* Of gemm.glsl's loops over segments of @length elements, none of them unrolled, and of one around it. */
static gint64 rounds_of(const VulkanTile *tile, gint64 segments, gint64 length)
{
    gint64 rows = dpcxr_vulkan_tile_rows(tile), columns = dpcxr_vulkan_tile_columns(tile),
           size = dpcxr_vulkan_tile_size(tile);
    if (!tile->k) /* the subgroup way; GEMM_CHUNKED goes round once more for 64 elements */
        return segments * (length + divide_up(length, 64) + 2);
    gint64 once = 1 + tile->k + divide_up(rows * tile->k, size) + divide_up(columns * tile->k, size);
    return divide_up(segments * length, tile->k) * once + 2 + divide_up(rows, size);
}

/* Lines are summed one by one: as conv2d-bias.comp and average-pool-forward.comp have it. */
gint64 dpcxr_vulkan_line_rounds(DpcxrShape shape)
{
    int at_once = shape.height * shape.width > 4096 ? 32 : 1;
    return (gint64)shape.height * (divide_up(shape.width, at_once) + 1);
}

static gboolean forward(VulkanBuild *build, int s, GError **error)
{
    VulkanProgram *program = build->program;
    const VulkanTile *tile = dpcxr_vulkan_plan_tile(&program->plan, s, &program->plan.tuning->forward);
    Window w = window_of(&program->plan, s);
    VulkanBinding weight = dpcxr_vulkan_bank(program, DPCXR_BANK_WEIGHT, w.weight);
    VulkanOperation operation = {
        .kernel = tiled(SHADER_CONV2D_FORWARD, tile, &w, w.bias >= 0),
        .bindings = {dpcxr_vulkan_whole(program->pass->lists),
                     dpcxr_vulkan_output(program, program->plan.steps[s].x), weight,
                     w.bias >= 0 ? dpcxr_vulkan_bank(program, DPCXR_BANK_WEIGHT, w.bias) : weight,
                     dpcxr_vulkan_output(program, program->plan.steps[s].y)},
        .of = VULKAN_ROWS,
        .items = (gint64)w.out.height * w.out.width,
        .group = dpcxr_vulkan_tile_rows(tile),
        .times = divide_up(w.out.channels, dpcxr_vulkan_tile_columns(tile)),
        .rounds = rounds_of(tile, w.taps, w.in.channels)};
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error);
}

static gboolean backward_data(VulkanBuild *build, int s, const Window *w, GError **error)
{
    VulkanProgram *program = build->program;
    const VulkanTile *tile = dpcxr_vulkan_plan_tile(&program->plan, s, &program->plan.tuning->data);
    int x = program->plan.steps[s].x;
    VulkanOperation operation = {
        .kernel = tiled(SHADER_CONV2D_BACKWARD_DATA, tile, w, 0),
        .bindings = {dpcxr_vulkan_whole(program->pass->lists),
                     dpcxr_vulkan_dout(program, program->plan.steps[s].y),
                     dpcxr_vulkan_bank(program, DPCXR_BANK_WEIGHT, w->weight), dpcxr_vulkan_dout(program, x)},
        .push = {.accumulate = dpcxr_vulkan_accumulate(build, x)},
        .of = VULKAN_ROWS,
        .items = divide_up(w->in.height, w->stride) * divide_up(w->in.width, w->stride),
        .group = dpcxr_vulkan_tile_rows(tile),
        .times = (gint64)w->stride * w->stride * divide_up(w->in.channels, dpcxr_vulkan_tile_columns(tile)),
        .rounds = rounds_of(tile, w->taps, w->out.channels)};
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error);
}

static gboolean add_parts(VulkanBuild *build, const VulkanGradient *gradient, int i, GError **error)
{
    VulkanProgram *program = build->program;
    const gint32 constants[] = {(gint32)gradient->size, gradient->parts};
    VulkanOperation operation = {
        .kernel = dpcxr_vulkan_kernel(program, SHADER_PART_SUMS, 2, constants),
        .bindings = {dpcxr_vulkan_whole(program->pass->lists),
                     {.span = program->unit_parts,
                      .unit = (gsize)gradient->parts * gradient->size * sizeof(float)},
                     dpcxr_vulkan_slots(program, i)},
        .of = VULKAN_UNITS,
        .items = (gint64)gradient->size,
        .group = program->plan.tuning->local};
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error);
}

static VulkanOperation unit_weights(VulkanProgram *program, int s, const Window *w, const VulkanTile *tile,
                                    VulkanBinding lists, VulkanBinding to, int parts)
{
    return (VulkanOperation){.kernel = tiled(SHADER_CONV2D_WEIGHT_UNIT, tile, w, parts),
                             .bindings = {lists, dpcxr_vulkan_output(program, program->plan.steps[s].x),
                                          dpcxr_vulkan_dout(program, program->plan.steps[s].y), to},
                             .of = VULKAN_UNITS,
                             .items = parts * weight_tiles(tile, w),
                             .rounds = rounds_of(tile, 1, w->out.width),
                             .lines = w->out.height,
                             .group = 1};
}

/* Parts live in a place that all layers share: a unit in pieces needs them kept, so on a grid there are none (plan.c). */
static gboolean backward_weight(VulkanBuild *build, int s, const Window *w, GError **error)
{
    VulkanProgram *program = build->program;
    const VulkanGradient *gradient = &program->plan.gradients[w->weight];
    if (gradient->method == VULKAN_GRAM)
        return TRUE;
    VulkanBinding to = dpcxr_vulkan_slots(program, w->weight);
    if (gradient->parts > 1)
        to = (VulkanBinding){.span = program->unit_parts,
                             .unit = (gsize)gradient->parts * gradient->size * sizeof(float)};
    const VulkanTile *tile = dpcxr_vulkan_plan_tile(&program->plan, s, &program->plan.tuning->weights);
    VulkanOperation operation =
        unit_weights(program, s, w, tile, dpcxr_vulkan_whole(program->pass->lists), to, gradient->parts);
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error) &&
           (gradient->parts == 1 || add_parts(build, gradient, w->weight, error));
}

static gboolean backward_bias(VulkanBuild *build, int s, const Window *w, GError **error)
{
    VulkanProgram *program = build->program;
    VulkanBinding rows = {.span = program->row_gradients[1], .row = (gsize)w->out.channels * sizeof(float)};
    VulkanOperation operation = {.kernel = plain(program, SHADER_CONV2D_BIAS, w),
                                 .bindings = {dpcxr_vulkan_whole(program->pass->lists),
                                              dpcxr_vulkan_dout(program, program->plan.steps[s].y), rows},
                                 .of = VULKAN_ROWS,
                                 .items = w->out.channels,
                                 .rounds = dpcxr_vulkan_line_rounds(w->out),
                                 .group = program->plan.tuning->local};
    return dpcxr_vulkan_record_operation(program, build->recording, &operation, error) &&
           dpcxr_vulkan_record_unit_sums(build, w->bias, rows.span, error);
}

static gboolean backward(VulkanBuild *build, int s, GError **error)
{
    Window w = window_of(&build->program->plan, s);
    return (w.bias < 0 || backward_bias(build, s, &w, error)) && backward_weight(build, s, &w, error) &&
           (!dpcxr_vulkan_wants(build, build->program->plan.steps[s].x) ||
            backward_data(build, s, &w, error));
}

const VulkanOps dpcxr_vulkan_conv2d = {forward, backward};

static gboolean record_lengths(VulkanProgram *program, VulkanRecording *recording, int s, const Window *w,
                               GError **error)
{
    const VulkanGradient *gradient = &program->plan.gradients[w->weight];
    VulkanOperation operation = {.kernel = plain(program, SHADER_CONV2D_LENGTHS, w),
                                 .bindings = {dpcxr_vulkan_whole(program->pass->lists),
                                              dpcxr_vulkan_output(program, program->plan.steps[s].x),
                                              dpcxr_vulkan_dout(program, program->plan.steps[s].y),
                                              dpcxr_vulkan_whole(program->results.lengths)},
                                 .push = {.at = (int)gradient->lengths_at},
                                 .of = VULKAN_ROWS,
                                 .items = (gint64)w->out.height * w->out.width,
                                 .rounds = w->taps * (gint64)(w->in.channels + 1) + w->out.channels,
                                 .group = program->plan.tuning->local};
    return dpcxr_vulkan_record_operation(program, recording, &operation, error);
}

gboolean dpcxr_vulkan_record_gram(VulkanProgram *program, VulkanRecording *recording, int s, GError **error)
{
    Window w = window_of(&program->plan, s);
    const VulkanGradient *gradient = &program->plan.gradients[w.weight];
    const VulkanTile *tile = &program->plan.tuning->gram;
    VulkanOperation operation = {
        .kernel = tiled(SHADER_CONV2D_GRAM, tile, &w, 0),
        .bindings = {dpcxr_vulkan_whole(program->pass->lists),
                     dpcxr_vulkan_whole(dpcxr_vulkan_output(program, program->plan.steps[s].x).span),
                     dpcxr_vulkan_whole(dpcxr_vulkan_dout(program, program->plan.steps[s].y).span),
                     dpcxr_vulkan_whole(program->results.grams)},
        .push = {.at = (int)gradient->gram_at},
        .of = VULKAN_PAIRS,
        .items = gradient->gram_tiles,
        .rounds = rounds_of(tile, w.taps, w.in.channels) + rounds_of(tile, 1, w.out.channels),
        .group = 1};
    return dpcxr_vulkan_record_operation(program, recording, &operation, error) &&
           record_lengths(program, recording, s, &w, error);
}

gboolean dpcxr_vulkan_record_weight_sum(VulkanProgram *program, VulkanRecording *recording, int s,
                                        DpcxrBank bank, GError **error)
{
    Window w = window_of(&program->plan, s);
    VulkanOperation operation = {
        .kernel = tiled(SHADER_CONV2D_WEIGHT_SUM, &program->plan.tuning->weights, &w, 0),
        .bindings = {dpcxr_vulkan_whole(program->pass->lists),
                     dpcxr_vulkan_output(program, program->plan.steps[s].x),
                     dpcxr_vulkan_dout(program, program->plan.steps[s].y),
                     dpcxr_vulkan_whole(program->coefficients), dpcxr_vulkan_bank(program, bank, w.weight)},
        .push = {.group = program->base.options.group_of[w.weight]},
        .of = VULKAN_ONCE,
        .items = weight_tiles(&program->plan.tuning->weights, &w),
        .rounds = rounds_of(&program->plan.tuning->weights, 1, w.out.width),
        .lines = w.out.height,
        .group = 1};
    return dpcxr_vulkan_record_operation(program, recording, &operation, error);
}

gboolean dpcxr_vulkan_record_outright(VulkanProgram *program, VulkanRecording *recording, int s,
                                      GError **error)
{
    Window w = window_of(&program->plan, s);
    VulkanOperation operation =
        unit_weights(program, s, &w, &program->plan.tuning->weights, dpcxr_vulkan_whole(program->single),
                     dpcxr_vulkan_whole(program->scratch), 1);
    return dpcxr_vulkan_record_operation(program, recording, &operation, error);
}
