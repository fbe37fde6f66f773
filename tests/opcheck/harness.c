/* SPDX-License-Identifier: MIT */
#include "harness.h"
#include <dpcxr/random.h>
#include <math.h>
#include <string.h>

static const CheckKind of_cpu[] = {{"cpu", &dpcxr_backend_cpu, NULL},
                                   {"cpu-direct", &dpcxr_backend_cpu_direct, NULL},
                                   {"cpu-gram", &dpcxr_backend_cpu_gram, NULL}};

static const CheckKind *of_vulkan(guint *n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) devices = dpcxr_vulkan_devices(&error);
    static CheckKind *kinds; /* for as long as the process lives */
    kinds = g_new0(CheckKind, (devices ? devices->len : 0) + 1);
    *n = 0;
    for (guint i = 0; devices && i < devices->len; i++) {
        const DpcxrVulkanDevice *device = g_ptr_array_index(devices, i);
        if (!device->problem)
            kinds[(*n)++] = (CheckKind){g_strdup_printf("vulkan-%d", device->index), &dpcxr_backend_vulkan,
                                        g_strdup_printf("%d", device->index)};
    }
    if (*n == 0)
        g_test_message("no Vulkan device: %s", error ? error->message : "the loader finds none");
    return kinds;
}

const CheckKind *check_kinds(guint *n)
{
    const char *asked = g_getenv("DPCXR_OPCHECK");
    *n = G_N_ELEMENTS(of_cpu);
    return asked && g_str_has_prefix(asked, "vulkan") ? of_vulkan(n) : of_cpu;
}

gboolean check_narrow(void)
{
    return g_strcmp0(g_getenv("DPCXR_OPCHECK"), "vulkan-f32") != 0;
}

static const char *device_at_hand;

void check_begin(const CheckKind *kind)
{
    device_at_hand = kind->device;
}

const char *check_device(const DpcxrBackend *backend)
{
    return backend == &dpcxr_backend_vulkan ? device_at_hand : NULL;
}

/* f32 sums in another order. bf16 has 8 bits, rounded once or twice in an operation; in a network a rounding goes through
 * norms, whose gradients cancel, and may turn a pool to another pixel. f16 has 11 bits; one
 * pixel turned in odd_graph is 0.26 of a unit's norm, also where the reference's images are off by 5e-4. */
const Precision check_f32 = {"f32",        DPCXR_PRECISION_FP32,      .output = 1e-5, .loss = 1e-4, .gradient = 2e-5,
                             .norm = 0.02, .sum = 2e-5};
const Precision check_bf16 = {"bf16",       DPCXR_PRECISION_BF16,        .output = 0.006, .loss = 0.02, .gradient = 0.006,
                              .norm = 0.05, .sum = 0.006};
const Precision check_bf16_network = {"bf16",          DPCXR_PRECISION_BF16,        .output = 0.02, .loss = 0.05,
                                      .gradient = 0.3, .norm = 0.1, .sum = 0.25};

const Precision check_f16 = {"f16",        DPCXR_PRECISION_FP16, .output = 0.001, .loss = 0.005, .gradient = 0.001,
                             .norm = 0.02, .sum = 0.001};
const Precision check_f16_network = {"f16",            DPCXR_PRECISION_FP16, .output = 0.005, .loss = 0.01,
                                     .gradient = 0.3, .norm = 0.3,          .sum = 0.3};

gboolean check_can(const Precision *precision)
{
    if (precision->in == DPCXR_PRECISION_FP32)
        return TRUE;
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(1, 1, 1);
    dpcxr_graph_finish(graph, dpcxr_relu(graph, dpcxr_graph_input(graph)), 0, &error);
    g_assert_no_error(error);
    gboolean half = precision->in == DPCXR_PRECISION_FP16;
    DpcxrProgramOptions options = {.max_rows = 1, .max_units = 1, .threads = 1, .precision = precision->in,
                                   .device = half ? device_at_hand : NULL, .n_groups = 1};
    g_autoptr(DpcxrProgram) program =
        dpcxr_program_new(half ? &dpcxr_backend_vulkan : &dpcxr_backend_cpu, graph, &options, &error);
    if (program)
        return TRUE;
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, half ? "device.precision: fp16 needs 16-bit floats"
                                                 : "device.precision: bf16 needs a processor"));
    g_test_skip(error->message);
    return FALSE;
}

enum { GUARD = 64 };
static const float sentinel = -0x1.234568p77f;

Guarded guarded_new(gsize n)
{
    float *all = g_new(float, n + 2 * GUARD);
    for (gsize i = 0; i < n + 2 * GUARD; i++)
        all[i] = sentinel;
    return (Guarded){all + GUARD, n};
}

void guarded_check(const Guarded *array, const char *what)
{
    for (int i = 0; i < GUARD; i++)
        if (array->values[-1 - i] != sentinel || array->values[array->n + (gsize)i] != sentinel)
            g_test_fail_printf("%s: written outside of the array", what);
}

void guarded_free(Guarded *array)
{
    if (array->values)
        g_free(array->values - GUARD);
    *array = (Guarded){0};
}

static Guarded normal_values(gsize n, guint64 seed, guint32 stream)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, seed, "opcheck", 0, stream);
    Guarded array = guarded_new(n);
    for (gsize i = 0; i < n; i++)
        array.values[i] = (float)dpcxr_random_normal(&random);
    return array;
}

Batch batch_new(const DpcxrGraph *graph, const int *rows_of, guint64 seed)
{
    Batch batch = {.graph = graph};
    for (; rows_of[batch.units]; batch.units++)
        ;
    batch.offsets = g_new0(int, batch.units + 1);
    for (int u = 0; u < batch.units; u++)
        batch.offsets[u + 1] = batch.offsets[u] + rows_of[u];
    batch.rows = batch.offsets[batch.units];
    gsize rows = (gsize)batch.rows,
          outputs = dpcxr_shape_size(dpcxr_graph_layer(graph, graph->output)->shape);
    batch.images = normal_values(rows * dpcxr_shape_size(dpcxr_graph_layer(graph, 0)->shape), seed, 1);
    batch.output_gradient = normal_values(rows * outputs, seed, 2);
    batch.targets = normal_values(rows * outputs, seed, 3);
    batch.mask = normal_values(rows * outputs, seed, 4);
    batch.row_weights = guarded_new(rows);
    for (gsize i = 0; i < rows * outputs; i++) {
        batch.targets.values[i] = batch.targets.values[i] > 0;
        batch.mask.values[i] = batch.mask.values[i] > -1;
    }
    for (int u = 0; u < batch.units; u++)
        for (int row = batch.offsets[u]; row < batch.offsets[u + 1]; row++)
            batch.row_weights.values[row] = 1.0f / (float)rows_of[u];
    return batch;
}

static void cut(Guarded *array)
{
    for (gsize i = 0; i < array->n; i++) {
        guint32 bits;
        memcpy(&bits, &array->values[i], sizeof bits);
        bits &= 0xffff0000;
        memcpy(&array->values[i], &bits, sizeof bits);
    }
}

void batch_round(Batch *batch)
{
    cut(&batch->images);
    cut(&batch->output_gradient);
}

void batch_free(Batch *batch)
{
    g_free(batch->offsets);
    guarded_free(&batch->images);
    guarded_free(&batch->output_gradient);
    guarded_free(&batch->targets);
    guarded_free(&batch->mask);
    guarded_free(&batch->row_weights);
}

Side side_new(const DpcxrBackend *backend, const DpcxrGraph *graph, const Batch *batch, SideOptions options,
              guint64 seed)
{
    g_autoptr(GError) error = NULL;
    DpcxrProgramOptions program = {.max_rows = MAX(batch->rows, options.max_rows),
                                   .max_units = batch->units,
                                   .threads = options.threads,
                                   .training = TRUE,
                                   .device = check_device(backend),
                                   .precision = options.precision,
                                   .norms = TRUE,
                                   .pos_weight = options.pos_weight,
                                   .n_groups = options.n_groups,
                                   .group_of = options.group_of};
    Side side = {.program = dpcxr_program_new(backend, graph, &program, &error)};
    g_assert_no_error(error);
    for (int i = 0; i < side.program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(graph, i);
        Guarded values = normal_values(parameter->size, seed, 100 + (guint32)i);
        double fan_in = parameter->n_dims == 1 ? 4 : (double)parameter->size / parameter->dims[0];
        for (gsize k = 0; k < values.n; k++)
            values.values[k] = (float)(values.values[k] / sqrt(fan_in) + (parameter->n_dims == 1));
        dpcxr_program_write(side.program, DPCXR_BANK_WEIGHT, i, values.values, &error);
        g_assert_no_error(error);
        guarded_free(&values);
    }
    side.losses = guarded_new((gsize)batch->rows);
    side.logits = guarded_new((gsize)batch->rows * (gsize)side.program->n_outputs);
    side.input_gradient = guarded_new(batch->images.n);
    side.norms2 = g_new0(double, (gsize)side.program->n_parameters *(gsize)batch->units);
    return side;
}

void side_free(Side *side)
{
    guarded_free(&side->losses);
    guarded_free(&side->logits);
    guarded_free(&side->input_gradient);
    g_free(side->norms2);
    dpcxr_program_free(side->program);
}

void side_phase_a(Side *side, const Batch *b, gboolean loss)
{
    g_autoptr(GError) error = NULL;
    DpcxrBatch batch = {.rows = b->rows,
                        .images = b->images.values,
                        .targets = b->targets.values,
                        .mask = b->mask.values,
                        .row_weights = b->row_weights.values,
                        .units = b->units,
                        .unit_offsets = b->offsets,
                        .output_gradient = loss ? NULL : b->output_gradient.values};
    DpcxrBatchResult result = {side->losses.values, side->logits.values, side->norms2,
                               side->input_gradient.values};
    dpcxr_program_phase_a(side->program, &batch, &result, &error);
    g_assert_no_error(error);
    guarded_check(&side->losses, "losses");
    guarded_check(&side->logits, "logits");
    guarded_check(&side->input_gradient, "input gradient");
}

void side_phase_b(Side *side, const float *coefficients)
{
    g_autoptr(GError) error = NULL;
    dpcxr_program_zero(side->program, DPCXR_BANK_SUM, &error);
    g_assert_no_error(error);
    dpcxr_program_phase_b(side->program, DPCXR_BANK_SUM, coefficients, &error);
    g_assert_no_error(error);
}

Guarded side_read(Side *side, DpcxrBank bank, int i)
{
    g_autoptr(GError) error = NULL;
    const DpcxrParameter *parameter = dpcxr_graph_parameter(side->program->graph, i);
    Guarded values = guarded_new(parameter->size);
    dpcxr_program_read(side->program, bank, i, values.values, &error);
    g_assert_no_error(error);
    guarded_check(&values, parameter->name);
    return values;
}

double norm_of(const float *values, gsize n)
{
    double sum = 0;
    for (gsize i = 0; i < n; i++)
        sum += (double)values[i] * values[i];
    return sqrt(sum);
}

void check_close(const char *what, const float *got, const float *wanted, gsize n, double tolerance,
                 double floor)
{
    double difference = 0, norm = 0;
    for (gsize i = 0; i < n; i++) {
        if (!isfinite(wanted[i])) {
            if (isfinite(got[i]))
                g_test_fail_printf("%s: element %zu is %g, where the reference has %g", what, i,
                                   (double)got[i], (double)wanted[i]);
            continue;
        }
        difference += ((double)got[i] - wanted[i]) * ((double)got[i] - wanted[i]);
        norm += (double)wanted[i] * wanted[i];
    }
    double relative = sqrt(difference) / (sqrt(norm) + floor);
    if (!(relative <= tolerance))
        g_test_fail_printf("%s: off by %.3g of its norm %.3g (tolerance %.3g)", what, relative, sqrt(norm),
                           tolerance);
}

void check_equal_bits(const char *what, const float *got, const float *wanted, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (memcmp(&got[i], &wanted[i], sizeof *got))
            g_test_fail_printf("%s: element %zu is %.9g, then %.9g", what, i, (double)wanted[i],
                               (double)got[i]);
}

void check_norms(Side *side, const Batch *batch, double above)
{
    int groups = side->program->options.n_groups;
    g_autofree float *one = g_new0(float, groups * batch->units);
    for (int u = 0; u < batch->units; u++) {
        for (int g = 0; g < groups; g++)
            for (int k = 0; k < batch->units; k++)
                one[g * batch->units + k] = k == u;
        side_phase_b(side, one);
        for (int i = 0; i < side->program->n_parameters; i++) {
            Guarded sum = side_read(side, DPCXR_BANK_SUM, i);
            double norm = norm_of(sum.values, sum.n), bound = sqrt(side->norms2[i * batch->units + u]);
            if (isfinite(bound) && !(norm <= bound && bound <= norm * (1 + above) + 1e-30))
                g_test_fail_printf("norm of %s, unit %d: %.9g, said to be at most %.9g",
                                   dpcxr_graph_parameter(side->program->graph, i)->name, u, norm, bound);
            guarded_free(&sum);
        }
    }
}

static void compare_sums(Side *got, Side *wanted, double tolerance)
{
    double total = 1e-30;
    for (int i = 0; i < wanted->program->n_parameters; i++) {
        Guarded sum = side_read(wanted, DPCXR_BANK_SUM, i);
        total += norm_of(sum.values, sum.n);
        guarded_free(&sum);
    }
    for (int i = 0; i < got->program->n_parameters; i++) {
        g_autofree char *what =
            g_strdup_printf("gradient of %s", dpcxr_graph_parameter(got->program->graph, i)->name);
        Guarded a = side_read(got, DPCXR_BANK_SUM, i), b = side_read(wanted, DPCXR_BANK_SUM, i);
        if (tolerance > 0)
            check_close(what, a.values, b.values, b.n, tolerance, 1e-3 * total);
        else
            check_equal_bits(what, a.values, b.values, b.n);
        guarded_free(&a);
        guarded_free(&b);
    }
}

static void compare_norms(const Side *got, const Side *wanted, const Batch *batch, double tolerance)
{
    double total = 0;
    int n = got->program->n_parameters * batch->units;
    for (int i = 0; i < n; i++)
        total += isfinite(wanted->norms2[i]) ? wanted->norms2[i] : 0;
    for (int i = 0; i < n; i++) {
        double a = sqrt(got->norms2[i]), b = sqrt(wanted->norms2[i]);
        if (isfinite(a) != isfinite(b) ||
            (isfinite(b) && fabs(a - b) > tolerance * b + 0.005 * tolerance * sqrt(total)))
            g_test_fail_printf("norm of %s, unit %d: %.9g, the reference has %.9g",
                               dpcxr_graph_parameter(batch->graph, i / batch->units)->name, i % batch->units,
                               a, b);
    }
}

/* Evaluation, also of more rows than a physical batch. */
static void compare_forward(Side *got, const Side *wanted, const Batch *batch)
{
    g_autoptr(GError) error = NULL;
    gsize image = batch->images.n / (gsize)batch->rows, n = wanted->logits.n;
    Guarded images = guarded_new(2 * (gsize)batch->rows * image), outputs = guarded_new(2 * n);
    for (int k = 0; k < 2; k++)
        memcpy(images.values + (gsize)k * batch->images.n, batch->images.values,
               batch->images.n * sizeof(float));
    dpcxr_program_forward(got->program, 2 * batch->rows, images.values, outputs.values, &error);
    g_assert_no_error(error);
    guarded_check(&outputs, "outputs");
    for (int k = 0; k < 2; k++)
        check_equal_bits("evaluation against training", outputs.values + (gsize)k * n, got->logits.values, n);
    guarded_free(&images);
    guarded_free(&outputs);
}

static void run_again(const DpcxrBackend *backend, Side *first, const Batch *batch, const float *coefficients,
                      gboolean loss, int threads)
{
    SideOptions options = {.threads = threads, .n_groups = 1, .precision = first->program->options.precision};
    Side again = side_new(backend, batch->graph, batch, options, 7);
    side_phase_a(&again, batch, loss);
    side_phase_b(&again, coefficients);
    for (gsize i = 0; i < first->logits.n; i++)
        if (isnan(first->logits.values[i]) && isnan(again.logits.values[i]))
            again.logits.values[i] = first->logits.values[i];
    check_equal_bits("logits with another number of threads", again.logits.values, first->logits.values,
                     first->logits.n);
    for (int i = 0; i < again.program->n_parameters * batch->units; i++)
        g_assert_cmpfloat(again.norms2[i], ==, first->norms2[i]);
    compare_sums(&again, first, 0);
    side_free(&again);
}

void check_graph(const DpcxrBackend *backend, const Precision *precision, const DpcxrGraph *graph,
                 const Batch *batch, gboolean loss)
{
    SideOptions options = {.threads = 2, .n_groups = 1};
    Side wanted = side_new(&dpcxr_backend_ref, graph, batch, options, 7);
    options.precision = precision->in;
    Side got = side_new(backend, graph, batch, options, 7);
    g_autofree float *coefficients = g_new(float, batch->units);
    side_phase_a(&wanted, batch, loss);
    side_phase_a(&got, batch, loss);
    check_close("output", got.logits.values, wanted.logits.values, wanted.logits.n, precision->output, 1e-6);
    check_close("losses", got.losses.values, wanted.losses.values, wanted.losses.n, precision->loss, 1e-6);
    /* Over two values a norm's gradient cancels almost whole; what is left is held against what came in. */
    double floor = loss ? 1e-6 : 0.01 * norm_of(batch->output_gradient.values, batch->output_gradient.n);
    check_close("input gradient", got.input_gradient.values, wanted.input_gradient.values,
                wanted.input_gradient.n, precision->gradient, floor);
    compare_norms(&got, &wanted, batch, precision->norm);
    for (int u = 0; u < batch->units; u++) {
        gboolean skipped = u % 4 == 3;
        for (int i = 0; i < got.program->n_parameters; i++)
            skipped = skipped || !isfinite(wanted.norms2[i * batch->units + u]);
        coefficients[u] = skipped ? 0 : 1.0f / (float)(1 + u);
    }
    side_phase_b(&wanted, coefficients);
    side_phase_b(&got, coefficients);
    compare_sums(&got, &wanted, precision->sum);
    compare_forward(&got, &wanted, batch);
    run_again(backend, &got, batch, coefficients, loss, 1);
    check_norms(&got, batch, 0.02);
    side_free(&got);
    side_free(&wanted);
}
