/* SPDX-License-Identifier: MIT
 * Two images, each a unit of its own, through the program under test and through the specification. A library that picks
 * another kernel on another machine, or was created under another thread count, is caught here and not in a paper. */
#include "backend/check.h"
#include "backend/ref/ref.h"
#include <dpcxr/random.h>
#include <math.h>

enum { ROWS = 2 };
/* Relative to the norm of the tensor. f32 kernels agree to about 1e-5; with bf16 the stem's gradient, through norms whose
 * gradients cancel, to 1e-1; so with fp16, as a share p of relu's and pooling's choices that rounding turns is an error of sqrt(p).
 * A wrong kernel is off by about 1. */
static double tolerance_of(const DpcxrProgram *program)
{
    static const double tolerances[DPCXR_N_PRECISIONS] = {2e-3, 0.25, 0.2};
    return tolerances[program->options.precision];
}

static const char *way_out(const DpcxrProgram *program)
{
    return program->options.precision != DPCXR_PRECISION_FP32 ? "device.precision: fp32, or device.type: ref with it,"
                                 : "device.type: ref";
}

typedef struct {
    float *images, *targets, *mask, *logits, *losses;
    double *norms2;
    float **sums; /* [parameters] */
} Run;

static void clear_run(Run *run, int parameters)
{
    g_free(run->images);
    g_free(run->targets);
    g_free(run->mask);
    g_free(run->logits);
    g_free(run->losses);
    g_free(run->norms2);
    for (int i = 0; run->sums && i < parameters; i++)
        g_free(run->sums[i]);
    g_free(run->sums);
}

static float *uniform(DpcxrRandom *random, gsize n, double low, double high)
{
    float *values = g_new(float, n);
    for (gsize i = 0; i < n; i++)
        values[i] = (float)(low + (high - low) * dpcxr_random_uniform(random));
    return values;
}

/* Weights as at the start of training, but norms' scales and shifts off one and zero, so that an error in them shows. */
static gboolean write_weights(DpcxrProgram *program, GError **error)
{
    for (int i = 0; i < program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, i);
        g_autofree float *values = g_new(float, parameter->size);
        dpcxr_graph_initial_values(program->graph, i, 0, values);
        for (gsize k = 0; parameter->n_dims == 1 && k < parameter->size; k++)
            values[k] += 0.125f * (float)((int)(k % 5) - 2);
        if (!dpcxr_program_write(program, DPCXR_BANK_WEIGHT, i, values, error))
            return FALSE;
    }
    return TRUE;
}

/* The grid is fine enough to pass for floats. */
static const double grid_scale = 0x1p32;

/* Adds the units of the last phase A, the way that this program adds up. */
static gboolean add_units(DpcxrProgram *program, const float *coefficients, GError **error)
{
    gboolean dropped[ROWS];
    if (!program->options.grid)
        return dpcxr_program_phase_b(program, DPCXR_BANK_SUM, coefficients, error);
    return dpcxr_program_phase_b_grid(program, coefficients, grid_scale, INFINITY, dropped, error);
}

static gboolean read_sums(DpcxrProgram *program, Run *run, GError **error)
{
    for (int i = 0; i < program->n_parameters; i++) {
        if (program->options.grid && !dpcxr_program_settle(program, i, NULL, 1 / grid_scale, error))
            return FALSE;
        if (!run->sums[i])
            run->sums[i] = g_new(float, dpcxr_graph_parameter(program->graph, i)->size);
        if (!dpcxr_program_read(program, DPCXR_BANK_SUM, i, run->sums[i], error))
            return FALSE;
    }
    return TRUE;
}

static void make_run(const DpcxrProgram *program, int rows, Run *run)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, 0, "program check", 0, 0);
    gsize outputs = (gsize)program->n_outputs * (gsize)rows;
    run->images =
        uniform(&random, dpcxr_shape_size(dpcxr_graph_layer(program->graph, 0)->shape) * (gsize)rows, 0, 1);
    run->targets = uniform(&random, outputs, 0, 1);
    run->mask = uniform(&random, outputs, 1, 1);
    run->logits = g_new0(float, outputs);
    run->losses = g_new0(float, rows);
    run->norms2 = g_new0(double, program->n_parameters *rows);
    run->sums = g_new0(float *, program->n_parameters);
}

/* Rows first .. first + n - 1 of @rows as one physical batch of units, added with 1 for the first of all and 1/2 for the other. */
static gboolean run_batch(DpcxrProgram *program, int rows, int first, int n, Run *run, GError **error)
{
    static const int offsets[ROWS + 1] = {0, 1, 2};
    static const float ones[ROWS] = {1, 1};
    gsize image = dpcxr_shape_size(dpcxr_graph_layer(program->graph, 0)->shape), at = (gsize)first;
    gsize outputs = (gsize)program->n_outputs;
    g_autofree double *norms2 = g_new0(double, program->n_parameters *n);
    g_autofree float *coefficients = g_new(float, program->options.n_groups *n);
    for (int i = 0; i < program->options.n_groups * n; i++)
        coefficients[i] = first + i % n ? 0.5f : 1.0f;
    DpcxrBatch batch = {.rows = n,
                        .images = run->images + at * image,
                        .targets = run->targets + at * outputs,
                        .mask = run->mask + at * outputs,
                        .row_weights = ones,
                        .units = n,
                        .unit_offsets = offsets};
    DpcxrBatchResult result = {
        .losses = run->losses + at, .logits = run->logits + at * outputs, .norms2 = norms2};
    if (!dpcxr_program_phase_a(program, &batch, &result, error) || !add_units(program, coefficients, error))
        return FALSE;
    for (int i = 0; i < program->n_parameters; i++)
        for (int u = 0; u < n; u++)
            run->norms2[i * rows + first + u] = norms2[i * n + u];
    return TRUE;
}

static gboolean run_program(DpcxrProgram *program, int rows, Run *run, GError **error)
{
    int at_once = MIN(rows, MIN(program->options.max_rows, program->options.max_units));
    make_run(program, rows, run);
    if (!write_weights(program, error) || !dpcxr_program_zero(program, DPCXR_BANK_SUM, error))
        return FALSE;
    for (int first = 0; first < rows; first += at_once)
        if (!run_batch(program, rows, first, MIN(at_once, rows - first), run, error))
            return FALSE;
    return read_sums(program, run, error);
}

/* The reference takes one image at a time, and is gone before the program that is checked touches its memory. */
static gboolean run_reference(const DpcxrProgram *program, int rows, Run *run, GError **error)
{
    DpcxrProgramOptions options = program->options;
    options.max_rows = options.max_units = 1;
    options.precision = DPCXR_PRECISION_FP32;
    g_autoptr(DpcxrProgram) reference =
        dpcxr_program_new(&dpcxr_backend_ref, program->graph, &options, error);
    return reference && run_program(reference, rows, run, error);
}

/* ||a - b|| / (||b|| + floor), NaN-proof: anything not finite counts as infinitely far. */
static double distance(const float *a, const float *b, gsize n, double floor)
{
    double difference = 0, norm = 0;
    for (gsize i = 0; i < n; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    double relative = sqrt(difference) / (sqrt(norm) + floor);
    return isfinite(relative) ? relative : INFINITY;
}

static double norm_of(const float *values, gsize n)
{
    double sum = 0;
    for (gsize i = 0; i < n; i++)
        sum += (double)values[i] * values[i];
    return sqrt(sum);
}

static gboolean fail(GError **error, const DpcxrProgram *program, const char *what, const char *name,
                     double off)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
                "start-up check of backend %s: %s %s differs from the reference by %.2g (at most %.2g is "
                "right). Nothing was trained. A library on this machine computes wrongly; %s still works",
                program->backend->name, what, name, off, tolerance_of(program), way_out(program));
    return FALSE;
}

/* A tensor whose true gradient is zero (a bias before a norm) is rounding only; it is held against the whole gradient. */
static double gradient_floor(const DpcxrProgram *program, const Run *wanted)
{
    double sum = 1e-30;
    for (int i = 0; i < program->n_parameters; i++)
        for (gsize k = 0; k < dpcxr_graph_parameter(program->graph, i)->size; k++)
            sum += (double)wanted->sums[i][k] * wanted->sums[i][k];
    return 1e-3 * sqrt(sum);
}

static gboolean compare(const DpcxrProgram *program, int rows, const Run *got, const Run *wanted,
                        GError **error)
{
    double floor = gradient_floor(program, wanted), tolerance = tolerance_of(program);
    double off = distance(got->logits, wanted->logits, (gsize)(program->n_outputs * rows), 1e-6);
    if (!(off <= tolerance))
        return fail(error, program, "the output", "of the network", off);
    for (int i = 0; i < program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, i);
        off = distance(got->sums[i], wanted->sums[i], parameter->size, floor);
        if (!(off <= tolerance))
            return fail(error, program, "the gradient of", parameter->name, off);
        for (int u = 0; program->options.norms && u < rows; u++) {
            double norm = sqrt(wanted->norms2[i * rows + u]) + floor;
            double above = (sqrt(got->norms2[i * rows + u]) + floor) / norm - 1;
            if (!(above >= -tolerance && above <= MAX(tolerance, 0.05)))
                return fail(error, program, "the norm of", parameter->name, above);
        }
    }
    return TRUE;
}

/* What clipping rests on: a unit that is added alone adds no more than its norms say, whatever the precision. */
static gboolean check_bounds(DpcxrProgram *program, int rows, Run *run, GError **error)
{
    int groups = program->options.n_groups;
    g_autofree float *alone = g_new(float, groups *rows);
    for (int u = 0; program->options.norms && u < rows; u++) {
        for (int i = 0; i < groups * rows; i++)
            alone[i] = i % rows == u;
        if (!dpcxr_program_zero(program, DPCXR_BANK_SUM, error) || !add_units(program, alone, error) ||
            !read_sums(program, run, error))
            return FALSE;
        for (int i = 0; i < program->n_parameters; i++) {
            const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, i);
            double norm = norm_of(run->sums[i], parameter->size), bound = sqrt(run->norms2[i * rows + u]);
            if (!(norm <= bound * (1 + 1e-9))) {
                g_set_error(
                    error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
                    "start-up check of backend %s: a unit adds a gradient of norm %.9g to %s and says that "
                    "it is at most %.9g: clipping would not hold. Nothing was trained; %s still works",
                    program->backend->name, norm, parameter->name, bound, way_out(program));
                return FALSE;
            }
        }
    }
    return TRUE;
}

static gboolean forget(DpcxrProgram *program, GError **error)
{
    return dpcxr_program_zero(program, DPCXR_BANK_WEIGHT, error) &&
           dpcxr_program_zero(program, DPCXR_BANK_SUM, error);
}

gboolean dpcxr_program_check(DpcxrProgram *program, GError **error)
{
    if (program->backend == &dpcxr_backend_ref)
        return TRUE;
    int rows = MIN(ROWS, MIN(program->options.max_rows, program->options.max_units));
    Run got = {0}, wanted = {0};
    gboolean good = run_reference(program, rows, &wanted, error) && run_program(program, rows, &got, error) &&
                    compare(program, rows, &got, &wanted, error) &&
                    check_bounds(program, rows, &got, error) && forget(program, error);
    clear_run(&got, program->n_parameters);
    clear_run(&wanted, program->n_parameters);
    return good;
}
