/* SPDX-License-Identifier: MIT */
#include "bench/side.h"
#include "bench/numbers.h"
#include "bench/resnet9.h"
#include "config/options.h"
#include "privacy/clip.h"
#include "privacy/grid-noise.h"
#include "privacy/grid.h"
#include "privacy/noise.h"
#include <string.h>

static const double noise_multiplier = 1, clip_norm = 1.5;

const char *dpcxr_bench_phase_name(BenchPhase phase)
{
    static const char *const names[BENCH_N_PHASES] = {"phase_a", "clip", "phase_b", "noise", "update", "packing"};
    return names[phase];
}

void dpcxr_bench_side_clear(BenchSide *side)
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
    *side = (BenchSide){0};
}

/* --- Opening --- */

static void allocate(BenchSide *side)
{
    gsize batch = (gsize)side->batch, n = batch * BENCH_LABELS;
    side->images = dpcxr_bench_values(batch * dpcxr_shape_size(dpcxr_graph_layer(side->program->graph, 0)->shape), 0);
    side->targets = dpcxr_bench_values(n, 1);
    side->mask = g_new(float, n);
    side->row_weights = g_new(float, batch);
    side->losses = g_new(float, batch);
    side->logits = g_new(float, n);
    side->coefficients = g_new(float, batch * (gsize)side->program->options.n_groups);
    side->norms2 = g_new(double, batch * (gsize)side->program->n_parameters);
    side->unit_offsets = g_new(int, batch + 1);
    for (gsize i = 0; i < n; i++) {
        side->targets[i] = side->targets[i] > 0.7f;
        side->mask[i] = 1;
    }
    for (int i = 0; i <= side->batch; i++)
        side->unit_offsets[i] = i;
    for (int i = 0; i < side->batch; i++)
        side->row_weights[i] = side->coefficients[i] = 1;
}

static gboolean allocate_privacy(BenchSide *side, int threads, GError **error)
{
    int n = side->program->n_parameters;
    side->workers = dpcxr_workers_new(threads, error);
    if (!side->workers)
        return FALSE;
    gsize most = 0;
    for (int i = 0; i < n; i++)
        most = MAX(most, dpcxr_graph_parameter(side->program->graph, i)->size);
    if (side->program->options.grid) {
        side->grid_noise = g_new(gint64, most);
        side->dropped = g_new(gboolean, side->batch);
    } else {
        side->noise = g_new0(float *, n);
    }
    for (int i = 0; side->noise && i < n; i++)
        side->noise[i] = g_new(float, dpcxr_graph_parameter(side->program->graph, i)->size);
    side->secret = dpcxr_secret_new(error);
    return side->secret != NULL;
}

gboolean dpcxr_bench_side_open(BenchSide *side, const BenchSideOptions *options, const DpcxrGraph *graph, GError **error)
{
    int n_groups;
    g_autofree int *group_of = dpcxr_clip_groups(graph, options->clip, &n_groups);
    g_autoptr(DpcxrOptions) rule = dpcxr_options_parse(dpcxr_optimizer_options("nadam"), "{lr: 0.0005}", error);
    if (!rule)
        return FALSE;
    dpcxr_optimizer_init(&side->optimizer, "nadam", rule);
    DpcxrProgramOptions program = {.max_rows = options->batch,
                                   .max_units = options->batch,
                                   .threads = options->threads,
                                   .device = options->device,
                                   .precision = options->precision,
                                   .training = TRUE,
                                   .norms = options->private,
                                   .grid = options->grid,
                                   .n_groups = n_groups,
                                   .group_of = group_of};
    const DpcxrBackend *backend = dpcxr_backend_find(options->backend, &program, error);
    side->program = backend ? dpcxr_program_new(backend, graph, &program, error) : NULL;
    if (!side->program || !dpcxr_bench_initialise(side->program, error))
        return FALSE;
    side->batch = options->batch;
    side->logical = options->logical;
    side->clip_norm = clip_norm;
    allocate(side);
    return !options->private || allocate_privacy(side, options->threads, error);
}

/* --- A step --- */

/* Adds what has passed since *@start to @phase, and starts anew. */
static void lap(BenchSide *side, BenchPhase phase, double *start)
{
    double now = dpcxr_bench_now();
    side->seconds[phase] += now - *start;
    *start = now;
}

static void clip(BenchSide *side, DpcxrClipType type, int units)
{
    DpcxrClip clip = {.type = type,
                      .norm = side->clip_norm,
                      .stability = 0.01,
                      .parameters = side->program->n_parameters,
                      .n_groups = side->program->options.n_groups,
                      .group_of = side->program->options.group_of};
    dpcxr_clip(&clip, side->norms2, units, side->coefficients);
    for (int u = 0; u < units; u++)
        side->spared += side->coefficients[u] == 1;
}

static gboolean add_up(BenchSide *side, GError **error)
{
    if (!side->program->options.grid)
        return dpcxr_program_phase_b(side->program, DPCXR_BANK_SUM, side->coefficients, error);
    DpcxrGrid grid = dpcxr_grid_new(noise_multiplier, side->clip_norm);
    return dpcxr_program_phase_b_grid(side->program, side->coefficients, grid.scale, grid.limit, side->dropped, error);
}

static gboolean physical_batch(BenchSide *side, DpcxrClipType type, int rows, GError **error)
{
    DpcxrBatch batch = {.rows = rows,
                        .images = side->images,
                        .targets = side->targets,
                        .mask = side->mask,
                        .row_weights = side->row_weights,
                        .units = rows,
                        .unit_offsets = side->unit_offsets};
    DpcxrBatchResult result = {.losses = side->losses, .logits = side->logits, .norms2 = side->norms2};
    double start = dpcxr_bench_now();
    if (!dpcxr_program_phase_a(side->program, &batch, &result, error))
        return FALSE;
    lap(side, BENCH_PHASE_A, &start);
    if (side->secret)
        clip(side, type, rows);
    lap(side, BENCH_CLIP, &start);
    if (!add_up(side, error))
        return FALSE;
    lap(side, BENCH_PHASE_B, &start);
    return TRUE;
}

static gboolean add_grid_noise(BenchSide *side, GError **error)
{
    DpcxrGrid grid = dpcxr_grid_new(noise_multiplier, side->clip_norm);
    for (int i = 0; i < side->program->n_parameters; i++) {
        DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE, .sequence = side->step, .tensor = (guint32)i};
        dpcxr_grid_noise_fill(side->secret, &address, side->grid_noise,
                              dpcxr_graph_parameter(side->program->graph, i)->size, side->workers);
        if (!dpcxr_program_settle(side->program, i, side->grid_noise, grid.spacing, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean make_noise(BenchSide *side, GError **error)
{
    if (side->program->options.grid)
        return add_grid_noise(side, error);
    for (int i = 0; side->secret && i < side->program->n_parameters; i++) {
        DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE, .sequence = side->step, .tensor = (guint32)i};
        dpcxr_noise_fill(side->secret, &address, noise_multiplier * side->clip_norm, side->noise[i],
                         dpcxr_graph_parameter(side->program->graph, i)->size, side->workers);
    }
    return TRUE;
}

/* What adaptive clipping does after a step: a noisy count of the units that kept their norm. */
static void adapt(BenchSide *side)
{
    DpcxrAddress address = {.purpose = DPCXR_PURPOSE_NOISE,
                            .sequence = side->step,
                            .tensor = (guint32)side->program->n_parameters};
    float noise;
    dpcxr_noise_fill(side->secret, &address, 0.05 * side->logical, &noise, 1, NULL);
    side->clip_norm =
        dpcxr_clip_adapt(side->clip_norm, side->spared - 0.5 * side->logical + noise, side->logical, 0.5, 0.2);
}

static gboolean update(BenchSide *side, GError **error)
{
    DpcxrUpdate update = {0};
    dpcxr_optimizer_next(&side->optimizer, 1, &update);
    update.noise = (const float *const *)side->noise;
    update.scale = 1.0 / side->logical;
    return dpcxr_program_update(side->program, &update, error);
}

gboolean dpcxr_bench_side_step(BenchSide *side, DpcxrClipType type, GError **error)
{
    double start = dpcxr_bench_now();
    memset(side->seconds, 0, sizeof side->seconds);
    side->spared = 0;
    if (!dpcxr_program_zero(side->program, DPCXR_BANK_SUM, error))
        return FALSE;
    lap(side, BENCH_UPDATE, &start);
    for (int done = 0; done < side->logical; done += side->batch)
        if (!physical_batch(side, type, MIN(side->batch, side->logical - done), error))
            return FALSE;
    start = dpcxr_bench_now();
    if (!make_noise(side, error))
        return FALSE;
    lap(side, BENCH_NOISE, &start);
    if (!update(side, error))
        return FALSE;
    if (type == DPCXR_CLIP_ADAPTIVE)
        adapt(side);
    else
        side->clip_norm = clip_norm;
    lap(side, BENCH_UPDATE, &start);
    side->step++;
    return TRUE;
}

gboolean dpcxr_bench_side_packing(BenchSide *side, double *seconds, GError **error)
{
    double times[3];
    if (!dpcxr_bench_side_step(side, DPCXR_CLIP_FLAT, error))
        return FALSE;
    for (int i = 0; i < 3; i++) {
        double start = dpcxr_bench_now();
        if (!dpcxr_program_forward(side->program, 1, side->images, side->logits, error))
            return FALSE;
        times[i] = dpcxr_bench_now() - start;
    }
    *seconds = MAX(0, times[0] - MIN(times[1], times[2]));
    return TRUE;
}
