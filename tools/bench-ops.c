/* SPDX-License-Identifier: MIT
 * dpcxr bench ops: single operations of resnet9, and whether the cost model of unit gradients is right here. */
#include "bench.h"
#include "base/json-write.h"
#include "base/workers.h"
#include "bench/machine.h"
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

/* --- JSON --- */

static void put_part(JsonBuilder *json, const DpcxrOpTimes *times, int part)
{
    dpcxr_json_begin_object(json, dpcxr_bench_op_part_name((BenchOpPart)part));
    dpcxr_json_put_number(json, "ms", 1000 * times->seconds[part]);
    dpcxr_json_put_number(json, times->is_bytes ? "gb_per_s" : "gflops", rate(times, part));
    json_builder_end_object(json);
}

static void put_op(JsonBuilder *json, const DpcxrOpTimes *times)
{
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "name", times->name);
    dpcxr_json_put_string(json, "shape", times->shape);
    for (int part = 0; part < BENCH_N_OP_PARTS; part++)
        if (!isnan(times->seconds[part]))
            put_part(json, times, part);
    if (times->has_methods) {
        dpcxr_json_put_string(json, "method", times->takes_gram ? "gram" : "direct");
        dpcxr_json_put_number(json, "direct_ms", 1000 * times->direct);
        dpcxr_json_put_number(json, "gram_ms", 1000 * times->gram);
        dpcxr_json_put_bool(json, "wrong", is_wrong(times));
    }
    json_builder_end_object(json);
}

static void put_all(JsonBuilder *json, const DpcxrOpsBench *bench, const GArray *all)
{
    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "size", (guint64)bench->size);
    dpcxr_json_put_count(json, "batch", (guint64)bench->batch);
    dpcxr_json_put_count(json, "threads", (guint64)bench->threads);
    dpcxr_json_put_string(json, "precision", bench->bf16 ? "bf16" : "fp32");
    dpcxr_json_begin_array(json, "ops");
    for (guint i = 0; i < all->len; i++)
        put_op(json, &g_array_index(all, DpcxrOpTimes, i));
    json_builder_end_array(json);
    json_builder_end_object(json);
}

/* --- Text --- */

static void print_cell(const DpcxrOpTimes *times, int part)
{
    if (isnan(times->seconds[part]))
        printf(" %15s", "-");
    else if (!isfinite(rate(times, part)))
        printf(" %8.3f %6s", 1000 * times->seconds[part], "");
    else
        printf(" %8.3f %6.*f", 1000 * times->seconds[part], times->is_bytes ? 1 : 0, rate(times, part));
}

static void print_all(const DpcxrOpsBench *bench, const GArray *all)
{
    printf("resnet9, %d px, %s, %d images at once, %d thread%s: ms an image and GFLOP/s (norms, pools: GB/s)\n",
           bench->size, bench->bf16 ? "bf16" : "fp32", bench->batch, bench->threads, bench->threads == 1 ? "" : "s");
    printf("%-24s %-30s", "", "");
    for (int part = 0; part < BENCH_N_OP_PARTS; part++)
        printf(" %15s", dpcxr_bench_op_part_name((BenchOpPart)part));
    printf("  method\n");
    for (guint i = 0; i < all->len; i++) {
        const DpcxrOpTimes *times = &g_array_index(all, DpcxrOpTimes, i);
        printf("%-24s %-30s", times->name, times->shape);
        for (int part = 0; part < BENCH_N_OP_PARTS; part++)
            print_cell(times, part);
        if (times->has_methods)
            printf("  %s", times->takes_gram ? "gram" : "direct");
        if (is_wrong(times))
            printf(": WRONG here, takes %.2f of the other way's time", dpcxr_op_times_regret(times));
        printf("\n");
    }
}

/* --- Running --- */

static gboolean check_ranges(const DpcxrOpsBench *bench, GError **error)
{
    if (bench->size >= 16 && bench->size <= 1024 && bench->batch >= 1 && bench->batch <= 256 && bench->repeats >= 1 &&
        bench->threads >= 0 && bench->threads <= 4096)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "dpcxr bench ops: --size is 16 to 1024, --batch 1 to 256, --threads 0 to 4096, --repeats at least 1");
    return FALSE;
}

/* On one thread, then on all of them; with --threads on so many only. */
static gboolean run(DpcxrOpsBench bench, JsonBuilder *json, GError **error)
{
    int wanted = bench.threads;
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(wanted, error);
    if (!workers)
        return FALSE;
    int most = dpcxr_workers_threads(workers);
    for (bench.threads = wanted ? most : 1;; bench.threads = most) {
        g_autoptr(GArray) all = dpcxr_bench_ops(&bench, error);
        if (!all)
            return FALSE;
        if (json)
            put_all(json, &bench, all);
        else
            print_all(&bench, all);
        if (bench.threads == most)
            return TRUE;
    }
}

gboolean dpcxr_bench_cmd_ops(int argc, char **argv, GError **error)
{
    DpcxrOpsBench bench = {.size = 224, .batch = 16, .repeats = 9};
    g_autofree char *precision = g_strdup("fp32");
    gboolean as_json = FALSE, good;
    g_auto(GStrv) rest = NULL;
    const GOptionEntry entries[] = {
        {"size", 0, 0, G_OPTION_ARG_INT, &bench.size, "Pixels a side of the network's images (default 224)", "S"},
        {"batch", 0, 0, G_OPTION_ARG_INT, &bench.batch, "Images at once (default 16)", "B"},
        {"repeats", 0, 0, G_OPTION_ARG_INT, &bench.repeats, "The fastest of so many counts (default 9)", "N"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &bench.threads, "Threads (default 0: one, then all)", "T"},
        {"precision", 0, 0, G_OPTION_ARG_STRING, &precision, "fp32 (default) or bf16", "P"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print a JSON list, one object for each number of threads", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {0}};
    if (!dpcxr_cmd_parse(argc, argv, "", "Time the operations of resnet9, and both ways to unit gradients.", entries,
                         error) ||
        !dpcxr_bench_no_more(rest, error) || !check_ranges(&bench, error))
        return FALSE;
    bench.bf16 = dpcxr_bench_precision(precision, &good, error);
    if (!good)
        return FALSE;
    g_autoptr(JsonBuilder) json = as_json ? json_builder_new() : NULL;
    if (json)
        json_builder_begin_array(json);
    if (!run(bench, json, error))
        return FALSE;
    if (json) {
        json_builder_end_array(json);
        dpcxr_cmd_print_json(json);
    }
    return TRUE;
}
