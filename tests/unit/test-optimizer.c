/* SPDX-License-Identifier: MIT
 * Optimizers against 20 steps of PyTorch 1.13 (tests/golden/optimizers/make.py), applied by every backend
 * there is. */
#include "config/options.h"
#include "optim/optimizer.h"
#include "tensor/safetensors.h"
#include <math.h>
#include <string.h>

#define STEPS 20
#define SIZE 60 /* a linear layer from 5 to 10: weight 50, bias 10 */

static DpcxrSafetensors *open_golden(void)
{
    g_autofree char *path = g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "optimizers",
                                             "optimizers.safetensors", NULL);
    g_autoptr(GError) error = NULL;
    DpcxrSafetensors *file = dpcxr_safetensors_open(path, &error);

    g_assert_no_error(error);
    return file;
}

static DpcxrGraph *make_graph(void)
{
    g_autoptr(GError) error = NULL;
    DpcxrGraph *graph = dpcxr_graph_new(1, 1, 5);

    dpcxr_graph_finish(graph, dpcxr_linear(graph, dpcxr_graph_input(graph), 10, "fc"), 10, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(dpcxr_graph_parameter_count(graph), ==, SIZE);
    return graph;
}

/* Writes SIZE values over the two parameters of @bank, or reads them. */
static void transfer(DpcxrProgram *program, DpcxrBank bank, float *values, gboolean write)
{
    g_autoptr(GError) error = NULL;

    for (int p = 0; p < 2; p++) {
        float *at = values + (p == 0 ? 0 : 50);
        if (write)
            dpcxr_program_write(program, bank, p, at, &error);
        else
            dpcxr_program_read(program, bank, p, at, &error);
        g_assert_no_error(error);
    }
}

static DpcxrOptions *parse(const char *type, const char *yaml)
{
    g_autoptr(GError) error = NULL;
    DpcxrOptions *options = dpcxr_options_parse(dpcxr_optimizer_options(type), yaml, &error);

    g_assert_no_error(error);
    return options;
}

/* @expected: [STEPS, SIZE]. The sum is four times the gradient, at scale 1/4: exact, and both
 * must be used. */
static void follow(DpcxrProgram *program, DpcxrOptimizer *optimizer, gboolean scheduled, const float *start,
                   const float *gradients, const float *expected)
{
    g_autoptr(GError) error = NULL;
    float weights[SIZE], sum[SIZE];
    double worst = 0;

    memcpy(weights, start, sizeof weights);
    transfer(program, DPCXR_BANK_WEIGHT, weights, TRUE);
    for (int step = 0; step < STEPS; step++) {
        DpcxrUpdate update = {.scale = 0.25};
        for (int i = 0; i < SIZE; i++)
            sum[i] = 4 * gradients[step * SIZE + i];
        transfer(program, DPCXR_BANK_SUM, sum, TRUE);
        dpcxr_optimizer_next(optimizer, scheduled ? 1 - step / 40.0 : 1, &update);
        dpcxr_program_update(program, &update, &error);
        g_assert_no_error(error);
        transfer(program, DPCXR_BANK_WEIGHT, weights, FALSE);
        for (int i = 0; i < SIZE; i++)
            worst = fmax(worst, fabs((double)weights[i] - expected[step * SIZE + i]));
    }
    g_test_message("largest difference %.2g", worst);
    g_assert_cmpfloat(worst, <=, 1e-6);
}

/* @name: "TYPE OPTIONS" or "scheduled TYPE OPTIONS". */
static void check_case(const DpcxrBackend *backend, const DpcxrGraph *graph, const char *name,
                       const float *start, const float *gradients, const float *expected)
{
    const DpcxrProgramOptions program_options = {
        .max_rows = 1, .max_units = 1, .threads = 1, .training = TRUE};
    gboolean scheduled = g_str_has_prefix(name, "scheduled ");
    g_auto(GStrv) words = g_strsplit(name + (scheduled ? strlen("scheduled ") : 0), " ", 2);
    g_autoptr(DpcxrOptions) options = parse(words[0], words[1]);
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrProgram) program = dpcxr_program_new(backend, graph, &program_options, &error);
    DpcxrOptimizer optimizer;

    g_assert_no_error(error);
    g_assert_true(dpcxr_optimizer_check(words[0], options, &error));
    dpcxr_optimizer_init(&optimizer, words[0], options);
    g_test_message("%s: %s", backend->name, name);
    follow(program, &optimizer, scheduled, start, gradients, expected);
}

static void test_pytorch(gconstpointer backend_name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrGraph) graph = make_graph();
    g_autoptr(DpcxrSafetensors) golden = open_golden();
    const DpcxrBackend *backend = dpcxr_backend_find(backend_name, NULL, &error);
    float start[SIZE], gradients[STEPS * SIZE], expected[STEPS * SIZE];
    int cases = 0;

    if (!backend) {
        g_test_skip(error->message);
        return;
    }
    dpcxr_safetensors_copy_f32(golden, "start", (const int[]){SIZE}, 1, start, &error);
    g_assert_no_error(error);
    dpcxr_safetensors_copy_f32(golden, "gradients", (const int[]){STEPS, SIZE}, 2, gradients, &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < dpcxr_safetensors_count(golden); i++) {
        const char *name = dpcxr_safetensors_get(golden, i)->name;
        if (!strchr(name, '{'))
            continue;
        dpcxr_safetensors_copy_f32(golden, name, (const int[]){STEPS, SIZE}, 2, expected, &error);
        g_assert_no_error(error);
        check_case(backend, graph, name, start, gradients, expected);
        cases++;
    }
    g_assert_cmpint(cases, ==, 14);
}

static void test_defaults(void)
{
    DpcxrOptimizer o;
    g_autoptr(DpcxrOptions) nadam = parse("nadam", "{lr: 0.5}"), adamw = parse("adamw", "{lr: 1}"),
                            sgd = parse("sgd", "{lr: 1}"), momentum = parse("sgd", "{lr: 1, momentum: 0.5}");

    dpcxr_optimizer_init(&o, "nadam", nadam);
    g_assert_cmpfloat(o.lr, ==, 0.5);
    g_assert_cmpfloat(o.beta1, ==, 0.9);
    g_assert_cmpfloat(o.beta2, ==, 0.999);
    g_assert_cmpfloat(o.eps, ==, 1e-8);
    g_assert_cmpfloat(o.weight_decay, ==, 0);
    g_assert_cmpfloat(o.momentum_decay, ==, 0.004);
    g_assert_cmpint(dpcxr_optimizer_moments(&o), ==, 2);
    dpcxr_optimizer_init(&o, "adamw", adamw);
    g_assert_cmpfloat(o.weight_decay, ==, 0.01);
    dpcxr_optimizer_init(&o, "sgd", sgd);
    g_assert_cmpint(dpcxr_optimizer_moments(&o), ==, 0);
    dpcxr_optimizer_init(&o, "sgd", momentum);
    g_assert_cmpint(dpcxr_optimizer_moments(&o), ==, 1);
    g_assert_null(dpcxr_optimizer_options("sgdm"));
    for (const char *const *type = dpcxr_optimizer_types(); *type; type++)
        g_assert_nonnull(dpcxr_optimizer_options(*type));
}

/* A copied struct goes on as the original does: that is all a checkpoint needs. */
static void test_resumes(void)
{
    g_autoptr(DpcxrOptions) options = parse("nadam", "{lr: 0.01}");
    DpcxrOptimizer through, resumed;
    DpcxrUpdate a = {.scale = 1}, b = {.scale = 1};

    dpcxr_optimizer_init(&through, "nadam", options);
    for (int i = 0; i < 7; i++)
        dpcxr_optimizer_next(&through, 1, &a);
    dpcxr_optimizer_init(&resumed, "nadam", options);
    resumed.step = through.step;
    resumed.mu_product = through.mu_product;
    dpcxr_optimizer_next(&through, 0.5, &a);
    dpcxr_optimizer_next(&resumed, 0.5, &b);
    g_assert_cmpmem(&a, sizeof a, &b, sizeof b);
}

static void test_refuses(void)
{
    const char *cases[][3] = {
        {"adam", "{lr: 1, betas: [0.9]}", "betas"},
        {"adamw", "{lr: 1, betas: [0.9, 0.99, 0.999]}", "betas"},
        {"nadam", "{lr: 1, betas: [1, 0.5]}", "betas"},
        {"nadam", "{lr: 1, betas: [0.5, 1]}", "betas"},
        {"sgd", "{lr: 1, nesterov: true}", "nesterov needs momentum"},
        {"sgd", "{lr: 1, nesterov: true, momentum: 0.9, dampening: 0.1}", "dampening 0"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(DpcxrOptions) options = parse(cases[i][0], cases[i][1]);
        g_assert_false(dpcxr_optimizer_check(cases[i][0], options, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
        g_assert_nonnull(strstr(error->message, cases[i][2]));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/optimizer/pytorch/ref", "ref", test_pytorch);
    g_test_add_data_func("/optimizer/pytorch/cpu", "cpu", test_pytorch);
    g_test_add_func("/optimizer/defaults", test_defaults);
    g_test_add_func("/optimizer/resumes", test_resumes);
    g_test_add_func("/optimizer/refuses", test_refuses);
    return g_test_run();
}
