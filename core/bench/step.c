/* SPDX-License-Identifier: MIT
 * Everybody takes turns in one process, because speed drifts; what is compared was measured within the same seconds. */
#include "bench/step.h"
#include "bench/flop.h"
#include "bench/machine.h"
#include "bench/numbers.h"
#include "bench/resnet9.h"
#include "privacy/clip.h"
#include <math.h>

/* A kind of step that is timed: a side, and how it clips. Types that clip by the same groups share a program. */
typedef struct {
    BenchSide *side;
    DpcxrClipType clip;
    double *seconds;                /* [repeats] */
    double *phases[BENCH_N_PHASES]; /* [repeats] */
} Contestant;

/* The bench's private sides, the plain one, and all who take turns: first plain, then flat. */
typedef struct {
    BenchSide whole, layers, grid, plain;
    Contestant contestants[DPCXR_N_CLIP_TYPES + 2];
    int n;
} Field;

static void field_add(Field *field, const DpcxrStepBench *bench, BenchSide *side, DpcxrClipType clip)
{
    Contestant *contestant = &field->contestants[field->n++];
    *contestant = (Contestant){side, clip, g_new(double, bench->repeats), {NULL}};
    for (int phase = 0; phase < BENCH_N_PHASES; phase++)
        contestant->phases[phase] = g_new(double, bench->repeats);
}

static void field_clear(Field *field)
{
    for (int i = 0; i < field->n; i++) {
        g_free(field->contestants[i].seconds);
        for (int phase = 0; phase < BENCH_N_PHASES; phase++)
            g_free(field->contestants[i].phases[phase]);
    }
    dpcxr_bench_side_clear(&field->whole);
    dpcxr_bench_side_clear(&field->layers);
    dpcxr_bench_side_clear(&field->grid);
    dpcxr_bench_side_clear(&field->plain);
}

/* A side that has taken a step, so that what is allocated on first use is there. */
static gboolean open_side(BenchSide *side, const DpcxrStepBench *bench, const DpcxrGraph *graph, gboolean private,
                          DpcxrClipType clip, gboolean grid, GError **error)
{
    BenchSideOptions options = {.batch = bench->batch,
                                .logical = bench->logical,
                                .threads = bench->threads,
                                .precision = bench->precision,
                                .backend = bench->backend,
                                .device = bench->device,
                                .private = private,
                                .grid = grid,
                                .clip = clip};
    return dpcxr_bench_side_open(side, &options, graph, error) && dpcxr_bench_side_step(side, clip, error);
}

/* The flat private side is opened, warmed and measured for memory before another one exists. */
static gboolean open_flat(Field *field, const DpcxrStepBench *bench, const DpcxrGraph *graph, DpcxrStepTimes *times,
                          GError **error)
{
    if (!open_side(&field->whole, bench, graph, TRUE, DPCXR_CLIP_FLAT, FALSE, error) ||
        !dpcxr_bench_side_step(&field->whole, DPCXR_CLIP_FLAT, error))
        return FALSE;
    times->peak_memory_mb = dpcxr_bench_peak_memory_mb();
    times->threads = dpcxr_workers_threads(field->whole.workers);
    return TRUE;
}

static gboolean open_others(Field *field, const DpcxrStepBench *bench, const DpcxrGraph *graph, GError **error)
{
    if (!open_side(&field->plain, bench, graph, FALSE, DPCXR_CLIP_FLAT, FALSE, error))
        return FALSE;
    field_add(field, bench, &field->plain, DPCXR_CLIP_FLAT);
    field_add(field, bench, &field->whole, DPCXR_CLIP_FLAT);
    if (bench->clips[DPCXR_CLIP_PER_LAYER]) {
        if (!open_side(&field->layers, bench, graph, TRUE, DPCXR_CLIP_PER_LAYER, FALSE, error))
            return FALSE;
        field_add(field, bench, &field->layers, DPCXR_CLIP_PER_LAYER);
    }
    for (int clip = DPCXR_CLIP_AUTOMATIC; clip < DPCXR_N_CLIP_TYPES; clip++)
        if (bench->clips[clip])
            field_add(field, bench, &field->whole, (DpcxrClipType)clip);
    if (bench->grid) {
        if (!open_side(&field->grid, bench, graph, TRUE, DPCXR_CLIP_FLAT, TRUE, error))
            return FALSE;
        field_add(field, bench, &field->grid, DPCXR_CLIP_FLAT);
    }
    return TRUE;
}

static gboolean time_step(Contestant *contestant, int round, GError **error)
{
    double start = dpcxr_bench_now();
    if (!dpcxr_bench_side_step(contestant->side, contestant->clip, error))
        return FALSE;
    contestant->seconds[round] = dpcxr_bench_now() - start;
    for (int phase = 0; phase < BENCH_N_PHASES; phase++)
        contestant->phases[phase][round] = contestant->side->seconds[phase];
    return TRUE;
}

/* Rounds in which everyone takes two steps, as in a training one after the other, of which the second is timed: the
 * first one finds the caches full of somebody else's data. Who begins a round moves on. */
static gboolean field_run(Field *field, int repeats, GError **error)
{
    for (int round = 0; round < repeats; round++)
        for (int i = 0; i < field->n; i++) {
            Contestant *contestant = &field->contestants[(round + i) % field->n];
            if (!dpcxr_bench_side_step(contestant->side, contestant->clip, error) || !time_step(contestant, round, error))
                return FALSE;
        }
    return TRUE;
}

static DpcxrClipTimes judge(const Contestant *contestant, const Contestant *flat, const DpcxrStepBench *bench)
{
    g_autofree double *ratios = g_new(double, bench->repeats);
    for (int i = 0; i < bench->repeats; i++)
        ratios[i] = contestant->seconds[i] / flat->seconds[i];
    return (DpcxrClipTimes){bench->logical / dpcxr_bench_median(contestant->seconds, bench->repeats),
                            dpcxr_bench_median(ratios, bench->repeats)};
}

static gboolean profile(const DpcxrStepBench *bench, Contestant *flat, DpcxrStepTimes *times, GError **error)
{
    for (int round = 0; round < bench->repeats; round++)
        if (!dpcxr_bench_side_packing(flat->side, &flat->phases[BENCH_PACKING][round], error))
            return FALSE;
    for (int phase = 0; phase < BENCH_N_PHASES; phase++)
        times->phases[phase] = dpcxr_bench_median(flat->phases[phase], bench->repeats);
    times->phases[BENCH_PHASE_A] -= times->phases[BENCH_PACKING];
    return TRUE;
}

static gboolean race(const DpcxrStepBench *bench, const DpcxrGraph *graph, Field *field, DpcxrStepTimes *times,
                     GError **error)
{
    if (!open_others(field, bench, graph, error) || !field_run(field, bench->repeats, error))
        return FALSE;
    const Contestant *plain = &field->contestants[0], *flat = &field->contestants[1];
    times->nonprivate_images_per_s = bench->logical / dpcxr_bench_median(plain->seconds, bench->repeats);
    for (int i = 1; i < field->n; i++) {
        const Contestant *contestant = &field->contestants[i];
        *(contestant->side == &field->grid ? &times->grid : &times->clips[contestant->clip]) =
            judge(contestant, flat, bench);
    }
    times->image_flop = dpcxr_bench_step_flop(graph);
    times->sgemm = dpcxr_bench_sgemm(field->whole.workers);
    return profile(bench, &field->contestants[1], times, error);
}

gboolean dpcxr_bench_step(const DpcxrStepBench *bench, DpcxrStepTimes *times, GError **error)
{
    g_autoptr(DpcxrGraph) graph = dpcxr_bench_resnet9(bench->size, error);
    if (!graph)
        return FALSE;
    *times = (DpcxrStepTimes){.nonprivate_images_per_s = NAN, .grid = {NAN, NAN}};
    for (int clip = 0; clip < DPCXR_N_CLIP_TYPES; clip++)
        times->clips[clip] = (DpcxrClipTimes){NAN, NAN};
    Field field = {0};
    gboolean good = open_flat(&field, bench, graph, times, error) &&
                    (bench->memory_only || race(bench, graph, &field, times, error));
    field_clear(&field);
    return good;
}
