/* SPDX-License-Identifier: MIT
 * Shapes, names and initial values, and the sticky error of a graph that cannot be. */
#include "graph/layers.h"
#include <math.h>

static void test_shapes(void)
{
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(33, 20, 3);
    DpcxrNode x = dpcxr_conv2d(graph, dpcxr_graph_input(graph),
                               (DpcxrConv2d){.out_channels = 16, .kernel = 7, .stride = 2, .padding = 3}, "conv%d", 1);
    g_assert_cmpint(dpcxr_graph_height(graph, x), ==, 17);
    g_assert_cmpint(dpcxr_graph_width(graph, x), ==, 10);
    x = dpcxr_mish(graph, dpcxr_group_norm(graph, x, 4, 1e-5, "bn1"));
    x = dpcxr_max_pool2d(graph, x, 3, 2, 1);
    g_assert_cmpint(dpcxr_graph_height(graph, x), ==, 9);
    g_assert_cmpint(dpcxr_graph_width(graph, x), ==, 5);
    x = dpcxr_add(graph, x, dpcxr_relu(graph, x));
    x = dpcxr_linear(graph, dpcxr_global_average_pool(graph, x), 5, "fc");
    g_assert_true(dpcxr_graph_finish(graph, x, 5, NULL));
    g_assert_cmpint(dpcxr_graph_n_parameters(graph), ==, 5);
    g_assert_cmpstr(dpcxr_graph_parameter(graph, 0)->name, ==, "conv1.weight");
    g_assert_cmpstr(dpcxr_graph_parameter(graph, 4)->name, ==, "fc.bias");
    g_assert_cmpuint(dpcxr_graph_parameter_count(graph), ==, 16 * 3 * 49 + 16 + 16 + 5 * 16 + 5);
    g_assert_cmpint(dpcxr_graph_find_parameter(graph, "bn1.bias"), ==, 2);
    g_assert_cmpint(dpcxr_graph_find_parameter(graph, "bn2.bias"), ==, -1);
}

static void assert_broken(DpcxrGraph *graph, DpcxrNode output, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(dpcxr_graph_finish(graph, output, 0, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, words));
}

/* The first bad call is the one that is reported, whatever follows. */
static void test_sticky_error(void)
{
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(8, 8, 3);
    DpcxrNode x = dpcxr_group_norm(graph, 0, 2, 1e-5, "layer%d.bn", 7);
    x = dpcxr_linear(graph, x, -1, "fc");
    g_assert_cmpint(x, <, 0);
    assert_broken(graph, x, "layer7.bn: group_norm: 2 groups do not divide 3 channels");
}

static void test_refusals(void)
{
    static const struct {
        DpcxrConv2d conv;
        const char *words;
    } cases[] = {
        {{.out_channels = 0, .kernel = 3}, "out_channels >= 1"},
        {{.out_channels = 4, .kernel = 3, .padding = 3}, "padding below the kernel"},
        {{.out_channels = 4, .kernel = 9}, "does not fit its input of 8 x 8"},
        {{.out_channels = G_MAXINT32, .kernel = 1}, "too large"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(8, 8, 3);
        if (i == 3) /* the layer's parameters are too many as well; either message will do */
            assert_broken(graph, dpcxr_conv2d(graph, 0, cases[i].conv, "c"), "too");
        else
            assert_broken(graph, dpcxr_conv2d(graph, 0, cases[i].conv, "c"), cases[i].words);
    }
}

static void test_loose_layer(void)
{
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(8, 8, 4);
    DpcxrNode x = dpcxr_relu(graph, 0);
    dpcxr_mish(graph, x);
    assert_broken(graph, x, "layer 2 (mish) does not lead to the output");
}

static void test_same_name(void)
{
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(8, 8, 4);
    DpcxrNode x = dpcxr_group_norm(graph, 0, 2, 1e-5, "bn");
    x = dpcxr_group_norm(graph, x, 2, 1e-5, "bn");
    assert_broken(graph, x, "two layers of the model have a parameter \"bn.weight\"");
}

static void test_wrong_outputs(void)
{
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(1, 1, 4);
    DpcxrNode x = dpcxr_linear(graph, 0, 3, "fc");
    g_autoptr(GError) error = NULL;
    g_assert_false(dpcxr_graph_finish(graph, x, 8, &error));
    g_assert_nonnull(strstr(error->message, "must be 1 x 1 x 8"));
}

/* Kaiming normal with fan out: standard deviation sqrt(2 / (k k out)); uniform within its bound. */
static void test_initial_values(void)
{
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(8, 8, 16);
    DpcxrNode x = dpcxr_conv2d(graph, 0, (DpcxrConv2d){.out_channels = 64, .kernel = 3, .padding = 1}, "conv");
    x = dpcxr_linear(graph, dpcxr_global_average_pool(graph, x), 8, "fc");
    g_assert_true(dpcxr_graph_finish(graph, x, 8, NULL));
    gsize n = dpcxr_graph_parameter(graph, 0)->size;
    g_autofree float *w = g_new(float, n), *again = g_new(float, n), *other = g_new(float, n);
    dpcxr_graph_initial_values(graph, 0, 1, w);
    dpcxr_graph_initial_values(graph, 0, 1, again);
    dpcxr_graph_initial_values(graph, 0, 2, other);
    g_assert_cmpmem(w, n * sizeof(float), again, n * sizeof(float));
    double squares = 0, product = 0;
    for (gsize i = 0; i < n; i++) {
        squares += (double)w[i] * w[i];
        product += (double)w[i] * other[i];
    }
    double variance = 2.0 / (9 * 64);
    g_assert_cmpfloat_with_epsilon(squares / (double)n, variance, 0.05 * variance);
    g_assert_cmpfloat(fabs(product / (double)n), <, 0.05 * variance);
    dpcxr_graph_initial_values(graph, 1, 1, w);
    float most = 0;
    for (gsize i = 0; i < dpcxr_graph_parameter(graph, 1)->size; i++)
        most = MAX(most, fabsf(w[i]));
    g_assert_cmpfloat(most, <=, 0.125);
    g_assert_cmpfloat(most, >, 0.12);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/graph/shapes", test_shapes);
    g_test_add_func("/graph/sticky-error", test_sticky_error);
    g_test_add_func("/graph/refusals", test_refusals);
    g_test_add_func("/graph/loose-layer", test_loose_layer);
    g_test_add_func("/graph/same-name", test_same_name);
    g_test_add_func("/graph/wrong-outputs", test_wrong_outputs);
    g_test_add_func("/graph/initial-values", test_initial_values);
    return g_test_run();
}
