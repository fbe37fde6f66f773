/* SPDX-License-Identifier: MIT
 * Bounds on reconstruction: draws of the privacy loss against moments that are known, and limits against the largest
 * success there is, by an independent computation (tests/golden/accounting/reconstruction-oracle.csv). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "config/options.h"
#include "privacy/loss/sample.h"
#include "privacy/reconstruction.h"

#define SAMPLES 40000

typedef struct {
    double kappa, success;
    DpcxrEvent events[4];
    DpcxrMechanism mechanism;
} Row;

static void row_parse(Row *row, const char *line)
{
    g_auto(GStrv) cells = g_strsplit(line, ",", 3);
    g_auto(GStrv) events = g_strsplit(cells[2], ";", 4);
    row->kappa = g_ascii_strtod(cells[0], NULL);
    row->success = g_ascii_strtod(cells[1], NULL);
    gsize n = 0;
    for (; events[n]; n++) {
        g_auto(GStrv) parts = g_strsplit(events[n], " ", 3);
        double q = g_ascii_strtod(parts[0], NULL);
        row->events[n] = (DpcxrEvent){q == 1 ? DPCXR_SAMPLER_FULL : DPCXR_SAMPLER_POISSON, q,
                                      g_ascii_strtod(parts[1], NULL), g_ascii_strtoull(parts[2], NULL, 10), 0, 0};
    }
    row->mechanism = (DpcxrMechanism){DPCXR_ADJACENCY_ZERO_OUT, row->events, n};
}

/* Rows of the stored table. */
static GArray *golden(void)
{
    g_autofree char *text = NULL;
    g_autofree char *path =
        g_build_filename(g_getenv("DPCXR_SOURCE"), "tests/golden/accounting/reconstruction-oracle.csv", NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GArray *rows = g_array_new(FALSE, TRUE, sizeof(Row));
    for (gsize i = 3; lines[i] && *lines[i]; i++)
        g_array_set_size(rows, (guint)(i - 2));
    for (gsize i = 0; i < rows->len; i++)
        row_parse(&g_array_index(rows, Row, i), lines[i + 3]);
    g_assert_cmpuint(rows->len, ==, 40);
    return rows;
}

static DpcxrFeature feature_new(const char *name)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, name, &error);
    g_assert_no_error(error);
    return (DpcxrFeature){(char *)name, entry, dpcxr_options_parse(entry->plugin->options, "", NULL)};
}

static void assert_between(const Row *row, const char *what, double value, double low, double high)
{
    if (!(value >= low && value <= high))
        g_error("kappa %g, rate %g, noise %g: %s is %.9g, not in %.9g to %.9g", row->kappa, row->events[0].sampling_rate,
                row->events[0].noise_multiplier, what, value, low, high);
}

/* Limits hold in every row, and are as close as their number of draws allows: within 5 standard errors and the linear
 * term. (That all 40 hold has probability above 0.96 by the stated confidence, and the numbers are fixed.) */
static void test_samples(void)
{
    g_autoptr(GArray) rows = golden();
    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        DpcxrReconstruction bound = {.prior = row->kappa, .at_most = 1};
        DpcxrReconstructionSampling sampling;
        dpcxr_reconstruction_sample(&row->mechanism, SAMPLES * dpcxr_loss_sample_cost(&row->mechanism), &bound, 1,
                                    &sampling);
        g_assert_cmpuint(sampling.samples, ==, SAMPLES);
        g_assert_null(sampling.none);
        g_assert_cmpfloat(bound.at_most, ==, bound.by_samples);
        double n = SAMPLES * 0.75, deviation = sqrt(row->success / n); /* of a number in [0, 1] with at most this mean */
        assert_between(row, "the limit", bound.by_samples, row->success * (1 - 1e-6),
                       row->success * (1 + 1e-6) + 9 * deviation + 60 / n);
    }
}

/* The curve's bounds hold, too: exact for full batches, within pld's accuracy, above by rdp. */
static void test_curve(void)
{
    g_autoptr(GArray) rows = golden();
    DpcxrFeature pld = feature_new("pld"), rdp = feature_new("rdp");
    for (guint i = 0; i < rows->len; i += 3) { /* pld takes its time */
        const Row *row = &g_array_index(rows, Row, i);
        g_autoptr(GError) error = NULL;
        DpcxrReconstruction tight = {.prior = row->kappa}, loose = tight;
        DpcxrReconstructionSampling sampling;
        g_assert_true(dpcxr_reconstruction_bounds(&pld, &row->mechanism, 0, &tight, 1, &sampling, &error));
        g_assert_true(dpcxr_reconstruction_bounds(&rdp, &row->mechanism, 0, &loose, 1, &sampling, &error));
        g_assert_cmpuint(sampling.samples, ==, 0);
        g_assert_nonnull(sampling.none);
        g_assert_true(isnan(tight.by_samples));
        g_assert_cmpfloat(tight.at_most, ==, tight.by_curve);
        assert_between(row, "pld", tight.by_curve, row->success * (1 - 1e-6), 1);
        assert_between(row, "rdp", loose.by_curve, tight.by_curve * (1 - 1e-2), 1);
        if (row->events[0].sampling_rate == 1) /* both directions are the same */
            assert_between(row, "pld", tight.by_curve, 0, row->success * 1.005 + 1e-3 * row->kappa);
    }
    dpcxr_options_free(pld.options);
    dpcxr_options_free(rdp.options);
}

static int rising(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Full batches: the loss is N(mu^2/2, mu^2), by Kolmogorov's statistic; and the law of P for samples: E e^-L = 1. */
static void test_loss(void)
{
    enum { N = 100000 };
    g_autofree double *losses = g_new(double, N);
    const DpcxrEvent full[] = {{DPCXR_SAMPLER_FULL, 1, 4, 16, 0, 0}, {DPCXR_SAMPLER_POISSON, 1, 2, 12, 0, 0}};
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, full, 2}; /* mu = 2 */
    double furthest = 0;
    dpcxr_loss_sample(&mechanism, 1, 0, losses, N);
    qsort(losses, N, sizeof *losses, rising);
    for (int i = 0; i < N; i++) {
        double below = erfc(-(losses[i] - 2) / (2 * G_SQRT2)) / 2;
        furthest = MAX(furthest, MAX(fabs(below - i / (double)N), fabs(below - (i + 1) / (double)N)));
    }
    g_assert_cmpfloat(furthest, <, 2.5 / sqrt(N)); /* exceeded with probability 2 e^-12.5 (Massart 1990) */

    const DpcxrEvent sampled = {DPCXR_SAMPLER_POISSON, 0.3, 1.2, 7, 0, 0};
    mechanism = (DpcxrMechanism){DPCXR_ADJACENCY_ZERO_OUT, &sampled, 1};
    dpcxr_loss_sample(&mechanism, 1, 0, losses, N);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        double weight = exp(-losses[i]);
        sum += weight;
        squares += weight * weight;
        g_assert_cmpfloat(losses[i], >=, 7 * log1p(-0.3));
    }
    double mean = sum / N, deviation = sqrt((squares / N - mean * mean) / N);
    g_assert_cmpfloat(fabs(mean - 1), <, 5 * deviation);
    g_assert_cmpfloat(deviation, <, 0.01);
}

/* The same seed and part, the same draws; another part, others. Loud noise does not overflow. */
static void test_streams(void)
{
    const DpcxrEvent event = {DPCXR_SAMPLER_POISSON, 0.5, 0.02, 20, 0, 0};
    const DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
    double a[100], b[100], c[100];
    dpcxr_loss_sample(&mechanism, 1, 0, a, 100);
    dpcxr_loss_sample(&mechanism, 1, 0, b, 100);
    dpcxr_loss_sample(&mechanism, 1, 1, c, 100);
    g_assert_cmpmem(a, sizeof a, b, sizeof b);
    for (int i = 0; i < 100; i++) {
        g_assert_true(isfinite(a[i]));
        for (int k = 0; k < 100; k++)
            g_assert_cmpfloat(a[i], !=, c[k]);
    }
    g_assert_cmpfloat(a[0], >, 1000); /* about 10 steps that drew the unit, 1250 each */
}

/* Where the loss is not drawn, or too dear, that is said, and the curve's bound stays. */
static void test_refusals(void)
{
    DpcxrEvent event = {DPCXR_SAMPLER_POISSON, 0.1, 1, 100, 0, 0};
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_REPLACE_ONE, &event, 1};
    g_autoptr(GError) error = NULL;
    DpcxrReconstruction bound = {.prior = 0.1, .at_most = 0.9};
    DpcxrReconstructionSampling sampling;
    g_assert_false(dpcxr_loss_sample_covers(&mechanism, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    dpcxr_reconstruction_sample(&mechanism, 1000000000, &bound, 1, &sampling);
    g_assert_cmpuint(sampling.samples, ==, 0);
    g_assert_nonnull(sampling.none);
    g_assert_cmpfloat(bound.at_most, ==, 0.9);
    for (int sampler = DPCXR_SAMPLER_TRUNCATED_POISSON; sampler < DPCXR_N_SAMPLERS; sampler++) {
        event.sampler = (DpcxrSamplerKind)sampler;
        mechanism.adjacency = DPCXR_ADJACENCY_ZERO_OUT;
        g_assert_false(dpcxr_loss_sample_covers(&mechanism, NULL));
    }
    event = (DpcxrEvent){DPCXR_SAMPLER_POISSON, 0.1, 1, G_MAXUINT64, 0, 0};
    g_assert_cmpuint(dpcxr_loss_sample_cost(&mechanism), ==, G_MAXUINT64);
    dpcxr_reconstruction_sample(&mechanism, G_MAXUINT64, &bound, 1, &sampling);
    g_assert_cmpuint(sampling.samples, ==, 0);

    DpcxrFeature rdp = feature_new("rdp"), gdp = feature_new("gdp");
    event = (DpcxrEvent){DPCXR_SAMPLER_POISSON, 0.1, 1, 10, 0, 0};
    g_assert_false(dpcxr_reconstruction_bounds(&gdp, &mechanism, 1000000, &bound, 1, &sampling, NULL));
    for (int i = 0; i < 3; i++) {
        g_autoptr(GError) usage = NULL;
        bound.prior = i == 0 ? 0 : i == 1 ? 1 : NAN;
        g_assert_false(dpcxr_reconstruction_bounds(&rdp, &mechanism, 1000000, &bound, 1, &sampling, &usage));
        g_assert_error(usage, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    }
    dpcxr_options_free(rdp.options);
    dpcxr_options_free(gdp.options);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"rdp", "pld", "gdp"};
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_strdup_printf("dpcxr-accountant-%s.so", names[i]);
        g_autofree char *path = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", file, NULL);
        g_assert_true(dpcxr_registry_add(path, NULL));
    }
    g_test_add_func("/reconstruction/loss", test_loss);
    g_test_add_func("/reconstruction/streams", test_streams);
    g_test_add_func("/reconstruction/samples", test_samples);
    g_test_add_func("/reconstruction/curve", test_curve);
    g_test_add_func("/reconstruction/refusals", test_refusals);
    return g_test_run();
}
