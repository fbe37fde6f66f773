/* SPDX-License-Identifier: MIT
 * The reference program: layers in order on one image, backward in reverse, and one whole gradient for each unit. It
 * keeps units x parameters floats, which is why it is for checking and for tiny networks. */
#include "backend/ref/ref.h"
#include "backend/banks.h"
#include "backend/grid.h"
#include "base/workers.h"
#include <math.h>
#include <string.h>

typedef struct {
    float **y, **dy; /* [layers] outputs and their gradients; dy of layer 0 is the gradient of the image */
} Activations;

typedef struct {
    DpcxrProgram base;
    DpcxrBanks banks;
    DpcxrWorkers *workers;
    Activations *scratch; /* [threads] */
    float *unit_gradients; /* [max_units, all parameters] */
    gsize *offsets;        /* [parameters + 1] into one unit's gradient */
    gint64 *integers;      /* [all parameters] SUM on a grid; NULL without */
} RefProgram;

static const DpcxrRefOp *const ops[DPCXR_N_LAYER_TYPES] = {
    [DPCXR_LAYER_CONV2D] = &dpcxr_ref_conv2d,
    [DPCXR_LAYER_GROUP_NORM] = &dpcxr_ref_group_norm,
    [DPCXR_LAYER_LINEAR] = &dpcxr_ref_linear,
    [DPCXR_LAYER_RELU] = &dpcxr_ref_relu,
    [DPCXR_LAYER_MISH] = &dpcxr_ref_mish,
    [DPCXR_LAYER_ADD] = &dpcxr_ref_add,
    [DPCXR_LAYER_MAX_POOL2D] = &dpcxr_ref_max_pool2d,
    [DPCXR_LAYER_GLOBAL_AVERAGE_POOL] = &dpcxr_ref_global_average_pool,
};

static DpcxrRefCall call_of(const RefProgram *program, const Activations *a, int i)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(program->base.graph, i);
    DpcxrRefCall call = {.layer = layer, .y = a->y[i], .dy = a->dy[i]};
    for (int k = 0; k < 2; k++)
        if (layer->inputs[k] >= 0) {
            call.x[k] = a->y[layer->inputs[k]];
            call.in = dpcxr_graph_layer(program->base.graph, layer->inputs[k])->shape;
        }
    if (layer->parameters[0] >= 0)
        call.weight = program->banks.tensors[DPCXR_BANK_WEIGHT][layer->parameters[0]];
    if (layer->parameters[1] >= 0)
        call.bias = program->banks.tensors[DPCXR_BANK_WEIGHT][layer->parameters[1]];
    return call;
}

static void run_forward(const RefProgram *program, Activations *a, const float *image)
{
    const DpcxrGraph *graph = program->base.graph;
    memcpy(a->y[0], image, dpcxr_shape_size(dpcxr_graph_layer(graph, 0)->shape) * sizeof(float));
    for (int i = 1; i <= graph->output; i++) {
        DpcxrRefCall call = call_of(program, a, i);
        ops[call.layer->type]->forward(&call);
    }
}

/* From a->dy[output], already filled, down to the input. @gradient: += the parameters' gradients of this image. */
static void run_backward(const RefProgram *program, Activations *a, float *gradient, gboolean input_gradient)
{
    const DpcxrGraph *graph = program->base.graph;
    for (int i = 0; i < graph->output; i++)
        memset(a->dy[i], 0, dpcxr_shape_size(dpcxr_graph_layer(graph, i)->shape) * sizeof(float));
    for (int i = graph->output; i > 0; i--) {
        DpcxrRefCall call = call_of(program, a, i);
        for (int k = 0; k < 2; k++) {
            int from = call.layer->inputs[k];
            if (from > 0 || (from == 0 && input_gradient))
                call.dx[k] = a->dy[from];
        }
        if (call.weight)
            call.dweight = gradient + program->offsets[call.layer->parameters[0]];
        if (call.bias)
            call.dbias = gradient + program->offsets[call.layer->parameters[1]];
        ops[call.layer->type]->backward(&call);
    }
}

/* An upper bound: the f64 sum of squares of n f32 values is off by less than n + 2 roundings, and so is the f32 product
 * with a coefficient in phase B. */
static double norm2_bound(const float *gradient, gsize n)
{
    double sum = 0;
    for (gsize i = 0; i < n; i++)
        sum += (double)gradient[i] * gradient[i];
    double bound = sum * (1 + (double)(n + 2) * 0x1p-52) * (1 + 0x1p-22);
    return isfinite(bound) ? bound : INFINITY;
}

typedef struct {
    RefProgram *program;
    const DpcxrBatch *batch;
    DpcxrBatchResult *result;
} PhaseA;

static void row_phase_a(const PhaseA *job, Activations *a, int row, float *gradient)
{
    RefProgram *program = job->program;
    const DpcxrGraph *graph = program->base.graph;
    gsize image = dpcxr_shape_size(dpcxr_graph_layer(graph, 0)->shape);
    gsize outputs = (gsize)program->base.n_outputs;
    run_forward(program, a, job->batch->images + (gsize)row * image);
    const float *logits = a->y[graph->output];
    memcpy(job->result->logits + (gsize)row * outputs, logits, outputs * sizeof(float));
    if (job->batch->output_gradient) {
        memcpy(a->dy[graph->output], job->batch->output_gradient + (gsize)row * outputs, outputs * sizeof(float));
        job->result->losses[row] = 0;
    } else {
        job->result->losses[row] = dpcxr_ref_bce(
            logits, job->batch->targets + (gsize)row * outputs, job->batch->mask + (gsize)row * outputs,
            program->base.options.pos_weight, (int)outputs, job->batch->row_weights[row], a->dy[graph->output]);
    }
    run_backward(program, a, gradient, job->result->input_gradient != NULL);
    if (job->result->input_gradient)
        memcpy(job->result->input_gradient + (gsize)row * image, a->dy[0], image * sizeof(float));
}

static void unit_phase_a(gpointer data, int unit, int thread)
{
    PhaseA *job = data;
    RefProgram *program = job->program;
    int n = program->base.n_parameters;
    float *gradient = n > 0 ? program->unit_gradients + (gsize)unit * program->offsets[n] : NULL;
    if (gradient && job->batch->piece != DPCXR_NEXT_PIECE)
        memset(gradient, 0, program->offsets[n] * sizeof(float));
    for (int row = job->batch->unit_offsets[unit]; row < job->batch->unit_offsets[unit + 1]; row++)
        row_phase_a(job, &program->scratch[thread], row, gradient);
    for (int i = 0; program->base.options.norms && i < n; i++)
        job->result->norms2[(gsize)i * job->batch->units + unit] =
            norm2_bound(gradient + program->offsets[i], dpcxr_graph_parameter(program->base.graph, i)->size);
}

static gboolean phase_a(DpcxrProgram *base, const DpcxrBatch *batch, DpcxrBatchResult *result, GError **error)
{
    PhaseA job = {(RefProgram *)base, batch, result};
    dpcxr_workers_run(job.program->workers, batch->units, unit_phase_a, &job);
    return TRUE;
}

static gboolean phase_b(DpcxrProgram *base, DpcxrBank bank, const float *coefficients, GError **error)
{
    RefProgram *program = (RefProgram *)base;
    if (!dpcxr_banks_need(&program->banks, bank, error))
        return FALSE;
    for (int i = 0; i < base->n_parameters; i++)
        for (int unit = 0; unit < base->units; unit++) {
            float c = coefficients[(gsize)base->options.group_of[i] * base->units + unit];
            const float *gradient =
                program->unit_gradients + (gsize)unit * program->offsets[base->n_parameters] + program->offsets[i];
            for (gsize k = 0; c != 0 && k < dpcxr_graph_parameter(base->graph, i)->size; k++)
                program->banks.tensors[bank][i][k] += c * gradient[k];
        }
    return TRUE;
}

static gboolean bank_norms(DpcxrProgram *base, DpcxrBank bank, double *norms2, GError **error)
{
    RefProgram *program = (RefProgram *)base;
    if (!dpcxr_banks_need(&program->banks, bank, error))
        return FALSE;
    for (int i = 0; i < base->n_parameters; i++)
        norms2[i] = norm2_bound(program->banks.tensors[bank][i], dpcxr_graph_parameter(base->graph, i)->size);
    return TRUE;
}

static gboolean fold(DpcxrProgram *base, const float *coefficients, GError **error)
{
    DpcxrBanks *banks = &((RefProgram *)base)->banks;
    if (!dpcxr_banks_need(banks, DPCXR_BANK_UNIT, error))
        return FALSE;
    for (int i = 0; i < base->n_parameters; i++) {
        float c = coefficients[base->options.group_of[i]];
        for (gsize k = 0; c != 0 && k < dpcxr_graph_parameter(base->graph, i)->size; k++)
            banks->tensors[DPCXR_BANK_SUM][i][k] += c * banks->tensors[DPCXR_BANK_UNIT][i][k];
    }
    return TRUE;
}

/* The unit's integers in element @at of parameter @i. */
static gboolean grid_value(const RefProgram *program, const float *coefficients, double scale, int unit, int i, gsize at,
                           gint64 *value)
{
    const DpcxrProgram *base = &program->base;
    float c = coefficients[(gsize)base->options.group_of[i] * base->units + unit];
    const float *gradient = program->unit_gradients + (gsize)unit * program->offsets[base->n_parameters];
    *value = 0;
    return c == 0 || dpcxr_grid_round((double)gradient[at] * (c * scale), value);
}

static gboolean fits_grid(const RefProgram *program, const float *coefficients, double scale, double limit, int unit)
{
    double sum = 0;
    for (int i = 0; i < program->base.n_parameters; i++)
        for (gsize at = program->offsets[i]; at < program->offsets[i + 1]; at++) {
            gint64 value;
            if (!grid_value(program, coefficients, scale, unit, i, at, &value))
                return FALSE;
            sum += (double)value * (double)value;
        }
    return dpcxr_grid_bound(sum, program->offsets[program->base.n_parameters]) <= limit;
}

static gboolean phase_b_grid(DpcxrProgram *base, const float *coefficients, double scale, double limit, gboolean *dropped,
                             GError **error)
{
    RefProgram *program = (RefProgram *)base;
    for (int unit = 0; unit < base->units; unit++) {
        dropped[unit] = !fits_grid(program, coefficients, scale, limit, unit);
        for (int i = 0; !dropped[unit] && i < base->n_parameters; i++)
            for (gsize at = program->offsets[i]; at < program->offsets[i + 1]; at++) {
                gint64 value;
                grid_value(program, coefficients, scale, unit, i, at, &value);
                program->integers[at] = (gint64)((guint64)program->integers[at] + (guint64)value);
            }
    }
    return TRUE;
}

static gboolean read_grid(DpcxrProgram *base, int i, gint64 *values, GError **error)
{
    const RefProgram *program = (RefProgram *)base;
    memcpy(values, program->integers + program->offsets[i],
           dpcxr_graph_parameter(base->graph, i)->size * sizeof *values);
    return TRUE;
}

static gboolean settle(DpcxrProgram *base, int i, const gint64 *noise, double spacing, GError **error)
{
    RefProgram *program = (RefProgram *)base;
    const gint64 *integers = program->integers + program->offsets[i];
    for (gsize k = 0; k < dpcxr_graph_parameter(base->graph, i)->size; k++)
        program->banks.tensors[DPCXR_BANK_SUM][i][k] = dpcxr_grid_settled(integers[k], noise ? noise[k] : 0, spacing);
    return TRUE;
}

static gboolean update(DpcxrProgram *base, const DpcxrUpdate *u, GError **error)
{
    DpcxrBanks *banks = &((RefProgram *)base)->banks;
    if (!dpcxr_banks_need_for(banks, u, error))
        return FALSE;
    for (int i = 0; i < base->n_parameters; i++)
        if (!dpcxr_ref_noised_finite(dpcxr_graph_parameter(base->graph, i)->size, banks->tensors[DPCXR_BANK_SUM][i],
                                     u->noise ? u->noise[i] : NULL)) {
            dpcxr_banks_fail_not_finite(base->graph, i, error);
            return FALSE;
        }
    for (int i = 0; i < base->n_parameters; i++) {
        gsize n = dpcxr_graph_parameter(base->graph, i)->size;
        float *weight = banks->tensors[DPCXR_BANK_WEIGHT][i];
        dpcxr_ref_update(u, n, banks->tensors[DPCXR_BANK_SUM][i], u->noise ? u->noise[i] : NULL, weight,
                         dpcxr_banks_tensor(banks, DPCXR_BANK_MOMENT1, i),
                         dpcxr_banks_tensor(banks, DPCXR_BANK_MOMENT2, i));
        if (u->average_rate != 0)
            dpcxr_ref_average(u->average_rate, n, weight, banks->tensors[DPCXR_BANK_AVERAGE][i]);
    }
    return TRUE;
}

typedef struct {
    RefProgram *program;
    const float *images;
    float *outputs;
} Forward;

static void row_forward(gpointer data, int row, int thread)
{
    Forward *job = data;
    const DpcxrGraph *graph = job->program->base.graph;
    Activations *a = &job->program->scratch[thread];
    run_forward(job->program, a,
                job->images + (gsize)row * dpcxr_shape_size(dpcxr_graph_layer(graph, 0)->shape));
    gsize n = (gsize)job->program->base.n_outputs;
    memcpy(job->outputs + (gsize)row * n, a->y[graph->output], n * sizeof(float));
}

static gboolean forward(DpcxrProgram *base, int rows, const float *images, float *outputs, GError **error)
{
    Forward job = {(RefProgram *)base, images, outputs};
    dpcxr_workers_run(job.program->workers, rows, row_forward, &job);
    return TRUE;
}

static gboolean write_tensor(DpcxrProgram *base, DpcxrBank bank, int i, const float *values, GError **error)
{
    DpcxrBanks *banks = &((RefProgram *)base)->banks;
    if (!dpcxr_banks_need(banks, bank, error))
        return FALSE;
    memcpy(banks->tensors[bank][i], values, dpcxr_graph_parameter(base->graph, i)->size * sizeof(float));
    return TRUE;
}

static gboolean read_tensor(DpcxrProgram *base, DpcxrBank bank, int i, float *values, GError **error)
{
    DpcxrBanks *banks = &((RefProgram *)base)->banks;
    if (!dpcxr_banks_need(banks, bank, error))
        return FALSE;
    memcpy(values, banks->tensors[bank][i], dpcxr_graph_parameter(base->graph, i)->size * sizeof(float));
    return TRUE;
}

static gboolean zero(DpcxrProgram *base, DpcxrBank bank, GError **error)
{
    RefProgram *program = (RefProgram *)base;
    if (bank == DPCXR_BANK_SUM && program->integers)
        memset(program->integers, 0, program->offsets[base->n_parameters] * sizeof *program->integers);
    return dpcxr_banks_zero(&((RefProgram *)base)->banks, bank, error);
}

static gsize memory(const DpcxrProgram *base)
{
    const RefProgram *program = (const RefProgram *)base;
    gsize bytes = dpcxr_banks_bytes(&program->banks);
    if (program->unit_gradients)
        bytes += (gsize)base->options.max_units * program->offsets[base->n_parameters] * sizeof(float);
    if (program->integers)
        bytes += program->offsets[base->n_parameters] * sizeof *program->integers;
    for (int i = 0; i < dpcxr_graph_n_layers(base->graph); i++)
        bytes += (gsize)dpcxr_workers_threads(program->workers) *
                 dpcxr_shape_size(dpcxr_graph_layer(base->graph, i)->shape) * 2 * sizeof(float);
    return bytes;
}

static void free_activations(Activations *a, int layers)
{
    for (int i = 0; a->y && i < layers; i++) {
        g_free(a->y[i]);
        g_free(a->dy[i]);
    }
    g_free(a->y);
    g_free(a->dy);
}

static void ref_free(DpcxrProgram *base)
{
    RefProgram *program = (RefProgram *)base;
    for (int t = 0; program->scratch && t < dpcxr_workers_threads(program->workers); t++)
        free_activations(&program->scratch[t], dpcxr_graph_n_layers(base->graph));
    g_free(program->scratch);
    g_free(program->unit_gradients);
    g_free(program->integers);
    g_free(program->offsets);
    dpcxr_banks_clear(&program->banks);
    dpcxr_workers_free(program->workers);
    g_free(program);
}

static gboolean allocate(RefProgram *program, GError **error)
{
    const DpcxrGraph *graph = program->base.graph;
    int layers = dpcxr_graph_n_layers(graph), threads = dpcxr_workers_threads(program->workers);
    gboolean good = TRUE;
    program->scratch = g_new0(Activations, threads);
    for (int t = 0; t < threads; t++) {
        program->scratch[t] = (Activations){g_new0(float *, layers), g_new0(float *, layers)};
        for (int i = 0; good && i < layers; i++) {
            gsize n = dpcxr_shape_size(dpcxr_graph_layer(graph, i)->shape);
            program->scratch[t].y[i] = g_try_new0(float, n);
            program->scratch[t].dy[i] = g_try_new0(float, n);
            good = program->scratch[t].y[i] && program->scratch[t].dy[i];
        }
    }
    gsize total = program->offsets[program->base.n_parameters], size;
    if (good && program->base.options.training &&
        g_size_checked_mul(&size, total, (gsize)program->base.options.max_units))
        good = (program->unit_gradients = g_try_new(float, size)) || size == 0;
    if (good && program->base.options.grid)
        good = (program->integers = g_try_new0(gint64, total)) || total == 0;
    if (!good)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                    "not enough memory for the reference backend, which also checks the others at the start, with %d units "
                    "at once; use a smaller train.batch.physical, smaller images or fewer threads",
                    program->base.options.max_units);
    return good;
}

static DpcxrProgram *compile(const DpcxrGraph *graph, const DpcxrProgramOptions *options, GError **error)
{
    static const DpcxrProgramClass class = {.free = ref_free,
                                            .write = write_tensor,
                                            .read = read_tensor,
                                            .zero = zero,
                                            .forward = forward,
                                            .phase_a = phase_a,
                                            .phase_b = phase_b,
                                            .bank_norms = bank_norms,
                                            .fold = fold,
                                            .update = update,
                                            .memory = memory,
                                            .phase_b_grid = phase_b_grid,
                                            .read_grid = read_grid,
                                            .settle = settle};
    DpcxrWorkers *workers = dpcxr_workers_new(options->threads, error);
    if (!workers)
        return NULL;
    RefProgram *program = g_new0(RefProgram, 1);
    program->base = (DpcxrProgram){.class = &class,
                                   .graph = graph,
                                   .options = *options,
                                   .n_parameters = dpcxr_graph_n_parameters(graph)};
    program->base.n_outputs = (int)dpcxr_shape_size(dpcxr_graph_layer(graph, graph->output)->shape);
    program->workers = workers;
    program->offsets = g_new0(gsize, program->base.n_parameters + 1);
    for (int i = 0; i < program->base.n_parameters; i++)
        program->offsets[i + 1] = program->offsets[i] + dpcxr_graph_parameter(graph, i)->size;
    dpcxr_banks_init(&program->banks, graph);
    if (options->precision != DPCXR_PRECISION_FP32) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "device.precision: the reference backend computes in fp32");
    } else if (dpcxr_banks_need(&program->banks, DPCXR_BANK_WEIGHT, error) &&
               (!options->training || dpcxr_banks_need(&program->banks, DPCXR_BANK_SUM, error)) &&
               allocate(program, error)) {
        return &program->base;
    }
    ref_free(&program->base);
    return NULL;
}

const DpcxrBackend dpcxr_backend_ref = {
    .name = "ref", .summary = "plain C, the specification of every operation", .compile = compile};
