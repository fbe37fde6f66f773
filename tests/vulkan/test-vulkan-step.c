/* SPDX-License-Identifier: MIT
 * Ten private steps without noise, of units of one to three images in physical batches of several sizes, on the processor and
 * on a Vulkan device: the same weights come out, twice to the bit, and also where a shader sees too little of a buffer to take
 * a batch at once. */
#include "../opcheck/harness.h"
#include "privacy/clip.h"
#include <math.h>

enum { BATCHES = 5, MAX_ROWS = 12, MAX_UNITS = 6, OUTPUTS = 5 };

static const int units[BATCHES][MAX_UNITS + 1] = {{2, 1, 3, 0},
                                                  {1, 1, 1, 1, 2, 0},
                                                  {3, 3, 1, 3, 1, 1, 0},
                                                  {1, 0},
                                                  {1, 2, 2, 1, 3, 0}};

/* --- A network --- */

static DpcxrNode norm(DpcxrGraph *graph, DpcxrNode x, const char *name, int number)
{
    return dpcxr_group_norm(graph, x, 4, 1e-5, "layer%d.%s", number, name);
}

static DpcxrNode block(DpcxrGraph *graph, DpcxrNode x, int channels, int number)
{
    DpcxrNode y = dpcxr_conv2d(graph, x, (DpcxrConv2d){channels, 3, 2, 1, FALSE}, "layer%d.conv1", number);
    y = dpcxr_mish(graph, norm(graph, y, "bn1", number));
    y = norm(graph, dpcxr_conv2d(graph, y, (DpcxrConv2d){channels, 3, 1, 1, FALSE}, "layer%d.conv2", number), "bn2", number);
    x = dpcxr_conv2d(graph, x, (DpcxrConv2d){channels, 1, 2, 0, FALSE}, "layer%d.downsample.0", number);
    return dpcxr_mish(graph, dpcxr_add(graph, y, norm(graph, x, "downsample.1", number)));
}

/* The beginning and the end of a ResNet, small, as every shape is compiled anew. The first feature maps of 12 images are more
 * than 1 MB. */
static DpcxrGraph *network(void)
{
    g_autoptr(GError) error = NULL;
    DpcxrGraph *graph = dpcxr_graph_new(61, 59, 1);
    DpcxrNode x = dpcxr_conv2d(graph, dpcxr_graph_input(graph), (DpcxrConv2d){8, 3, 1, 1, FALSE}, "conv1");
    x = dpcxr_mish(graph, norm(graph, x, "bn1", 0));
    x = block(graph, dpcxr_max_pool2d(graph, x, 3, 2, 1), 16, 1);
    x = dpcxr_linear(graph, dpcxr_global_average_pool(graph, x), OUTPUTS, "fc");
    dpcxr_graph_finish(graph, x, OUTPUTS, &error);
    g_assert_no_error(error);
    return graph;
}

/* --- Steps --- */

typedef struct {
    DpcxrGraph *graph;
    Batch batches[BATCHES];
    int steps;
} Task;

static Task task_new(int steps)
{
    Task task = {.graph = network(), .steps = steps};
    for (int i = 0; i < BATCHES; i++)
        task.batches[i] = batch_new(task.graph, units[i], 20 + (guint64)i);
    return task;
}

static void task_free(Task *task)
{
    for (int i = 0; i < BATCHES; i++)
        batch_free(&task->batches[i]);
    dpcxr_graph_free(task->graph);
}

static DpcxrProgram *program_new(const DpcxrBackend *backend, const DpcxrGraph *graph)
{
    g_autoptr(GError) error = NULL;
    DpcxrProgramOptions options = {.max_rows = MAX_ROWS,
                                   .max_units = MAX_UNITS,
                                   .threads = 2,
                                   .training = TRUE,
                                   .device = check_device(backend),
                                   .norms = TRUE,
                                   .n_groups = 1};
    DpcxrProgram *program = dpcxr_program_new(backend, graph, &options, &error);
    g_assert_no_error(error);
    return program;
}

static void physical_batch(DpcxrProgram *program, const Batch *b)
{
    g_autoptr(GError) error = NULL;
    float losses[MAX_ROWS], logits[MAX_ROWS * OUTPUTS], coefficients[MAX_UNITS];
    g_autofree double *norms2 = g_new(double, program->n_parameters *MAX_UNITS);
    const DpcxrBatch batch = {.rows = b->rows,
                              .images = b->images.values,
                              .targets = b->targets.values,
                              .mask = b->mask.values,
                              .row_weights = b->row_weights.values,
                              .units = b->units,
                              .unit_offsets = b->offsets};
    DpcxrBatchResult result = {.losses = losses, .logits = logits, .norms2 = norms2};
    const DpcxrClip clip = {.type = DPCXR_CLIP_FLAT,
                            .norm = 1,
                            .parameters = program->n_parameters,
                            .n_groups = 1,
                            .group_of = program->options.group_of};
    dpcxr_program_phase_a(program, &batch, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpint(dpcxr_clip(&clip, norms2, b->units, coefficients), ==, 0);
    dpcxr_program_phase_b(program, DPCXR_BANK_SUM, coefficients, &error);
    g_assert_no_error(error);
}

static void logical_step(DpcxrProgram *program, const Task *task, int step, double momentum)
{
    g_autoptr(GError) error = NULL;
    const DpcxrUpdate update = {
        .rule = DPCXR_RULE_SGD, .scale = 1 / 8.0, .lr = 0.3, .weight_decay = 1e-3, .momentum = momentum, .first = step == 0};
    dpcxr_program_zero(program, DPCXR_BANK_SUM, &error);
    g_assert_no_error(error);
    physical_batch(program, &task->batches[2 * step % BATCHES]);
    physical_batch(program, &task->batches[(3 * step + 1) % BATCHES]);
    dpcxr_program_update(program, &update, &error);
    g_assert_no_error(error);
}

/* --- Weights --- */

static float **weights_new(const DpcxrGraph *graph)
{
    int n = dpcxr_graph_n_parameters(graph);
    float **weights = g_new0(float *, n + 1);
    for (int i = 0; i < n; i++) {
        weights[i] = g_new(float, dpcxr_graph_parameter(graph, i)->size);
        dpcxr_graph_initial_values(graph, i, 7, weights[i]);
    }
    return weights;
}

static void weights_free(float **weights)
{
    for (int i = 0; weights[i]; i++)
        g_free(weights[i]);
    g_free(weights);
}

/* The weights after all steps from the initial ones. */
static float **train(DpcxrProgram *program, const Task *task, double momentum)
{
    g_autoptr(GError) error = NULL;
    float **weights = weights_new(task->graph);
    for (int i = 0; i < program->n_parameters; i++)
        dpcxr_program_write(program, DPCXR_BANK_WEIGHT, i, weights[i], &error);
    g_assert_no_error(error);
    for (int step = 0; step < task->steps; step++)
        logical_step(program, task, step, momentum);
    for (int i = 0; i < program->n_parameters; i++)
        dpcxr_program_read(program, DPCXR_BANK_WEIGHT, i, weights[i], &error);
    g_assert_no_error(error);
    return weights;
}

static float **train_with(const DpcxrBackend *backend, const Task *task, double momentum)
{
    g_autoptr(DpcxrProgram) program = program_new(backend, task->graph);
    return train(program, task, momentum);
}

/* ||a - b|| / ||b|| */
static double distance(const float *a, const float *b, gsize n)
{
    g_autofree float *difference = g_new(float, n);
    for (gsize k = 0; k < n; k++)
        difference[k] = a[k] - b[k];
    return norm_of(difference, n) / norm_of(b, n);
}

static void check_weights(const Task *task, float *const *got, float *const *wanted, double tolerance)
{
    float **initial = weights_new(task->graph);
    double off = 0, moved = INFINITY;
    for (int i = 0; i < dpcxr_graph_n_parameters(task->graph); i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(task->graph, i);
        check_close(parameter->name, got[i], wanted[i], parameter->size, tolerance, 0);
        off = MAX(off, distance(got[i], wanted[i], parameter->size));
        moved = MIN(moved, distance(initial[i], wanted[i], parameter->size));
    }
    g_test_message("a tensor is off by %.2g at most, and has moved by %.2g at least", off, moved);
    g_assert_cmpfloat(moved, >, 2 * tolerance); /* or there would be nothing to compare */
    weights_free(initial);
}

/* --- Tests --- */

/* From the initial weights again: the same bits. */
static void check_again(DpcxrProgram *program, const Task *task, double momentum, float *const *wanted)
{
    float **again = train(program, task, momentum);
    for (int i = 0; i < program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(task->graph, i);
        check_equal_bits(parameter->name, again[i], wanted[i], parameter->size);
    }
    weights_free(again);
}

static void test_parity(gconstpointer kind)
{
    check_begin(kind);
    static const double momenta[] = {0, 0.9};
    Task task = task_new(10);
    DpcxrProgram *program = program_new(&dpcxr_backend_vulkan, task.graph);
    for (guint k = 0; k < G_N_ELEMENTS(momenta); k++) {
        float **wanted = train_with(&dpcxr_backend_cpu, &task, momenta[k]);
        float **got = train(program, &task, momenta[k]);
        check_weights(&task, got, wanted, 1e-3);
        if (momenta[k] > 0)
            check_again(program, &task, momenta[k], got);
        weights_free(wanted);
        weights_free(got);
    }
    dpcxr_program_free(program);
    task_free(&task);
}

/* A shader that sees 1 MB of a buffer takes the rows of a batch in slices; sums come in another order. */
static void test_slices(gconstpointer kind)
{
    check_begin(kind);
    if (!g_getenv("VK_INSTANCE_LAYERS")) {
        g_test_skip("without the layer of faulty-layer.c");
        return;
    }
    Task task = task_new(2);
    float **wanted = train_with(&dpcxr_backend_vulkan, &task, 0.9);
    g_setenv("DPCXR_FAULTY_STORAGE_RANGE_MB", "1", TRUE);
    float **got = train_with(&dpcxr_backend_vulkan, &task, 0.9);
    g_unsetenv("DPCXR_FAULTY_STORAGE_RANGE_MB");
    check_weights(&task, got, wanted, 1e-5);
    weights_free(wanted);
    weights_free(got);
    task_free(&task);
}

static void test_no_device(void)
{
    g_test_skip("no Vulkan device");
}

int main(int argc, char **argv)
{
    g_setenv("DPCXR_OPCHECK", "vulkan", TRUE);
    g_test_init(&argc, &argv, NULL);
    guint n;
    const CheckKind *kinds = check_kinds(&n);
    for (guint k = 0; k < n; k++) {
        g_autofree char *parity = g_strdup_printf("/vulkan-step/%s/parity", kinds[k].name);
        g_autofree char *slices = g_strdup_printf("/vulkan-step/%s/slices", kinds[k].name);
        g_test_add_data_func(parity, &kinds[k], test_parity);
        g_test_add_data_func(slices, &kinds[k], test_slices);
    }
    if (n == 0)
        g_test_add_func("/vulkan-step/none", test_no_device);
    return g_test_run();
}
