/* SPDX-License-Identifier: MIT
 * Metrics, thresholds, DeLong and tests against scikit-learn, SciPy and statsmodels
 * (tests/golden/stats/make.py), against published values and against their definitions. */
#include "stats/calibration.h"
#include "stats/delong.h"
#include "stats/distribution.h"
#include "stats/inference.h"
#include "stats/metric.h"
#include "stats/ranking.h"
#include "stats/threshold.h"
#include <math.h>
#include <stdlib.h>

static gboolean is_close(double found, double expected, double tolerance)
{
    return isnan(expected) ? isnan(found) : fabs(found - expected) <= tolerance;
}

typedef struct {
    const char *file;
    int line;
    char **cells;
    gsize at; /* the next cell */
} Row;

static double take(Row *row)
{
    g_assert_nonnull(row->cells[row->at]);
    return g_ascii_strtod(row->cells[row->at++], NULL);
}

/* (transfer full) */
static double *take_many(Row *row, gsize n)
{
    double *values = g_new(double, n);
    for (gsize i = 0; i < n; i++)
        values[i] = take(row);
    return values;
}

static void check(Row *row, const char *what, double found)
{
    double expected = take(row);
    if (!is_close(found, expected, 1e-9 * fmax(1, fabs(expected))))
        g_error("%s:%d: %s is %.17g, expected %.17g", row->file, row->line, what, found, expected);
}

static void check_end(const Row *row)
{
    g_assert_null(row->cells[row->at]);
}

/* Calls @test with each row of a golden file. */
static void each_row(const char *file, int expected_rows, void (*test)(Row *row))
{
    g_autofree char *path =
        g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "stats", file, NULL);
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &content, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(content, "\n", -1);
    int n = 0;
    for (; lines[n] && lines[n][0]; n++) {
        g_auto(GStrv) cells = g_strsplit(lines[n], ",", -1);
        Row row = {file, n + 1, cells, 0};
        test(&row);
    }
    g_assert_cmpint(n, ==, expected_rows);
}

static DpcxrScored *known_rows(const double *scores, const double *truths, gsize n)
{
    g_autofree double *known_scores = g_new(double, n);
    g_autofree guint8 *known_truths = g_new(guint8, n);
    gsize known = 0;

    for (gsize i = 0; i < n; i++)
        if (!isnan(truths[i])) {
            known_scores[known] = scores[i];
            known_truths[known++] = truths[i] == 1;
        }
    return dpcxr_scored_new(known_scores, known_truths, known);
}

static void test_metric_row(Row *row)
{
    row->at = 1;
    gsize n = (gsize)take(row), first = row->at;
    row->at += 4 + 1 + DPCXR_N_METRICS;
    g_autofree double *scores = take_many(row, n), *truths = take_many(row, n);
    check_end(row);
    g_autoptr(DpcxrScored) sample = known_rows(scores, truths, n);
    double values[DPCXR_N_METRICS];

    row->at = first;
    check(row, "youden", dpcxr_threshold_choose(sample, DPCXR_THRESHOLD_YOUDEN, NAN));
    check(row, "sensitivity 0.9", dpcxr_threshold_choose(sample, DPCXR_THRESHOLD_SENSITIVITY, 0.9));
    check(row, "specificity 0.9", dpcxr_threshold_choose(sample, DPCXR_THRESHOLD_SPECIFICITY, 0.9));
    check(row, "f1", dpcxr_threshold_choose(sample, DPCXR_THRESHOLD_F1, NAN));
    dpcxr_metrics(sample, take(row), values);
    for (int i = 0; i < DPCXR_N_METRICS; i++)
        check(row, dpcxr_metric_name(i), values[i]);
}

static void test_metrics(void)
{
    each_row("metrics.csv", 111, test_metric_row);
}

static void test_auroc_by_pairs(void)
{
    for (int round = 0; round < 200; round++) {
        gsize n = (gsize)g_test_rand_int_range(2, 60), positives = 0;
        double scores[60], right = 0;
        guint8 truths[60];
        for (gsize i = 0; i < n; i++) {
            scores[i] = g_test_rand_int_range(0, 12) - 6;
            positives += truths[i] = (guint8)g_test_rand_int_range(0, 2);
        }
        for (gsize i = 0; i < n; i++)
            for (gsize j = 0; j < n; j++)
                if (truths[i] && !truths[j])
                    right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
        g_autoptr(DpcxrScored) sample = dpcxr_scored_new(scores, truths, n);
        double expected = right / ((double)positives * (double)(n - positives));
        g_assert_true(is_close(dpcxr_auroc(sample), expected, 1e-12));
    }
}

static void test_not_defined(void)
{
    const double scores[] = {0.1, NAN, 0.7}, infinite[] = {-INFINITY, 0, INFINITY};
    const guint8 truths[] = {0, 1, 1};
    g_autoptr(DpcxrScored) none = dpcxr_scored_new(NULL, NULL, 0), bad = dpcxr_scored_new(scores, truths, 3),
                           far = dpcxr_scored_new(infinite, truths, 3);
    double values[DPCXR_N_METRICS];

    g_assert_true(isnan(dpcxr_threshold_choose(none, DPCXR_THRESHOLD_YOUDEN, NAN)));
    dpcxr_metrics(none, 0.5, values);
    for (int i = 0; i < DPCXR_N_METRICS; i++)
        g_assert_true(isnan(values[i]));
    g_assert_true(isnan(dpcxr_threshold_choose(bad, DPCXR_THRESHOLD_F1, NAN)));
    dpcxr_metrics(bad, 0.5, values);
    for (int i = 0; i < DPCXR_N_METRICS; i++)
        g_assert_true(i == DPCXR_METRIC_PREVALENCE ? values[i] == 2.0 / 3 : isnan(values[i]));
    dpcxr_metrics(far, NAN, values);
    g_assert_cmpuint(far->positives, ==, 2);
    g_assert_cmpfloat(values[DPCXR_METRIC_AUROC], ==, 1);
    g_assert_true(isnan(values[DPCXR_METRIC_ACCURACY]) && isnan(values[DPCXR_METRIC_SENSITIVITY]));
}

static void test_filter(void)
{
    const double scores[] = {0.4, 0.9, 0.4, 0.1, 0.4};
    const guint8 truths[] = {1, 0, 0, 1, 1}, keep[] = {1, 0, 1, 1, 0};
    g_autoptr(DpcxrScored) all = dpcxr_scored_new(scores, truths, 5), part = dpcxr_scored_filter(all, keep);

    g_assert_cmpuint(all->rows[0], ==, 1);
    g_assert_cmpuint(all->rows[1], ==, 0); /* equal scores in the order of their rows */
    g_assert_cmpuint(all->rows[2], ==, 2);
    g_assert_cmpuint(all->rows[3], ==, 4);
    g_assert_cmpuint(part->n, ==, 3);
    g_assert_cmpuint(part->positives, ==, 2);
    g_assert_cmpuint(part->rows[0], ==, 0);
    g_assert_cmpuint(part->rows[2], ==, 3);
    g_assert_cmpuint(dpcxr_scored_tie_end(all, 1), ==, 4);
    g_assert_cmpuint(dpcxr_scored_called(all, 0.4), ==, 4);
    g_assert_cmpuint(dpcxr_scored_called(all, 0.41), ==, 1);
}

static void test_curve(void)
{
    const double scores[] = {0.9, 0.5, 0.5, 0.2};
    const guint8 truths[] = {1, 0, 1, 0};
    g_autoptr(DpcxrScored) sample = dpcxr_scored_new(scores, truths, 4);
    gsize n;
    g_autofree DpcxrCurvePoint *points = dpcxr_curve(sample, &n);

    g_assert_cmpuint(n, ==, 3);
    g_assert_true(points[0].threshold == 0.9 && points[0].tp == 1 && points[0].fp == 0);
    g_assert_true(points[1].threshold == 0.5 && points[1].tp == 2 && points[1].fp == 1);
    g_assert_true(points[2].threshold == 0.2 && points[2].tp == 2 && points[2].fp == 2);
}

static void test_bins(void)
{
    const double scores[] = {0, 0.1, 0.11, 0.2, 0.95, 1};
    const guint8 truths[] = {0, 1, 0, 0, 1, 1};
    g_autoptr(DpcxrScored) sample = dpcxr_scored_new(scores, truths, 6);
    DpcxrCalibrationBin bins[DPCXR_CALIBRATION_BINS];

    dpcxr_calibration_bins(sample, DPCXR_BINS_EQUAL_WIDTH, bins);
    g_assert_cmpuint(bins[0].n, ==, 2); /* 0 and, at its high edge, 0.1 */
    g_assert_cmpfloat(bins[0].rate, ==, 0.5);
    g_assert_cmpfloat(bins[0].mean_score, ==, 0.05);
    g_assert_cmpuint(bins[1].n, ==, 2);
    g_assert_true(bins[2].n == 0 && isnan(bins[2].rate) && isnan(bins[2].mean_score));
    g_assert_cmpuint(bins[9].n, ==, 2);
    g_assert_cmpfloat(bins[9].low, ==, 0.9);
    g_assert_cmpfloat(bins[9].high, ==, 1);
    dpcxr_calibration_bins(sample, DPCXR_BINS_EQUAL_MASS, bins);
    gsize n = 0;
    for (int i = 0; i < DPCXR_CALIBRATION_BINS; i++)
        n += bins[i].n;
    g_assert_cmpuint(n, ==, 6);
    /* numpy.percentile(scores, [0, 10, 50, 90, 100]) */
    g_assert_cmpfloat(bins[0].low, ==, 0);
    g_assert_cmpfloat_with_epsilon(bins[0].high, 0.05, 1e-15);
    g_assert_cmpfloat_with_epsilon(bins[4].high, 0.155, 1e-15);
    g_assert_cmpfloat_with_epsilon(bins[8].high, 0.975, 1e-15);
    g_assert_cmpfloat(bins[9].high, ==, 1);
}

static void test_delong_row(Row *row)
{
    gsize n = (gsize)take(row), first = row->at;
    row->at += 8;
    g_autofree double *a = take_many(row, n), *b = take_many(row, n), *of_truth = take_many(row, n);
    g_autofree guint8 *truths = g_new(guint8, n);
    check_end(row);
    for (gsize i = 0; i < n; i++)
        truths[i] = of_truth[i] == 1;

    DpcxrDeLong one = dpcxr_delong(a, truths, n), other = dpcxr_delong(b, truths, n);
    DpcxrDeLongTest test = dpcxr_delong_test(a, b, truths, n);
    row->at = first;
    check(row, "auroc", one.auroc);
    check(row, "variance", one.variance);
    check(row, "second auroc", other.auroc);
    check(row, "second variance", other.variance);
    check(row, "difference", test.difference);
    check(row, "variance of the difference", test.variance);
    check(row, "z", test.z);
    check(row, "p", test.p);
}

static void test_delong(void)
{
    each_row("delong.csv", 10, test_delong_row);
}

/* The patients of DeLong, DeLong & Clarke-Pearson (1988) for whom all three tests are known: albumin, total
 * protein, K-G score, whether surgery helped. What is expected is what SAS/STAT's User's Guide prints for
 * them (PROC LOGISTIC, "Comparing Receiver Operating Characteristic Curves"), to the four digits that it
 * has. */
static const double ovarian[][4] = {
    {3.0, 5.8, 10, 0}, {3.2, 6.3, 5, 1}, {3.9, 6.8, 3, 1}, {2.8, 4.8, 6, 0}, {3.2, 5.8, 3, 1},
    {0.9, 4.0, 5, 0},  {2.5, 5.7, 8, 0}, {1.6, 5.6, 5, 1}, {3.8, 5.7, 5, 1}, {3.7, 6.7, 6, 1},
    {3.2, 5.4, 4, 1},  {3.8, 6.6, 6, 1}, {4.1, 6.6, 5, 1}, {3.6, 5.7, 5, 1}, {4.3, 7.0, 4, 1},
    {3.6, 6.7, 4, 0},  {2.3, 4.4, 6, 1}, {4.2, 7.6, 4, 0}, {4.0, 6.6, 6, 0}, {3.5, 5.8, 6, 1},
    {3.8, 6.8, 7, 1},  {3.0, 4.7, 8, 0}, {4.5, 7.4, 5, 1}, {3.7, 7.4, 5, 1}, {3.1, 6.6, 6, 1},
    {4.1, 8.2, 6, 1},  {4.3, 7.0, 5, 1}, {4.3, 6.5, 4, 1}, {3.2, 5.1, 5, 1}, {2.6, 4.7, 6, 1},
    {3.3, 6.8, 6, 0},  {1.7, 4.0, 7, 0}, {3.7, 6.1, 5, 1}, {3.3, 6.3, 7, 1}, {4.2, 7.7, 6, 1},
    {3.5, 6.2, 5, 1},  {2.9, 5.7, 9, 0}, {2.1, 4.8, 7, 1}, {2.8, 6.2, 8, 0}, {4.0, 7.0, 7, 1},
    {3.3, 5.7, 6, 1},  {3.7, 6.9, 5, 1}, {3.6, 6.6, 5, 1}};

static void test_delong_published(void)
{
    enum { N = G_N_ELEMENTS(ovarian) };
    const struct {
        double auroc, error, low, high;
    } expected[] = {
        {0.7366, 0.0927, 0.5549, 0.9182}, {0.6478, 0.1000, 0.4518, 0.8439}, {0.7258, 0.1028, 0.5243, 0.9273}};
    double scores[3][N];
    guint8 truths[N];

    for (int i = 0; i < N; i++) {
        scores[0][i] = ovarian[i][0];
        scores[1][i] = ovarian[i][1];
        scores[2][i] = -ovarian[i][2]; /* a high K-G score is bad */
        truths[i] = ovarian[i][3] == 1;
    }
    for (int k = 0; k < 3; k++) {
        DpcxrDeLong delong = dpcxr_delong(scores[k], truths, N);
        double low, high;
        dpcxr_delong_interval(&delong, 0.95, &low, &high);
        g_assert_true(is_close(delong.auroc, expected[k].auroc, 5e-5));
        g_assert_true(is_close(sqrt(delong.variance), expected[k].error, 5e-5));
        g_assert_true(is_close(low, expected[k].low, 6e-5));
        g_assert_true(is_close(high, expected[k].high, 6e-5));
    }
    DpcxrDeLongTest albumin = dpcxr_delong_test(scores[0], scores[2], truths, N),
                    protein = dpcxr_delong_test(scores[1], scores[2], truths, N);
    g_assert_true(is_close(albumin.difference, 0.0108, 5e-5) &&
                  is_close(sqrt(albumin.variance), 0.0953, 5e-5));
    g_assert_true(is_close(albumin.z * albumin.z, 0.0127, 5e-5) && is_close(albumin.p, 0.9102, 5e-5));
    g_assert_true(is_close(protein.difference, -0.0780, 5e-5) &&
                  is_close(sqrt(protein.variance), 0.1046, 5e-5));
    g_assert_true(is_close(protein.z * protein.z, 0.5554, 5e-5) && is_close(protein.p, 0.4561, 5e-5));
}

static void test_delong_undefined(void)
{
    const double scores[] = {0.9, 0.1, 0.4};
    const guint8 one_class[] = {1, 1, 1}, single[] = {1, 0, 0};
    double low, high;

    g_assert_true(isnan(dpcxr_delong(scores, one_class, 3).auroc));
    DpcxrDeLong delong = dpcxr_delong(scores, single, 3);
    g_assert_cmpfloat(delong.auroc, ==, 1);
    g_assert_true(isnan(delong.variance));
    dpcxr_delong_interval(&delong, 0.95, &low, &high);
    g_assert_true(isnan(low) && isnan(high));
    g_assert_true(isnan(dpcxr_delong_test(scores, scores, single, 3).p));
}

static void test_correlation_row(Row *row)
{
    gsize n = (gsize)take(row);
    row->at += 2;
    g_autofree double *x = take_many(row, n), *y = take_many(row, n);
    check_end(row);

    DpcxrCorrelation found = dpcxr_pearson(x, y, n);
    row->at = 1;
    check(row, "r", found.r);
    check(row, "p", found.p);
}

static void test_correlation(void)
{
    const double x[] = {1, NAN, 2, 3, 4}, y[] = {2, 5, NAN, 4, 6}, flat[] = {1, 1, 1, 1, 1};

    each_row("correlation.csv", 20, test_correlation_row);
    DpcxrCorrelation found = dpcxr_pearson(x, y, 5); /* (1, 2), (3, 4), (4, 6) */
    g_assert_cmpuint(found.n, ==, 3);
    g_assert_cmpfloat_with_epsilon(found.r, 0.98198050606196574, 1e-12);
    g_assert_true(isnan(dpcxr_pearson(y, flat, 5).r) && isnan(dpcxr_pearson(x, y, 1).r));
    found = dpcxr_pearson(x, y, 4);
    g_assert_true(found.n == 2 && fabs(found.r - 1) < 1e-12 && isnan(found.p));
}

static void test_adjustment_row(Row *row)
{
    gsize n = (gsize)take(row);
    g_autofree double *p = take_many(row, n), *adjusted = g_new(double, n);

    dpcxr_adjust_holm(p, n, adjusted);
    for (gsize i = 0; i < n; i++)
        check(row, "Holm", adjusted[i]);
    dpcxr_adjust_benjamini_hochberg(p, n, adjusted);
    for (gsize i = 0; i < n; i++)
        check(row, "Benjamini-Hochberg", adjusted[i]);
    check_end(row);
}

static void test_adjustment(void)
{
    double p[] = {0.01, NAN, 0.04};

    each_row("adjustment.csv", 10, test_adjustment_row);
    dpcxr_adjust_holm(p, 3, p);
    g_assert_true(p[0] == 0.02 && isnan(p[1]) && p[2] == 0.04);
}

static void test_distribution_row(Row *row)
{
    const char *kind = row->cells[row->at++];
    double argument = take(row), df = take(row), expected = g_ascii_strtod(row->cells[row->at], NULL);
    double found = g_str_equal(kind, "student")  ? dpcxr_student_two_sided(argument, df)
                   : g_str_equal(kind, "normal") ? dpcxr_normal_two_sided(argument)
                                                 : dpcxr_normal_quantile(argument);

    check(row, kind, found);
    g_assert_true(fabs(found - expected) <= 1e-11 * fabs(expected) + 1e-15); /* small ones, too */
}

static void test_distribution(void)
{
    each_row("distribution.csv", 50, test_distribution_row);
    g_assert_cmpfloat(dpcxr_student_two_sided(INFINITY, 3), ==, 0);
}

/* numpy.percentile([3, 1, 4, 1, 5, 9, 2, 6], [2.5, 97.5]) = [1, 8.475], .. [25, 75] = [1.75, 5.25] */
static void test_interval(void)
{
    const double values[] = {3, 1, 4, 1, 5, 9, 2, 6};
    double many[40];
    DpcxrPercentiles interval = dpcxr_percentile_interval(values, 8, 0.95);

    g_assert_true(interval.low == 1 && fabs(interval.high - 8.475) < 1e-12 && interval.undefined == 0);
    interval = dpcxr_percentile_interval(values, 8, 0.5);
    g_assert_true(interval.low == 1.75 && interval.high == 5.25);
    for (int i = 0; i < 40; i++)
        many[i] = i < 2 ? NAN : i;
    interval = dpcxr_percentile_interval(many, 40, 0.95); /* one in twenty */
    g_assert_true(interval.undefined == 2 && interval.low > 2 && interval.high < 39);
    many[2] = NAN;
    interval = dpcxr_percentile_interval(many, 40, 0.95);
    g_assert_true(interval.undefined == 3 && isnan(interval.low) && isnan(interval.high));
    g_assert_true(isnan(dpcxr_percentile_interval(NULL, 0, 0.95).low));
}

static void test_paired(void)
{
    const double differences[] = {0.1, 0.2, -0.1, 0,   NAN, 0.3, 0.4, 0.1, 0.2, 0.5,
                                  0.1, 0.2, 0.3,  0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};

    /* 19 defined of 20; at most 0: -0.1 and 0 */
    g_assert_cmpfloat_with_epsilon(dpcxr_paired_p(differences, 20), 2 * 3.0 / 20, 1e-12);
    g_assert_cmpfloat(dpcxr_paired_p(differences + 3, 1), ==, 1);
    g_assert_true(isnan(dpcxr_paired_p(differences + 4, 1)));
    g_assert_cmpfloat_with_epsilon(dpcxr_non_inferiority_p(differences, 20, 0.05), 2.0 / 20, 1e-12);
    g_assert_cmpfloat_with_epsilon(dpcxr_non_inferiority_p(differences, 20, 0.15), 1.0 / 20, 1e-12);
    g_assert_cmpfloat_with_epsilon(dpcxr_non_inferiority_p(differences, 20, 0), 3.0 / 20, 1e-12);
    /* One of 19 is more than one in twenty. */
    g_assert_true(isnan(dpcxr_paired_p(differences, 19)));
    g_assert_true(isnan(dpcxr_non_inferiority_p(differences, 19, 0.05)));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stats/metrics", test_metrics);
    g_test_add_func("/stats/auroc-by-pairs", test_auroc_by_pairs);
    g_test_add_func("/stats/not-defined", test_not_defined);
    g_test_add_func("/stats/filter", test_filter);
    g_test_add_func("/stats/curve", test_curve);
    g_test_add_func("/stats/bins", test_bins);
    g_test_add_func("/stats/delong", test_delong);
    g_test_add_func("/stats/delong-published", test_delong_published);
    g_test_add_func("/stats/delong-undefined", test_delong_undefined);
    g_test_add_func("/stats/correlation", test_correlation);
    g_test_add_func("/stats/adjustment", test_adjustment);
    g_test_add_func("/stats/distribution", test_distribution);
    g_test_add_func("/stats/interval", test_interval);
    g_test_add_func("/stats/paired", test_paired);
    return g_test_run();
}
