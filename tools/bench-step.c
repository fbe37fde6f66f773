/* SPDX-License-Identifier: MIT
 * dpcxr bench step: whole training steps, private beside not private in one run. */
#include "bench.h"
#include "base/json-write.h"
#include "bench/machine.h"
#include "bench/step.h"
#include "privacy/clip.h"
#include <math.h>
#include <stdio.h>

/* --- What was measured --- */

/* The type that was asked for; flat where all were. */
static DpcxrClipType asked_clip(const DpcxrStepBench *bench)
{
    for (int clip = DPCXR_CLIP_FLAT + 1; clip < DPCXR_N_CLIP_TYPES && !bench->clips[DPCXR_CLIP_FLAT]; clip++)
        if (bench->clips[clip])
            return (DpcxrClipType)clip;
    return DPCXR_CLIP_FLAT;
}

/* Arithmetic rate of a private step over that of the faster sgemm. */
static double sgemm_fraction(const DpcxrStepTimes *times, DpcxrClipType clip)
{
    return times->image_flop * times->clips[clip].images_per_s / MAX(times->sgemm.openblas, times->sgemm.onednn);
}

static double step_seconds(const DpcxrStepTimes *times)
{
    double sum = 0;
    for (int phase = 0; phase < BENCH_N_PHASES; phase++)
        sum += times->phases[phase];
    return sum;
}

/* --- JSON --- */

static void put_clip(JsonBuilder *json, DpcxrClipType clip, const DpcxrClipTimes *times)
{
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "clip", dpcxr_clip_name(clip));
    dpcxr_json_put_number(json, "private_images_per_s", times->images_per_s);
    dpcxr_json_put_number(json, "cost_beside_flat", times->cost_beside_flat);
    json_builder_end_object(json);
}

static void put_setting(JsonBuilder *json, const DpcxrStepBench *bench, const DpcxrStepTimes *times)
{
    DpcxrBenchIsa isa = dpcxr_bench_isa(bench->precision);
    dpcxr_json_put_count(json, "size", (guint64)bench->size);
    dpcxr_json_put_count(json, "batch", (guint64)bench->batch);
    dpcxr_json_put_count(json, "logical", (guint64)bench->logical);
    dpcxr_json_put_count(json, "threads", (guint64)times->threads);
    dpcxr_json_put_string(json, "precision", dpcxr_precision_name(bench->precision));
    dpcxr_json_begin_object(json, "isa");
    dpcxr_json_put_string(json, "kernels", isa.kernels);
    dpcxr_json_put_string(json, "onednn", isa.onednn);
    dpcxr_json_put_string(json, "openblas", isa.openblas);
    json_builder_end_object(json);
}

static void put_profile(JsonBuilder *json, const DpcxrStepTimes *times)
{
    dpcxr_json_begin_object(json, "profile");
    for (int phase = 0; phase < BENCH_N_PHASES; phase++) {
        dpcxr_json_begin_object(json, dpcxr_bench_phase_name((BenchPhase)phase));
        dpcxr_json_put_number(json, "ms", 1000 * times->phases[phase]);
        dpcxr_json_put_number(json, "percent", 100 * times->phases[phase] / step_seconds(times));
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
}

static void put_speed(JsonBuilder *json, const DpcxrStepBench *bench, const DpcxrStepTimes *times)
{
    DpcxrClipType clip = asked_clip(bench);
    dpcxr_json_put_string(json, "clip", dpcxr_clip_name(clip));
    dpcxr_json_put_number(json, "private_images_per_s", times->clips[clip].images_per_s);
    dpcxr_json_put_number(json, "nonprivate_images_per_s", times->nonprivate_images_per_s);
    dpcxr_json_put_number(json, "sgemm_fraction", sgemm_fraction(times, clip));
    dpcxr_json_put_number(json, "openblas_sgemm_gflops", times->sgemm.openblas / 1e9);
    dpcxr_json_put_number(json, "onednn_sgemm_gflops", times->sgemm.onednn / 1e9);
    dpcxr_json_put_number(json, "image_gflop", times->image_flop / 1e9);
    dpcxr_json_begin_array(json, "clips");
    for (int i = 0; i < DPCXR_N_CLIP_TYPES; i++)
        if (!isnan(times->clips[i].images_per_s))
            put_clip(json, (DpcxrClipType)i, &times->clips[i]);
    json_builder_end_array(json);
    if (bench->grid) {
        dpcxr_json_put_number(json, "grid_images_per_s", times->grid.images_per_s);
        dpcxr_json_put_number(json, "grid_cost_beside_gaussian", times->grid.cost_beside_flat);
    }
    put_profile(json, times);
}

static void print_json(const DpcxrStepBench *bench, const DpcxrStepTimes *times)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    put_setting(json, bench, times);
    dpcxr_json_put_number(json, "peak_memory_mb", times->peak_memory_mb);
    if (!bench->memory_only)
        put_speed(json, bench, times);
    json_builder_end_object(json);
    dpcxr_cmd_print_json(json);
}

/* --- Text --- */

static void print_profile(const DpcxrStepTimes *times)
{
    printf("a flat private step takes %.1f ms:", 1000 * step_seconds(times));
    for (int phase = 0; phase < BENCH_N_PHASES; phase++)
        printf("%s %s %.1f %%", phase ? "," : "", dpcxr_bench_phase_name((BenchPhase)phase),
               100 * times->phases[phase] / step_seconds(times));
    printf("\n");
}

static void print_text(const DpcxrStepBench *bench, const DpcxrStepTimes *times)
{
    DpcxrClipType clip = asked_clip(bench);
    double rate = times->clips[clip].images_per_s;
    printf("resnet9, %d px, %s, batch %d (%d a step), %d threads, %s clipping: ", bench->size,
           dpcxr_precision_name(bench->precision), bench->batch, bench->logical, times->threads, dpcxr_clip_name(clip));
    if (bench->memory_only) {
        printf("peak memory %.0f MB\n", times->peak_memory_mb);
        return;
    }
    printf("private %.1f images/s, not private %.1f images/s, ratio %.2f\n", rate, times->nonprivate_images_per_s,
           rate / times->nonprivate_images_per_s);
    printf("peak memory %.0f MB, %.0f %% of the best sgemm rate (OpenBLAS as %s %.0f, oneDNN %.0f GFLOP/s)\n",
           times->peak_memory_mb, 100 * sgemm_fraction(times, clip), dpcxr_bench_isa(bench->precision).openblas,
           times->sgemm.openblas / 1e9, times->sgemm.onednn / 1e9);
    for (int i = DPCXR_CLIP_FLAT + 1; i < DPCXR_N_CLIP_TYPES; i++)
        if (!isnan(times->clips[i].images_per_s))
            printf("%s clipping: %.1f images/s, a step takes %.3f of a flat one's time\n",
                   dpcxr_clip_name((DpcxrClipType)i), times->clips[i].images_per_s, times->clips[i].cost_beside_flat);
    if (bench->grid)
        printf("noise on a grid: %.1f images/s, a step takes %.3f of a flat one's time with gaussian\n",
               times->grid.images_per_s, times->grid.cost_beside_flat);
    print_profile(times);
}

/* --- Arguments --- */

/* @name: a type of clipping, or all. */
static gboolean choose_clips(const char *name, DpcxrStepBench *bench, GError **error)
{
    gboolean all = g_str_equal(name, "all"), found = all;
    for (int clip = 0; clip < DPCXR_N_CLIP_TYPES; clip++) {
        bench->clips[clip] = all || g_str_equal(name, dpcxr_clip_name((DpcxrClipType)clip));
        found = found || bench->clips[clip];
    }
    if (!found)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "dpcxr bench: --clip is flat, per_layer, automatic, normalise, adaptive or all (got \"%s\")", name);
    return found;
}

static gboolean choose_noise(const char *name, DpcxrStepBench *bench, GError **error)
{
    bench->grid = g_str_equal(name, "grid");
    if (bench->grid || g_str_equal(name, "gaussian"))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr bench: --noise is gaussian or grid (got \"%s\")", name);
    return FALSE;
}

static gboolean check_ranges(DpcxrStepBench *bench, GError **error)
{
    if (bench->logical == 0)
        bench->logical = bench->batch;
    if (bench->size >= 16 && bench->size <= 4096 && bench->batch >= 1 && bench->batch <= 4096 &&
        bench->logical >= bench->batch && bench->logical <= 1 << 20 && bench->repeats >= 1 && bench->threads >= 0 &&
        bench->threads <= 4096)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "dpcxr bench: --size is 16 to 4096, --batch 1 to 4096, --logical at least that, --threads 0 to 4096, "
                "--repeats at least 1");
    return FALSE;
}

gboolean dpcxr_bench_cmd_step(int argc, char **argv, GError **error)
{
    DpcxrStepBench bench = {.size = 224, .batch = 16, .repeats = 5};
    g_autofree char *precision = g_strdup("fp32"), *backend = g_strdup("auto"), *device = NULL;
    g_autofree char *clip = g_strdup("flat"), *noise = g_strdup("gaussian");
    gboolean json = FALSE;
    g_auto(GStrv) rest = NULL;
    const GOptionEntry entries[] = {
        {"size", 0, 0, G_OPTION_ARG_INT, &bench.size, "Pixels a side (default 224)", "S"},
        {"batch", 0, 0, G_OPTION_ARG_INT, &bench.batch, "Images at once (default 16)", "B"},
        {"logical", 0, 0, G_OPTION_ARG_INT, &bench.logical, "Images a step, in several batches (default: a batch)", "N"},
        {"repeats", 0, 0, G_OPTION_ARG_INT, &bench.repeats, "Timed steps of each kind (default 5)", "N"},
        {"clip", 0, 0, G_OPTION_ARG_STRING, &clip, "Type of clipping to time beside flat, or all (default flat)", "TYPE"},
        {"noise", 0, 0, G_OPTION_ARG_STRING, &noise, "grid: times it beside gaussian (default gaussian)", "TYPE"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &bench.threads, "Threads (default 0: all)", "T"},
        {"precision", 0, 0, G_OPTION_ARG_STRING, &precision, "fp32 (default), bf16 or fp16", "P"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &backend, "Backend (default auto)", "NAME"},
        {"device-name", 0, 0, G_OPTION_ARG_STRING, &device, "Which of its devices: index, UUID or name", "DEVICE"},
        {"memory-only", 0, 0, G_OPTION_ARG_NONE, &bench.memory_only, "Two private steps, to see their peak memory", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {0}};
    if (!dpcxr_cmd_parse(argc, argv, "", "Time a training step of resnet9, private beside not private.", entries,
                         error) ||
        !dpcxr_bench_no_more(rest, error) || !check_ranges(&bench, error) || !choose_clips(clip, &bench, error) ||
        !choose_noise(noise, &bench, error))
        return FALSE;
    bench.backend = backend;
    bench.device = device;
    DpcxrStepTimes times;
    if (!dpcxr_bench_precision(precision, &bench.precision, error) || !dpcxr_bench_step(&bench, &times, error))
        return FALSE;
    (json ? print_json : print_text)(&bench, &times);
    return TRUE;
}
