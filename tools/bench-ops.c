/* SPDX-License-Identifier: MIT
 * dpcxr bench ops: single operations of resnet9; on cpu, whether the cost model of unit gradients is right here; on vulkan, beside
 * what the device could do. */
#include "backend/vulkan/vulkan.h"
#include "base/json-write.h"
#include "base/workers.h"
#include "bench.h"
#include "bench/ops.h"
#include <math.h>
#include <stdio.h>

/* From here on the cost model's choice counts as wrong. */
static const double tolerated = 1.1;

static gboolean is_wrong(const DpcxrOpTimes *times)
{
    return times->has_methods && dpcxr_op_times_regret(times) > tolerated;
}

static double rate(const DpcxrOpTimes *times, int part)
{
    return times->work[part] / times->seconds[part] / 1e9;
}

/* Part of what the device could do; NAN where that is not known. @peak: nullable. */
static double fraction(const DpcxrOpTimes *times, int part, const DpcxrVulkanPeak *peak)
{
    return peak ? 1e9 * rate(times, part) / (times->is_bytes ? peak->bytes : peak->flops) : NAN;
}

/* --- JSON --- */

static void put_part(JsonBuilder *json, const DpcxrOpTimes *times, int part, const DpcxrVulkanPeak *peak)
{
    dpcxr_json_begin_object(json, dpcxr_bench_op_part_name((BenchOpPart)part));
    dpcxr_json_put_number(json, "ms", 1000 * times->seconds[part]);
    dpcxr_json_put_number(json, times->is_bytes ? "gb_per_s" : "gflops", rate(times, part));
    if (peak)
        dpcxr_json_put_number(json, "of_peak", fraction(times, part, peak));
    json_builder_end_object(json);
}

static void put_op(JsonBuilder *json, const DpcxrOpTimes *times, const DpcxrVulkanPeak *peak)
{
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "name", times->name);
    dpcxr_json_put_string(json, "shape", times->shape);
    for (int part = 0; part < BENCH_N_OP_PARTS; part++)
        if (!isnan(times->seconds[part]))
            put_part(json, times, part, peak);
    if (times->has_weights)
        dpcxr_json_put_string(json, "method", times->takes_gram ? "gram" : "direct");
    if (times->has_methods) {
        dpcxr_json_put_number(json, "direct_ms", 1000 * times->direct);
        dpcxr_json_put_number(json, "gram_ms", 1000 * times->gram);
        dpcxr_json_put_bool(json, "wrong", is_wrong(times));
    }
    json_builder_end_object(json);
}

static void put_peak(JsonBuilder *json, const DpcxrVulkanPeak *peak)
{
    dpcxr_json_begin_object(json, "peak");
    dpcxr_json_put_string(json, "device", peak->name);
    dpcxr_json_put_number(json, "gflops", peak->flops / 1e9);
    dpcxr_json_put_number(json, "gb_per_s", peak->bytes / 1e9);
    json_builder_end_object(json);
}

static void put_all(JsonBuilder *json, const DpcxrOpsBench *bench, const GArray *all,
                    const DpcxrVulkanPeak *peak)
{
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "backend", bench->backend->name);
    dpcxr_json_put_count(json, "size", (guint64)bench->size);
    dpcxr_json_put_count(json, "batch", (guint64)bench->batch);
    dpcxr_json_put_count(json, "threads", (guint64)bench->threads);
    dpcxr_json_put_string(json, "precision", dpcxr_precision_name(bench->precision));
    if (peak)
        put_peak(json, peak);
    dpcxr_json_begin_array(json, "ops");
    for (guint i = 0; i < all->len; i++)
        put_op(json, &g_array_index(all, DpcxrOpTimes, i), peak);
    json_builder_end_array(json);
    json_builder_end_object(json);
}

/* --- Text --- */

static gboolean has_part(const GArray *all, int part)
{
    for (guint i = 0; i < all->len; i++)
        if (!isnan(g_array_index(all, DpcxrOpTimes, i).seconds[part]))
            return TRUE;
    return FALSE;
}

static void print_cell(const DpcxrOpTimes *times, int part, const DpcxrVulkanPeak *peak)
{
    int width = peak ? 11 : 6;
    g_autofree char *speed = g_strdup_printf("%.*f", times->is_bytes ? 1 : 0, rate(times, part));
    if (isnan(times->seconds[part]))
        printf(" %*s", 9 + width, "-");
    else if (!isfinite(rate(times, part)))
        printf(" %8.3f %*s", 1000 * times->seconds[part], width, "");
    else if (peak)
        printf(" %8.3f %6s %2.0f %%", 1000 * times->seconds[part], speed, 100 * fraction(times, part, peak));
    else
        printf(" %8.3f %6s", 1000 * times->seconds[part], speed);
}

static void print_head(const DpcxrOpsBench *bench, const DpcxrVulkanPeak *peak)
{
    printf("resnet9, %d px, %s, %d images at once, ", bench->size, dpcxr_precision_name(bench->precision),
           bench->batch);
    if (peak)
        printf("%s (%.0f GFLOP/s, copies %.1f GB/s): ms an image, GFLOP/s (norms, pools: GB/s) and part of "
               "that\n",
               peak->name, peak->flops / 1e9, peak->bytes / 1e9);
    else
        printf("%s, %d thread%s: ms an image and GFLOP/s (norms, pools: GB/s)\n", bench->backend->name,
               bench->threads, bench->threads == 1 ? "" : "s");
}

static void print_all(const DpcxrOpsBench *bench, const GArray *all, const DpcxrVulkanPeak *peak)
{
    print_head(bench, peak);
    printf("%-24s %-30s", "", "");
    for (int part = 0; part < BENCH_N_OP_PARTS; part++)
        if (has_part(all, part))
            printf(" %*s", peak ? 20 : 15, dpcxr_bench_op_part_name((BenchOpPart)part));
    printf("  method\n");
    for (guint i = 0; i < all->len; i++) {
        const DpcxrOpTimes *times = &g_array_index(all, DpcxrOpTimes, i);
        printf("%-24s %-30s", times->name, times->shape);
        for (int part = 0; part < BENCH_N_OP_PARTS; part++)
            if (has_part(all, part))
                print_cell(times, part, peak);
        if (times->has_weights)
            printf("  %s", times->takes_gram ? "gram" : "direct");
        if (is_wrong(times))
            printf(": WRONG here, takes %.2f of the other way's time", dpcxr_op_times_regret(times));
        printf("\n");
    }
}

/* --- Running --- */

static gboolean check_ranges(const DpcxrOpsBench *bench, GError **error)
{
    if (bench->size >= 16 && bench->size <= 1024 && bench->batch >= 1 && bench->batch <= 256 &&
        bench->repeats >= 1 && bench->threads >= 0 && bench->threads <= 4096)
        return TRUE;
    g_set_error(
        error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
        "dpcxr bench ops: --size is 16 to 1024, --batch 1 to 256, --threads 0 to 4096, --repeats at least 1");
    return FALSE;
}

/* @name: of the backend. Sets bench->backend, which has to be one that can do the rest of @bench. */
static gboolean choose_backend(const char *name, gboolean tune, DpcxrOpsBench *bench, GError **error)
{
    const DpcxrProgramOptions options = {
        .precision = bench->precision, .device = bench->device, .training = TRUE, .norms = TRUE};
    bench->backend = dpcxr_backend_find(name, &options, error);
    if (!bench->backend)
        return FALSE;
    if (!tune || bench->backend == &dpcxr_backend_vulkan)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "dpcxr bench ops: --tune needs --device vulkan (got \"%s\")", bench->backend->name);
    return FALSE;
}

static gboolean run_once(const DpcxrOpsBench *bench, const DpcxrVulkanPeak *peak, JsonBuilder *json,
                         GError **error)
{
    g_autoptr(GArray) all = dpcxr_bench_ops(bench, error);
    if (!all)
        return FALSE;
    if (json)
        put_all(json, bench, all, peak);
    else
        print_all(bench, all, peak);
    return TRUE;
}

/* On one thread, then on all of them; with --threads, and on a device that has no threads of ours, once. */
static gboolean run(DpcxrOpsBench bench, JsonBuilder *json, GError **error)
{
    DpcxrVulkanPeak peak;
    gboolean vulkan = bench.backend == &dpcxr_backend_vulkan;
    if (vulkan && !dpcxr_vulkan_probe(bench.device, &peak, error))
        return FALSE;
    int wanted = bench.threads;
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(wanted, error);
    if (!workers)
        return FALSE;
    int most = dpcxr_workers_threads(workers);
    for (bench.threads = wanted || vulkan ? most : 1;; bench.threads = most) {
        if (!run_once(&bench, vulkan ? &peak : NULL, json, error))
            return FALSE;
        if (bench.threads == most)
            return TRUE;
    }
}

/* Times operations, or, with @tune, tiles. */
static gboolean report(const DpcxrOpsBench *bench, gboolean tune, gboolean as_json, GError **error)
{
    g_autoptr(JsonBuilder) json = as_json ? json_builder_new() : NULL;
    if (json)
        json_builder_begin_array(json);
    if (!(tune ? dpcxr_bench_run_tune(bench, json, error) : run(*bench, json, error)))
        return FALSE;
    if (json) {
        json_builder_end_array(json);
        dpcxr_cmd_print_json(json);
    }
    return TRUE;
}

gboolean dpcxr_bench_cmd_ops(int argc, char **argv, GError **error)
{
    DpcxrOpsBench bench = {.size = 224, .batch = 16, .repeats = 9};
    g_autofree char *precision = g_strdup("fp32"), *backend = g_strdup("cpu"), *device = NULL;
    gboolean as_json = FALSE, tune = FALSE;
    g_auto(GStrv) rest = NULL;
    const GOptionEntry entries[] = {
        {"size", 0, 0, G_OPTION_ARG_INT, &bench.size, "Pixels a side of the network's images (default 224)",
         "S"},
        {"batch", 0, 0, G_OPTION_ARG_INT, &bench.batch, "Images at once (default 16)", "B"},
        {"repeats", 0, 0, G_OPTION_ARG_INT, &bench.repeats, "The fastest of so many counts (default 9)", "N"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &bench.threads, "Threads (default 0: one, then all)", "T"},
        {"precision", 0, 0, G_OPTION_ARG_STRING, &precision, "fp32 (default), bf16 or fp16", "P"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &backend, "Backend: cpu (default), vulkan, ref, auto", "NAME"},
        {"device-name", 0, 0, G_OPTION_ARG_STRING, &device, "Which of its devices: index, UUID or name",
         "DEVICE"},
        {"tune", 0, 0, G_OPTION_ARG_NONE, &tune, "Time the operations with other tiles (--device vulkan)",
         NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json,
         "Print a JSON list, one object for each number of threads", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {0}};
    if (!dpcxr_cmd_parse(argc, argv, "", "Time the operations of resnet9, and both ways to unit gradients.",
                         entries, error) ||
        !dpcxr_bench_no_more(rest, error) || !check_ranges(&bench, error))
        return FALSE;
    bench.device = device;
    return dpcxr_bench_precision(precision, &bench.precision, error) && choose_backend(backend, tune, &bench, error) && report(&bench, tune, as_json, error);
}
