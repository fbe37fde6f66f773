/* SPDX-License-Identifier: MIT
 * How often 95 % intervals hold the truth, over 2,000 simulated test sets with normal scores, where the truth
 * is known in closed form. Of a sound interval that is 95 %, +/- 1 % by chance; 93 to 97 % is asked for. The
 * seeds are fixed. */
#include "stats/bootstrap.h"
#include "stats/delong.h"
#include "stats/inference.h"
#include <dpcxr/random.h>
#include <math.h>

#define LEVEL 0.95

typedef struct {
    int patients, most_images; /* 1 .. most_images each, as likely */
    double prevalence;         /* of patients; a patient's images share the truth */
    double separation;         /* mean score of positives, in standard deviations; of negatives 0 */
    double shared;             /* part of the variance that images of a patient have in common */
    gboolean by_image;
    int replicates;
} Setting;

typedef struct {
    GArray *scores, *patients;
    GByteArray *truths;
} TestSet;

static double normal_below(double z)
{
    return 0.5 * erfc(-z * M_SQRT1_2);
}

/* Scores as probabilities: a threshold of 0.5 is half the separation. */
static void draw(const Setting *setting, guint64 simulation, TestSet *set)
{
    DpcxrRandom random;

    dpcxr_random_init(&random, 1, "coverage", simulation, 0);
    g_array_set_size(set->scores, 0);
    g_array_set_size(set->patients, 0);
    g_byte_array_set_size(set->truths, 0);
    for (guint32 p = 0; p < (guint32)setting->patients; p++) {
        guint8 truth = dpcxr_random_uniform(&random) < setting->prevalence;
        double own = dpcxr_random_normal(&random);
        guint64 images = 1 + dpcxr_random_below(&random, (guint64)setting->most_images);
        for (guint64 i = 0; i < images; i++) {
            double z = setting->separation * truth + sqrt(setting->shared) * own +
                       sqrt(1 - setting->shared) * dpcxr_random_normal(&random);
            double score = 1 / (1 + exp(setting->separation / 2 - z));
            guint32 unit = setting->by_image ? set->scores->len : p;
            g_array_append_val(set->scores, score);
            g_array_append_val(set->patients, unit);
            g_byte_array_append(set->truths, &truth, 1);
        }
    }
}

enum { AUROC, SENSITIVITY, SPECIFICITY, ACCURACY, PPV, N_JUDGED };
static const DpcxrMetric judged[N_JUDGED] = {DPCXR_METRIC_AUROC, DPCXR_METRIC_SENSITIVITY,
                                             DPCXR_METRIC_SPECIFICITY, DPCXR_METRIC_ACCURACY,
                                             DPCXR_METRIC_PPV};

static void find_truths(const Setting *setting, double truths[N_JUDGED])
{
    double right = normal_below(setting->separation / 2), p = setting->prevalence;

    truths[AUROC] = normal_below(setting->separation * M_SQRT1_2);
    truths[SENSITIVITY] = truths[SPECIFICITY] = truths[ACCURACY] = right;
    truths[PPV] = p * right / (p * right + (1 - p) * (1 - right));
}

/* Shares of the simulations in which the interval holds the truth. */
static void cover(const Setting *setting, int simulations, double shares[N_JUDGED])
{
    TestSet set = {g_array_new(FALSE, FALSE, sizeof(double)), g_array_new(FALSE, FALSE, sizeof(guint32)),
                   g_byte_array_new()};
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(0, NULL);
    double truths[N_JUDGED];
    int held[N_JUDGED] = {0};

    find_truths(setting, truths);
    for (int s = 0; s < simulations; s++) {
        draw(setting, (guint64)s, &set);
        g_autoptr(DpcxrScored) sample =
            dpcxr_scored_new((double *)(gpointer)set.scores->data, set.truths->data, set.scores->len);
        DpcxrBootstrapItem item = {sample, 0.5};
        DpcxrBootstrapOptions options = {(gsize)setting->replicates, (guint64)s, .no_calibration = TRUE};
        gsize clusters = setting->by_image ? set.scores->len : (gsize)setting->patients;
        g_autoptr(DpcxrReplicates) replicates = dpcxr_bootstrap(
            &item, 1, (guint32 *)(gpointer)set.patients->data, clusters, &options, workers, NULL);
        for (int m = 0; m < N_JUDGED; m++) {
            const double *values = dpcxr_replicates_of(replicates, 0, judged[m]);
            DpcxrPercentiles interval = dpcxr_percentile_interval(values, (gsize)setting->replicates, LEVEL);
            held[m] += interval.low <= truths[m] && truths[m] <= interval.high;
        }
    }
    for (int m = 0; m < N_JUDGED; m++) {
        shares[m] = held[m] / (double)simulations;
        g_test_message(
            "%d patients of 1 to %d images, prevalence %g, AUROC %.3f, by %s: %s is covered in %.2f %%",
            setting->patients, setting->most_images, setting->prevalence, truths[AUROC],
            setting->by_image ? "image" : "patient", dpcxr_metric_name(judged[m]), 100 * shares[m]);
    }
    g_array_unref(set.scores);
    g_array_unref(set.patients);
    g_byte_array_unref(set.truths);
}

enum { SIMULATIONS = 2000 };

static void check_covers(const Setting *setting)
{
    double shares[N_JUDGED];

    cover(setting, SIMULATIONS, shares);
    for (int m = 0; m < N_JUDGED; m++) {
        g_assert_cmpfloat(shares[m], >=, 0.93);
        g_assert_cmpfloat(shares[m], <=, 0.97);
    }
}

static void test_one_image(void)
{
    check_covers(&(Setting){300, 1, 0.3, 1.2, 0, FALSE, 1000});
}

static void test_patients(void)
{
    check_covers(&(Setting){400, 4, 0.2, 1.2, 0.8, FALSE, 1000});
}

static void test_rare(void)
{
    check_covers(&(Setting){1000, 2, 0.05, 1.5, 0.5, FALSE, 1000});
}

/* What drawing images does to several images a patient: intervals that are too short. That the test sees
 * it. */
static void test_by_image(void)
{
    const Setting setting = {400, 4, 0.2, 1.2, 0.8, TRUE, 1000};
    double shares[N_JUDGED];

    cover(&setting, SIMULATIONS, shares);
    g_assert_cmpfloat(shares[AUROC], <, 0.9);
    g_assert_cmpfloat(shares[SENSITIVITY], <, 0.9);
}

static void test_delong(void)
{
    const Setting setting = {300, 1, 0.3, 1.2, 0, FALSE, 0};
    TestSet set = {g_array_new(FALSE, FALSE, sizeof(double)), g_array_new(FALSE, FALSE, sizeof(guint32)),
                   g_byte_array_new()};
    double truths[N_JUDGED], low, high;
    int held = 0;

    find_truths(&setting, truths);
    for (int s = 0; s < SIMULATIONS; s++) {
        draw(&setting, (guint64)s, &set);
        DpcxrDeLong delong =
            dpcxr_delong((double *)(gpointer)set.scores->data, set.truths->data, set.scores->len);
        dpcxr_delong_interval(&delong, LEVEL, &low, &high);
        held += low <= truths[AUROC] && truths[AUROC] <= high;
    }
    g_test_message("DeLong: covered in %.2f %%", 100.0 * held / SIMULATIONS);
    g_assert_cmpfloat(held / (double)SIMULATIONS, >=, 0.93);
    g_assert_cmpfloat(held / (double)SIMULATIONS, <=, 0.97);
    g_array_unref(set.scores);
    g_array_unref(set.patients);
    g_byte_array_unref(set.truths);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/coverage/one-image", test_one_image);
    g_test_add_func("/coverage/patients", test_patients);
    g_test_add_func("/coverage/rare", test_rare);
    g_test_add_func("/coverage/by-image", test_by_image);
    g_test_add_func("/coverage/delong", test_delong);
    return g_test_run();
}
