/* SPDX-License-Identifier: MIT
 * The least of a few repeats is what counts: whatever else the machine does only adds. */
#include "bench/ops.h"
#include "backend/cpu/cpu.h"
#include "backend/vulkan/vulkan.h"
#include "bench/flop.h"
#include "bench/numbers.h"
#include "bench/op-graph.h"
#include "bench/resnet9.h"
#include <math.h>

const char *dpcxr_bench_op_part_name(BenchOpPart part)
{
    static const char *const names[BENCH_N_OP_PARTS] = {"forward",    "backward_data", "direct_weights",
                                                        "direct_sum", "gram_norm",     "gram_product",
                                                        "weights",    "phase_b"};
    return names[part];
}

double dpcxr_op_times_regret(const DpcxrOpTimes *times)
{
    return times->takes_gram ? times->gram / times->direct : times->direct / times->gram;
}

static void clear_times(gpointer data)
{
    DpcxrOpTimes *times = data;
    g_free(times->name);
    g_free(times->shape);
}

/* --- One operation by one backend --- */

typedef struct {
    DpcxrProgram *program;
    int batch;
    float *images, *output_gradient, *input_gradient, *outputs, *losses, *row_weights, *coefficients;
    double *norms2;
    int *unit_offsets;
} Operation;

/* Seconds of the seam's entries, the least of all repeats. */
typedef struct {
    double forward, phase_a, phase_a_data, phase_b;
    gboolean takes_gram; /* of vulkan, where there are weights */
} Entries;

static void operation_close(Operation *operation)
{
    dpcxr_program_free(operation->program);
    gpointer buffers[] = {operation->images,      operation->output_gradient, operation->input_gradient,
                          operation->outputs,     operation->losses,          operation->row_weights,
                          operation->coefficients, operation->norms2,         operation->unit_offsets};
    for (guint i = 0; i < G_N_ELEMENTS(buffers); i++)
        g_free(buffers[i]);
}

static gboolean operation_open(Operation *operation, const DpcxrBackend *backend, const DpcxrGraph *graph,
                               const DpcxrOpsBench *bench, GError **error)
{
    DpcxrProgramOptions options = {.max_rows = bench->batch,
                                   .max_units = bench->batch,
                                   .threads = bench->threads,
                                   .device = bench->device,
                                   .tuning = bench->tuning,
                                   .precision = bench->precision,
                                   .training = TRUE,
                                   .norms = TRUE,
                                   .n_groups = 1};
    gsize batch = (gsize)bench->batch, in = dpcxr_shape_size(dpcxr_graph_layer(graph, 0)->shape),
          out = dpcxr_shape_size(dpcxr_graph_layer(graph, graph->output)->shape);
    *operation = (Operation){.program = dpcxr_program_new(backend, graph, &options, error), .batch = bench->batch};
    if (!operation->program || !dpcxr_bench_initialise(operation->program, error))
        return FALSE;
    operation->images = dpcxr_bench_values(batch * in, 4);
    operation->output_gradient = dpcxr_bench_values(batch * out, 5);
    operation->input_gradient = g_new(float, batch * in);
    operation->outputs = g_new(float, batch * out);
    operation->losses = g_new(float, batch);
    operation->row_weights = g_new(float, batch);
    operation->coefficients = g_new(float, batch);
    operation->norms2 = g_new(double, batch * (gsize)MAX(operation->program->n_parameters, 1));
    operation->unit_offsets = g_new(int, batch + 1);
    for (gsize i = 0; i < batch; i++)
        operation->row_weights[i] = operation->coefficients[i] = 1;
    for (int i = 0; i <= bench->batch; i++)
        operation->unit_offsets[i] = i;
    return TRUE;
}

static gboolean phase_a(Operation *operation, gboolean data, GError **error)
{
    DpcxrBatch batch = {.rows = operation->batch,
                        .images = operation->images,
                        .row_weights = operation->row_weights,
                        .units = operation->batch,
                        .unit_offsets = operation->unit_offsets,
                        .output_gradient = operation->output_gradient};
    DpcxrBatchResult result = {operation->losses, operation->outputs, operation->norms2,
                               data ? operation->input_gradient : NULL};
    return dpcxr_program_phase_a(operation->program, &batch, &result, error);
}

/* Keeps the least in *@best; @start moves on. */
static void keep(double *best, double *start)
{
    double now = dpcxr_bench_now();
    *best = MIN(*best, now - *start);
    *start = now;
}

static gboolean run_once(Operation *operation, Entries *entries, GError **error)
{
    DpcxrProgram *program = operation->program;
    double start = dpcxr_bench_now();
    if (!dpcxr_program_forward(program, operation->batch, operation->images, operation->outputs, error))
        return FALSE;
    keep(&entries->forward, &start);
    if (!phase_a(operation, TRUE, error))
        return FALSE;
    keep(&entries->phase_a_data, &start);
    if (!phase_a(operation, FALSE, error))
        return FALSE;
    keep(&entries->phase_a, &start);
    if (!dpcxr_program_phase_b(program, DPCXR_BANK_SUM, operation->coefficients, error) ||
        (program->backend == &dpcxr_backend_vulkan && !dpcxr_vulkan_finish(program, error)))
        return FALSE;
    keep(&entries->phase_b, &start);
    return TRUE;
}

/* One repeat more than asked for: the first one touches everything for the first time. */
static gboolean measure(const DpcxrBackend *backend, const DpcxrGraph *graph, const DpcxrOpsBench *bench,
                        Entries *entries, GError **error)
{
    Operation operation;
    *entries = (Entries){INFINITY, INFINITY, INFINITY, INFINITY, FALSE};
    gboolean good = operation_open(&operation, backend, graph, bench, error);
    for (int repeat = 0; good && repeat <= bench->repeats; repeat++)
        good = run_once(&operation, entries, error);
    gboolean gram = good && backend == &dpcxr_backend_vulkan && operation.program->n_parameters > 0 &&
                    dpcxr_vulkan_takes_gram(operation.program, 0);
    operation_close(&operation);
    double batch = bench->batch;
    *entries = (Entries){entries->forward / batch, entries->phase_a / batch, entries->phase_a_data / batch,
                         entries->phase_b / batch, gram};
    return good;
}

/* --- From entries to parts --- */

static double beyond(double whole, double part)
{
    return MAX(whole - part, 0);
}

static void take_forward_and_data(DpcxrOpTimes *times, const Entries *entries)
{
    times->seconds[BENCH_OP_FORWARD] = entries->forward;
    times->seconds[BENCH_OP_DATA] = beyond(entries->phase_a_data, entries->phase_a);
}

static gboolean time_direct(DpcxrOpTimes *times, const DpcxrGraph *graph, const DpcxrOpsBench *bench, GError **error)
{
    Entries entries;
    if (!measure(&dpcxr_backend_cpu_direct, graph, bench, &entries, error))
        return FALSE;
    take_forward_and_data(times, &entries);
    times->seconds[BENCH_OP_DIRECT_WEIGHTS] = beyond(entries.phase_a, entries.forward);
    times->seconds[BENCH_OP_DIRECT_SUM] = entries.phase_b;
    times->direct = times->seconds[BENCH_OP_DIRECT_WEIGHTS] + entries.phase_b;
    return TRUE;
}

static gboolean time_gram(DpcxrOpTimes *times, const DpcxrGraph *graph, const DpcxrOpsBench *bench, GError **error)
{
    Entries entries;
    if (!measure(&dpcxr_backend_cpu_gram, graph, bench, &entries, error))
        return FALSE;
    if (isnan(times->seconds[BENCH_OP_FORWARD]))
        take_forward_and_data(times, &entries);
    times->seconds[BENCH_OP_GRAM_NORM] = beyond(entries.phase_a, entries.forward);
    times->seconds[BENCH_OP_GRAM_PRODUCT] = entries.phase_b;
    times->gram = times->seconds[BENCH_OP_GRAM_NORM] + entries.phase_b;
    return TRUE;
}

static gboolean time_both(DpcxrOpTimes *times, const DpcxrGraph *graph, const DpcxrCpuCost *cost,
                             const DpcxrOpsBench *bench, GError **error)
{
    times->has_methods = TRUE;
    times->takes_gram = cost->takes_gram;
    times->work[BENCH_OP_DIRECT_WEIGHTS] = times->work[BENCH_OP_GRAM_PRODUCT] = times->work[BENCH_OP_FORWARD];
    return (cost->direct > 10 * cost->gram || time_direct(times, graph, bench, error)) &&
           (cost->gram > 10 * cost->direct || time_gram(times, graph, bench, error));
}

/* Whichever forms the gradient, the unit's or the sum, has a product's arithmetic. */
static gboolean time_one(DpcxrOpTimes *times, const DpcxrGraph *graph, const DpcxrOpsBench *bench, GError **error)
{
    Entries entries;
    if (!measure(bench->backend, graph, bench, &entries, error))
        return FALSE;
    take_forward_and_data(times, &entries);
    times->seconds[BENCH_OP_WEIGHTS] = beyond(entries.phase_a, entries.forward);
    times->seconds[BENCH_OP_SUM] = entries.phase_b;
    times->takes_gram = entries.takes_gram;
    times->work[entries.takes_gram ? BENCH_OP_SUM : BENCH_OP_WEIGHTS] = times->work[BENCH_OP_FORWARD];
    return TRUE;
}

static gboolean time_weights(DpcxrOpTimes *times, const DpcxrGraph *graph, const DpcxrOpsBench *bench, GError **error)
{
    DpcxrCpuCost cost;
    times->has_weights = TRUE;
    times->work[BENCH_OP_FORWARD] = times->work[BENCH_OP_DATA] = dpcxr_bench_layer_flop(graph, 1);
    return bench->backend == &dpcxr_backend_cpu && dpcxr_cpu_cost(graph, 1, &cost)
               ? time_both(times, graph, &cost, bench, error)
               : time_one(times, graph, bench, error);
}

/* Bytes that have to pass: forward reads x and writes y; backward reads dy, and x again except in average pooling,
 * and writes dx. A residual is read as well, and its gradient is written. */
static void count_bytes(DpcxrOpTimes *times, const DpcxrGraph *graph, DpcxrPrecision precision)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(graph, 1);
    double element = precision == DPCXR_PRECISION_FP32 ? 4 : 2, x = element * (double)dpcxr_shape_size(dpcxr_graph_layer(graph, 0)->shape),
           y = element * (double)dpcxr_shape_size(layer->shape);
    times->is_bytes = TRUE;
    times->work[BENCH_OP_FORWARD] = x + y;
    times->work[BENCH_OP_DATA] = layer->type == DPCXR_LAYER_GROUP_NORM ? 2 * x + y : x + y;
}

static gboolean time_other(DpcxrOpTimes *times, const DpcxrGraph *graph, const DpcxrOpsBench *bench, GError **error)
{
    Entries entries;
    if (!measure(bench->backend, graph, bench, &entries, error))
        return FALSE;
    /* A norm's own gradients come with its input's, in one pass. */
    times->seconds[BENCH_OP_FORWARD] = entries.forward;
    times->seconds[BENCH_OP_DATA] = beyond(entries.phase_a_data, entries.forward);
    count_bytes(times, graph, bench->precision);
    return TRUE;
}

/* --- All of them --- */

static char *name_of(const DpcxrGraph *model, int i)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(model, i);
    if (layer->parameters[0] < 0)
        return g_strdup(dpcxr_layer_type_name(layer->type));
    char *name = g_strdup(dpcxr_graph_parameter(model, layer->parameters[0])->name);
    char *dot = g_strrstr(name, ".");
    if (dot)
        *dot = 0;
    return name;
}

static char *shape_of(const DpcxrGraph *model, int i)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(model, i);
    DpcxrShape in = dpcxr_graph_layer(model, layer->inputs[0])->shape, out = layer->shape;
    g_autofree char *kernel = layer->kernel ? g_strdup_printf(", %dx%d / %d", layer->kernel, layer->kernel, layer->stride)
                                            : g_strdup("");
    return g_strdup_printf("%dx%dx%d > %dx%dx%d%s", in.height, in.width, in.channels, out.height, out.width, out.channels,
                           kernel);
}

static gboolean time_layer(GArray *all, const DpcxrGraph *model, int i, const DpcxrOpsBench *bench, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(DpcxrGraph) graph = dpcxr_bench_op_graph(model, i, &cause);
    if (!graph) {
        if (!cause)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    gboolean has_weights = dpcxr_bench_layer_flop(graph, 1) > 0;
    if (bench->weights_only && !has_weights)
        return TRUE;
    DpcxrOpTimes times = {.name = name_of(model, i), .shape = shape_of(model, i), .direct = NAN, .gram = NAN};
    for (int part = 0; part < BENCH_N_OP_PARTS; part++)
        times.seconds[part] = times.work[part] = NAN;
    gboolean good = (has_weights ? time_weights : time_other)(&times, graph, bench, error);
    if (dpcxr_graph_layer(model, i)->inputs[0] == 0) /* nobody wants the images' gradient */
        times.seconds[BENCH_OP_DATA] = NAN;
    g_array_append_val(all, times);
    return good;
}

GArray *dpcxr_bench_ops(const DpcxrOpsBench *bench, GError **error)
{
    g_autoptr(DpcxrGraph) model = dpcxr_bench_resnet9(bench->size, error);
    if (!model)
        return NULL;
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(DpcxrOpTimes));
    g_array_set_clear_func(all, clear_times);
    for (int i = 1; i < dpcxr_graph_n_layers(model); i++)
        if (!time_layer(all, model, i, bench, error))
            return NULL;
    return g_steal_pointer(&all);
}
