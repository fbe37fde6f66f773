/* SPDX-License-Identifier: MIT
 * Two-dimensional convolution by oneDNN: batch 1, activations NHWC, weights in whatever layout oneDNN likes,
 * packed once after each update. One set of primitives for all workers, memory objects for each. With bf16,
 * tensors and packed weights are in it, and the weights' gradients in f32. */
#include "backend/cpu/internal.h"

enum { FORWARD, DATA, WEIGHTS, PACK_FORWARD, PACK_DATA, UNPACK, REPACK, N_PRIMITIVES };

struct _CpuConv {
    DpcxrOnednnPrimitive primitives[N_PRIMITIVES]; /* those that the layer needs */
    dnnl_memory_desc_t x, y, plain;                /* NHWC, NHWC, OIHW */
    void *packed_forward, *packed_data;            /* owned */
    dnnl_memory_t packed_forward_memory, packed_data_memory, weight_memory, bias_memory;
    int weight, bias; /* parameters; bias -1: none */
};

struct _CpuConvCalls {
    dnnl_memory_t x, y, gradient, values;
    dnnl_memory_t scratchpads[N_PRIMITIVES];
};

/* --- Primitives --- */

typedef struct {
    dnnl_memory_desc_t weights, gradient, bias; /* weights, gradient: in any layout */
    dnnl_dims_t strides, padding;
} Geometry;

static gboolean describe(CpuConv *conv, const CpuWindow *w, dnnl_data_type_t type, Geometry *g,
                         GError **error)
{
    dnnl_dims_t x = {1, w->in.channels, w->in.height, w->in.width};
    dnnl_dims_t y = {1, w->out.channels, w->out.height, w->out.width};
    dnnl_dims_t weights = {w->out.channels, w->in.channels, w->kernel, w->kernel};
    dnnl_dims_t bias = {w->out.channels};
    *g = (Geometry){.strides = {w->stride, w->stride}, .padding = {w->padding, w->padding}};
    return dpcxr_onednn_check(dnnl_memory_desc_init_by_tag(&conv->x, 4, x, type, dnnl_nhwc), "input",
                              error) &&
           dpcxr_onednn_check(dnnl_memory_desc_init_by_tag(&conv->y, 4, y, type, dnnl_nhwc), "output",
                              error) &&
           dpcxr_onednn_check(dnnl_memory_desc_init_by_tag(&conv->plain, 4, weights, dnnl_f32, dnnl_oihw),
                              "weights", error) &&
           dpcxr_onednn_check(
               dnnl_memory_desc_init_by_tag(&g->weights, 4, weights, type, dnnl_format_tag_any), "weights",
               error) &&
           dpcxr_onednn_check(
               dnnl_memory_desc_init_by_tag(&g->gradient, 4, weights, dnnl_f32, dnnl_format_tag_any),
               "gradient", error) &&
           dpcxr_onednn_check(dnnl_memory_desc_init_by_tag(&g->bias, 1, bias, dnnl_f32, dnnl_x), "bias",
                              error);
}

static gboolean make_forward(CpuProgram *program, CpuConv *conv, const Geometry *g, GError **error)
{
    dnnl_convolution_desc_t operation;
    return dpcxr_onednn_check(
               dnnl_convolution_forward_desc_init(&operation, dnnl_forward_training, dnnl_convolution_direct,
                                                  &conv->x, &g->weights, conv->bias >= 0 ? &g->bias : NULL,
                                                  &conv->y, g->strides, g->padding, g->padding),
               "convolution", error) &&
           dpcxr_onednn_primitive_init(&conv->primitives[FORWARD], &operation, program->engine, NULL,
                                       "convolution", error);
}

static gboolean make_data(CpuProgram *program, CpuConv *conv, const Geometry *g, GError **error)
{
    dnnl_convolution_desc_t operation;
    return dpcxr_onednn_check(dnnl_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct,
                                                                       &conv->x, &g->weights, &conv->y,
                                                                       g->strides, g->padding, g->padding),
                              "convolution backward data", error) &&
           dpcxr_onednn_primitive_init(&conv->primitives[DATA], &operation, program->engine,
                                       &conv->primitives[FORWARD], "convolution backward data", error);
}

static gboolean make_weights(CpuProgram *program, CpuConv *conv, const Geometry *g, GError **error)
{
    dnnl_convolution_desc_t operation;
    if (!dpcxr_onednn_check(dnnl_convolution_backward_weights_desc_init(
                                &operation, dnnl_convolution_direct, &conv->x, &g->gradient, NULL, &conv->y,
                                g->strides, g->padding, g->padding),
                            "convolution backward weights", error) ||
        !dpcxr_onednn_primitive_init(&conv->primitives[WEIGHTS], &operation, program->engine,
                                     &conv->primitives[FORWARD], "convolution backward weights", error))
        return FALSE;
    const dnnl_memory_desc_t *layout =
        dpcxr_onednn_layout(&conv->primitives[WEIGHTS], dnnl_query_diff_weights_md);
    program->plan.gradients[conv->weight].size = dnnl_memory_desc_get_size(layout) / sizeof(float);
    return dpcxr_onednn_reorder_init(&conv->primitives[UNPACK], layout, &conv->plain, program->engine,
                                     "reorder", error) &&
           dpcxr_onednn_reorder_init(&conv->primitives[REPACK], &conv->plain, layout, program->engine,
                                     "reorder", error);
}

/* The reorder from PyTorch's weights into the layout of @primitive, and a place for them. */
static gboolean make_packed(CpuProgram *program, CpuConv *conv, int primitive, int pack, void **packed,
                            dnnl_memory_t *memory, GError **error)
{
    const dnnl_memory_desc_t *layout =
        dpcxr_onednn_layout(&conv->primitives[primitive], dnnl_query_weights_md);
    gsize bytes = dnnl_memory_desc_get_size(layout);
    if (!dpcxr_onednn_reorder_init(&conv->primitives[pack], &conv->plain, layout, program->engine, "reorder",
                                   error) ||
        !dpcxr_cpu_allocate(program, packed, bytes, 1, "weights", error))
        return FALSE;
    return dpcxr_onednn_check(dnnl_memory_create(memory, layout, program->engine, *packed), "memory", error);
}

static gboolean make_all(CpuProgram *program, int step, CpuConv *conv, GError **error)
{
    Geometry g;
    gboolean training = program->base.options.training;
    float *weight = dpcxr_banks_tensor(&program->banks, DPCXR_BANK_WEIGHT, conv->weight);
    dnnl_data_type_t type =
        program->plan.types[program->plan.steps[step].x] == CPU_BF16 ? dnnl_bf16 : dnnl_f32;
    if (!describe(conv, program->plan.windows[step], type, &g, error) ||
        !make_forward(program, conv, &g, error) ||
        !make_packed(program, conv, FORWARD, PACK_FORWARD, &conv->packed_forward,
                     &conv->packed_forward_memory, error) ||
        !dpcxr_onednn_check(dnnl_memory_create(&conv->weight_memory, &conv->plain, program->engine, weight),
                            "memory", error))
        return FALSE;
    if (conv->bias >= 0 &&
        !dpcxr_onednn_check(
            dnnl_memory_create(&conv->bias_memory, &g.bias, program->engine,
                               dpcxr_banks_tensor(&program->banks, DPCXR_BANK_WEIGHT, conv->bias)),
            "memory", error))
        return FALSE;
    if (training &&
        (!make_data(program, conv, &g, error) ||
         !make_packed(program, conv, DATA, PACK_DATA, &conv->packed_data, &conv->packed_data_memory, error)))
        return FALSE;
    return !training || dpcxr_cpu_plan_is_gram(&program->plan, step) ||
           make_weights(program, conv, &g, error);
}

gboolean dpcxr_cpu_conv2d_compile(CpuProgram *program, int step, GError **error)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(program->base.graph, program->plan.steps[step].layer);
    CpuConv *conv = program->convs[step] = g_new0(CpuConv, 1);
    conv->weight = layer->parameters[0];
    conv->bias = layer->parameters[1];
    if (!make_all(program, step, conv, error)) {
        g_prefix_error(error, "%s: ", dpcxr_graph_parameter(program->base.graph, conv->weight)->name);
        return FALSE;
    }
    for (int k = 0; k < N_PRIMITIVES; k++)
        if (conv->primitives[k].primitive)
            program->scratchpad =
                MAX(program->scratchpad, dnnl_memory_desc_get_size(dpcxr_onednn_layout(
                                             &conv->primitives[k], dnnl_query_scratchpad_md)));
    return TRUE;
}

static void destroy(dnnl_memory_t memory)
{
    if (memory)
        dnnl_memory_destroy(memory);
}

void dpcxr_cpu_conv2d_free(CpuConv *conv)
{
    if (!conv)
        return;
    destroy(conv->packed_forward_memory);
    destroy(conv->packed_data_memory);
    destroy(conv->weight_memory);
    destroy(conv->bias_memory);
    for (int k = 0; k < N_PRIMITIVES; k++)
        dpcxr_onednn_primitive_clear(&conv->primitives[k]);
    free(conv->packed_forward);
    free(conv->packed_data);
    g_free(conv);
}

/* --- Calls --- */

static gboolean make_memories(CpuProgram *program, CpuWorker *worker, const CpuConv *conv,
                              CpuConvCalls *calls, GError **error)
{
    dnnl_engine_t engine = program->engine;
    if (!dpcxr_onednn_check(dnnl_memory_create(&calls->x, &conv->x, engine, DNNL_MEMORY_NONE), "memory",
                            error) ||
        !dpcxr_onednn_check(dnnl_memory_create(&calls->y, &conv->y, engine, DNNL_MEMORY_NONE), "memory",
                            error) ||
        !dpcxr_onednn_check(dnnl_memory_create(&calls->values, &conv->plain, engine, DNNL_MEMORY_NONE),
                            "memory", error))
        return FALSE;
    const DpcxrOnednnPrimitive *weights = &conv->primitives[WEIGHTS];
    if (weights->primitive &&
        !dpcxr_onednn_check(dnnl_memory_create(&calls->gradient,
                                               dpcxr_onednn_layout(weights, dnnl_query_diff_weights_md),
                                               engine, DNNL_MEMORY_NONE),
                            "memory", error))
        return FALSE;
    for (int k = 0; k < N_PRIMITIVES; k++)
        if (conv->primitives[k].primitive &&
            !dpcxr_onednn_check(
                dnnl_memory_create(&calls->scratchpads[k],
                                   dpcxr_onednn_layout(&conv->primitives[k], dnnl_query_scratchpad_md),
                                   engine, worker->scratchpad ? worker->scratchpad : DNNL_MEMORY_NONE),
                "memory", error))
            return FALSE;
    return TRUE;
}

CpuConvCalls *dpcxr_cpu_conv2d_calls_new(CpuProgram *program, CpuWorker *worker, int step, GError **error)
{
    CpuConvCalls *calls = g_new0(CpuConvCalls, 1);
    if (make_memories(program, worker, program->convs[step], calls, error))
        return calls;
    dpcxr_cpu_conv2d_calls_free(calls);
    return NULL;
}

void dpcxr_cpu_conv2d_calls_free(CpuConvCalls *calls)
{
    if (!calls)
        return;
    destroy(calls->x);
    destroy(calls->y);
    destroy(calls->gradient);
    destroy(calls->values);
    for (int k = 0; k < N_PRIMITIVES; k++)
        destroy(calls->scratchpads[k]);
    g_free(calls);
}

/* The memories stand for other tensors with each call; that is a pointer, not a copy. */
static gboolean point(dnnl_memory_t memory, const void *at, GError **error)
{
    return dpcxr_onednn_check(dnnl_memory_set_data_handle(memory, (void *)at), "memory", error);
}

static gboolean execute(const CpuConv *conv, CpuWorker *worker, const CpuConvCalls *calls, int primitive,
                        dnnl_exec_arg_t a, dnnl_exec_arg_t b, dnnl_exec_arg_t c, dnnl_exec_arg_t d,
                        const char *what, GError **error)
{
    dnnl_exec_arg_t arguments[5] = {a, b, {DNNL_ARG_SCRATCHPAD, calls->scratchpads[primitive]}};
    int n = 3;
    if (c.memory)
        arguments[n++] = c;
    if (d.memory)
        arguments[n++] = d;
    return dpcxr_onednn_check(
        dnnl_primitive_execute(conv->primitives[primitive].primitive, worker->stream, n, arguments), what,
        error);
}

static const dnnl_exec_arg_t none;

static gboolean forward(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    const CpuConv *conv = row->program->convs[s];
    const CpuConvCalls *calls = row->worker->convs[s];
    return point(calls->x, dpcxr_cpu_output(row, step->x), error) &&
           point(calls->y, dpcxr_cpu_output(row, step->y), error) &&
           execute(conv, row->worker, calls, FORWARD, (dnnl_exec_arg_t){DNNL_ARG_SRC, calls->x},
                   (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, conv->packed_forward_memory},
                   (dnnl_exec_arg_t){DNNL_ARG_DST, calls->y},
                   conv->bias >= 0 ? (dnnl_exec_arg_t){DNNL_ARG_BIAS, conv->bias_memory} : none,
                   "convolution", error);
}

/* The weights' gradient of this row into @gradient, in oneDNN's layout. */
static gboolean backward_weights(CpuRow *row, int s, float *gradient, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    const CpuConvCalls *calls = row->worker->convs[s];
    return point(calls->x, dpcxr_cpu_output(row, step->x), error) &&
           point(calls->y, dpcxr_cpu_gradient(row, step->y), error) &&
           point(calls->gradient, gradient, error) &&
           execute(row->program->convs[s], row->worker, calls, WEIGHTS,
                   (dnnl_exec_arg_t){DNNL_ARG_SRC, calls->x}, (dnnl_exec_arg_t){DNNL_ARG_DIFF_DST, calls->y},
                   (dnnl_exec_arg_t){DNNL_ARG_DIFF_WEIGHTS, calls->gradient}, none,
                   "convolution backward weights", error);
}

static gboolean backward_data(CpuRow *row, int s, GError **error)
{
    const DpcxrStep *step = &row->program->plan.steps[s];
    const CpuConv *conv = row->program->convs[s];
    const CpuConvCalls *calls = row->worker->convs[s];
    if (!point(calls->y, dpcxr_cpu_gradient(row, step->y), error) ||
        !point(calls->x, dpcxr_cpu_gradient_begin(row, step->x), error) ||
        !execute(conv, row->worker, calls, DATA, (dnnl_exec_arg_t){DNNL_ARG_DIFF_DST, calls->y},
                 (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, conv->packed_data_memory},
                 (dnnl_exec_arg_t){DNNL_ARG_DIFF_SRC, calls->x}, none, "convolution backward data", error))
        return FALSE;
    dpcxr_cpu_gradient_end(row, step->x);
    return TRUE;
}

static gboolean backward(CpuRow *row, int s, GError **error)
{
    const CpuProgram *program = row->program;
    const DpcxrStep *step = &program->plan.steps[s];
    const CpuConv *conv = program->convs[s];
    const CpuWindow *window = program->plan.windows[s];
    if (conv->bias >= 0) {
        dpcxr_cpu_kernels_of(row, step->y)
            ->channel_sums(dpcxr_cpu_gradient(row, step->y), (gsize)window->positions, window->out.channels,
                           row->worker->sums);
        dpcxr_cpu_slot_add(row, conv->bias, row->worker->sums);
    }
    if (!dpcxr_cpu_plan_is_gram(&program->plan, s)) {
        float *slot = dpcxr_cpu_slot(row, conv->weight), *gradient = row->first ? slot : row->worker->spare;
        if (!backward_weights(row, s, gradient, error))
            return FALSE;
        if (!row->first)
            program->kernels->add(slot, gradient, program->plan.gradients[conv->weight].size);
    }
    return !dpcxr_cpu_wants(row, step->x) || backward_data(row, s, error);
}

const CpuOperation dpcxr_cpu_conv2d = {forward, backward};

/* --- Layouts --- */

typedef struct {
    CpuProgram *program;
} Pack;

/* Job 2 s packs the forward weights of step s, job 2 s + 1 those of backward data. */
static void pack(gpointer data, int i, int thread)
{
    CpuProgram *program = ((Pack *)data)->program;
    CpuWorker *worker = &program->workers[thread];
    int s = i / 2, primitive = i % 2 ? PACK_DATA : PACK_FORWARD;
    const CpuConv *conv = program->convs[s];
    if (!conv || !conv->primitives[primitive].primitive || worker->error)
        return;
    execute(conv, worker, worker->convs[s], primitive, (dnnl_exec_arg_t){DNNL_ARG_FROM, conv->weight_memory},
            (dnnl_exec_arg_t){DNNL_ARG_TO, i % 2 ? conv->packed_data_memory : conv->packed_forward_memory},
            none, none, "reorder of weights", &worker->error);
}

gboolean dpcxr_cpu_conv2d_pack(CpuProgram *program, GError **error)
{
    Pack job = {program};
    if (!program->packed && !dpcxr_cpu_run(program, 2 * program->plan.n_steps, pack, &job, error))
        return FALSE;
    program->packed = TRUE;
    return TRUE;
}

gboolean dpcxr_cpu_conv2d_unpack(CpuProgram *program, CpuWorker *worker, int step, float *packed,
                                 float *values, GError **error)
{
    const CpuConvCalls *calls = worker->convs[step];
    return point(calls->gradient, packed, error) && point(calls->values, values, error) &&
           execute(program->convs[step], worker, calls, UNPACK,
                   (dnnl_exec_arg_t){DNNL_ARG_FROM, calls->gradient},
                   (dnnl_exec_arg_t){DNNL_ARG_TO, calls->values}, none, none, "reorder of a gradient", error);
}

gboolean dpcxr_cpu_conv2d_repack(CpuProgram *program, CpuWorker *worker, int step, const float *values,
                                 float *packed, GError **error)
{
    const CpuConvCalls *calls = worker->convs[step];
    return point(calls->values, values, error) && point(calls->gradient, packed, error) &&
           execute(
               program->convs[step], worker, calls, REPACK, (dnnl_exec_arg_t){DNNL_ARG_FROM, calls->values},
               (dnnl_exec_arg_t){DNNL_ARG_TO, calls->gradient}, none, none, "reorder of a gradient", error);
}
