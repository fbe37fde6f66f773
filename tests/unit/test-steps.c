/* SPDX-License-Identifier: MIT */
#include "backend/steps.h"

typedef struct {
    DpcxrGraph *graph;
    DpcxrNode x;
} Start;

/* A convolution, whose output the tests norm. */
static Start start(void)
{
    Start s = {.graph = dpcxr_graph_new(4, 4, 2)};
    s.x = dpcxr_conv2d(s.graph, dpcxr_graph_input(s.graph), (DpcxrConv2d){4, 3, 1, 1, FALSE}, "conv");
    return s;
}

static DpcxrStep *steps_of(DpcxrGraph *graph, DpcxrNode output, int *n)
{
    g_autoptr(GError) error = NULL;
    dpcxr_graph_finish(graph, output, 0, &error);
    g_assert_no_error(error);
    return dpcxr_steps_new(graph, n);
}

/* A norm takes in the addition behind it and the activation behind that. */
static void test_fused(void)
{
    Start s = start();
    g_autoptr(DpcxrGraph) graph = s.graph;
    DpcxrNode norm = dpcxr_group_norm(graph, s.x, 2, 1e-5, "norm");
    DpcxrNode other = dpcxr_conv2d(graph, dpcxr_graph_input(graph), (DpcxrConv2d){4, 1, 1, 0, FALSE}, "other");
    DpcxrNode last = dpcxr_mish(graph, dpcxr_add(graph, other, norm));
    int n;
    g_autofree DpcxrStep *steps = steps_of(graph, last, &n);
    g_assert_cmpint(n, ==, 3);
    g_assert_cmpint(steps[2].type, ==, DPCXR_LAYER_GROUP_NORM);
    g_assert_cmpint(steps[2].layer, ==, norm);
    g_assert_cmpint(steps[2].x, ==, s.x);
    g_assert_cmpint(steps[2].other, ==, other);
    g_assert_cmpint(steps[2].y, ==, last);
    g_assert_cmpint(steps[2].activation, ==, DPCXR_ACTIVATION_MISH);
    g_assert_true(dpcxr_step_reads_x_again(&steps[2]));
    g_assert_true(dpcxr_step_reads_other_again(&steps[2]));
}

/* What two layers read must be there for both. */
static void test_two_readers(void)
{
    Start s = start();
    g_autoptr(DpcxrGraph) graph = s.graph;
    DpcxrNode norm = dpcxr_group_norm(graph, s.x, 2, 1e-5, "norm");
    DpcxrNode last = dpcxr_add(graph, dpcxr_relu(graph, norm), dpcxr_mish(graph, norm));
    int n;
    g_autofree DpcxrStep *steps = steps_of(graph, last, &n);
    g_assert_cmpint(n, ==, 5);
    g_assert_cmpint(steps[1].type, ==, DPCXR_LAYER_GROUP_NORM);
    g_assert_cmpint(steps[1].y, ==, norm);
    g_assert_cmpint(steps[1].activation, ==, DPCXR_ACTIVATION_IDENTITY);
    g_assert_false(dpcxr_step_reads_other_again(&steps[1]));
}

/* A sum of a norm with its own input stays a step: the norm's backward would write where it still reads. */
static void test_own_input(void)
{
    Start s = start();
    g_autoptr(DpcxrGraph) graph = s.graph;
    DpcxrNode last = dpcxr_add(graph, s.x, dpcxr_group_norm(graph, s.x, 2, 1e-5, "norm"));
    int n;
    g_autofree DpcxrStep *steps = steps_of(graph, last, &n);
    g_assert_cmpint(n, ==, 3);
    g_assert_cmpint(steps[1].other, ==, -1);
    g_assert_cmpint(steps[2].type, ==, DPCXR_LAYER_ADD);
}

/* Nobody wants the gradient of what comes before all parameters. */
static void test_wants(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(4, 4, 2);
    DpcxrNode early = dpcxr_relu(graph, dpcxr_graph_input(graph));
    DpcxrNode conv = dpcxr_conv2d(graph, early, (DpcxrConv2d){4, 3, 1, 1, FALSE}, "conv");
    DpcxrNode last = dpcxr_relu(graph, conv);
    dpcxr_graph_finish(graph, last, 0, &error);
    g_assert_no_error(error);
    g_autofree gboolean *wants = dpcxr_steps_wants_gradient(graph);
    g_assert_false(wants[0] || wants[early]);
    g_assert_true(wants[conv] && wants[last]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steps/fused", test_fused);
    g_test_add_func("/steps/two-readers", test_two_readers);
    g_test_add_func("/steps/own-input", test_own_input);
    g_test_add_func("/steps/wants", test_wants);
    return g_test_run();
}
