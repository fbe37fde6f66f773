/* SPDX-License-Identifier: MIT
 * bench-bootstrap [REPLICATES LABELS IMAGES THREADS]: how long the bootstrap of all metrics takes, by default
 * on as many labels and images as the test set of the paper's UKA-CXR has; reading and sorting not
 * counted. */
#include "stats/bootstrap.h"
#include <dpcxr/random.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static DpcxrScored *make_label(guint64 label, gsize n)
{
    g_autofree double *scores = g_new(double, n);
    g_autofree guint8 *truths = g_new(guint8, n);
    double prevalence = 0.05 + 0.05 * (double)label; /* 5 % to 40 % */
    DpcxrRandom random;

    dpcxr_random_init(&random, 1, "bench", label, 0);
    for (gsize i = 0; i < n; i++) {
        truths[i] = dpcxr_random_uniform(&random) < prevalence;
        scores[i] = 1 / (1 + exp(2 - 1.5 * truths[i] - dpcxr_random_normal(&random)));
    }
    return dpcxr_scored_new(scores, truths, n);
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

typedef struct {
    double wall, processor;
} Seconds;

static Seconds measure(const DpcxrBootstrapItem *items, gsize labels, const guint32 *patients, gsize images,
                       const DpcxrBootstrapOptions *options, DpcxrWorkers *workers)
{
    enum { TIMES = 5 };
    double wall[TIMES], processor[TIMES];

    for (int i = 0; i < TIMES; i++) {
        gint64 start = g_get_monotonic_time();
        clock_t used = clock();
        dpcxr_replicates_free(dpcxr_bootstrap(items, labels, patients, images, options, workers, NULL));
        wall[i] = (double)(g_get_monotonic_time() - start) / 1e6;
        processor[i] = (double)(clock() - used) / CLOCKS_PER_SEC;
    }
    qsort(wall, TIMES, sizeof *wall, by_time);
    qsort(processor, TIMES, sizeof *processor, by_time);
    return (Seconds){wall[TIMES / 2], processor[TIMES / 2]};
}

int main(int argc, char **argv)
{
    gsize numbers[] = {1000, 8, 39809, 0};

    for (int i = 1; i < argc && i <= 4; i++)
        numbers[i - 1] = strtoul(argv[i], NULL, 10);
    gsize replicates = numbers[0], labels = numbers[1], images = numbers[2];
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new((int)numbers[3], NULL);
    g_autofree DpcxrBootstrapItem *items = g_new(DpcxrBootstrapItem, labels);
    g_autofree guint32 *patients = g_new(guint32, images);

    for (gsize i = 0; i < images; i++)
        patients[i] = (guint32)i; /* one image a patient: most to draw */
    for (gsize k = 0; k < labels; k++)
        items[k] = (DpcxrBootstrapItem){make_label(k, images), 0.3};
    printf("%zu replicates x %zu labels x %zu images, %d threads; medians of 5\n", replicates, labels, images,
           dpcxr_workers_threads(workers));
    for (int i = 0; i < 2; i++) {
        DpcxrBootstrapOptions options = {replicates, 1, .no_calibration = i == 0};
        Seconds seconds = measure(items, labels, patients, images, &options, workers);
        printf("%-36s %.3f s, %.3f s of processors\n",
               i == 0 ? "AUROC, AUPRC, threshold metrics" : "the same, and calibration", seconds.wall,
               seconds.processor);
    }
    for (gsize k = 0; k < labels; k++)
        dpcxr_scored_free((DpcxrScored *)items[k].sample);
    return 0;
}
