/* SPDX-License-Identifier: MIT
 * Whole networks, the loss, clipping groups, large units, the update, and inputs made to defeat the norms. */
#include "harness.h"
#include "privacy/clip.h"
#include <math.h>
#include <string.h>

static DpcxrNode activation(DpcxrGraph *graph, DpcxrNode x, gboolean mish)
{
    return mish ? dpcxr_mish(graph, x) : dpcxr_relu(graph, x);
}

static DpcxrNode block(DpcxrGraph *graph, DpcxrNode x, int channels, int stride, gboolean mish, int number)
{
    DpcxrNode shortcut = x;
    DpcxrNode y =
        dpcxr_conv2d(graph, x, (DpcxrConv2d){channels, 3, stride, 1, FALSE}, "layer%d.conv1", number);
    y = activation(graph, dpcxr_group_norm(graph, y, 4, 1e-5, "layer%d.bn1", number), mish);
    y = dpcxr_conv2d(graph, y, (DpcxrConv2d){channels, 3, 1, 1, FALSE}, "layer%d.conv2", number);
    y = dpcxr_group_norm(graph, y, 4, 1e-5, "layer%d.bn2", number);
    if (stride > 1) {
        shortcut = dpcxr_conv2d(graph, x, (DpcxrConv2d){channels, 1, stride, 0, FALSE},
                                "layer%d.downsample.0", number);
        shortcut = dpcxr_group_norm(graph, shortcut, 4, 1e-5, "layer%d.downsample.1", number);
    }
    return activation(graph, dpcxr_add(graph, number % 2 ? y : shortcut, number % 2 ? shortcut : y), mish);
}

static DpcxrGraph *finish(DpcxrGraph *graph, DpcxrNode x, int outputs)
{
    g_autoptr(GError) error = NULL;
    dpcxr_graph_finish(graph, x, outputs, &error);
    g_assert_no_error(error);
    return graph;
}

/* ResNet9 with thin layers. */
static DpcxrGraph *resnet(gboolean mish)
{
    DpcxrGraph *graph = dpcxr_graph_new(33, 31, 1);
    DpcxrNode x = dpcxr_conv2d(graph, dpcxr_graph_input(graph), (DpcxrConv2d){8, 7, 2, 3, FALSE}, "conv1");
    x = activation(graph, dpcxr_group_norm(graph, x, 4, 1e-5, "bn1"), mish);
    x = dpcxr_max_pool2d(graph, x, 3, 2, 1);
    x = block(graph, x, 8, 1, mish, 1);
    x = block(graph, x, 16, 2, mish, 2);
    x = block(graph, x, 36, 2, mish, 3);
    x = dpcxr_linear(graph, dpcxr_global_average_pool(graph, x), 5, "fc");
    return finish(graph, x, 5);
}

/* What no network of ours has, and a plugin may: several readers, norms and activations in other orders, sums
 * of a tensor with itself and with its own norm, pools of activations. */
static DpcxrGraph *odd_graph(void)
{
    DpcxrGraph *graph = dpcxr_graph_new(9, 8, 3);
    DpcxrNode in = dpcxr_graph_input(graph);
    DpcxrNode a = dpcxr_relu(graph, dpcxr_group_norm(graph, in, 3, 1e-3, "first"));
    DpcxrNode b = dpcxr_conv2d(graph, a, (DpcxrConv2d){6, 3, 1, 1, TRUE}, "b");
    DpcxrNode c = dpcxr_conv2d(graph, a, (DpcxrConv2d){6, 1, 1, 0, TRUE}, "c");
    DpcxrNode normed = dpcxr_group_norm(graph, b, 2, 1e-5, "normed");
    DpcxrNode own = dpcxr_add(graph, b, normed);
    DpcxrNode twice = dpcxr_add(graph, c, c);
    DpcxrNode sum = dpcxr_mish(graph, dpcxr_add(graph, own, twice));
    DpcxrNode second = dpcxr_group_norm(graph, sum, 6, 1e-5, "second");
    DpcxrNode both = dpcxr_add(graph, dpcxr_mish(graph, second), dpcxr_relu(graph, second));
    DpcxrNode third = dpcxr_add(graph, dpcxr_group_norm(graph, both, 1, 1e-5, "third"), sum);
    DpcxrNode small = dpcxr_max_pool2d(graph, third, 2, 2, 0);
    DpcxrNode last = dpcxr_conv2d(graph, small, (DpcxrConv2d){4, 3, 2, 1, FALSE}, "last");
    DpcxrNode out = dpcxr_group_norm(graph, last, 2, 1e-5, "out");
    return finish(graph, dpcxr_linear(graph, dpcxr_global_average_pool(graph, out), 3, "fc"), 3);
}

/* The program under test. */
typedef struct {
    const DpcxrBackend *backend;
    const Precision *precision;
} Kind;

static Side kind_side(const Kind *kind, const DpcxrGraph *graph, const Batch *batch, SideOptions options)
{
    options.precision = kind->precision->in;
    return side_new(kind->backend, graph, batch, options, 7);
}

static void check_network(const Kind *kind, DpcxrGraph *graph)
{
    Batch batch = batch_new(graph, (int[]){2, 1, 1, 3, 1, 0}, 3);
    check_graph(kind->backend, kind->precision, graph, &batch, TRUE);
    batch_free(&batch);
    dpcxr_graph_free(graph);
}

static void test_resnet_mish(gconstpointer data)
{
    check_network(data, resnet(TRUE));
}

static void test_resnet_relu(gconstpointer data)
{
    check_network(data, resnet(FALSE));
}

static void test_odd_graph(gconstpointer data)
{
    check_network(data, odd_graph());
}

/* Weights for positives, unknown labels, an image without any. */
static void test_loss(gconstpointer data)
{
    const Kind *kind = data;
    g_autoptr(DpcxrGraph) graph = resnet(TRUE);
    static const float pos_weight[] = {1, 3, 0.5f, 7, 2};
    Batch batch = batch_new(graph, (int[]){1, 2, 1, 0}, 4);
    memset(batch.mask.values + 5, 0, 5 * sizeof(float));
    SideOptions options = {.threads = 2, .n_groups = 1, .pos_weight = pos_weight};
    Side got = kind_side(kind, graph, &batch, options),
         wanted = side_new(&dpcxr_backend_ref, graph, &batch, options, 7);
    side_phase_a(&got, &batch, TRUE);
    side_phase_a(&wanted, &batch, TRUE);
    g_assert_cmpfloat(got.losses.values[1], ==, 0);
    check_close("losses", got.losses.values, wanted.losses.values, wanted.losses.n,
                0.1 * kind->precision->loss, 0);
    check_close("input gradient", got.input_gradient.values, wanted.input_gradient.values,
                wanted.input_gradient.n, kind->precision->gradient, 0);
    side_free(&got);
    side_free(&wanted);
    batch_free(&batch);
}

/* Two clipping groups with coefficients of their own; 0 leaves a unit out of one group only. */
static void test_groups(gconstpointer data)
{
    const Kind *kind = data;
    g_autoptr(DpcxrGraph) graph = resnet(FALSE);
    int n = dpcxr_graph_n_parameters(graph);
    g_autofree int *group_of = g_new(int, n);
    for (int i = 0; i < n; i++)
        group_of[i] = i % 2;
    static const float coefficients[] = {1, 0, 0.25f, 0, 0.5f, 1};
    Batch batch = batch_new(graph, (int[]){1, 1, 2, 0}, 5);
    SideOptions options = {.threads = 2, .n_groups = 2, .group_of = group_of};
    Side got = kind_side(kind, graph, &batch, options),
         wanted = side_new(&dpcxr_backend_ref, graph, &batch, options, 7);
    side_phase_a(&got, &batch, TRUE);
    side_phase_a(&wanted, &batch, TRUE);
    side_phase_b(&got, coefficients);
    side_phase_b(&wanted, coefficients);
    for (int i = 0; i < n; i++) {
        Guarded a = side_read(&got, DPCXR_BANK_SUM, i), b = side_read(&wanted, DPCXR_BANK_SUM, i);
        check_close(dpcxr_graph_parameter(graph, i)->name, a.values, b.values, b.n, kind->precision->sum,
                    1e-5);
        guarded_free(&a);
        guarded_free(&b);
    }
    side_free(&got);
    side_free(&wanted);
    batch_free(&batch);
}

/* A unit in two pieces through the UNIT bank gives the gradient and the norm of the unit in one piece. */
static void test_large_unit(gconstpointer data)
{
    const Kind *kind = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrGraph) graph = resnet(TRUE);
    int n = dpcxr_graph_n_parameters(graph);
    Batch whole = batch_new(graph, (int[]){4, 0}, 6), piece = batch_new(graph, (int[]){2, 0}, 6);
    SideOptions options = {.threads = 2, .n_groups = 1};
    Side one = kind_side(kind, graph, &whole, options), two = kind_side(kind, graph, &piece, options);
    static const float unity[] = {1}, half[] = {0.5f};
    side_phase_a(&one, &whole, FALSE);
    side_phase_b(&one, half);
    dpcxr_program_zero(two.program, DPCXR_BANK_SUM, &error);
    dpcxr_program_zero(two.program, DPCXR_BANK_UNIT, &error);
    for (int k = 0; k < 2; k++) {
        memcpy(piece.images.values, whole.images.values + (gsize)k * piece.images.n,
               piece.images.n * sizeof(float));
        memcpy(piece.output_gradient.values,
               whole.output_gradient.values + (gsize)k * piece.output_gradient.n,
               piece.output_gradient.n * sizeof(float));
        side_phase_a(&two, &piece, FALSE);
        dpcxr_program_phase_b(two.program, DPCXR_BANK_UNIT, unity, &error);
        g_assert_no_error(error);
    }
    g_autofree double *norms2 = g_new(double, n);
    dpcxr_program_bank_norms(two.program, DPCXR_BANK_UNIT, norms2, &error);
    dpcxr_program_fold(two.program, half, &error);
    g_assert_no_error(error);
    for (int i = 0; i < n; i++) {
        const char *name = dpcxr_graph_parameter(graph, i)->name;
        Guarded a = side_read(&two, DPCXR_BANK_SUM, i), b = side_read(&one, DPCXR_BANK_SUM, i);
        Guarded unit = side_read(&two, DPCXR_BANK_UNIT, i);
        check_close(name, a.values, b.values, b.n, 1e-5, 1e-5);
        double norm = norm_of(unit.values, unit.n);
        g_assert_cmpfloat(norm, <=, sqrt(norms2[i]));
        g_assert_cmpfloat(sqrt(norms2[i]), <=, norm * 1.001);
        guarded_free(&a);
        guarded_free(&b);
        guarded_free(&unit);
    }
    side_free(&one);
    side_free(&two);
    batch_free(&whole);
    batch_free(&piece);
}

/* --- Update --- */

static const DpcxrUpdate updates[] = {
    {.rule = DPCXR_RULE_SGD, .scale = 0.25, .lr = 0.1},
    {.rule = DPCXR_RULE_SGD,
     .scale = 1 / 3.0,
     .lr = 0.1,
     .weight_decay = 0.01,
     .momentum = 0.9,
     .first = TRUE},
    {.rule = DPCXR_RULE_SGD, .scale = 1 / 3.0, .lr = 0.1, .momentum = 0.9, .dampening = 0.1},
    {.rule = DPCXR_RULE_SGD,
     .scale = 1 / 3.0,
     .lr = 0.1,
     .weight_decay = 0.01,
     .momentum = 0.9,
     .nesterov = TRUE},
    {.rule = DPCXR_RULE_ADAPTIVE,
     .scale = 1 / 7.0,
     .weight_decay = 0.01,
     .decay = 0.001,
     .beta1 = 0.9,
     .beta2 = 0.999,
     .gradient_rate = 1e-3,
     .moment_rate = 2e-3,
     .v_root = 0.7,
     .eps = 1e-8},
};

static float **random_tensors(const DpcxrGraph *graph, guint64 seed)
{
    int n = dpcxr_graph_n_parameters(graph);
    float **tensors = g_new(float *, n);
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)seed);
    for (int i = 0; i < n; i++) {
        gsize size = dpcxr_graph_parameter(graph, i)->size;
        tensors[i] = g_new(float, size);
        for (gsize k = 0; k < size; k++)
            tensors[i][k] = (float)g_rand_double_range(random, -1, 1);
    }
    return tensors;
}

static void free_tensors(const DpcxrGraph *graph, float **tensors)
{
    for (int i = 0; i < dpcxr_graph_n_parameters(graph); i++)
        g_free(tensors[i]);
    g_free(tensors);
}

static void write_bank(Side *side, DpcxrBank bank, float *const *tensors)
{
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < side->program->n_parameters; i++) {
        dpcxr_program_write(side->program, bank, i, tensors[i], &error);
        g_assert_no_error(error);
    }
}

/* Every rule, one after the other on the same weights, gives the reference's bits. */
static void test_update(gconstpointer data)
{
    const Kind *kind = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrGraph) graph = resnet(TRUE);
    Batch batch = batch_new(graph, (int[]){1, 0}, 8);
    SideOptions options = {.threads = 2, .n_groups = 1};
    Side sides[] = {kind_side(kind, graph, &batch, options),
                    side_new(&dpcxr_backend_ref, graph, &batch, options, 7)};
    side_phase_a(&sides[0], &batch, TRUE);
    for (guint k = 0; k < G_N_ELEMENTS(updates); k++) {
        float **sum = random_tensors(graph, k), **noise = random_tensors(graph, 100 + k);
        DpcxrUpdate update = updates[k];
        update.noise = k % 2 ? (const float *const *)noise : NULL;
        for (int s = 0; s < 2; s++) {
            write_bank(&sides[s], DPCXR_BANK_SUM, sum);
            dpcxr_program_update(sides[s].program, &update, &error);
            g_assert_no_error(error);
        }
        for (int i = 0; i < sides[0].program->n_parameters; i++)
            for (int bank = DPCXR_BANK_WEIGHT; bank <= DPCXR_BANK_MOMENT2; bank++) {
                if (bank == DPCXR_BANK_UNIT)
                    continue;
                Guarded a = side_read(&sides[0], (DpcxrBank)bank, i),
                        b = side_read(&sides[1], (DpcxrBank)bank, i);
                check_equal_bits(dpcxr_graph_parameter(graph, i)->name, a.values, b.values, b.n);
                guarded_free(&a);
                guarded_free(&b);
            }
        free_tensors(graph, sum);
        free_tensors(graph, noise);
    }
    /* oneDNN's copies of the weights follow. */
    side_phase_a(&sides[0], &batch, TRUE);
    side_phase_a(&sides[1], &batch, TRUE);
    check_close("output after updates", sides[0].logits.values, sides[1].logits.values, sides[1].logits.n,
                kind->precision->output, 1e-6);
    side_free(&sides[0]);
    side_free(&sides[1]);
    batch_free(&batch);
}

static void test_update_not_finite(gconstpointer data)
{
    const Kind *kind = data;
    g_autoptr(DpcxrGraph) graph = resnet(TRUE);
    Batch batch = batch_new(graph, (int[]){1, 0}, 8);
    Side side = kind_side(kind, graph, &batch, (SideOptions){.threads = 2, .n_groups = 1});
    float **sum = random_tensors(graph, 1), **noise = random_tensors(graph, 2);
    DpcxrUpdate update = updates[0];
    update.noise = (const float *const *)noise;
    int last = side.program->n_parameters - 1;
    static const float bad[][2] = {{NAN, 0}, {0, INFINITY}, {3e38f, 3e38f}};
    for (guint k = 0; k < G_N_ELEMENTS(bad); k++) {
        g_autoptr(GError) error = NULL;
        Guarded before = side_read(&side, DPCXR_BANK_WEIGHT, 0);
        sum[last][1] = bad[k][0];
        noise[last][1] = bad[k][1];
        write_bank(&side, DPCXR_BANK_SUM, sum);
        g_assert_false(dpcxr_program_update(side.program, &update, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
        Guarded after = side_read(&side, DPCXR_BANK_WEIGHT, 0);
        check_equal_bits("weights", after.values, before.values, before.n);
        guarded_free(&before);
        guarded_free(&after);
    }
    /* Large and finite is fine. */
    g_autoptr(GError) error = NULL;
    sum[last][1] = 3e38f;
    noise[last][1] = -3e38f;
    write_bank(&side, DPCXR_BANK_SUM, sum);
    g_assert_true(dpcxr_program_update(side.program, &update, &error));
    free_tensors(graph, sum);
    free_tensors(graph, noise);
    side_free(&side);
    batch_free(&batch);
}

/* --- Adversarial gradients --- */

typedef struct {
    const char *name;
    int side, kernel, stride; /* kernel 0: linear */
    double offset, spread;    /* of x */
    double dy_offset, dy_spread;
    gboolean cancel; /* dy sums to zero over the positions, by channel */
    double first;    /* factor of x in the first 16 channels; 0: 1 */
} Adversary;

static const Adversary adversaries[] = {
    {"offset", 8, 3, 1, 1000, 0.01, 0, 1, TRUE},
    {"offset-strided", 8, 3, 2, 1000, 0.01, 0, 1, TRUE},
    {"offset-1x1", 8, 1, 1, 1000, 0.01, 0, 1, TRUE},
    {"large-offset", 8, 3, 1, 1e6, 1, 0, 1, TRUE},
    {"exact", 8, 1, 1, 1000, 0, 0, 1, TRUE},
    {"linear", 1, 0, 1, 1000, 0.01, 0, 1, TRUE},
    {"overflowing-gram", 8, 3, 1, 0, 1e15, 0, 1e10, FALSE},
    {"overflowing-square", 8, 3, 1, 0, 1e25, 0, 1e-20, FALSE},
    {"tiny", 8, 3, 1, 0, 1e-20, 0, 1e-20, FALSE},
    /* Products of pixels just under half of the smallest float are lost next to larger ones. */
    {"underflowing-gram", 8, 3, 1, 0x1.65p-75, 0, 0, 1e18, FALSE, 5},
};

static DpcxrGraph *adversary_graph(const Adversary *a)
{
    DpcxrGraph *graph = dpcxr_graph_new(a->side, a->side, 64);
    DpcxrNode x = dpcxr_graph_input(graph);
    x = a->kernel
            ? dpcxr_conv2d(graph, x, (DpcxrConv2d){32, a->kernel, a->stride, a->kernel / 2, FALSE}, "conv")
            : dpcxr_linear(graph, x, 8, "fc");
    return finish(graph, x, 0);
}

/* By unit and channel, the last position takes what the others leave. */
static void cancel(Batch *batch, gsize channels)
{
    gsize per_unit = batch->output_gradient.n / (gsize)batch->units, positions = per_unit / channels;
    for (gsize i = 0; i < (gsize)batch->units * channels; i++) {
        float *dy = batch->output_gradient.values + i / channels * per_unit + i % channels;
        double sum = 0;
        for (gsize t = 0; t + 1 < positions; t++) {
            dy[t * channels] = roundf(dy[t * channels] * 256) / 256;
            sum += dy[t * channels];
        }
        dy[(positions - 1) * channels] = (float)-sum;
    }
}

static void make_hostile(const Adversary *a, Batch *batch, int channels)
{
    for (gsize i = 0; i < batch->images.n; i++) {
        double factor = i % 64 < 16 && a->first != 0 ? a->first : 1;
        batch->images.values[i] = (float)((a->offset + a->spread * batch->images.values[i]) * factor);
    }
    for (gsize i = 0; i < batch->output_gradient.n; i++)
        batch->output_gradient.values[i] =
            (float)(a->dy_offset + a->dy_spread * batch->output_gradient.values[i]);
    if (a->cancel)
        cancel(batch, (gsize)channels);
}

/* Norm of the whole SUM after phase B. */
static double sum_norm(Side *side, const float *coefficients)
{
    double norm = 0;
    side_phase_b(side, coefficients);
    for (int i = 0; i < side->program->n_parameters; i++) {
        Guarded sum = side_read(side, DPCXR_BANK_SUM, i);
        norm = hypot(norm, norm_of(sum.values, sum.n));
        guarded_free(&sum);
    }
    return norm;
}

/* What phase B adds for a unit alone is never longer than the clip norm. Gram norms cover the exact gradient,
 * too; a direct norm is that of the gradient as computed, which is the one that is added. */
static void check_adversary(const Kind *kind, const Adversary *a, const int *rows_of)
{
    g_autoptr(DpcxrGraph) graph = adversary_graph(a);
    Batch batch = batch_new(graph, rows_of, 9);
    make_hostile(a, &batch, dpcxr_graph_layer(graph, 1)->shape.channels);
    SideOptions options = {.threads = 2, .n_groups = 1};
    if (kind->precision->in != DPCXR_PRECISION_FP32)
        batch_round(&batch);
    Side got = kind_side(kind, graph, &batch, options);
    Side exact = side_new(&dpcxr_backend_ref, graph, &batch, options, 7);
    side_phase_a(&got, &batch, FALSE);
    side_phase_a(&exact, &batch, FALSE);
    for (int u = 0; u < batch.units; u++) {
        float coefficients[2], alone[2] = {0}, one[2] = {u == 0, u == 1};
        double gradient = sum_norm(&exact, one);
        gboolean sane = isfinite(gradient) && gradient > 0;
        double clip_norm = sane ? 0.25 * gradient : 0.5;
        DpcxrClip clip = {.type = DPCXR_CLIP_FLAT,
                          .norm = clip_norm,
                          .parameters = got.program->n_parameters,
                          .n_groups = 1,
                          .group_of = got.program->options.group_of};
        dpcxr_clip(&clip, got.norms2, batch.units, coefficients);
        alone[u] = coefficients[u];
        double added = sum_norm(&got, alone), whole = coefficients[u] * gradient;
        gboolean exact_too = kind->backend == &dpcxr_backend_cpu_gram && isfinite(gradient);
        if (!(added <= clip_norm) || (exact_too && !(whole <= clip_norm)))
            g_test_fail_printf(
                "%s: unit %d adds %.9g, coefficient times its gradient is %.9g, the clip norm %.9g", a->name,
                u, added, whole, clip_norm);
        gboolean holds = kind->precision->in != DPCXR_PRECISION_FP16; /* most of these values; else they are infinite */
        if (holds && sane && gradient < 1e15 && !(coefficients[u] > 0))
            g_test_fail_printf("%s: unit %d was left out, norm %g", a->name, u, gradient);
    }
    side_free(&got);
    side_free(&exact);
    batch_free(&batch);
}

static void test_adversaries(gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(adversaries); i++)
        for (int rows = 1; rows <= 3; rows += 2)
            check_adversary(data, &adversaries[i], (int[]){rows, rows, 0});
}

/* The slack is in the bound although benign rounding would never show that it is missing: what a norm of a
 * linear layer must leave for the dot products (12 roundings are fewer than any vector width has here) and
 * for the sum of phase B. */
static void test_slack(void)
{
    enum { max_rows = 300 };
    const double u = 0x1p-24, dot_roundings = 12;
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(1, 1, 64);
    finish(graph, dpcxr_linear(graph, dpcxr_graph_input(graph), 48, "fc"), 48);
    Batch batch = batch_new(graph, (int[]){5, 0}, 10);
    Side got = side_new(&dpcxr_backend_cpu_gram, graph, &batch,
                        (SideOptions){.threads = 1, .n_groups = 1, .max_rows = max_rows}, 7);
    side_phase_a(&got, &batch, FALSE);
    side_phase_b(&got, (const float[]){1});
    Guarded sum = side_read(&got, DPCXR_BANK_SUM, 0);
    double norm = norm_of(sum.values, sum.n), s = 0;
    for (int row = 0; row < batch.rows; row++)
        s += norm_of(batch.images.values + row * 64, 64) *
             norm_of(batch.output_gradient.values + row * 48, 48);
    double least = sqrt(norm * norm + dot_roundings * u * s * s) + max_rows * u * s;
    double without_sum = sqrt(norm * norm + 100 * u * s * s);
    g_assert_cmpfloat(sqrt(got.norms2[0]), >=, least);
    g_assert_cmpfloat(sqrt(got.norms2[0]), <=, without_sum + 2 * max_rows * u * s);
    guarded_free(&sum);
    side_free(&got);
    batch_free(&batch);
}

/* --- All of it --- */

typedef struct {
    const char *name;
    void (*run)(gconstpointer kind);
} Check;

static const Check checks[] = {
    {"resnet-mish", test_resnet_mish}, {"resnet-relu", test_resnet_relu},
    {"odd-graph", test_odd_graph},     {"loss", test_loss},
    {"groups", test_groups},           {"large-unit", test_large_unit},
    {"update", test_update},           {"update-not-finite", test_update_not_finite},
    {"adversaries", test_adversaries},
};

typedef struct {
    const Check *check;
    const CheckKind *checked;
    Kind kind;
} Test;

static void run_test(gconstpointer data)
{
    const Test *test = data;
    check_begin(test->checked);
    if (check_can(test->kind.precision))
        test->check->run(&test->kind);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    guint n;
    const CheckKind *kinds = check_kinds(&n);
    const Precision *const precisions[] = {&check_f32,
                                           n && kinds->device ? &check_f16_network : &check_bf16_network};
    g_autofree Test *tests = g_new0(Test, G_N_ELEMENTS(checks) * n * G_N_ELEMENTS(precisions) + 1);
    Test *test = tests;
    for (guint k = 0; k < n; k++)
        for (guint p = 0; p < G_N_ELEMENTS(precisions); p++)
            for (guint i = 0; i < G_N_ELEMENTS(checks); i++, test++) {
                *test = (Test){&checks[i], &kinds[k], {kinds[k].backend, precisions[p]}};
                g_autofree char *path =
                    g_strdup_printf("/networks/%s/%s/%s", kinds[k].name, precisions[p]->name, checks[i].name);
                g_test_add_data_func(path, test, run_test);
            }
    if (!n || !kinds->device)
        g_test_add_func("/norms/slack", test_slack);
    return g_test_run();
}
