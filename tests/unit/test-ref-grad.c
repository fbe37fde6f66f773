/* SPDX-License-Identifier: MIT
 * The specification against calculus: central differences of L = sum over outputs of dy * y, for every operation, in its
 * inputs and in its parameters; and of the loss in its logits. Networks are one layer each. */
#include "backend/ref/ref.h"
#include <dpcxr/random.h>
#include <math.h>
#include <string.h>

typedef struct {
    const char *name;
    int height, width, channels;
    DpcxrNode (*build)(DpcxrGraph *graph);
    float spread; /* of the inputs */
} Case;

static DpcxrNode conv3(DpcxrGraph *g)
{
    return dpcxr_conv2d(g, 0, (DpcxrConv2d){.out_channels = 5, .kernel = 3, .padding = 1, .bias = TRUE}, "c");
}
static DpcxrNode conv7(DpcxrGraph *g)
{
    return dpcxr_conv2d(g, 0, (DpcxrConv2d){.out_channels = 4, .kernel = 7, .stride = 2, .padding = 3}, "c");
}
static DpcxrNode conv1(DpcxrGraph *g)
{
    return dpcxr_conv2d(g, 0, (DpcxrConv2d){.out_channels = 6, .kernel = 1, .stride = 2}, "c");
}
static DpcxrNode norm(DpcxrGraph *g)
{
    return dpcxr_group_norm(g, 0, 3, 1e-5, "n");
}
static DpcxrNode relu(DpcxrGraph *g)
{
    return dpcxr_relu(g, 0);
}
static DpcxrNode mish(DpcxrGraph *g)
{
    return dpcxr_mish(g, 0);
}
static DpcxrNode add(DpcxrGraph *g)
{
    return dpcxr_add(g, dpcxr_mish(g, 0), 0);
}
static DpcxrNode max_pool(DpcxrGraph *g)
{
    return dpcxr_max_pool2d(g, 0, 3, 2, 1);
}
static DpcxrNode average(DpcxrGraph *g)
{
    return dpcxr_global_average_pool(g, 0);
}
static DpcxrNode linear(DpcxrGraph *g)
{
    return dpcxr_linear(g, 0, 4, "fc");
}

static const Case cases[] = {
    {"conv2d-3x3", 5, 6, 3, conv3, 1}, {"conv2d-7x7-stride-2", 9, 8, 2, conv7, 1},
    {"conv2d-1x1-stride-2", 5, 5, 4, conv1, 1}, {"group_norm", 4, 3, 6, norm, 1},
    {"relu", 4, 5, 3, relu, 1}, {"mish", 4, 5, 3, mish, 6}, {"add", 3, 3, 4, add, 2},
    {"max_pool2d", 7, 6, 2, max_pool, 1}, {"global_average_pool", 5, 4, 3, average, 1}, {"linear", 1, 1, 7, linear, 1},
};

static void fill(float *values, gsize n, float spread, guint32 stream)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, 1, "ref-grad", 0, stream);
    for (gsize i = 0; i < n; i++)
        values[i] = spread * (float)(2 * dpcxr_random_uniform(&random) - 1);
}

/* sum of dy * y, in f64 */
static double functional(DpcxrProgram *program, const float *image, const float *dy)
{
    g_autofree float *y = g_new(float, program->n_outputs);
    g_assert_true(dpcxr_program_forward(program, 1, image, y, NULL));
    double sum = 0;
    for (int i = 0; i < program->n_outputs; i++)
        sum += (double)dy[i] * y[i];
    return sum;
}

/* f32 outputs limit central differences with a step of 1/128 to about 1e-4 of the values' size. */
static void assert_slope(double numeric, double analytic, const char *what, gsize i)
{
    if (!(fabs(numeric - analytic) <= 2e-3 * (1 + fabs(analytic))))
        g_error("%s[%zu]: difference quotient %.6g, gradient %.6g", what, i, numeric, analytic);
}

static const float step = 1.0f / 128;

static void check_input(DpcxrProgram *program, float *image, gsize n, const float *dy, const float *gradient)
{
    for (gsize i = 0; i < n; i++) {
        float was = image[i];
        image[i] = was + step;
        double above = functional(program, image, dy);
        image[i] = was - step;
        double below = functional(program, image, dy);
        image[i] = was;
        assert_slope((above - below) / (2.0 * step), gradient[i], "input", i);
    }
}

static void check_parameter(DpcxrProgram *program, int p, const float *image, const float *dy)
{
    const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, p);
    g_autofree float *w = g_new(float, parameter->size), *gradient = g_new(float, parameter->size);
    g_assert_true(dpcxr_program_read(program, DPCXR_BANK_WEIGHT, p, w, NULL));
    g_assert_true(dpcxr_program_read(program, DPCXR_BANK_SUM, p, gradient, NULL));
    for (gsize i = 0; i < parameter->size; i++) {
        float was = w[i];
        w[i] = was + step;
        g_assert_true(dpcxr_program_write(program, DPCXR_BANK_WEIGHT, p, w, NULL));
        double above = functional(program, image, dy);
        w[i] = was - step;
        g_assert_true(dpcxr_program_write(program, DPCXR_BANK_WEIGHT, p, w, NULL));
        double below = functional(program, image, dy);
        w[i] = was;
        assert_slope((above - below) / (2.0 * step), gradient[i], parameter->name, i);
    }
    g_assert_true(dpcxr_program_write(program, DPCXR_BANK_WEIGHT, p, w, NULL));
}

/* A difference quotient across a kink says nothing: keep inputs of relu and max pooling apart from each other and 0. */
static void keep_off_kinks(float *image, gsize n)
{
    for (gsize i = 0; i < n; i++)
        image[i] = ((float)((i * 7919) % (2 * n)) - (float)n + 0.5f) / (float)n * 3;
}

static void test_operation(gconstpointer data)
{
    const Case *c = data;
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(c->height, c->width, c->channels);
    g_assert_true(dpcxr_graph_finish(graph, c->build(graph), 0, NULL));
    DpcxrProgramOptions options = {.max_rows = 1, .max_units = 1, .threads = 1, .training = TRUE, .norms = TRUE};
    g_autoptr(DpcxrProgram) program = dpcxr_program_new(&dpcxr_backend_ref, graph, &options, NULL);
    g_assert_nonnull(program);
    gsize n = (gsize)c->height * c->width * c->channels, outputs = (gsize)program->n_outputs;
    g_autofree float *image = g_new(float, n), *dx = g_new(float, n), *dy = g_new(float, outputs);
    g_autofree float *y = g_new(float, outputs);
    g_autofree double *norms2 = g_new0(double, 2);
    fill(image, n, c->spread, 0);
    fill(dy, outputs, 1, 1);
    if (c->build == relu || c->build == max_pool)
        keep_off_kinks(image, n);
    for (int p = 0; p < program->n_parameters; p++) {
        g_autofree float *w = g_new(float, dpcxr_graph_parameter(graph, p)->size);
        fill(w, dpcxr_graph_parameter(graph, p)->size, 1, 2 + (guint32)p);
        g_assert_true(dpcxr_program_write(program, DPCXR_BANK_WEIGHT, p, w, NULL));
    }
    float loss, one = 1;
    int offsets[] = {0, 1};
    DpcxrBatch batch = {.rows = 1, .images = image, .units = 1, .unit_offsets = offsets, .row_weights = &one,
                        .output_gradient = dy};
    DpcxrBatchResult result = {.losses = &loss, .logits = y, .norms2 = norms2, .input_gradient = dx};
    g_assert_true(dpcxr_program_phase_a(program, &batch, &result, NULL));
    g_assert_true(dpcxr_program_phase_b(program, DPCXR_BANK_SUM, &one, NULL));
    check_input(program, image, n, dy, dx);
    for (int p = 0; p < program->n_parameters; p++)
        check_parameter(program, p, image, dy);
}

/* The loss in its logits, with masks and pos_weight, by central differences in f64 of an independent formula. */
static double bce(const double *x, const float *y, const float *mask, const float *w, int n)
{
    double sum = 0, known = 0;
    for (int i = 0; i < n; i++) {
        double p = 1 / (1 + exp(-x[i]));
        sum -= mask[i] * (w[i] * y[i] * log(p) + (1 - y[i]) * log(1 - p));
        known += mask[i];
    }
    return sum / known;
}

static void test_loss(void)
{
    enum { N = 5 };
    static const float logits[N] = {-3, -0.5f, 0, 1.25f, 4}, targets[N] = {1, 0, 1, 0.25f, 0};
    static const float mask[N] = {1, 1, 0, 1, 1}, weights[N] = {2, 3, 1, 0.5f, 1};
    float gradient[N];
    double x[N];
    for (int i = 0; i < N; i++)
        x[i] = logits[i];
    float loss = dpcxr_ref_bce(logits, targets, mask, weights, N, 0.5f, gradient);
    g_assert_cmpfloat_with_epsilon(loss, bce(x, targets, mask, weights, N), 1e-6);
    for (int i = 0; i < N; i++) {
        x[i] = logits[i] + 1e-5;
        double above = bce(x, targets, mask, weights, N);
        x[i] = logits[i] - 1e-5;
        double below = bce(x, targets, mask, weights, N);
        x[i] = logits[i];
        g_assert_cmpfloat_with_epsilon(gradient[i], 0.5 * (above - below) / 2e-5, 1e-6);
    }
}

static void test_loss_extremes(void)
{
    static const float logits[] = {1e4f, -1e4f}, targets[] = {0, 1}, mask[] = {1, 1}, none[] = {0, 0};
    float gradient[2];
    g_assert_cmpfloat_with_epsilon(dpcxr_ref_bce(logits, targets, mask, NULL, 2, 1, gradient), 1e4, 1e-2);
    g_assert_cmpfloat(gradient[0], ==, 0.5f);
    g_assert_cmpfloat(gradient[1], ==, -0.5f);
    g_assert_cmpfloat(dpcxr_ref_bce(logits, targets, none, NULL, 2, 1, gradient), ==, 0);
    g_assert_cmpfloat(gradient[0], ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/ref-grad/%s", cases[i].name);
        g_test_add_data_func(path, &cases[i], test_operation);
    }
    g_test_add_func("/ref-grad/loss", test_loss);
    g_test_add_func("/ref-grad/loss-extremes", test_loss_extremes);
    return g_test_run();
}
