/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/plan.h"
#include "backend/narrow.h"
#include "backend/placement.h"

static const DpcxrLayer *layer_of(const VulkanPlan *plan, int step)
{
    return dpcxr_graph_layer(plan->graph, plan->steps[step].layer);
}

static gboolean has_weights(const DpcxrStep *step)
{
    return step->type == DPCXR_LAYER_CONV2D || step->type == DPCXR_LAYER_LINEAR;
}

static gint64 divide_up(gint64 a, gint64 b)
{
    return (a + b - 1) / b;
}

/* --- Methods --- */

/* Multiply-adds of a unit of one image: forming the gradient; two Gram matrices of unfolded inputs and of output gradients.
 * Keeping a gradient means writing, measuring and adding it, each about as much as so many multiply-adds an element. */
static gboolean gram_is_cheaper(DpcxrShape in, DpcxrShape out, int taps)
{
    const double moved = 24;
    double positions = (double)out.height * out.width, size = (double)taps * in.channels * out.channels;
    double direct = positions * size + moved * size;
    double gram = positions * positions * ((double)taps * in.channels + out.channels) + positions * size;
    return gram < direct;
}

static VulkanMethod method_of(const VulkanPlan *plan, int step)
{
    const DpcxrStep *s = &plan->steps[step];
    if (!has_weights(s) || plan->grid)
        return VULKAN_SLOTS;
    if (!plan->norms) /* nothing to measure: the sum is all that is wanted */
        return VULKAN_GRAM;
    const DpcxrLayer *layer = layer_of(plan, step);
    int taps = s->type == DPCXR_LAYER_LINEAR ? 1 : layer->kernel * layer->kernel;
    return gram_is_cheaper(dpcxr_graph_layer(plan->graph, s->x)->shape, layer->shape, taps) ? VULKAN_GRAM
                                                                                            : VULKAN_SLOTS;
}

const VulkanTile *dpcxr_vulkan_plan_tile(const VulkanPlan *plan, int step, const VulkanTile *plain)
{
    /* On a grid no bit of a unit may depend on who else is in the batch: how a matrix unit rounds an element might, on its place. */
    gboolean matrix = plan->tuning->matrix.x && !plan->grid && plan->narrow[plan->steps[step].x];
    return matrix ? &plan->tuning->matrix : plain;
}

/* Small gradients of many positions are parted, so that a unit keeps some work groups busy. Depends on the layer alone. */
static int parts_of(const VulkanPlan *plan, const VulkanGradient *gradient, const DpcxrLayer *layer)
{
    const VulkanTile *tile = dpcxr_vulkan_plan_tile(plan, gradient->step, &plan->tuning->weights);
    gint64 tiles = divide_up((gint64)gradient->taps * gradient->in, dpcxr_vulkan_tile_rows(tile)) *
                   divide_up(gradient->out, dpcxr_vulkan_tile_columns(tile));
    return (int)CLAMP(divide_up(plan->tuning->groups, tiles), 1, layer->shape.height);
}

static void plan_gradient(VulkanPlan *plan, int step, int i, gboolean is_weight)
{
    const DpcxrStep *s = &plan->steps[step];
    const DpcxrParameter *parameter = dpcxr_graph_parameter(plan->graph, i);
    gboolean matrix = is_weight && has_weights(s);
    VulkanGradient *gradient = &plan->gradients[i];
    *gradient = (VulkanGradient){.method = matrix ? method_of(plan, step) : VULKAN_SLOTS,
                                 .step = step,
                                 .taps = parameter->n_dims == 4 ? parameter->dims[2] * parameter->dims[3] : 1,
                                 .in = matrix ? parameter->dims[1] : 1,
                                 .out = parameter->dims[0],
                                 .size = parameter->size,
                                 .parts = 1};
    if (matrix && gradient->method == VULKAN_SLOTS &&
        !plan->grid) /* pieces of a unit would need their parts kept */
        gradient->parts = parts_of(plan, gradient, layer_of(plan, step));
    gradient->chunks =
        (int)divide_up((gint64)gradient->size, (gint64)plan->tuning->tree * plan->tuning->each);
}

static void plan_gradients(VulkanPlan *plan)
{
    plan->gradients = g_new0(VulkanGradient, MAX(dpcxr_graph_n_parameters(plan->graph), 1));
    for (int s = 0; s < plan->n_steps; s++)
        for (int k = 0; k < 2; k++)
            if (layer_of(plan, s)->parameters[k] >= 0)
                plan_gradient(plan, s, layer_of(plan, s)->parameters[k], k == 0);
    for (int i = 0; i < dpcxr_graph_n_parameters(plan->graph); i++) {
        VulkanGradient *gradient = &plan->gradients[i];
        gradient->offset = plan->bank;
        plan->bank += (gradient->size + 63) & ~(gsize)63;
        gradient->chunks_at = plan->chunks;
        plan->chunks += (gsize)gradient->chunks;
        if (gradient->method == VULKAN_GRAM)
            plan->scratch = MAX(plan->scratch, gradient->size * sizeof(float));
        else
            plan->slots_unit += gradient->size * sizeof(float);
        if (gradient->parts > 1)
            plan->unit_parts = MAX(plan->unit_parts, (gsize)gradient->parts * gradient->size * sizeof(float));
    }
}

/* One invocation goes through the chunks of a group, channel by channel, twice. */
int dpcxr_vulkan_norm_chunk(const VulkanPlan *plan, const DpcxrLayer *layer)
{
    gint64 positions = (gint64)layer->shape.height * layer->shape.width, most = 256;
    if (plan->tuning->rounds)
        most = CLAMP(plan->tuning->rounds / dpcxr_vulkan_norm_rounds(layer, 1), 1, most);
    return (int)MAX(plan->tuning->chunk, divide_up(positions, most));
}

int dpcxr_vulkan_norm_chunks(const VulkanPlan *plan, const DpcxrLayer *layer)
{
    return (int)divide_up((gint64)layer->shape.height * layer->shape.width,
                          dpcxr_vulkan_norm_chunk(plan, layer));
}

gint64 dpcxr_vulkan_norm_rounds(const DpcxrLayer *layer, int chunks)
{
    return 2 * (gint64)chunks * (layer->shape.channels / layer->groups + 1);
}

static void plan_scratch(VulkanPlan *plan)
{
    for (int s = 0; s < plan->n_steps; s++) {
        const DpcxrLayer *layer = layer_of(plan, s);
        gsize channels = (gsize)layer->shape.channels;
        if (plan->steps[s].type == DPCXR_LAYER_GROUP_NORM)
            plan->parts_row =
                MAX(plan->parts_row, (gsize)dpcxr_vulkan_norm_chunks(plan, layer) * channels * 8);
        if (layer->parameters[1] >= 0)
            plan->row_gradient = MAX(plan->row_gradient, channels * sizeof(float));
    }
}

static gsize saved_row(const VulkanPlan *plan, int s)
{
    const DpcxrLayer *layer = layer_of(plan, s);
    if (plan->steps[s].type == DPCXR_LAYER_GROUP_NORM)
        return 2 * (gsize)layer->groups * sizeof(float);
    return plan->steps[s].type == DPCXR_LAYER_MAX_POOL2D ? dpcxr_shape_size(layer->shape) * sizeof(gint32)
                                                         : 0;
}

static gsize row_of(const VulkanPlan *plan, int layer)
{
    gsize element = plan->narrow[layer] ? sizeof(guint16) : sizeof(float);
    return dpcxr_shape_size(dpcxr_graph_layer(plan->graph, layer)->shape) * element;
}

static void init_layout(const VulkanPlan *plan, VulkanLayout *layout)
{
    layout->outputs = g_new0(VulkanPlace, dpcxr_graph_n_layers(plan->graph));
    layout->saved = g_new0(VulkanPlace, MAX(plan->n_steps, 1));
    layout->outputs[0].row = row_of(plan, 0);
    for (int s = 0; s < plan->n_steps; s++) {
        layout->outputs[plan->steps[s].y].row = row_of(plan, plan->steps[s].y);
        layout->saved[s].row = saved_row(plan, s);
    }
}

static void clear_layout(VulkanLayout *layout)
{
    g_free(layout->outputs);
    g_free(layout->saved);
}

/* A linear layer's products read f32. */
static gboolean check_linear(const VulkanPlan *plan, GError **error)
{
    for (int s = 0; s < plan->n_steps; s++)
        if (plan->steps[s].type == DPCXR_LAYER_LINEAR && plan->narrow[plan->steps[s].x]) {
            g_set_error(
                error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "device.precision: fp16 is not there for this model: a linear layer reads feature maps "
                "that are not pooled; use fp32");
            return FALSE;
        }
    return TRUE;
}

gboolean dpcxr_vulkan_plan_init(VulkanPlan *plan, const DpcxrGraph *graph, const VulkanTuning *tuning,
                                const DpcxrProgramOptions *options, GError **error)
{
    *plan = (VulkanPlan){.graph = graph,
                         .tuning = g_memdup2(tuning, sizeof *tuning),
                         .training = options->training,
                         .norms = options->norms,
                         .grid = options->grid};
    plan->steps = dpcxr_steps_new(graph, &plan->n_steps);
    plan->narrow = dpcxr_narrow_layers(graph, options->precision, error);
    if (!plan->narrow || !check_linear(plan, error))
        return FALSE;
    plan->wants_gradient = dpcxr_steps_wants_gradient(graph);
    plan_gradients(plan);
    plan_scratch(plan);
    int n = dpcxr_graph_n_layers(graph);
    plan->douts = g_new0(VulkanPlace, n);
    init_layout(plan, &plan->evaluation);
    if (!plan->training)
        return TRUE;
    init_layout(plan, &plan->feature_maps);
    for (int s = 0; s < plan->n_steps; s++)
        plan->douts[plan->steps[s].y].row = row_of(plan, plan->steps[s].y);
    return TRUE;
}

void dpcxr_vulkan_plan_clear(VulkanPlan *plan)
{
    g_free(plan->tuning);
    g_free(plan->narrow);
    g_free(plan->steps);
    g_free(plan->wants_gradient);
    g_free(plan->gradients);
    clear_layout(&plan->evaluation);
    clear_layout(&plan->feature_maps);
    g_free(plan->douts);
    *plan = (VulkanPlan){0};
}

/* --- Places --- */

/* Step s runs forward at time s and backward at 2 n - s, the loss at n, phase B at 2 n + 1. */
typedef struct {
    DpcxrLife *outputs, *saved, *douts; /* [layers], [steps], [layers] */
} Lives;

static void live_forward(const VulkanPlan *plan, Lives lives)
{
    dpcxr_life_extend(&lives.outputs[0], 0);
    for (int s = 0; s < plan->n_steps; s++) {
        const DpcxrStep *step = &plan->steps[s];
        dpcxr_life_extend(&lives.outputs[step->x], s);
        dpcxr_life_extend(&lives.outputs[step->y], s);
        dpcxr_life_extend(&lives.saved[s], s);
        if (step->other >= 0)
            dpcxr_life_extend(&lives.outputs[step->other], s);
    }
    dpcxr_life_extend(&lives.outputs[plan->graph->output], plan->n_steps);
}

/* Logits are read after the last step, with all other results. */
static void live_backward(const VulkanPlan *plan, Lives lives)
{
    int end = 2 * plan->n_steps + 1;
    dpcxr_life_extend(&lives.outputs[plan->graph->output], end);
    dpcxr_life_extend(&lives.douts[plan->graph->output], plan->n_steps);
    for (int s = 0; s < plan->n_steps; s++) {
        const DpcxrStep *step = &plan->steps[s];
        int time = 2 * plan->n_steps - s, weight = layer_of(plan, s)->parameters[0];
        gboolean gram = weight >= 0 && plan->gradients[weight].method == VULKAN_GRAM;
        dpcxr_life_extend(&lives.douts[step->y], time);
        dpcxr_life_extend(&lives.douts[step->x], time);
        dpcxr_life_extend(&lives.saved[s], time);
        if (dpcxr_step_reads_x_again(step))
            dpcxr_life_extend(&lives.outputs[step->x], time);
        if (step->other >= 0)
            dpcxr_life_extend(&lives.douts[step->other], time);
        if (dpcxr_step_reads_other_again(step) && step->other >= 0)
            dpcxr_life_extend(&lives.outputs[step->other], time);
        if (gram) {
            dpcxr_life_extend(&lives.outputs[step->x], end);
            dpcxr_life_extend(&lives.douts[step->y], end);
        }
    }
}

/* Offsets of @n places from @lives; returns the bytes of all. */
static gsize place(VulkanPlace *const *places, DpcxrLife *lives, int n, gsize alignment)
{
    g_autofree DpcxrLife **list = g_new(DpcxrLife *, n);
    guint found = 0;
    for (int i = 0; i < n; i++)
        if (lives[i].bytes && lives[i].last >= 0)
            list[found++] = &lives[i];
    gsize bytes = dpcxr_place_lives(list, found, alignment);
    for (int i = 0; i < n; i++)
        places[i]->offset = lives[i].offset;
    return bytes;
}

static gboolean place_results(VulkanPlan *plan, int rows, int units)
{
    plan->squares = plan->grams = plan->lengths = 0;
    const VulkanTile *tile = &plan->tuning->gram;
    for (int i = 0; plan->norms && i < dpcxr_graph_n_parameters(plan->graph); i++) {
        VulkanGradient *gradient = &plan->gradients[i];
        if (gradient->method == VULKAN_SLOTS) {
            gradient->squares_at = plan->squares;
            plan->squares += (gsize)gradient->chunks * (gsize)units;
            continue;
        }
        DpcxrShape out = layer_of(plan, gradient->step)->shape;
        gint64 positions = (gint64)out.height * out.width;
        gradient->gram_tiles = (int)(divide_up(positions, dpcxr_vulkan_tile_rows(tile)) *
                                     divide_up(positions, dpcxr_vulkan_tile_columns(tile)));
        gradient->gram_at = plan->grams;
        gradient->lengths_at = plan->lengths;
        plan->grams += (gsize)gradient->gram_tiles * (gsize)dpcxr_vulkan_tile_size(tile) *
                       (gsize)dpcxr_vulkan_max_pairs(rows);
        plan->lengths += (gsize)positions * (gsize)rows;
    }
    return plan->squares < G_MAXINT32 && plan->grams < G_MAXINT32 && plan->lengths < G_MAXINT32;
}

/* @layout: and, where @backward, the gradients of its feature maps. */
static gboolean place_layout(VulkanPlan *plan, VulkanLayout *layout, gboolean backward, int rows,
                             gsize alignment)
{
    int n = dpcxr_graph_n_layers(plan->graph), maps = n + plan->n_steps, all = maps + n;
    g_autofree DpcxrLife *lives = g_new(DpcxrLife, all);
    g_autofree VulkanPlace **places = g_new(VulkanPlace *, all);
    for (int i = 0; i < all; i++) {
        places[i] = i < n ? &layout->outputs[i] : i < maps ? &layout->saved[i - n] : &plan->douts[i - maps];
        gsize bytes;
        if (!g_size_checked_mul(&bytes, places[i]->row, (gsize)rows) || bytes > G_MAXSIZE / 1024)
            return FALSE;
        lives[i] = dpcxr_life_never(bytes);
    }
    Lives parts = {lives, lives + n, lives + maps};
    live_forward(plan, parts);
    if (backward)
        live_backward(plan, parts);
    layout->bytes = place(places, lives, maps, alignment);
    if (backward)
        plan->douts_bytes = place(places + maps, parts.douts, n, alignment);
    return TRUE;
}

gboolean dpcxr_vulkan_plan_place(VulkanPlan *plan, int rows, int units, gsize alignment)
{
    return place_layout(plan, &plan->evaluation, FALSE, rows, alignment) &&
           (!plan->training || place_layout(plan, &plan->feature_maps, TRUE, rows, alignment)) &&
           place_results(plan, rows, units);
}
