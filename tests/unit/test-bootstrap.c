/* SPDX-License-Identifier: MIT
 * A replicate must be what the metrics say of the resample written out row by row; the same on all
 * instruction sets and for any number of threads. */
#include "stats/bootstrap-kernel.h"
#include "stats/bootstrap.h"
#include "stats/recalibration.h"
#include <math.h>
#include <string.h>

enum { PATIENTS = 60, ROWS = 150, REPLICATES = 40 };

/* Images of patients, some with equal scores, and one label of them. */
typedef struct {
    double scores[ROWS];
    guint8 truths[ROWS];
    guint32 patients[ROWS];
} Images;

static Images make_images(double grain, double prevalence)
{
    Images images;

    for (int i = 0; i < ROWS; i++) {
        images.truths[i] = g_test_rand_double() < prevalence;
        double logit = 2 * g_test_rand_double() - 1.5 + images.truths[i] + g_test_rand_double();
        double score = 1 / (1 + exp(-logit));
        images.scores[i] = grain > 0 ? grain * floor(score / grain + 0.5) : score;
        images.patients[i] = (guint32)g_test_rand_int_range(0, PATIENTS - 5); /* five have no image */
    }
    return images;
}

/* The resample's rows one by one. */
static DpcxrScored *write_out(const Images *images, const DpcxrScored *sample, const guint8 *counts,
                              gsize lane)
{
    g_autoptr(GArray) scores = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GByteArray) truths = g_byte_array_new();

    for (gsize i = 0; i < sample->n; i++)
        for (int k = 0; k < counts[images->patients[sample->rows[i]] * DPCXR_LANES + lane]; k++) {
            g_array_append_val(scores, sample->scores[i]);
            g_byte_array_append(truths, &sample->truths[i], 1);
        }
    return dpcxr_scored_new((double *)(gpointer)scores->data, truths->data, scores->len);
}

/* Expected calibration error with the edges of another sample. */
static double error_with_edges(const DpcxrScored *sample, const DpcxrScored *edges_of)
{
    DpcxrCalibrationBin bins[DPCXR_CALIBRATION_BINS];
    double sum = 0;

    dpcxr_calibration_bins(edges_of, DPCXR_BINS_EQUAL_MASS, bins);
    for (int b = 0; b < DPCXR_CALIBRATION_BINS; b++) {
        double rest = 0;
        for (gsize i = 0; i < sample->n; i++)
            if ((b == 0 || sample->scores[i] > bins[b].low) &&
                (b == DPCXR_CALIBRATION_BINS - 1 || sample->scores[i] <= bins[b].high))
                rest += sample->scores[i] - sample->truths[i];
        sum += fabs(rest);
    }
    return sample->n > 0 ? sum / (double)sample->n : NAN;
}

static void check_replicate(const DpcxrReplicates *replicates, gsize item, gsize replicate,
                            const DpcxrScored *resample, const DpcxrScored *whole, double threshold)
{
    double expected[DPCXR_N_METRICS];

    dpcxr_metrics(resample, threshold, expected);
    expected[DPCXR_METRIC_ECE_EQUAL_MASS] = error_with_edges(resample, whole);
    for (int m = 0; m < DPCXR_N_METRICS; m++) {
        double found = dpcxr_replicates_of(replicates, item, m)[replicate];
        gboolean fitted = m == DPCXR_METRIC_CALIBRATION_SLOPE || m == DPCXR_METRIC_CALIBRATION_INTERCEPT;
        if (isnan(expected[m]) ? !isnan(found) : !(fabs(found - expected[m]) <= (fitted ? 1e-4 : 1e-12)))
            g_error("item %zu, replicate %zu: %s is %.17g, expected %.17g", item, replicate,
                    dpcxr_metric_name(m), found, expected[m]);
    }
}

static void check_images(const Images *images, const guint8 *keep, double threshold)
{
    g_autoptr(DpcxrScored) all = dpcxr_scored_new(images->scores, images->truths, ROWS);
    g_autoptr(DpcxrScored) part = dpcxr_scored_filter(all, keep);
    const DpcxrBootstrapItem items[] = {{all, threshold}, {part, threshold}};
    const DpcxrScored *const samples[] = {all, part};
    guint8 counts[PATIENTS * DPCXR_LANES];
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(1, &error);
    const DpcxrBootstrapOptions options = {REPLICATES, 7};
    g_autoptr(DpcxrReplicates) replicates =
        dpcxr_bootstrap(items, 2, images->patients, PATIENTS, &options, workers, &error);

    g_assert_no_error(error);
    for (gsize r = 0; r < REPLICATES; r++) {
        if (r % DPCXR_LANES == 0)
            dpcxr_resample(7, r, PATIENTS, counts);
        for (gsize k = 0; k < 2; k++) {
            g_autoptr(DpcxrScored) resample = write_out(images, samples[k], counts, r % DPCXR_LANES);
            check_replicate(replicates, k, r, resample, samples[k], threshold);
        }
    }
}

static void test_replicates(void)
{
    const double grains[] = {0, 0.01, 0.1, 0.5}, prevalences[] = {0, 0.02, 0.4, 1};

    for (gsize g = 0; g < G_N_ELEMENTS(grains); g++)
        for (gsize p = 0; p < G_N_ELEMENTS(prevalences); p++) {
            Images images = make_images(grains[g], prevalences[p]);
            guint8 keep[ROWS];
            for (int i = 0; i < ROWS; i++)
                keep[i] = images.patients[i] % 3 == 0;
            check_images(&images, keep, g == 1 ? images.scores[3] : 0.5);
            check_images(&images, keep, NAN);
            memset(keep, 0, sizeof keep);
            check_images(&images, keep, 0.5); /* a sample without rows */
        }
}

static void test_bad_scores(void)
{
    Images images = make_images(0, 0.5);
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(1, &error);

    images.scores[17] = NAN;
    g_autoptr(DpcxrScored) sample = dpcxr_scored_new(images.scores, images.truths, ROWS);
    const DpcxrBootstrapItem item = {sample, 0.5};
    g_autoptr(DpcxrReplicates) replicates = dpcxr_bootstrap(&item, 1, images.patients, PATIENTS,
                                                            &(DpcxrBootstrapOptions){20, 1}, workers, &error);
    for (int m = 0; m < DPCXR_N_METRICS; m++)
        for (int r = 0; r < 20; r++)
            g_assert_true(isnan(dpcxr_replicates_of(replicates, 0, m)[r]) == (m != DPCXR_METRIC_PREVALENCE));
}

static void test_threads(void)
{
    Images images = make_images(0.02, 0.3);
    g_autoptr(DpcxrScored) sample = dpcxr_scored_new(images.scores, images.truths, ROWS);
    const DpcxrBootstrapItem items[] = {{sample, 0.4}, {sample, 0.6}};
    g_autoptr(GError) error = NULL;
    const DpcxrBootstrapOptions options[] = {{100, 3}, {100, 4}};
    g_autoptr(DpcxrWorkers) one = dpcxr_workers_new(1, &error), many = dpcxr_workers_new(5, &error);
    g_autoptr(DpcxrReplicates)
        a = dpcxr_bootstrap(items, 1, images.patients, PATIENTS, &options[3 - 3], one, &error),
        b = dpcxr_bootstrap(items, 2, images.patients, PATIENTS, &options[3 - 3], many, &error),
        c = dpcxr_bootstrap(items, 2, images.patients, PATIENTS, &options[4 - 3], many, &error);

    g_assert_no_error(error);
    gsize bytes = DPCXR_N_METRICS * 100 * sizeof(double);
    g_assert_cmpmem(a->values, bytes, b->values, bytes);
    g_assert_true(memcmp(b->values, c->values, bytes) != 0); /* another seed */

    const DpcxrBootstrapOptions ranking = {100, 3, .no_calibration = TRUE};
    g_autoptr(DpcxrReplicates) d =
        dpcxr_bootstrap(items, 1, images.patients, PATIENTS, &ranking, many, &error);
    gsize shared = DPCXR_METRIC_BRIER * 100 * sizeof(double);
    g_assert_cmpmem(d->values, shared, a->values, shared);
    g_assert_true(isnan(dpcxr_replicates_of(d, 0, DPCXR_METRIC_BRIER)[99]));
}

/* Rows for the kernels themselves. */
typedef struct {
    DpcxrBootstrapRows rows;
    gsize counts_at[ROWS];
    guint8 tied[ROWS];
    double logits[ROWS];
} KernelRows;

static void fill_rows(KernelRows *k, const Images *images, const DpcxrScored *sample)
{
    for (gsize i = 0; i < ROWS; i++) {
        k->counts_at[i] = images->patients[sample->rows[i]] * DPCXR_LANES;
        k->tied[i] = i + 1 < ROWS && sample->scores[i] == sample->scores[i + 1];
        k->logits[i] = dpcxr_logit(sample->scores[i]);
    }
    k->rows = (DpcxrBootstrapRows){ROWS, k->counts_at, sample->truths, k->tied, sample->scores, k->logits};
    k->rows.called = dpcxr_scored_called(sample, 0.5);
    k->rows.n_segments = 3;
    k->rows.segment_ends[0] = 10;
    k->rows.segment_ends[1] = 77;
    k->rows.segment_ends[2] = ROWS;
}

static void test_kernels(void)
{
    Images images = make_images(0.02, 0.4);
    g_autoptr(DpcxrScored) sample = dpcxr_scored_new(images.scores, images.truths, ROWS);
    guint8 counts[PATIENTS * DPCXR_LANES];
    double offset[DPCXR_LANES], slope[DPCXR_LANES];
    DpcxrRankSums ranks[2];
    DpcxrResidualSums residuals[2];
    DpcxrLogisticSums logistic[2];
    KernelRows rows;
    gsize n;
    const DpcxrBootstrapKernel *const *kernels = dpcxr_bootstrap_kernels(&n);

    memset(residuals, 0, sizeof residuals);
    fill_rows(&rows, &images, sample);
    dpcxr_resample(11, 0, PATIENTS, counts);
    for (int lane = 0; lane < DPCXR_LANES; lane++) {
        offset[lane] = lane == 3 ? NAN : 0.1 * lane - 0.5;
        slope[lane] = lane == 4 ? 500 : 1 + 0.05 * lane; /* beyond what exp() can hold */
    }
    g_assert_cmpstr(kernels[0]->name, ==, "baseline");
    for (gsize k = 0; k < n; k++) {
        gsize at = k > 0;
        if (!dpcxr_isa_has(kernels[k]->isa)) {
            g_test_message("%s: not on this processor", kernels[k]->name);
            continue;
        }
        kernels[k]->rank(&rows.rows, counts, &ranks[at]);
        kernels[k]->residuals(&rows.rows, counts, &residuals[at]);
        kernels[k]->logistic(&rows.rows, counts, offset, slope, &logistic[at]);
        if (at == 0)
            continue;
        g_assert_cmpmem(&ranks[0], sizeof ranks[0], &ranks[1], sizeof ranks[1]);
        g_assert_cmpmem(&residuals[0], sizeof residuals[0], &residuals[1], sizeof residuals[1]);
        for (int lane = 0; lane < DPCXR_LANES; lane++) /* NaNs may differ in their bits */
            g_assert_true(logistic[0].h[2][lane] == logistic[1].h[2][lane] ||
                          (lane == 3 && isnan(logistic[0].h[2][lane]) && isnan(logistic[1].h[2][lane])));
    }
}

/* Each of n draws falls on each cluster with probability 1/n. */
static void test_resample(void)
{
    enum { CLUSTERS = 7, BLOCKS = 500 };
    guint8 counts[CLUSTERS * DPCXR_LANES], again[CLUSTERS * DPCXR_LANES];
    double drawn[CLUSTERS] = {0}, squares = 0, chi = 0, total = (double)BLOCKS * DPCXR_LANES;

    for (gsize block = 0; block < BLOCKS; block++) {
        dpcxr_resample(5, block * DPCXR_LANES, CLUSTERS, counts);
        for (int lane = 0; lane < DPCXR_LANES; lane++) {
            int sum = 0;
            for (int c = 0; c < CLUSTERS; c++) {
                int count = counts[c * DPCXR_LANES + lane];
                sum += count;
                drawn[c] += count;
                squares += count * count;
            }
            g_assert_cmpint(sum, ==, CLUSTERS);
        }
    }
    for (int c = 0; c < CLUSTERS; c++)
        chi += (drawn[c] - total) * (drawn[c] - total) / total;
    g_assert_cmpfloat(chi, <, 22.5); /* 6 degrees of freedom: p = 0.001; the seed is fixed */
    /* variance of a multinomial count: n/n (1 - 1/n) */
    g_assert_cmpfloat_with_epsilon(squares / total / CLUSTERS, 2 - 1.0 / CLUSTERS, 0.02);
    /* a replicate is the same wherever its block begins */
    dpcxr_resample(5, 0, CLUSTERS, counts);
    dpcxr_resample(5, 1, CLUSTERS, again);
    for (int c = 0; c < CLUSTERS; c++)
        g_assert_cmpuint(counts[c * DPCXR_LANES + 1], ==, again[c * DPCXR_LANES]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bootstrap/replicates", test_replicates);
    g_test_add_func("/bootstrap/bad-scores", test_bad_scores);
    g_test_add_func("/bootstrap/threads", test_threads);
    g_test_add_func("/bootstrap/kernels", test_kernels);
    g_test_add_func("/bootstrap/resample", test_resample);
    return g_test_run();
}
