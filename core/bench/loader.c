/* SPDX-License-Identifier: MIT */
#include "bench/loader.h"
#include "base/files.h"
#include "bench/numbers.h"
#include "data/loader.h"

enum { BATCH = 32, CAPACITY = 64 };

typedef enum { DECODED, WHOLE, SHARDS, MEMORY, N_SOURCES } Source;

typedef struct {
    DpcxrData *data[N_SOURCES];
    double *seconds[N_SOURCES]; /* [epochs] */
    float *images, *targets, *mask;
    int workers;
} Bench;

static DpcxrDraw *all_draws(const DpcxrIndex *index)
{
    gsize n = dpcxr_index_count(index);
    DpcxrDraw *draws = g_new0(DpcxrDraw, n);
    for (gsize row = 0; row < n; row++)
        draws[row] = (DpcxrDraw){.row = row, .augment = dpcxr_index_split(index, row) == DPCXR_SPLIT_TRAIN};
    return draws;
}

/* Seconds for one epoch through a loader; negative on an error. */
static double run_epoch(const Bench *bench, DpcxrData *data, GError **error)
{
    gsize n = dpcxr_index_count(dpcxr_data_index(data));
    g_autofree DpcxrDraw *draws = all_draws(dpcxr_data_index(data));
    g_autofree char *problem = NULL;
    gint64 start = g_get_monotonic_time();
    g_autoptr(DpcxrLoader) loader = dpcxr_loader_new(data, bench->workers, CAPACITY, error);
    if (!loader)
        return -1;
    dpcxr_loader_request(loader, draws, n);
    for (gsize done = 0; done < n && !problem; done += BATCH)
        dpcxr_loader_take(loader, MIN(BATCH, n - done), bench->images, bench->targets, bench->mask, NULL,
                          &problem);
    if (problem) {
        g_set_error_literal(error, DPCXR_ERROR, DPCXR_ERROR_DATA, problem);
        return -1;
    }
    return (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
}

static gboolean open_sources(Bench *bench, DpcxrExperiment *experiment, const char *folder, GError **error)
{
    char *given = experiment->data.cache_dir;
    for (int source = 0; source < N_SOURCES; source++) {
        experiment->data.cache_dir = source == SHARDS ? (char *)folder : NULL;
        bench->data[source] = dpcxr_data_open(experiment, error);
        experiment->data.cache_dir = given;
        if (!bench->data[source])
            return FALSE;
    }
    dpcxr_data_limit_cache(bench->data[DECODED], 0);
    dpcxr_data_limit_cache(bench->data[WHOLE], 0);
    dpcxr_data_decode_whole(bench->data[WHOLE]);
    return dpcxr_data_build_cache(bench->data[SHARDS], bench->workers, FALSE, NULL, error);
}

/* A first epoch of each that is not counted, then everyone in turn. */
static gboolean run_epochs(Bench *bench, int epochs, GError **error)
{
    for (int epoch = -1; epoch < epochs; epoch++)
        for (int source = 0; source < N_SOURCES; source++) {
            double seconds = run_epoch(bench, bench->data[source], error);
            if (seconds < 0)
                return FALSE;
            if (epoch >= 0)
                bench->seconds[source][epoch] = seconds;
        }
    return TRUE;
}

static void bench_clear(Bench *bench)
{
    for (int source = 0; source < N_SOURCES; source++) {
        dpcxr_data_free(bench->data[source]);
        g_free(bench->seconds[source]);
    }
    g_free(bench->images);
    g_free(bench->targets);
    g_free(bench->mask);
}

static gboolean measure(DpcxrExperiment *experiment, const char *folder, int workers, int epochs,
                        DpcxrLoaderTimes *times, GError **error)
{
    gsize pixels = (gsize)experiment->data.size * experiment->data.size * experiment->data.channels;
    gsize labels = (gsize)experiment->data.n_labels;
    Bench bench = {.images = g_new(float, BATCH *pixels),
                   .targets = g_new(float, BATCH *labels),
                   .mask = g_new(float, BATCH *labels),
                   .workers = workers};
    for (int source = 0; source < N_SOURCES; source++)
        bench.seconds[source] = g_new(double, epochs);
    gboolean good = open_sources(&bench, experiment, folder, error) && run_epochs(&bench, epochs, error);
    if (good) {
        double n = (double)dpcxr_index_count(dpcxr_data_index(bench.data[DECODED]));
        *times = (DpcxrLoaderTimes){.images = (gsize)n,
                                    .decoded = n / dpcxr_bench_median(bench.seconds[DECODED], epochs),
                                    .whole = n / dpcxr_bench_median(bench.seconds[WHOLE], epochs),
                                    .shards = n / dpcxr_bench_median(bench.seconds[SHARDS], epochs),
                                    .memory = n / dpcxr_bench_median(bench.seconds[MEMORY], epochs)};
    }
    bench_clear(&bench);
    return good;
}

gboolean dpcxr_bench_loader(DpcxrExperiment *experiment, int workers, int epochs, DpcxrLoaderTimes *times,
                            GError **error)
{
    if (experiment->data.cache_dir)
        return measure(experiment, experiment->data.cache_dir, workers, epochs, times, error);
    g_autofree char *folder = g_dir_make_tmp("dpcxr-bench-XXXXXX", error);
    if (!folder)
        return FALSE;
    gboolean good = measure(experiment, folder, workers, epochs, times, error);
    dpcxr_remove_tree(folder);
    return good;
}
