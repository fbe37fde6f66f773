/* SPDX-License-Identifier: MIT
 * Each operation alone, over odd sizes: cpu against the reference. Adding a case is adding a line. */
#include "harness.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    DpcxrLayerType type;
    int height, width, channels;
    int out_channels, kernel, stride, padding; /* out_channels: also the groups of a norm */
    gboolean bias;
    int rows_of[8]; /* images of each unit */
} Case;

#define ONE                                                                                                  \
    {                                                                                                        \
        1                                                                                                    \
    }
#define SOME                                                                                                 \
    {                                                                                                        \
        1, 3, 2, 1, 1                                                                                        \
    }
#define MANY                                                                                                 \
    {                                                                                                        \
        7, 1                                                                                                 \
    }
static const Case cases[] = {
    /* Convolutions: kernels 1, 2, 3, 5, 7; strides 1, 2, 3; padding none, half, full; channels off every
       vector width. */
    {DPCXR_LAYER_CONV2D, 1, 1, 1, 1, 1, 1, 0, FALSE, ONE},
    {DPCXR_LAYER_CONV2D, 1, 1, 33, 17, 1, 1, 0, TRUE, SOME},
    {DPCXR_LAYER_CONV2D, 1, 1, 5, 7, 3, 1, 1, TRUE, SOME},
    {DPCXR_LAYER_CONV2D, 7, 7, 3, 16, 3, 1, 1, FALSE, SOME},
    {DPCXR_LAYER_CONV2D, 13, 7, 16, 33, 3, 1, 1, TRUE, SOME},
    {DPCXR_LAYER_CONV2D, 8, 8, 64, 64, 3, 1, 1, FALSE, SOME},
    {DPCXR_LAYER_CONV2D, 4, 4, 128, 96, 3, 1, 1, FALSE, MANY},
    {DPCXR_LAYER_CONV2D, 7, 13, 33, 16, 3, 1, 0, FALSE, SOME},
    {DPCXR_LAYER_CONV2D, 13, 13, 16, 32, 3, 2, 1, FALSE, SOME},
    {DPCXR_LAYER_CONV2D, 8, 8, 64, 128, 3, 2, 1, FALSE, MANY},
    {DPCXR_LAYER_CONV2D, 9, 6, 17, 5, 3, 3, 2, TRUE, SOME},
    {DPCXR_LAYER_CONV2D, 8, 8, 64, 128, 1, 2, 0, FALSE, SOME},
    {DPCXR_LAYER_CONV2D, 7, 5, 19, 33, 1, 1, 0, TRUE, MANY},
    {DPCXR_LAYER_CONV2D, 31, 31, 1, 16, 7, 2, 3, FALSE, SOME},
    {DPCXR_LAYER_CONV2D, 31, 13, 3, 64, 7, 2, 3, TRUE, SOME},
    {DPCXR_LAYER_CONV2D, 11, 11, 16, 16, 5, 1, 4, FALSE, SOME},
    {DPCXR_LAYER_CONV2D, 6, 6, 8, 8, 2, 1, 1, FALSE, SOME},
    {DPCXR_LAYER_CONV2D, 3, 3, 4, 4, 2, 5, 0, TRUE, ONE},
    {DPCXR_LAYER_CONV2D, 2, 9, 3, 5, 2, 100, 1, FALSE, SOME},
    {DPCXR_LAYER_CONV2D, 128, 128, 1, 1, 3, 1, 1, FALSE, MANY},
    {DPCXR_LAYER_LINEAR, 1, 1, 1, 1, 0, 0, 0, FALSE, ONE},
    {DPCXR_LAYER_LINEAR, 1, 1, 33, 7, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_LINEAR, 1, 1, 512, 8, 0, 0, 0, FALSE, MANY},
    {DPCXR_LAYER_GROUP_NORM, 1, 1, 2, 1, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_GROUP_NORM, 7, 7, 3, 1, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_GROUP_NORM, 13, 5, 33, 11, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_GROUP_NORM, 8, 8, 64, 32, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_GROUP_NORM, 3, 31, 70, 7, 0, 0, 0, FALSE, MANY},
    {DPCXR_LAYER_GROUP_NORM, 58, 58, 5, 1, 0, 0, 0, FALSE, {9, 3, 2, 1, 1}}, /* just above a megabyte */
    {DPCXR_LAYER_RELU, 7, 5, 3, 0, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_RELU, 8, 8, 16, 0, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_MISH, 7, 5, 3, 0, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_MISH, 31, 31, 5, 0, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_ADD, 7, 5, 3, 0, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_MAX_POOL2D, 7, 7, 16, 0, 3, 2, 1, FALSE, SOME},
    {DPCXR_LAYER_MAX_POOL2D, 13, 8, 33, 0, 3, 2, 1, FALSE, SOME},
    {DPCXR_LAYER_MAX_POOL2D, 31, 7, 3, 0, 2, 2, 0, FALSE, SOME},
    {DPCXR_LAYER_MAX_POOL2D, 5, 5, 20, 0, 5, 1, 2, FALSE, SOME},
    {DPCXR_LAYER_MAX_POOL2D, 1, 1, 1, 0, 1, 1, 0, FALSE, ONE},
    {DPCXR_LAYER_GLOBAL_AVERAGE_POOL, 7, 7, 33, 0, 0, 0, 0, FALSE, SOME},
    {DPCXR_LAYER_GLOBAL_AVERAGE_POOL, 1, 1, 5, 0, 0, 0, 0, FALSE, SOME},
};

static DpcxrGraph *graph_of(const Case *c)
{
    g_autoptr(GError) error = NULL;
    DpcxrGraph *graph = dpcxr_graph_new(c->height, c->width, c->channels);
    DpcxrNode x = dpcxr_graph_input(graph);
    if (c->type == DPCXR_LAYER_CONV2D)
        x = dpcxr_conv2d(graph, x, (DpcxrConv2d){c->out_channels, c->kernel, c->stride, c->padding, c->bias},
                         "conv");
    else if (c->type == DPCXR_LAYER_LINEAR)
        x = dpcxr_linear(graph, x, c->out_channels, "fc");
    else if (c->type == DPCXR_LAYER_GROUP_NORM)
        x = dpcxr_group_norm(graph, x, c->out_channels, 1e-5, "bn");
    else if (c->type == DPCXR_LAYER_RELU)
        x = dpcxr_relu(graph, x);
    else if (c->type == DPCXR_LAYER_MISH)
        x = dpcxr_mish(graph, x);
    else if (c->type == DPCXR_LAYER_ADD)
        x = dpcxr_add(graph, x, x);
    else if (c->type == DPCXR_LAYER_MAX_POOL2D)
        x = dpcxr_max_pool2d(graph, x, c->kernel, c->stride, c->padding);
    else
        x = dpcxr_global_average_pool(graph, x);
    dpcxr_graph_finish(graph, x, 0, &error);
    g_assert_no_error(error);
    return graph;
}

typedef struct {
    const Case *c;
    const CheckKind *kind;
    const Precision *precision;
} Test;

/* Strides larger than the kernel are refused in bf16. */
static gboolean can(const Test *test)
{
    const Case *c = test->c;
    check_begin(test->kind);
    if (!check_can(test->precision))
        return FALSE;
    if (test->precision->in != DPCXR_PRECISION_BF16 || c->type != DPCXR_LAYER_CONV2D || c->kernel == 1 || c->stride <= c->kernel)
        return TRUE;
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrGraph) graph = graph_of(c);
    DpcxrProgramOptions options = {.max_rows = 1, .max_units = 1, .threads = 1, .precision = DPCXR_PRECISION_BF16, .n_groups = 1};
    g_assert_null(dpcxr_program_new(test->kind->backend, graph, &options, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "more than its kernel"));
    return FALSE;
}

static void test_benign(gconstpointer data)
{
    const Test *test = data;
    if (!can(test))
        return;
    g_autoptr(DpcxrGraph) graph = graph_of(test->c);
    Batch batch = batch_new(graph, test->c->rows_of, 1);
    if (test->precision->in != DPCXR_PRECISION_FP32)
        batch_round(&batch);
    check_graph(test->kind->backend, test->precision, graph, &batch, FALSE);
    batch_free(&batch);
}

/* Takes the reference's numbers for the image of @row. */
static void forgive_row(Side *got, const Side *wanted, gsize row)
{
    gsize outputs = (gsize)got->program->n_outputs;
    gsize image = dpcxr_shape_size(dpcxr_graph_layer(got->program->graph, 0)->shape);
    memcpy(got->logits.values + row * outputs, wanted->logits.values + row * outputs, outputs * sizeof(float));
    memcpy(got->input_gradient.values + row * image, wanted->input_gradient.values + row * image, image * sizeof(float));
}

/* A NaN, an infinity and values near the largest float in some images: agree where the reference is finite;
 * such a unit is named by its norms, and the others are as if it were not there. */
static void test_not_finite(gconstpointer data)
{
    const Test *test = data;
    if (!can(test))
        return;
    const Precision *within = test->precision;
    g_autoptr(DpcxrGraph) graph = graph_of(test->c);
    Batch batch = batch_new(graph, (int[]){1, 2, 1, 1, 0}, 2);
    gsize image = batch.images.n / (gsize)batch.rows;
    batch.images.values[image / 2] = NAN;
    batch.images.values[3 * image + image / 3] = INFINITY;
    batch.output_gradient.values[batch.output_gradient.n - 1] = -INFINITY;
    SideOptions options = {.threads = 2, .n_groups = 1};
    Side wanted = side_new(&dpcxr_backend_ref, graph, &batch, options, 7);
    options.precision = within->in;
    Side got = side_new(test->kind->backend, graph, &batch, options, 7);
    side_phase_a(&got, &batch, FALSE);
    side_phase_a(&wanted, &batch, FALSE);
    if (within->in == DPCXR_PRECISION_BF16) { /* its convolutions pair pixels, and an infinite one meets a weight of zero: in its own image only */
        forgive_row(&got, &wanted, 0);
        forgive_row(&got, &wanted, 3);
    }
    check_close("output", got.logits.values, wanted.logits.values, wanted.logits.n, within->output, 1e-6);
    gsize finite_rows =
        image; /* the last image has an infinite output gradient, the others in question are compared */
    check_close("input gradient", got.input_gradient.values, wanted.input_gradient.values,
                got.input_gradient.n - finite_rows, 5 * within->gradient, 1);
    static const float coefficients[] = {0, 1, 0, 0};
    for (int i = 0; i < got.program->n_parameters; i++) {
        const double *norms2 = got.norms2 + i * batch.units;
        g_assert_true(isfinite(norms2[1]));
        /* Of all parameters: a bias may be finite where its weight is not. */
        for (int u = 0; u < batch.units; u++)
            for (int k = 0; k < got.program->n_parameters; k++)
                if (!isfinite(wanted.norms2[k * batch.units + u]))
                    g_assert_true(isinf(norms2[u]));
    }
    side_phase_b(&got, coefficients);
    side_phase_b(&wanted, coefficients);
    for (int i = 0; i < got.program->n_parameters; i++) {
        Guarded a = side_read(&got, DPCXR_BANK_SUM, i), b = side_read(&wanted, DPCXR_BANK_SUM, i);
        check_close("sum without the others", a.values, b.values, b.n, within->sum, 1e-6);
        guarded_free(&a);
        guarded_free(&b);
    }
    side_free(&got);
    side_free(&wanted);
    batch_free(&batch);
}

/* Convolutions of shapes that nobody would think of, through the start-up check: a library's kernels have corners. */
typedef struct {
    const DpcxrBackend *backend;
    const Precision *precision;
} Odd;

static void test_odd_shapes(gconstpointer data)
{
    const Odd *test = data;
    const int shapes = test->backend == &dpcxr_backend_vulkan ? 30 : 150; /* each is compiled anew there */
    const Precision *precision = test->precision;
    if (!check_can(precision))
        return;
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    for (int i = 0; i < shapes; i++) {
        g_autoptr(GError) error = NULL;
        int height = g_rand_int_range(random, 1, 15), width = g_rand_int_range(random, 1, 15);
        int in = g_rand_int_range(random, 1, 41), out = g_rand_int_range(random, 1, 41);
        int kernel = g_rand_int_range(random, 1, 6), stride = g_rand_int_range(random, 1, 9);
        int padding = g_rand_int_range(random, 0, kernel);
        if (MIN(height, width) + 2 * padding < kernel || (precision->in == DPCXR_PRECISION_BF16 && kernel > 1 && stride > kernel))
            continue;
        g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(height, width, in);
        DpcxrNode x = dpcxr_graph_input(graph);
        dpcxr_graph_finish(graph, dpcxr_conv2d(graph, x, (DpcxrConv2d){out, kernel, stride, padding, FALSE}, "conv"), 0,
                           &error);
        g_assert_no_error(error);
        DpcxrProgramOptions options = {.max_rows = 2, .max_units = 2, .threads = 1, .training = TRUE, .norms = TRUE,
                                       .device = check_device(test->backend), .precision = precision->in,
                                       .n_groups = 1};
        g_autoptr(DpcxrProgram) program = dpcxr_program_new(test->backend, graph, &options, &error);
        if (!program)
            g_test_fail_printf("%dx%dx%d > %d, kernel %d, stride %d, padding %d: %s", height, width, in, out, kernel, stride,
                               padding, error->message);
    }
}

/* Images so large that a device which ends long loops early (Mesa's software device, after 65535 rounds) would sum
 * a part of their positions: averages and every way of making a gradient of weights, through the start-up check. */
typedef struct {
    const char *path;
    int size, rows;
    gboolean pool, norms, grid;
    const char *refusal; /* what it says, where the device has such a limit */
} Many;

static DpcxrGraph *many_positions(const Many *test)
{
    g_autoptr(GError) error = NULL;
    DpcxrGraph *graph = dpcxr_graph_new(test->size, test->size + 1, 1);
    DpcxrNode x = dpcxr_conv2d(graph, dpcxr_graph_input(graph), (DpcxrConv2d){2, 3, 1, 1, TRUE}, "conv");
    x = dpcxr_relu(graph, x);
    x = test->pool ? dpcxr_global_average_pool(graph, x)
                   : dpcxr_conv2d(graph, x, (DpcxrConv2d){1, 4, 4, 0, FALSE}, "fewer");
    dpcxr_graph_finish(graph, x, 0, &error);
    g_assert_no_error(error);
    return graph;
}

static DpcxrProgram *with_many_positions(const Many *test, const DpcxrGraph *graph, GError **error)
{
    DpcxrProgramOptions options = {.max_rows = test->rows,
                                   .max_units = test->rows,
                                   .threads = 1,
                                   .training = TRUE,
                                   .norms = test->norms,
                                   .grid = test->grid,
                                   .device = check_device(&dpcxr_backend_vulkan),
                                   .n_groups = 1};
    return dpcxr_program_new(&dpcxr_backend_vulkan, graph, &options, error);
}

static void test_many_positions(gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrGraph) graph = many_positions(data);
    g_autoptr(DpcxrProgram) program = with_many_positions(data, graph, &error);
    if (!program && strstr(error->message, "64-bit"))
        g_test_skip("no grid on this device");
    else
        g_assert_no_error(error);
}

static gboolean is_software(const char *index)
{
    g_autoptr(GPtrArray) devices = dpcxr_vulkan_devices(NULL);
    for (guint i = 0; devices && i < devices->len; i++) {
        const DpcxrVulkanDevice *device = g_ptr_array_index(devices, i);
        if (device->index == atoi(index))
            return device->kind == DPCXR_VULKAN_SOFTWARE;
    }
    return FALSE;
}

/* What nothing makes shorter. */
static void test_too_many_positions(gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrGraph) graph = many_positions(data);
    g_autoptr(DpcxrProgram) program = with_many_positions(data, graph, &error);
    if (!is_software(check_device(&dpcxr_backend_vulkan))) {
        g_assert_no_error(error);
        return;
    }
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, ((const Many *)data)->refusal));
}

static void add_many_positions(void)
{
    static const Many right[] = {{"/many-positions/sum", 271, 2, FALSE, FALSE, FALSE, NULL},
                                 {"/many-positions/slots", 271, 2, FALSE, TRUE, FALSE, NULL},
                                 {"/many-positions/grid", 271, 2, FALSE, TRUE, TRUE, NULL},
                                 {"/many-positions/average", 271, 2, TRUE, TRUE, FALSE, NULL}};
    static const Many refused[] = {
        {"/many-positions/refused", 1500, 2, TRUE, TRUE, FALSE, "pool of 1 x 1 x 2: one image needs"},
        {"/many-positions/rows", 4, 70000, FALSE, FALSE, FALSE, "use train.batch.physical: "}};
    for (guint i = 0; i < G_N_ELEMENTS(right); i++)
        g_test_add_data_func(right[i].path, &right[i], test_many_positions);
    for (guint i = 0; i < G_N_ELEMENTS(refused); i++)
        g_test_add_data_func(refused[i].path, &refused[i], test_too_many_positions);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    guint n;
    const CheckKind *kinds = check_kinds(&n);
    g_autofree Test *tests = g_new0(Test, G_N_ELEMENTS(cases) * 2 * n + 1);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        for (guint k = 0; k < 2 * n; k++) {
            const Case *c = &cases[i];
            Test *test = &tests[i * 2 * n + k];
            *test = (Test){c, &kinds[k / 2], k % 2 == 0 ? &check_f32 : kinds->device ? &check_f16 : &check_bf16};
            if (!kinds->device && c->height * c->width > 10000) /* more rounds of a loop than some devices do */
                continue;
            if (k % 2 && !check_narrow())
                continue;
            if (!kinds->device && k > 1 && c->type != DPCXR_LAYER_CONV2D && c->type != DPCXR_LAYER_LINEAR)
                continue;
            g_autofree char *name = g_strdup_printf(
                "%s/%s/%s/%dx%dx%d-o%d-k%d-s%d-p%d-%d", test->kind->name, test->precision->name,
                dpcxr_layer_type_name(c->type), c->height, c->width, c->channels, c->out_channels, c->kernel,
                c->stride, c->padding, c->rows_of[0]);
            g_autofree char *benign = g_strdup_printf("/opcheck/%s", name);
            g_autofree char *hostile = g_strdup_printf("/not-finite/%s", name);
            g_test_add_data_func(benign, test, test_benign);
            /* What is not finite in f16 goes the same way through all of a shader's kind; compiling takes long. */
            if (test->precision != &check_f16 || c->type == DPCXR_LAYER_CONV2D)
                g_test_add_data_func(hostile, test, test_not_finite);
        }
    static const Odd odd[] = {{&dpcxr_backend_cpu_direct, &check_f32}, {&dpcxr_backend_cpu_direct, &check_bf16}};
    static const Odd odd_vulkan = {&dpcxr_backend_vulkan, &check_f32};
    if (n && kinds->device) {
        check_begin(kinds);
        g_test_add_data_func("/odd-shapes/vulkan", &odd_vulkan, test_odd_shapes);
        add_many_positions();
    } else if (n) {
        g_test_add_data_func("/odd-shapes/f32", &odd[0], test_odd_shapes);
        g_test_add_data_func("/odd-shapes/bf16", &odd[1], test_odd_shapes);
    }
    return g_test_run();
}
