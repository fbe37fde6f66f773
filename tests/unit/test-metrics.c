/* SPDX-License-Identifier: MIT
 * Metrics against scikit-learn (tests/golden/metrics/make.py) and against the definition of
 * AUROC by pairs. */
#include "eval/metrics.h"
#include <math.h>
#include <stdlib.h>

static void assert_equal(const char *what, int line, double found, double expected)
{
    if (isnan(expected) != isnan(found) || (!isnan(expected) && fabs(found - expected) > 1e-9))
        g_error("metrics.csv:%d: %s is %.17g, expected %.17g", line, what, found, expected);
}

/* One line of metrics.csv: kind, n, seven values, scores, labels. */
static void check_case(const char *text, int line)
{
    g_auto(GStrv) cells = g_strsplit(text, ",", -1);
    gsize n = strtoul(cells[1], NULL, 10);
    g_autofree double *scores = g_new(double, n);
    g_autofree guint8 *labels = g_new(guint8, n);
    double expected[7];
    DpcxrMetrics m;

    g_assert_cmpuint(g_strv_length(cells), ==, 9 + 2 * n);
    for (int i = 0; i < 7; i++)
        expected[i] = g_ascii_strtod(cells[2 + i], NULL);
    for (gsize i = 0; i < n; i++) {
        scores[i] = g_ascii_strtod(cells[9 + i], NULL);
        labels[i] = cells[9 + n + i][0] == '1';
    }
    if (!g_str_equal(cells[0], "fixed"))
        assert_equal("threshold", line, dpcxr_youden_threshold(scores, labels, n), expected[1]);
    dpcxr_metrics(scores, labels, n, expected[1], &m);
    assert_equal("auroc", line, m.auroc, expected[0]);
    assert_equal("accuracy", line, m.accuracy, expected[2]);
    assert_equal("sensitivity", line, m.sensitivity, expected[3]);
    assert_equal("specificity", line, m.specificity, expected[4]);
    assert_equal("precision", line, m.precision, expected[5]);
    assert_equal("f1", line, m.f1, expected[6]);
}

static void test_scikit_learn(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "metrics", "metrics.csv", NULL);
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &content, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(content, "\n", -1);
    int n = 0;
    for (; lines[n] && lines[n][0]; n++)
        check_case(lines[n], n + 1);
    g_assert_cmpint(n, ==, 91);
}

static void test_auroc_by_pairs(void)
{
    for (int round = 0; round < 200; round++) {
        gsize n = (gsize)g_test_rand_int_range(2, 60), positives = 0;
        double scores[60], right = 0;
        guint8 labels[60];
        for (gsize i = 0; i < n; i++) {
            scores[i] = g_test_rand_int_range(0, 12) - 6;
            positives += labels[i] = (guint8)g_test_rand_int_range(0, 2);
        }
        for (gsize i = 0; i < n; i++)
            for (gsize j = 0; j < n; j++)
                if (labels[i] && !labels[j])
                    right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
        double found = dpcxr_auroc(scores, labels, n);
        if (positives == 0 || positives == n)
            g_assert_true(isnan(found));
        else
            g_assert_cmpfloat_with_epsilon(found, right / ((double)positives * (double)(n - positives)),
                                           1e-12);
    }
}

static void test_not_defined(void)
{
    const double scores[] = {0.1, NAN, 0.7}, infinite[] = {-INFINITY, 0, INFINITY};
    const guint8 labels[] = {0, 1, 1};
    DpcxrMetrics m;

    g_assert_true(isnan(dpcxr_auroc(NULL, NULL, 0)));
    g_assert_true(isnan(dpcxr_youden_threshold(NULL, NULL, 0)));
    g_assert_true(isnan(dpcxr_auroc(scores, labels, 3)));
    g_assert_true(isnan(dpcxr_youden_threshold(scores, labels, 3)));
    g_assert_cmpfloat(dpcxr_auroc(infinite, labels, 3), ==, 1);
    dpcxr_metrics(NULL, NULL, 0, 0.5, &m);
    g_assert_true(isnan(m.accuracy) && isnan(m.sensitivity) && isnan(m.specificity) && isnan(m.precision) &&
                  isnan(m.f1));
    dpcxr_metrics(scores, labels, 3, 0.5, &m);
    g_assert_true(isnan(m.auroc) && isnan(m.accuracy) && isnan(m.sensitivity));
    dpcxr_metrics(infinite, labels, 3, NAN, &m);
    g_assert_cmpuint(m.positives, ==, 2);
    g_assert_cmpfloat(m.auroc, ==, 1);
    g_assert_true(isnan(m.accuracy) && isnan(m.threshold));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metrics/scikit-learn", test_scikit_learn);
    g_test_add_func("/metrics/auroc-by-pairs", test_auroc_by_pairs);
    g_test_add_func("/metrics/not-defined", test_not_defined);
    return g_test_run();
}
