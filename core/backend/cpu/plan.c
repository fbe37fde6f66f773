/* SPDX-License-Identifier: MIT */
#include "backend/cpu/plan.h"
#include "backend/cpu/cpu.h"
#include "backend/narrow.h"
#include "backend/placement.h"

/* --- Types --- */

static gboolean plan_types(CpuPlan *plan, DpcxrPrecision precision, GError **error)
{
    int n = dpcxr_graph_n_layers(plan->graph);
    plan->types = g_new0(CpuType, n); /* CPU_F32 */
    g_autofree gboolean *narrow = dpcxr_narrow_layers(plan->graph, precision, error);
    for (int i = 0; narrow && i < n; i++) {
        const DpcxrLayer *layer = dpcxr_graph_layer(plan->graph, i);
        plan->types[i] = narrow[i] ? CPU_BF16 : CPU_F32;
        if (narrow[i] && layer->type == DPCXR_LAYER_CONV2D && layer->kernel > 1 &&
            layer->stride > layer->kernel) {
            /* oneDNN 2.6 reads beyond what it has written for some of these (tests/opcheck). */
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                        "device.precision: bf16 is not there for this model: a convolution has a stride of "
                        "%d, more than "
                        "its kernel of %d; use fp32",
                        layer->stride, layer->kernel);
            return FALSE;
        }
    }
    return narrow != NULL;
}

/* --- Methods --- */

/* The arithmetic of the gradient itself is the same both ways. What differs, in multiply-adds: direct writes,
 * measures and sums one whole gradient a unit; Gram multiplies positions with positions and copies rows for
 * the product. The weights of the two kinds of cost are measured on ResNet9's layers. */
static DpcxrCpuCost cost_of(const CpuWindow *window)
{
    const double moved = 40, gram = 1.5, packed = 12;
    double size = (double)window->n_taps * window->in.channels * window->out.channels;
    double positions = window->positions, members = 0;
    for (int k = 0; k < window->n_residues; k++)
        members += (double)window->residues[k].n * window->residues[k].n;
    DpcxrCpuCost cost = {.direct = moved * size};
    cost.gram = gram * 0.5 * (members * window->in.channels + positions * positions * window->out.channels) +
                packed * positions * window->n_taps * (window->in.channels + window->out.channels);
    cost.takes_gram = cost.direct > cost.gram;
    return cost;
}

gboolean dpcxr_cpu_cost(const DpcxrGraph *graph, int i, DpcxrCpuCost *cost)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(graph, i);
    if (layer->type != DPCXR_LAYER_CONV2D && layer->type != DPCXR_LAYER_LINEAR)
        return FALSE;
    CpuWindow *window = dpcxr_cpu_window_new(dpcxr_graph_layer(graph, layer->inputs[0])->shape, layer);
    *cost = cost_of(window);
    dpcxr_cpu_window_free(window);
    return TRUE;
}

/* oneDNN 2.6's gradient of weights in bf16 reads scratch that it has not written where an image is smaller than the stride
 * (found by tests/opcheck on scratch full of NaN). Such images have a handful of positions: Gram matrices, which do
 * without it, are cheap there. */
static gboolean onednn_fails(const CpuWindow *window, gboolean bf16)
{
    return bf16 && window->kernel > 1 && MIN(window->in.height, window->in.width) <= window->stride;
}

static CpuMethod choose_method(const CpuWindow *window, gboolean bf16, CpuPolicy policy)
{
    if (onednn_fails(window, bf16))
        return CPU_GRAM;
    if (policy == CPU_POLICY_COST)
        return cost_of(window).takes_gram ? CPU_GRAM : CPU_DIRECT;
    return policy == CPU_POLICY_DIRECT ? CPU_DIRECT : CPU_GRAM;
}

static void plan_gradients(CpuPlan *plan, gboolean bf16, CpuPolicy policy)
{
    plan->gradients = g_new0(CpuGradient, MAX(dpcxr_graph_n_parameters(plan->graph), 1));
    plan->windows = g_new0(CpuWindow *, MAX(plan->n_steps, 1));
    for (int s = 0; s < plan->n_steps; s++) {
        const DpcxrStep *step = &plan->steps[s];
        const DpcxrLayer *layer = dpcxr_graph_layer(plan->graph, step->layer);
        CpuMethod method = CPU_DIRECT;
        if (step->type == DPCXR_LAYER_CONV2D || step->type == DPCXR_LAYER_LINEAR) {
            plan->windows[s] = dpcxr_cpu_window_new(dpcxr_graph_layer(plan->graph, step->x)->shape, layer);
            method = choose_method(plan->windows[s], bf16, policy);
        }
        for (int k = 0; k < 2; k++)
            if (layer->parameters[k] >= 0)
                plan->gradients[layer->parameters[k]] =
                    (CpuGradient){.method = k == 0 ? method : CPU_DIRECT,
                                  .step = s,
                                  .size = dpcxr_graph_parameter(plan->graph, layer->parameters[k])->size};
    }
}

gboolean dpcxr_cpu_plan_is_gram(const CpuPlan *plan, int step)
{
    int weight = dpcxr_graph_layer(plan->graph, plan->steps[step].layer)->parameters[0];
    return weight >= 0 && plan->gradients[weight].method == CPU_GRAM;
}

gboolean dpcxr_cpu_plan_init(CpuPlan *plan, const DpcxrGraph *graph, const DpcxrProgramOptions *options,
                             CpuPolicy policy, GError **error)
{
    plan->graph = graph;
    plan->steps = dpcxr_steps_new(graph, &plan->n_steps);
    plan->wants_gradient = dpcxr_steps_wants_gradient(graph);
    plan_gradients(plan, options->precision == DPCXR_PRECISION_BF16, policy);
    return plan_types(plan, options->precision, error);
}

/* --- Places --- */

/* Every tensor starts on a cache line. */
enum { LINE = 64, LINE_FLOATS = 16 };

static gboolean append(gsize *end, gsize *offset, gsize size, gsize line)
{
    *offset = *end;
    return g_size_checked_add(end, *end, (size + line - 1) & ~(line - 1));
}

/* Direct gradients first, at the same offsets as in a slot. */
static gboolean place_gradients(CpuPlan *plan)
{
    gboolean good = TRUE;
    for (int method = CPU_DIRECT; method <= CPU_GRAM; method++) {
        for (int i = 0; i < dpcxr_graph_n_parameters(plan->graph); i++)
            if (plan->gradients[i].method == (CpuMethod)method)
                good = good &&
                       append(&plan->bank, &plan->gradients[i].offset, plan->gradients[i].size, LINE_FLOATS);
        if (method == CPU_DIRECT)
            plan->slot = plan->bank;
    }
    return good;
}

static gsize saved_size(const CpuPlan *plan, const DpcxrStep *step, gboolean training)
{
    DpcxrShape shape = dpcxr_graph_layer(plan->graph, step->layer)->shape;
    if (step->type == DPCXR_LAYER_GROUP_NORM)
        return 2 * (gsize)shape.channels;
    return step->type == DPCXR_LAYER_MAX_POOL2D && training ? dpcxr_shape_size(shape) : 0;
}

/* When the tensors of a row are needed: step s runs forward at time s and backward at 2 n - s, the loss at n. */
typedef struct {
    DpcxrLife *outputs, *gradients, *saved; /* [layers], [layers], [steps] */
} Lives;

static void live_forward(const CpuPlan *plan, Lives lives)
{
    for (int s = 0; s < plan->n_steps; s++) {
        const DpcxrStep *step = &plan->steps[s];
        dpcxr_life_extend(&lives.outputs[step->y], s);
        dpcxr_life_extend(&lives.outputs[step->x], s);
        if (step->other >= 0)
            dpcxr_life_extend(&lives.outputs[step->other], s);
        dpcxr_life_extend(&lives.saved[s], s);
    }
    dpcxr_life_extend(&lives.outputs[0], 0); /* written before the first step */
    dpcxr_life_extend(&lives.outputs[plan->graph->output], plan->n_steps);
}

static void live_backward(const CpuPlan *plan, Lives lives)
{
    dpcxr_life_extend(&lives.gradients[plan->graph->output], plan->n_steps);
    dpcxr_life_extend(&lives.gradients[0], 2 * plan->n_steps); /* read after the last step */
    for (int s = 0; s < plan->n_steps; s++) {
        const DpcxrStep *step = &plan->steps[s];
        int time = 2 * plan->n_steps - s;
        dpcxr_life_extend(&lives.gradients[step->y], time);
        dpcxr_life_extend(&lives.gradients[step->x], time);
        if (dpcxr_step_reads_x_again(step))
            dpcxr_life_extend(&lives.outputs[step->x], time);
        if (step->other >= 0) {
            dpcxr_life_extend(&lives.gradients[step->other], time);
            if (dpcxr_step_reads_other_again(step))
                dpcxr_life_extend(&lives.outputs[step->other], time);
        }
        dpcxr_life_extend(&lives.saved[s], time);
    }
}

/* Inputs and output gradients of Gram layers outlive the row. */
static gboolean place_kept(const CpuPlan *plan, CpuLayout *layout)
{
    gboolean good = TRUE;
    for (int s = 0; s < plan->n_steps; s++) {
        if (!dpcxr_cpu_plan_is_gram(plan, s))
            continue;
        CpuTensor *tensors[] = {&layout->outputs[plan->steps[s].x], &layout->gradients[plan->steps[s].y]};
        for (int k = 0; k < 2; k++)
            if (tensors[k]->place != CPU_KEPT) {
                tensors[k]->place = CPU_KEPT;
                good = good && append(&layout->kept, &tensors[k]->offset, tensors[k]->bytes, LINE);
            }
    }
    return good;
}

static CpuTensor tensor_of(const CpuPlan *plan, int i)
{
    gsize size = dpcxr_shape_size(dpcxr_graph_layer(plan->graph, i)->shape);
    return (CpuTensor){
        .type = plan->types[i], .size = size, .bytes = size * dpcxr_cpu_type_size(plan->types[i])};
}

/* Offsets of what lies in the worker's scratch; returns its bytes. */
static gsize place_scratch(const CpuPlan *plan, CpuLayout *layout, gboolean training)
{
    int n = dpcxr_graph_n_layers(plan->graph), all = 2 * n + plan->n_steps;
    g_autofree DpcxrLife *lives = g_new(DpcxrLife, all);
    g_autofree DpcxrLife **placed = g_new(DpcxrLife *, all);
    g_autofree CpuTensor **tensors = g_new(CpuTensor *, all);
    for (int i = 0; i < all; i++) {
        tensors[i] = i < n       ? &layout->outputs[i]
                     : i < 2 * n ? &layout->gradients[i - n]
                                 : &layout->saved[i - 2 * n];
        lives[i] = dpcxr_life_never(tensors[i]->bytes);
    }
    Lives parts = {lives, lives + n, lives + 2 * n};
    live_forward(plan, parts);
    if (training)
        live_backward(plan, parts);
    guint n_placed = 0;
    for (int i = 0; i < n; i++) /* an output and its gradient after each other */
        for (int k = i; k < 2 * n; k += n)
            if (tensors[k]->place == CPU_SCRATCH && tensors[k]->size)
                placed[n_placed++] = &lives[k];
    for (int k = 2 * n; k < all; k++)
        if (tensors[k]->size)
            placed[n_placed++] = &lives[k];
    gsize bytes = dpcxr_place_lives(placed, n_placed, LINE);
    for (guint i = 0; i < n_placed; i++)
        tensors[placed[i] - lives]->offset = placed[i]->offset;
    return bytes;
}

static gboolean place_layout(const CpuPlan *plan, CpuLayout *layout, gboolean training)
{
    int n = dpcxr_graph_n_layers(plan->graph);
    layout->outputs = g_new0(CpuTensor, n);
    layout->gradients = g_new0(CpuTensor, n);
    layout->saved = g_new0(CpuTensor, MAX(plan->n_steps, 1));
    for (int i = 0; i < n; i++)
        layout->outputs[i] = layout->gradients[i] = tensor_of(plan, i);
    if (plan->types[0] == CPU_F32) /* the caller's own; else a copy */
        layout->outputs[0].place = layout->gradients[0].place = CPU_IMAGE;
    else
        layout->outputs[0].place = CPU_SCRATCH,
        layout->gradients[0].place = training ? CPU_SCRATCH : CPU_NOWHERE;
    for (int s = 0; s < plan->n_steps; s++) {
        layout->outputs[plan->steps[s].y].place = CPU_SCRATCH;
        layout->gradients[plan->steps[s].y].place = training ? CPU_SCRATCH : CPU_NOWHERE;
        gsize saved = saved_size(plan, &plan->steps[s], training);
        layout->saved[s] = (CpuTensor){.place = CPU_SCRATCH, .size = saved, .bytes = saved * sizeof(float)};
    }
    if (training && !place_kept(plan, layout))
        return FALSE;
    layout->scratch = place_scratch(plan, layout, training);
    return TRUE;
}

/* --- Blocks --- */

/* Early steps have large feature maps, which a row wants to find in the cache: they run row by row. Late steps have large
 * weights, megabytes that would be fetched from memory again for each row: they run step by step, for all rows of a
 * block. */
static int first_late(const CpuPlan *plan)
{
    for (int s = 0; s < plan->n_steps; s++) {
        const CpuWindow *window = plan->windows[s];
        if (!window)
            continue;
        gsize weights = (gsize)window->n_taps * (gsize)window->in.channels * (gsize)window->out.channels;
        if (weights > dpcxr_shape_size(window->in) + dpcxr_shape_size(window->out))
            return s;
    }
    return plan->n_steps;
}

/* More rows save little more, need memory, which a block may have this much of, and leave workers without work. */
static int block_rows(const CpuPlan *plan, int max_rows, int threads)
{
    const gsize memory = 64 << 20;
    gsize row = MAX(MAX(plan->training.scratch, plan->inference.scratch), 1);
    int jobs = 2 * threads; /* of a full batch, at least */
    return (int)CLAMP(memory / row, 1, (gsize)CLAMP(max_rows / jobs, 1, CPU_BLOCK));
}

gboolean dpcxr_cpu_plan_place(CpuPlan *plan, const DpcxrProgramOptions *options, int threads, GError **error)
{
    for (int i = 0; i < dpcxr_graph_n_layers(plan->graph); i++)
        plan->largest = MAX(plan->largest, tensor_of(plan, i).bytes);
    if (place_gradients(plan) && place_layout(plan, &plan->inference, FALSE) &&
        (!options->training || place_layout(plan, &plan->training, TRUE))) {
        plan->late = first_late(plan);
        plan->block = block_rows(plan, options->max_rows, threads);
        return TRUE;
    }
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY, "the model is too large for this machine");
    return FALSE;
}

static void clear_layout(CpuLayout *layout)
{
    g_free(layout->outputs);
    g_free(layout->gradients);
    g_free(layout->saved);
}

void dpcxr_cpu_plan_clear(CpuPlan *plan)
{
    for (int s = 0; plan->windows && s < plan->n_steps; s++)
        dpcxr_cpu_window_free(plan->windows[s]);
    g_free(plan->windows);
    g_free(plan->steps);
    g_free(plan->wants_gradient);
    g_free(plan->types);
    g_free(plan->gradients);
    clear_layout(&plan->training);
    clear_layout(&plan->inference);
}
