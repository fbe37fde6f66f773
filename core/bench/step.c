/* SPDX-License-Identifier: MIT */
#include "bench/step.h"
#include "backend/program.h"
#include "base/workers.h"
#include "config/options.h"
#include "optim/optimizer.h"
#include "plugin/registry.h"
#include "privacy/clip.h"
#include "privacy/grid-noise.h"
#include "privacy/grid.h"
#include "privacy/noise.h"
#include <dpcxr/model.h>
#include <cblas.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>

enum { LABELS = 8, CHANNELS = 3 };
static const double noise_multiplier = 1, clip_norm = 1.5;

/* One program with its optimizer and buffers; one for each kind of step. */
typedef struct {
    DpcxrProgram *program;
    DpcxrOptimizer optimizer;
    DpcxrSecret *secret;   /* NULL: not private */
    DpcxrWorkers *workers; /* for noise */
    float **noise;
    gint64 *grid_noise; /* NULL: not on a grid */
    gboolean *dropped;
    int batch;
    float *images, *targets, *mask, *row_weights, *losses, *logits, *coefficients;
    double *norms2;
    int *unit_offsets;
    double clip_norm; /* adaptive clipping moves it */
    guint64 step;
} Side;

/* A kind of step that is timed: a side, and how it clips. Types that clip by the same groups share a program. */
typedef struct {
    Side *side;
    DpcxrClipType clip;
    double *seconds; /* [repeats] */
} Contestant;

/* The bench's private sides, the plain one, and all who take turns. */
typedef struct {
    Side whole, layers, grid, plain;
    Contestant contestants[DPCXR_N_CLIP_TYPES + 2];
    int n;
} Field;

static void side_clear(Side *side)
{
    gpointer buffers[] = {side->images,       side->targets,    side->mask,         side->row_weights,
                          side->losses,       side->logits,     side->coefficients, side->norms2,
                          side->unit_offsets, side->grid_noise, side->dropped};
    for (guint i = 0; i < G_N_ELEMENTS(buffers); i++)
        g_free(buffers[i]);
    for (int i = 0; side->noise && i < side->program->n_parameters; i++)
        g_free(side->noise[i]);
    g_free(side->noise);
    dpcxr_workers_free(side->workers);
    dpcxr_secret_free(side->secret);
    dpcxr_program_free(side->program);
    *side = (Side){0};
}

static float *random_values(gsize n, guint32 stream)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, 1, "bench", 0, stream);
    float *values = g_new(float, n);
    for (gsize i = 0; i < n; i++)
        values[i] = (float)dpcxr_random_uniform(&random);
    return values;
}

static void allocate(Side *side, const DpcxrStepBench *bench)
{
    gsize batch = (gsize)bench->batch, n = batch * LABELS;
    side->batch = bench->batch;
    side->images = random_values(batch * CHANNELS * (gsize)bench->size * (gsize)bench->size, 0);
    side->targets = random_values(n, 1);
    side->mask = g_new(float, n);
    side->row_weights = g_new(float, batch);
    side->losses = g_new(float, batch);
    side->logits = g_new(float, n);
    side->coefficients = g_new(float, batch * (gsize)side->program->options.n_groups);
    side->clip_norm = clip_norm;
    side->norms2 = g_new(double, batch * (gsize)side->program->n_parameters);
    side->unit_offsets = g_new(int, batch + 1);
    for (gsize i = 0; i < n; i++) {
        side->targets[i] = side->targets[i] > 0.7f;
        side->mask[i] = 1;
    }
    for (int i = 0; i <= bench->batch; i++)
        side->unit_offsets[i] = i;
    for (int i = 0; i < bench->batch; i++)
        side->row_weights[i] = side->coefficients[i] = 1;
}

static gboolean allocate_privacy(Side *side, const DpcxrStepBench *bench, GError **error)
{
    int n = side->program->n_parameters;
    side->workers = dpcxr_workers_new(bench->threads, error);
    if (!side->workers)
        return FALSE;
    gsize most = 0;
    for (int i = 0; i < n; i++)
        most = MAX(most, dpcxr_graph_parameter(side->program->graph, i)->size);
    if (side->program->options.grid) {
        side->grid_noise = g_new(gint64, most);
        side->dropped = g_new(gboolean, bench->batch);
    } else {
        side->noise = g_new0(float *, n);
    }
    for (int i = 0; side->noise && i < n; i++)
        side->noise[i] = g_new(float, dpcxr_graph_parameter(side->program->graph, i)->size);
    side->secret = dpcxr_secret_new(error);
    return side->secret != NULL;
}

static gboolean initialise_weights(DpcxrProgram *program, GError **error)
{
    for (int i = 0; i < program->n_parameters; i++) {
        g_autofree float *values = g_new(float, dpcxr_graph_parameter(program->graph, i)->size);
        dpcxr_graph_initial_values(program->graph, i, 1, values);
        if (!dpcxr_program_write(program, DPCXR_BANK_WEIGHT, i, values, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean side_open(Side *side, const DpcxrStepBench *bench, const DpcxrGraph *graph, gboolean private,
                          DpcxrClipType clip, gboolean grid, GError **error)
{
    int n_groups;
    g_autofree int *group_of = dpcxr_clip_groups(graph, clip, &n_groups);
    const DpcxrBackend *backend = dpcxr_backend_find(bench->backend, error);
    g_autoptr(DpcxrOptions) options =
        dpcxr_options_parse(dpcxr_optimizer_options("nadam"), "{lr: 0.0005}", error);
    if (!backend || !options)
        return FALSE;
    dpcxr_optimizer_init(&side->optimizer, "nadam", options);
    DpcxrProgramOptions program = {.max_rows = bench->batch,
                                   .max_units = bench->batch,
                                   .threads = bench->threads,
                                   .bf16 = bench->bf16,
                                   .training = TRUE,
                                   .norms = private,
                                   .grid = grid,
                                   .n_groups = n_groups,
                                   .group_of = group_of};
    side->program = dpcxr_program_new(backend, graph, &program, error);
    if (!side->program || !initialise_weights(side->program, error))
        return FALSE;
    allocate(side, bench);
    return !private || allocate_privacy(side, bench, error);
}

static void make_noise(Side *side)
{
    for (int i = 0; i < side->program->n_parameters; i++) {
        DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE, .sequence = side->step, .tensor = (guint32)i};
        dpcxr_noise_fill(side->secret, &address, noise_multiplier * side->clip_norm, side->noise[i],
                         dpcxr_graph_parameter(side->program->graph, i)->size, side->workers);
    }
}

static gboolean add_on_grid(Side *side, GError **error)
{
    DpcxrGrid grid = dpcxr_grid_new(noise_multiplier, side->clip_norm);
    if (!dpcxr_program_phase_b_grid(side->program, side->coefficients, grid.scale, grid.limit, side->dropped, error))
        return FALSE;
    for (int i = 0; i < side->program->n_parameters; i++) {
        DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE, .sequence = side->step, .tensor = (guint32)i};
        dpcxr_grid_noise_fill(side->secret, &address, side->grid_noise,
                              dpcxr_graph_parameter(side->program->graph, i)->size, side->workers);
        if (!dpcxr_program_settle(side->program, i, side->grid_noise, grid.spacing, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_up(Side *side, GError **error)
{
    if (side->program->options.grid)
        return add_on_grid(side, error);
    if (!dpcxr_program_phase_b(side->program, DPCXR_BANK_SUM, side->coefficients, error))
        return FALSE;
    if (side->secret)
        make_noise(side);
    return TRUE;
}

static void clip(Side *side, DpcxrClipType type)
{
    DpcxrClip clip = {.type = type,
                      .norm = side->clip_norm,
                      .stability = 0.01,
                      .parameters = side->program->n_parameters,
                      .n_groups = side->program->options.n_groups,
                      .group_of = side->program->options.group_of};
    dpcxr_clip(&clip, side->norms2, side->batch, side->coefficients);
}

/* What adaptive clipping does after a step: a noisy count of the units that kept their norm. */
static void adapt(Side *side)
{
    DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE,
                            .sequence = side->step,
                            .tensor = (guint32)side->program->n_parameters};
    float noise;
    double spared = 0;
    dpcxr_noise_fill(side->secret, &address, 0.05 * side->batch, &noise, 1, NULL);
    for (int u = 0; u < side->batch; u++)
        spared += side->coefficients[u] == 1;
    side->clip_norm = dpcxr_clip_adapt(side->clip_norm, spared - 0.5 * side->batch + noise, side->batch, 0.5, 0.2);
}

static gboolean do_step(Side *side, DpcxrClipType type, GError **error)
{
    DpcxrBatch batch = {.rows = side->batch,
                        .images = side->images,
                        .targets = side->targets,
                        .mask = side->mask,
                        .row_weights = side->row_weights,
                        .units = side->batch,
                        .unit_offsets = side->unit_offsets};
    DpcxrBatchResult result = {.losses = side->losses, .logits = side->logits, .norms2 = side->norms2};
    if (!dpcxr_program_zero(side->program, DPCXR_BANK_SUM, error) ||
        !dpcxr_program_phase_a(side->program, &batch, &result, error))
        return FALSE;
    if (side->secret)
        clip(side, type);
    if (!add_up(side, error))
        return FALSE;
    DpcxrUpdate update = {0};
    dpcxr_optimizer_next(&side->optimizer, 1, &update);
    update.noise = (const float *const *)side->noise;
    update.scale = 1.0 / side->batch;
    if (!dpcxr_program_update(side->program, &update, error))
        return FALSE;
    if (type == DPCXR_CLIP_ADAPTIVE)
        adapt(side);
    else
        side->clip_norm = clip_norm;
    side->step++;
    return TRUE;
}

/* NaN on an error. */
static double seconds_of(const Contestant *contestant, GError **error)
{
    gint64 start = g_get_monotonic_time();
    return do_step(contestant->side, contestant->clip, error)
               ? (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC
               : NAN;
}

static gint by_value(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int n)
{
    g_autofree double *sorted = g_memdup2(values, (gsize)n * sizeof *values);
    qsort(sorted, (gsize)n, sizeof *sorted, by_value);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Multiply-adds of one image's step times two: forward, backward-weights, and backward-data but for the first layer. */
static double step_flop(const DpcxrGraph *graph)
{
    double flop = 0;
    for (int i = 1; i < dpcxr_graph_n_layers(graph); i++) {
        const DpcxrLayer *layer = dpcxr_graph_layer(graph, i);
        if (layer->type != DPCXR_LAYER_CONV2D && layer->type != DPCXR_LAYER_LINEAR)
            continue;
        double positions = (double)layer->shape.height * layer->shape.width;
        double once = 2 * positions * (double)dpcxr_graph_parameter(graph, layer->parameters[0])->size;
        flop += once * (layer->inputs[0] == 0 ? 2 : 3);
    }
    return flop;
}

enum { GEMM = 1024 };

typedef struct {
    float *a, *b, *c; /* [threads] matrices after each other */
} Gemm;

static void gemm_task(gpointer data, int i, int thread)
{
    Gemm *gemm = data;
    gsize at = (gsize)i * GEMM * GEMM;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, GEMM, GEMM, GEMM, 1, gemm->a + at, GEMM, gemm->b + at, GEMM, 0,
                gemm->c + at, GEMM);
}

/* FLOP/s of one 1024-cube sgemm on each thread at once; the best of a few, as peaks are. */
static double sgemm_rate(DpcxrWorkers *workers)
{
    int n = dpcxr_workers_threads(workers);
    gsize size = (gsize)n * GEMM * GEMM;
    Gemm gemm = {random_values(size, 2), random_values(size, 3), g_new0(float, size)};
    double best = 0;
    openblas_set_num_threads(1);
    for (int repeat = 0; repeat < 8; repeat++) {
        gint64 start = g_get_monotonic_time();
        dpcxr_workers_run(workers, n, gemm_task, &gemm);
        double seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
        best = MAX(best, 2.0 * n * GEMM * GEMM * (double)GEMM / seconds);
    }
    g_free(gemm.a);
    g_free(gemm.b);
    g_free(gemm.c);
    return best;
}

static double peak_memory_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static void field_add(Field *field, const DpcxrStepBench *bench, Side *side, DpcxrClipType clip)
{
    field->contestants[field->n++] = (Contestant){side, clip, g_new(double, bench->repeats)};
}

static void field_clear(Field *field)
{
    for (int i = 0; i < field->n; i++)
        g_free(field->contestants[i].seconds);
    side_clear(&field->whole);
    side_clear(&field->layers);
    side_clear(&field->grid);
    side_clear(&field->plain);
}

/* The flat private side is opened, warmed and measured for memory before another one exists. */
static gboolean field_open(Field *field, const DpcxrStepBench *bench, const DpcxrGraph *graph, DpcxrStepTimes *times,
                           GError **error)
{
    if (!side_open(&field->whole, bench, graph, TRUE, DPCXR_CLIP_FLAT, FALSE, error) ||
        !do_step(&field->whole, DPCXR_CLIP_FLAT, error) || !do_step(&field->whole, DPCXR_CLIP_FLAT, error))
        return FALSE;
    times->peak_memory_mb = peak_memory_mb();
    if (!side_open(&field->plain, bench, graph, FALSE, DPCXR_CLIP_FLAT, FALSE, error) ||
        !do_step(&field->plain, DPCXR_CLIP_FLAT, error))
        return FALSE;
    field_add(field, bench, &field->plain, DPCXR_CLIP_FLAT);
    field_add(field, bench, &field->whole, DPCXR_CLIP_FLAT);
    if (bench->clips[DPCXR_CLIP_PER_LAYER]) {
        if (!side_open(&field->layers, bench, graph, TRUE, DPCXR_CLIP_PER_LAYER, FALSE, error) ||
            !do_step(&field->layers, DPCXR_CLIP_PER_LAYER, error))
            return FALSE;
        field_add(field, bench, &field->layers, DPCXR_CLIP_PER_LAYER);
    }
    for (int clip = DPCXR_CLIP_AUTOMATIC; clip < DPCXR_N_CLIP_TYPES; clip++)
        if (bench->clips[clip])
            field_add(field, bench, &field->whole, (DpcxrClipType)clip);
    if (bench->grid) {
        if (!side_open(&field->grid, bench, graph, TRUE, DPCXR_CLIP_FLAT, TRUE, error) ||
            !do_step(&field->grid, DPCXR_CLIP_FLAT, error))
            return FALSE;
        field_add(field, bench, &field->grid, DPCXR_CLIP_FLAT);
    }
    return TRUE;
}

/* Rounds in which everyone takes two steps, as in a training one after the other, of which the second is timed: the first one
 * finds the caches full of somebody else's data. Who begins a round moves on. */
static gboolean field_run(Field *field, int repeats, GError **error)
{
    for (int round = 0; round < repeats; round++)
        for (int i = 0; i < field->n; i++) {
            Contestant *contestant = &field->contestants[(round + i) % field->n];
            if (!do_step(contestant->side, contestant->clip, error))
                return FALSE;
            contestant->seconds[round] = seconds_of(contestant, error);
            if (isnan(contestant->seconds[round]))
                return FALSE;
        }
    return TRUE;
}

static DpcxrClipTimes judge(const Contestant *contestant, const Contestant *flat, const DpcxrStepBench *bench)
{
    g_autofree double *ratios = g_new(double, bench->repeats);
    for (int i = 0; i < bench->repeats; i++)
        ratios[i] = contestant->seconds[i] / flat->seconds[i];
    return (DpcxrClipTimes){bench->batch / median(contestant->seconds, bench->repeats), median(ratios, bench->repeats)};
}

static gboolean measure(const DpcxrStepBench *bench, const DpcxrGraph *graph, Field *field, DpcxrStepTimes *times,
                        GError **error)
{
    for (int clip = 0; clip < DPCXR_N_CLIP_TYPES; clip++)
        times->clips[clip] = (DpcxrClipTimes){NAN, NAN};
    times->grid = (DpcxrClipTimes){NAN, NAN};
    if (!field_open(field, bench, graph, times, error) || !field_run(field, bench->repeats, error))
        return FALSE;
    const Contestant *plain = &field->contestants[0], *flat = &field->contestants[1];
    times->nonprivate_images_per_s = bench->batch / median(plain->seconds, bench->repeats);
    for (int i = 1; i < field->n; i++) {
        const Contestant *contestant = &field->contestants[i];
        *(contestant->side == &field->grid ? &times->grid : &times->clips[contestant->clip]) =
            judge(contestant, flat, bench);
    }
    times->image_flop = step_flop(graph);
    times->sgemm_rate = sgemm_rate(field->whole.workers);
    return TRUE;
}

gboolean dpcxr_bench_step(const DpcxrStepBench *bench, DpcxrStepTimes *times, GError **error)
{
    dpcxr_registry_scan();
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_MODEL, "resnet9", error);
    if (!entry)
        return FALSE;
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(entry->plugin->options, "", error);
    if (!options)
        return FALSE;
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(bench->size, bench->size, CHANNELS);
    DpcxrNode output = ((const DpcxrModel *)entry->plugin->feature)->build(graph, options, LABELS);
    if (!dpcxr_graph_finish(graph, output, LABELS, error))
        return FALSE;
    Field field = {0};
    gboolean good = measure(bench, graph, &field, times, error);
    field_clear(&field);
    return good;
}
