/* SPDX-License-Identifier: MIT
 * Sums on a grid: against the reference; the same bits whatever a unit is in a batch with; and the limit of a unit's
 * integers, counted in integers, for gradients made to break it. */
#include "harness.h"
#include <math.h>
#include <string.h>

enum { MAX_UNITS = 8 };

static DpcxrGraph *finish(DpcxrGraph *graph, DpcxrNode x, int outputs)
{
    g_autoptr(GError) error = NULL;
    dpcxr_graph_finish(graph, x, outputs, &error);
    g_assert_no_error(error);
    return graph;
}

/* More outputs than a part of a gradient has, more positions than a product, channels that oneDNN pads, strides, biases. */
static DpcxrGraph *network(void)
{
    DpcxrGraph *graph = dpcxr_graph_new(27, 25, 1);
    DpcxrNode x = dpcxr_conv2d(graph, dpcxr_graph_input(graph), (DpcxrConv2d){9, 3, 1, 1, TRUE}, "first");
    x = dpcxr_mish(graph, dpcxr_group_norm(graph, x, 3, 1e-5, "norm"));
    x = dpcxr_conv2d(graph, x, (DpcxrConv2d){20, 3, 2, 1, FALSE}, "second");
    x = dpcxr_relu(graph, dpcxr_group_norm(graph, x, 4, 1e-5, "norm2"));
    x = dpcxr_conv2d(graph, x, (DpcxrConv2d){140, 3, 3, 0, FALSE}, "third");
    DpcxrNode y = dpcxr_conv2d(graph, x, (DpcxrConv2d){140, 1, 1, 0, TRUE}, "fourth");
    x = dpcxr_add(graph, x, dpcxr_group_norm(graph, y, 10, 1e-5, "norm3"));
    return finish(graph, dpcxr_linear(graph, dpcxr_global_average_pool(graph, x), 5, "fc"), 5);
}

/* --- Some units of a batch through a program of their own --- */

typedef struct {
    const DpcxrBackend *backend;
    const Batch *batch;
    int threads, max_rows, max_units;
    double scale, limit;
} Setting;

typedef struct {
    gsize size; /* of all parameters */
    gint64 *integers;
    double *norms2; /* [parameters, units] */
    gboolean dropped[MAX_UNITS];
    DpcxrProgram *program;
} Result;

static void result_clear(Result *result)
{
    g_free(result->integers);
    g_free(result->norms2);
    dpcxr_program_free(result->program);
}

static void write_weights(DpcxrProgram *program)
{
    for (int i = 0; i < program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, i);
        g_autofree float *values = g_new(float, parameter->size);
        dpcxr_graph_initial_values(program->graph, i, 7, values);
        for (gsize k = 0; parameter->n_dims == 1 && k < parameter->size; k++)
            values[k] += 0.125f * (float)((int)(k % 5) - 2);
        g_assert_true(dpcxr_program_write(program, DPCXR_BANK_WEIGHT, i, values, NULL));
    }
}

static Result result_new(const Setting *s, int units)
{
    g_autoptr(GError) error = NULL;
    DpcxrProgramOptions options = {.max_rows = s->max_rows,
                                   .max_units = s->max_units,
                                   .threads = s->threads,
                                   .training = TRUE,
                                   .device = check_device(s->backend),
                                   .norms = TRUE,
                                   .grid = TRUE,
                                   .n_groups = 1};
    Result result = {.program = dpcxr_program_new(s->backend, s->batch->graph, &options, &error)};
    g_assert_no_error(error);
    write_weights(result.program);
    for (int i = 0; i < result.program->n_parameters; i++)
        result.size += dpcxr_graph_parameter(s->batch->graph, i)->size;
    result.integers = g_new0(gint64, result.size);
    result.norms2 = g_new0(double, result.program->n_parameters *units);
    return result;
}

static void phase_a(const Setting *s, Result *result, const DpcxrBatch *batch)
{
    gsize rows = (gsize)s->batch->rows;
    g_autofree float *losses = g_new(float, rows), *logits = g_new(float, rows * (gsize)result->program->n_outputs);
    DpcxrBatchResult out = {.losses = losses, .logits = logits, .norms2 = result->norms2};
    g_assert_true(dpcxr_program_phase_a(result->program, batch, &out, NULL));
}

/* Rows @from .. @from + @n - 1 of the whole batch; the caller adds units. */
static DpcxrBatch rows_of(const Batch *b, int from, int n)
{
    gsize outputs = b->targets.n / (gsize)b->rows, image = b->images.n / (gsize)b->rows, at = (gsize)from;
    return (DpcxrBatch){.rows = n,
                        .images = b->images.values + at * image,
                        .targets = b->targets.values + at * outputs,
                        .mask = b->mask.values + at * outputs,
                        .row_weights = b->row_weights.values + at,
                        .output_gradient = b->output_gradient.values + at * outputs};
}

static void phase_b(const Setting *s, Result *result, const float *coefficients)
{
    gsize at = 0;
    g_assert_true(dpcxr_program_zero(result->program, DPCXR_BANK_SUM, NULL));
    g_assert_true(dpcxr_program_phase_b_grid(result->program, coefficients, s->scale, s->limit, result->dropped, NULL));
    for (int i = 0; i < result->program->n_parameters; i++) {
        g_assert_true(dpcxr_program_read_grid(result->program, i, result->integers + at, NULL));
        at += dpcxr_graph_parameter(result->program->graph, i)->size;
    }
}

/* Units @first .. @first + @units - 1 of the batch together. */
static Result run_units(const Setting *s, int first, int units, const float *coefficients)
{
    int offsets[MAX_UNITS + 1], from = s->batch->offsets[first];
    for (int u = 0; u <= units; u++)
        offsets[u] = s->batch->offsets[first + u] - from;
    Result result = result_new(s, units);
    DpcxrBatch batch = rows_of(s->batch, from, offsets[units]);
    batch.units = units;
    batch.unit_offsets = offsets;
    phase_a(s, &result, &batch);
    phase_b(s, &result, coefficients);
    return result;
}

/* Unit @unit, @piece rows at a time. */
static Result run_pieces(const Setting *s, int unit, int piece, const float *coefficients)
{
    Result result = result_new(s, 1);
    for (int row = s->batch->offsets[unit], end = s->batch->offsets[unit + 1]; row < end; row += piece) {
        int offsets[2] = {0, MIN(piece, end - row)};
        DpcxrBatch batch = rows_of(s->batch, row, offsets[1]);
        batch.units = 1;
        batch.unit_offsets = offsets;
        batch.piece = row == s->batch->offsets[unit] ? DPCXR_FIRST_PIECE : DPCXR_NEXT_PIECE;
        phase_a(s, &result, &batch);
    }
    phase_b(s, &result, coefficients);
    return result;
}

/* --- Independence --- */

static const float ones[MAX_UNITS] = {1, 1, 1, 1, 1, 1, 1, 1};

static void check_same(const char *what, const Result *got, int got_unit, int got_units, const Result *wanted)
{
    for (int i = 0; i < got->program->n_parameters; i++)
        if (got->norms2[i * got_units + got_unit] != wanted->norms2[i])
            g_test_fail_printf("%s: the norm of %s is %.17g, alone %.17g", what,
                               dpcxr_graph_parameter(got->program->graph, i)->name,
                               got->norms2[i * got_units + got_unit], wanted->norms2[i]);
    for (gsize k = 0; k < got->size; k++)
        if (got->integers[k] != wanted->integers[k]) {
            g_test_fail_printf("%s: integer %zu is %" G_GINT64_FORMAT ", alone %" G_GINT64_FORMAT, what, k,
                               got->integers[k], wanted->integers[k]);
            return;
        }
}

/* The backend of a kind, whose device it uses from here on. */
static const DpcxrBackend *begin(gconstpointer kind)
{
    check_begin(kind);
    return ((const CheckKind *)kind)->backend;
}

static void test_alone(gconstpointer data)
{
    const DpcxrBackend *backend = begin(data);
    g_autoptr(DpcxrGraph) graph = network();
    Batch batch = batch_new(graph, (int[]){2, 1, 1, 5, 1, 3, 0}, 3);
    const Setting wide = {backend, &batch, 2, 40, 8, 0x1p30, INFINITY};
    for (int u = 0; u < batch.units; u++) {
        int rows = batch.offsets[u + 1] - batch.offsets[u];
        const Setting narrow = {backend, &batch, 1, rows, 1, 0x1p30, INFINITY};
        Result alone = run_units(&narrow, u, 1, ones);
        float only[MAX_UNITS] = {0};
        only[u] = 1;
        Result all = run_units(&wide, 0, batch.units, only);
        check_same("in a batch", &all, u, batch.units, &alone);
        only[u] = 0;
        only[0] = 1;
        Result front = run_units(&wide, u, batch.units - u, only);
        check_same("at the front of a batch", &front, 0, batch.units - u, &alone);
        for (int piece = 1; rows > 1 && piece <= rows; piece++) {
            const Setting small = {backend, &batch, 1 + piece % 2, piece, 1, 0x1p30, INFINITY};
            Result cut = run_pieces(&small, u, piece, ones);
            check_same("in pieces", &cut, 0, 1, &alone);
            result_clear(&cut);
        }
        result_clear(&alone);
        result_clear(&all);
        result_clear(&front);
    }
    batch_free(&batch);
}

/* The integers of a batch are the sum of those of its units. */
static void test_sum(gconstpointer data)
{
    const DpcxrBackend *backend = begin(data);
    g_autoptr(DpcxrGraph) graph = network();
    static const float coefficients[] = {1, 0.3f, 0, 0x1p-20f};
    Batch batch = batch_new(graph, (int[]){1, 2, 1, 4, 0}, 5);
    const Setting s = {backend, &batch, 2, 9, 4, 0x1.234p31, INFINITY};
    Result all = run_units(&s, 0, batch.units, coefficients);
    for (int u = 0; u < batch.units; u++) {
        Result one = run_units(&s, u, 1, coefficients + u);
        for (gsize k = 0; k < all.size; k++)
            all.integers[k] -= one.integers[k];
        result_clear(&one);
    }
    for (gsize k = 0; k < all.size; k++)
        g_assert_cmpint(all.integers[k], ==, 0);
    result_clear(&all);
    batch_free(&batch);
}

/* --- Against the reference, and out of the grid --- */

static void test_reference(gconstpointer data)
{
    const DpcxrBackend *backend = begin(data);
    g_autoptr(DpcxrGraph) graph = network();
    Batch batch = batch_new(graph, (int[]){1, 2, 1, 0}, 6);
    static const float coefficients[] = {1, 0.25f, 0.7f};
    const Setting s = {backend, &batch, 2, batch.rows, 3, 0x1p30, INFINITY};
    const Setting reference = {&dpcxr_backend_ref, &batch, 2, batch.rows, 3, 0x1p30, INFINITY};
    Result got = run_units(&s, 0, batch.units, coefficients);
    Result wanted = run_units(&reference, 0, batch.units, coefficients);
    gsize at = 0;
    for (int i = 0; i < got.program->n_parameters; i++) {
        gsize n = dpcxr_graph_parameter(graph, i)->size;
        g_autofree float *a = g_new(float, n), *b = g_new(float, n);
        for (gsize k = 0; k < n; k++) {
            a[k] = (float)ldexp((double)got.integers[at + k], -30);
            b[k] = (float)ldexp((double)wanted.integers[at + k], -30);
        }
        check_close(dpcxr_graph_parameter(graph, i)->name, a, b, n, 2e-5, 1e-3);
        at += n;
    }
    result_clear(&got);
    result_clear(&wanted);
    batch_free(&batch);
}

/* Toward zero, element by element, from either side and in vectors and what is left of them. */
static void test_rounding(gconstpointer data)
{
    const DpcxrBackend *backend = begin(data);
    enum { IN = 37, OUT = 5 };
    static const float coefficient[] = {0.75f};
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(1, 1, IN);
    finish(graph, dpcxr_linear(graph, dpcxr_graph_input(graph), OUT, "fc"), OUT);
    Batch batch = batch_new(graph, (int[]){1, 0}, 11);
    static const double scales[] = {1.3, 4, 1e6, 0x1p45};
    for (guint k = 0; k < G_N_ELEMENTS(scales); k++) {
        const Setting s = {backend, &batch, 1, 1, 1, scales[k], INFINITY};
        Result result = run_units(&s, 0, 1, coefficient);
        for (int i = 0; i < OUT * IN; i++) {
            float gradient = batch.output_gradient.values[i / IN] * batch.images.values[i % IN];
            g_assert_cmpint(result.integers[i], ==, (gint64)trunc((double)gradient * (0.75 * scales[k])));
        }
        result_clear(&result);
    }
    batch_free(&batch);
}

/* SUM = (integers + noise) * spacing, each where PyTorch has it, modulo 2^64; without any batch it is the noise. */
static void test_settle(gconstpointer data)
{
    const DpcxrBackend *backend = begin(data);
    g_autoptr(DpcxrGraph) graph = network();
    Batch batch = batch_new(graph, (int[]){1, 2, 0}, 8);
    const Setting s = {backend, &batch, 2, 5, 2, 0x1p30, INFINITY};
    Result result = run_units(&s, 0, batch.units, ones);
    for (int empty = 0; empty < 2; empty++) {
        gsize at = 0;
        if (empty)
            g_assert_true(dpcxr_program_zero(result.program, DPCXR_BANK_SUM, NULL));
        for (int i = 0; i < result.program->n_parameters; i++) {
            gsize n = dpcxr_graph_parameter(graph, i)->size;
            g_autofree gint64 *noise = g_new(gint64, n);
            g_autofree float *sum = g_new(float, n);
            for (gsize k = 0; k < n; k++)
                noise[k] = k % 3 ? (gint64)(k * 1000003) : G_MAXINT64 - (gint64)k;
            g_assert_true(dpcxr_program_settle(result.program, i, noise, 0x1p-30, NULL));
            g_assert_true(dpcxr_program_read(result.program, DPCXR_BANK_SUM, i, sum, NULL));
            for (gsize k = 0; k < n; k++) {
                guint64 integer = empty ? 0 : (guint64)result.integers[at + k];
                g_assert_cmpfloat(sum[k], ==, (float)ldexp((double)(gint64)(integer + (guint64)noise[k]), -30));
            }
            at += n;
        }
    }
    result_clear(&result);
    batch_free(&batch);
}

/* --- The limit --- */

__extension__ typedef unsigned __int128 Squares;

/* The exact sum of squares. */
static Squares exact_squares(const Result *result)
{
    Squares sum = 0;
    for (gsize k = 0; k < result->size; k++) {
        g_assert_cmpint(ABS(result->integers[k]), <, G_GINT64_CONSTANT(1) << 52);
        sum += (Squares)ABS(result->integers[k]) * (Squares)ABS(result->integers[k]);
    }
    return sum;
}

/* A unit over the limit leaves nothing, not even in what others left; one at the limit stays. The limit is exact, but for
 * one part in a billion that it may be too strict. */
static void test_limit(gconstpointer data)
{
    const DpcxrBackend *backend = begin(data);
    g_autoptr(DpcxrGraph) graph = network();
    Batch batch = batch_new(graph, (int[]){1, 2, 1, 0}, 9);
    Setting s = {backend, &batch, 2, 4, 3, 0x1p30, INFINITY};
    float coefficients[] = {1, 1, 1};
    Result others = run_units(&s, 0, batch.units, (const float[]){1, 0, 1});
    Result one = run_units(&s, 0, batch.units, (const float[]){0, 1, 0});
    double squares = (double)exact_squares(&one), least = MAX((double)exact_squares(&others), squares);
    coefficients[1] = 2.0f * (float)sqrt(least / squares); /* clearly more than the two others together */
    result_clear(&one);
    one = run_units(&s, 0, batch.units, (const float[]){0, coefficients[1], 0});
    squares = (double)exact_squares(&one);
    s.limit = squares * (1 - 0x1p-50);
    Result without = run_units(&s, 0, batch.units, coefficients);
    g_assert_true(without.dropped[1] && !without.dropped[0] && !without.dropped[2]);
    g_assert_cmpmem(without.integers, without.size * sizeof(gint64), others.integers, others.size * sizeof(gint64));
    s.limit = squares * (1 + 1e-9);
    Result with = run_units(&s, 0, batch.units, coefficients);
    g_assert_false(with.dropped[0] || with.dropped[1] || with.dropped[2]);
    for (gsize k = 0; k < with.size; k++)
        g_assert_cmpint(with.integers[k], ==, others.integers[k] + one.integers[k]);
    Result *all[] = {&others, &one, &without, &with};
    for (guint i = 0; i < G_N_ELEMENTS(all); i++)
        result_clear(all[i]);
    batch_free(&batch);
}

/* What images and gradients of the adversary are multiplied with. */
static const struct {
    const char *name;
    float image, gradient, offset;
    gboolean contributes; /* it must; FALSE: it may */
} adversaries[] = {{"plain", 1, 1, 0, TRUE},          {"cancelling", 1e-3f, 1, 1000},
                   {"huge gradient", 1, 1e30f, 0},    {"larger than floats", 1e20f, 1e30f, 0},
                   {"tiny", 1, 1e-30f, 0},            {"denormal", 1, 1e-41f, 0},
                   {"huge image", 1e25f, 1, 0},       {"not a number", 1, NAN, 0},
                   {"infinite image", INFINITY, 1, 0}};

/* Unit 1 is the adversary. Whatever coefficient it comes with, its integers stay within the limit, and units 0 and 2 are not
 * touched. */
static void check_adversary(const DpcxrBackend *backend, guint a, float coefficient)
{
    g_autoptr(DpcxrGraph) graph = network();
    Batch batch = batch_new(graph, (int[]){1, 2, 1, 0}, 10);
    gsize image = batch.images.n / 4, outputs = batch.output_gradient.n / 4;
    for (gsize k = image; k < 3 * image; k++)
        batch.images.values[k] = batch.images.values[k] * adversaries[a].image + adversaries[a].offset;
    for (gsize k = outputs; k < 3 * outputs; k++)
        batch.output_gradient.values[k] *= adversaries[a].gradient;
    const Setting s = {backend, &batch, 2, 4, 3, 0x1p30, 0x1p72};
    Result others = run_units(&s, 0, batch.units, (const float[]){1, 0, 1});
    Result all = run_units(&s, 0, batch.units, (const float[]){1, coefficient, 1});
    g_assert_false(all.dropped[0] || all.dropped[2]);
    for (gsize k = 0; k < all.size; k++)
        all.integers[k] -= others.integers[k];
    g_assert_true(exact_squares(&all) <= (Squares)1 << 72);
    g_assert_true(!all.dropped[1] || exact_squares(&all) == 0);
    if (adversaries[a].contributes && coefficient == 1)
        g_assert_true(!all.dropped[1] && exact_squares(&all) > 0);
    result_clear(&others);
    result_clear(&all);
    batch_free(&batch);
}

static void test_adversaries(gconstpointer data)
{
    const DpcxrBackend *backend = begin(data);
    static const float coefficients[] = {1, 1e38f, 0x1p-149f, 0x1p-40f};
    /* Compiling for a device takes its time, and each check compiles twice. */
    guint n = backend == &dpcxr_backend_vulkan ? 2 : G_N_ELEMENTS(coefficients);
    for (guint a = 0; a < G_N_ELEMENTS(adversaries); a++)
        for (guint c = 0; c < n; c++) {
            g_test_message("%s, coefficient %g", adversaries[a].name, (double)coefficients[c]);
            check_adversary(backend, a, coefficients[c]);
        }
}

static void add(const char *name, const CheckKind *kind, GTestDataFunc test)
{
    g_autofree char *path = g_strdup_printf("/grid/%s/%s", kind->name, name);
    g_test_add_data_func(path, kind, test);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    guint n;
    static const CheckKind reference = {"ref", &dpcxr_backend_ref, NULL};
    const CheckKind *kinds = check_kinds(&n);
    for (guint k = 0; k <= n; k++) {
        const CheckKind *kind = k ? &kinds[k - 1] : &reference;
        add("alone", kind, test_alone);
        add("sum", kind, test_sum);
        add("reference", kind, test_reference);
        add("rounding", kind, test_rounding);
        add("settle", kind, test_settle);
        add("limit", kind, test_limit);
        add("adversaries", kind, test_adversaries);
    }
    return g_test_run();
}
