/* SPDX-License-Identifier: MIT
 * bench-bootstrap [REPLICATES LABELS IMAGES THREADS]: how long the bootstrap of all metrics takes, by default on as many
 * labels and images as the test set of the paper's UKA-CXR has; reading and sorting not counted. */
#include "stats/bootstrap.h"
#include <dpcxr/random.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

static double measure(const DpcxrBootstrapItem *items, gsize labels, const guint32 *patients, gsize images,
                      gsize replicates, DpcxrWorkers *workers)
{
    double seconds[5];

    for (int i = 0; i < 5; i++) {
        gint64 start = g_get_monotonic_time();
        dpcxr_replicates_free(dpcxr_bootstrap(items, labels, patients, images, replicates, 1, workers, NULL));
        seconds[i] = (double)(g_get_monotonic_time() - start) / 1e6;
    }
    qsort(seconds, 5, sizeof *seconds, by_time);
    return seconds[2];
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
    double seconds = measure(items, labels, patients, images, replicates, workers);
    printf("%zu replicates x %zu labels x %zu images, %d metrics, %d threads: %.3f s (median of 5)\n",
           replicates, labels, images, DPCXR_N_METRICS, dpcxr_workers_threads(workers), seconds);
    for (gsize k = 0; k < labels; k++)
        dpcxr_scored_free((DpcxrScored *)items[k].sample);
    return 0;
}
