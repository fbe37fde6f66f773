/* SPDX-License-Identifier: MIT
 * dpcxr bench: speed on this machine, private beside not private in one run. Absolute figures drift; ratios count. */
#include "base/json-write.h"
#include "bench/step.h"
#include "bench.h"
#include "privacy/clip.h"
#include <math.h>
#include <stdio.h>

static void put_clip(JsonBuilder *json, DpcxrClipType clip, const DpcxrClipTimes *times)
{
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "clip", dpcxr_clip_name(clip));
    dpcxr_json_put_number(json, "private_images_per_s", times->images_per_s);
    dpcxr_json_put_number(json, "cost_beside_flat", times->cost_beside_flat);
    json_builder_end_object(json);
}

/* The type that was asked for; flat where all were. */
static DpcxrClipType asked_clip(const DpcxrStepBench *bench)
{
    for (int clip = DPCXR_CLIP_FLAT + 1; clip < DPCXR_N_CLIP_TYPES && !bench->clips[DPCXR_CLIP_FLAT]; clip++)
        if (bench->clips[clip])
            return (DpcxrClipType)clip;
    return DPCXR_CLIP_FLAT;
}

/* Arithmetic rate of a private step over OpenBLAS's own. */
static double sgemm_fraction(const DpcxrStepTimes *times, DpcxrClipType clip)
{
    return times->image_flop * times->clips[clip].images_per_s / times->sgemm_rate;
}

static void print_json(const DpcxrStepBench *bench, const DpcxrStepTimes *times)
{
    DpcxrClipType clip = asked_clip(bench);
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "size", (guint64)bench->size);
    dpcxr_json_put_count(json, "batch", (guint64)bench->batch);
    dpcxr_json_put_string(json, "clip", dpcxr_clip_name(clip));
    dpcxr_json_put_number(json, "private_images_per_s", times->clips[clip].images_per_s);
    dpcxr_json_put_number(json, "nonprivate_images_per_s", times->nonprivate_images_per_s);
    dpcxr_json_put_number(json, "peak_memory_mb", times->peak_memory_mb);
    dpcxr_json_put_number(json, "sgemm_fraction", sgemm_fraction(times, clip));
    dpcxr_json_begin_array(json, "clips");
    for (int i = 0; i < DPCXR_N_CLIP_TYPES; i++)
        if (!isnan(times->clips[i].images_per_s))
            put_clip(json, (DpcxrClipType)i, &times->clips[i]);
    json_builder_end_array(json);
    if (bench->grid) {
        dpcxr_json_put_number(json, "grid_images_per_s", times->grid.images_per_s);
        dpcxr_json_put_number(json, "grid_cost_beside_gaussian", times->grid.cost_beside_flat);
    }
    json_builder_end_object(json);
    dpcxr_cmd_print_json(json);
}

static void print_text(const DpcxrStepBench *bench, const DpcxrStepTimes *times)
{
    DpcxrClipType clip = asked_clip(bench);
    double rate = times->clips[clip].images_per_s;
    printf("resnet9, %d px, batch %d, %s clipping: private %.1f images/s, not private %.1f images/s, ratio %.2f\n", bench->size,
           bench->batch, dpcxr_clip_name(clip), rate, times->nonprivate_images_per_s, rate / times->nonprivate_images_per_s);
    printf("peak memory %.0f MB, %.0f %% of OpenBLAS's sgemm rate\n", times->peak_memory_mb,
           100 * sgemm_fraction(times, clip));
    for (int i = DPCXR_CLIP_FLAT + 1; i < DPCXR_N_CLIP_TYPES; i++)
        if (!isnan(times->clips[i].images_per_s))
            printf("%s clipping: %.1f images/s, a step takes %.3f of a flat one's time\n", dpcxr_clip_name((DpcxrClipType)i),
                   times->clips[i].images_per_s, times->clips[i].cost_beside_flat);
    if (bench->grid)
        printf("noise on a grid: %.1f images/s, a step takes %.3f of a flat one's time with gaussian\n",
               times->grid.images_per_s, times->grid.cost_beside_flat);
}

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

static gboolean check_arguments(char **rest, const char *precision, const DpcxrStepBench *bench, GError **error)
{
    const char *what = rest && rest[0] ? rest[0] : "step";
    if (!g_str_equal(what, "step"))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr bench %s: not in this version; there is: step", what);
    else if (!g_str_equal(precision, "fp32") && !g_str_equal(precision, "bf16"))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr bench: --precision is fp32 or bf16 (got \"%s\")",
                    precision);
    else if (bench->size < 16 || bench->size > 4096 || bench->batch < 1 || bench->batch > 4096 || bench->repeats < 1)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "dpcxr bench: --size is 16 to 4096, --batch 1 to 4096, --repeats at least 1");
    else
        return TRUE;
    return FALSE;
}

gboolean dpcxr_cmd_bench(int argc, char **argv, GError **error)
{
    if (argc > 1 && g_str_equal(argv[1], "loader"))
        return dpcxr_bench_cmd_loader(argc - 1, argv + 1, error);
    DpcxrStepBench bench = {.size = 224, .batch = 16, .repeats = 5};
    g_autofree char *precision = g_strdup("fp32"), *backend = g_strdup("auto");
    g_autofree char *clip = g_strdup("flat"), *noise = g_strdup("gaussian");
    gboolean json = FALSE;
    g_auto(GStrv) rest = NULL;
    const GOptionEntry entries[] = {
        {"size", 0, 0, G_OPTION_ARG_INT, &bench.size, "Pixels a side (default 224)", "S"},
        {"batch", 0, 0, G_OPTION_ARG_INT, &bench.batch, "Images a step (default 16)", "B"},
        {"repeats", 0, 0, G_OPTION_ARG_INT, &bench.repeats, "Timed steps of each kind (default 5)", "N"},
        {"clip", 0, 0, G_OPTION_ARG_STRING, &clip, "Type of clipping to time beside flat, or all (default flat)", "TYPE"},
        {"noise", 0, 0, G_OPTION_ARG_STRING, &noise, "grid: times it beside gaussian (default gaussian)", "TYPE"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &bench.threads, "Threads (default 0: all)", "T"},
        {"precision", 0, 0, G_OPTION_ARG_STRING, &precision, "fp32 (default) or bf16", "P"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &backend, "Backend (default auto)", "NAME"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {0}};
    if (!dpcxr_cmd_parse(argc, argv, "[step]", "Time a training step of resnet9, private beside not private.", entries,
                         error) ||
        !check_arguments(rest, precision, &bench, error) || !choose_clips(clip, &bench, error) ||
        !choose_noise(noise, &bench, error))
        return FALSE;
    bench.bf16 = g_str_equal(precision, "bf16");
    bench.backend = backend;
    DpcxrStepTimes times;
    if (!dpcxr_bench_step(&bench, &times, error))
        return FALSE;
    (json ? print_json : print_text)(&bench, &times);
    return TRUE;
}
