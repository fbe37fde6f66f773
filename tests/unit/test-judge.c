/* SPDX-License-Identifier: MIT
 * A file of predictions read back and judged, group by group, against scikit-learn
 * (tests/golden/evaluation/make.py). */
#include "eval/fairness.h"
#include "stats/delong.h"
#include "stats/inference.h"
#include <dpcxr/dataset.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static char *golden(const char *name)
{
    return g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "evaluation", name, NULL);
}

static DpcxrPredictionFile *read_golden(void)
{
    g_autofree char *path = golden("predictions-test.csv");
    g_autoptr(GError) error = NULL;
    DpcxrPredictionFile *file = dpcxr_prediction_file_read(path, &error);

    g_assert_no_error(error);
    return file;
}

static DpcxrThresholds *make_thresholds(double effusion, double no_finding)
{
    static const char *const labels[] = {"effusion", "no_finding", NULL};
    DpcxrThresholds *thresholds = g_new0(DpcxrThresholds, 1);

    thresholds->rule_value = NAN;
    thresholds->labels = g_strdupv((char **)labels);
    thresholds->values = g_new(double, 2);
    thresholds->values[0] = effusion;
    thresholds->values[1] = no_finding;
    return thresholds;
}

static const DpcxrJudgeOptions plain = {DPCXR_CI_NONE, FALSE, 0, 0.95, 1, 20, 10};

static DpcxrJudged *judge(const DpcxrPredictionFile *file, const DpcxrThresholds *thresholds,
                          const DpcxrJudgeOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(2, &error);
    DpcxrJudged *judged = dpcxr_judge(file, thresholds, options, workers, &error);

    g_assert_no_error(error);
    return judged;
}

static void test_read(void)
{
    g_autoptr(DpcxrPredictionFile) file = read_golden();

    g_assert_cmpuint(file->n, ==, 400);
    g_assert_cmpuint(file->n_labels, ==, 2);
    g_assert_cmpstr(file->labels[1], ==, "no_finding");
    g_assert_cmpuint(file->n_columns, ==, 2);
    g_assert_cmpstr(file->columns[0], ==, "sex");
    g_assert_cmpuint(file->without_patient, ==, 10); /* one image in 40, whose patient has another */
    g_assert_cmpuint(file->n_patients, ==, 210);
    g_assert_cmpuint(file->patients[1], !=, file->patients[0]);
    g_assert_cmpuint(file->patients[2], ==, file->patients[3]);
    g_assert_cmpint(dpcxr_prediction_file_label(file, "fracture"), ==, -1);
}

static int metric_by_name(const char *name)
{
    for (int m = 0; m < DPCXR_N_METRICS; m++)
        if (g_str_equal(dpcxr_metric_name(m), name))
            return m;
    g_error("no metric %s", name);
}

static int parity_by_name(const char *name)
{
    for (int p = 0; p < DPCXR_N_PARITIES; p++)
        if (g_str_equal(dpcxr_parity_name(p), name))
            return p;
    g_error("no parity %s", name);
}

static guint grouping_by_name(const DpcxrJudged *judged, const char *name)
{
    for (guint g = 0; g < judged->groupings->len; g++)
        if (g_str_equal(((DpcxrGrouping *)judged->groupings->pdata[g])->name, name))
            return g;
    g_error("no grouping %s", name);
}

static gsize view_by_name(const DpcxrJudged *judged, const char *grouping, const char *value)
{
    if (!*grouping)
        return 0;
    guint g = grouping_by_name(judged, grouping);
    const DpcxrGrouping *of = judged->groupings->pdata[g];
    for (gsize i = 0; i < of->n_values; i++)
        if (g_str_equal(of->values[i], value))
            return judged->first_view[g] + i;
    g_error("no group %s of %s", value, grouping);
}

static double take(DpcxrSeries series)
{
    double value = series.value;

    dpcxr_series_clear(&series);
    return value;
}

/* What a row of expected.csv is about. */
static double find(const DpcxrJudged *judged, const char *what, const char *grouping, const char *value,
                   const char *label, const char *metric)
{
    int k = dpcxr_prediction_file_label(judged->file, label); /* -1: mean */

    if (g_str_equal(what, "n"))
        return (double)judged->views[view_by_name(judged, grouping, value)].n;
    if (g_str_equal(what, "gap")) {
        guint g = grouping_by_name(judged, grouping);
        return k < 0 ? take(dpcxr_gap_mean(judged, g, metric_by_name(metric)))
                     : take(dpcxr_gap(judged, g, (gsize)k, metric_by_name(metric)).spread);
    }
    if (g_str_equal(what, "parity")) {
        guint g = grouping_by_name(judged, grouping);
        return k < 0 ? take(dpcxr_parity_mean(judged, g, parity_by_name(metric)))
                     : take(dpcxr_parity(judged, g, (gsize)k, parity_by_name(metric)));
    }
    gsize view = view_by_name(judged, grouping, value);
    return k < 0 ? take(dpcxr_judged_mean(judged, view, metric_by_name(metric)))
                 : dpcxr_judged_series(judged, view, (gsize)k, metric_by_name(metric)).value;
}

static void test_golden(void)
{
    g_autoptr(DpcxrPredictionFile) file = read_golden();
    g_autoptr(DpcxrThresholds) thresholds = make_thresholds(0.4, 0.5);
    g_autoptr(DpcxrJudged) judged = judge(file, thresholds, &plain);
    g_autofree char *path = golden("expected.csv");
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(path, &error);
    int rows = 0;

    g_assert_no_error(error);
    for (; dpcxr_csv_next(csv, &error); rows++) {
        const char *cells[6];
        for (int i = 0; i < 6; i++)
            cells[i] = dpcxr_csv_cell(csv, i);
        double expected = g_ascii_strtod(cells[5], NULL);
        double found = find(judged, cells[0], cells[1], cells[2], cells[3], cells[4]);
        if (isnan(expected) ? !isnan(found) : !(fabs(found - expected) <= 1e-9))
            g_error("expected.csv:%d: %s %s %s %s %s is %.17g, expected %.17g", dpcxr_csv_line(csv), cells[0],
                    cells[1], cells[2], cells[3], cells[4], found, expected);
    }
    g_assert_no_error(error);
    g_assert_cmpint(rows, ==, 499);
}

static void test_groups(void)
{
    static const char *const ages[] = {"0-30", "30-60", "60-100", "100-120"};
    g_autoptr(DpcxrPredictionFile) file = read_golden();
    g_autoptr(DpcxrThresholds) thresholds = make_thresholds(0.4, 0.5);
    g_autoptr(DpcxrJudged) judged = judge(file, thresholds, &plain);
    const DpcxrGrouping *age = judged->groupings->pdata[1], *both = judged->groupings->pdata[2];

    g_assert_cmpuint(judged->groupings->len, ==, 3);
    g_assert_cmpuint(age->n_values, ==, 4);
    for (int i = 0; i < 4; i++)
        g_assert_cmpstr(age->values[i], ==, ages[i]); /* by number, not by text */
    g_assert_cmpstr(both->name, ==, "sex x age");
    g_assert_cmpuint(both->n_values, ==, 8);
    g_assert_cmpstr(both->values[3], ==, "F x 100-120");
    g_assert_cmpuint(both->unknown, ==, 400 - 61 - 9 - 79 - 64 - 49 - 5 - 66 - 43);
    g_assert_cmpint(both->value_of[0] >= 0 ? 1 : 0, ==, *file->cells[0] ? 1 : 0);

    const DpcxrJudgedView *old = &judged->views[judged->first_view[1] + 3];
    g_assert_true(old->too_small && old->n == 17);
    const DpcxrJudgedView *few = &judged->views[view_by_name(judged, "sex x age", "M x 60-100")];
    g_assert_false(few->too_small);
    g_assert_cmpint(few->labels[0].status, ==, DPCXR_LABEL_TOO_FEW);
    g_assert_cmpint(few->labels[1].status, ==, DPCXR_LABEL_OK);
    g_assert_cmpuint(few->labels[0].missing, ==, few->n - few->labels[0].sample->n);
}

static void test_gap_ends(void)
{
    g_autoptr(DpcxrPredictionFile) file = read_golden();
    g_autoptr(DpcxrThresholds) thresholds = make_thresholds(0.4, 0.5);
    g_autoptr(DpcxrJudged) judged = judge(file, thresholds, &plain);
    DpcxrGap auroc = dpcxr_gap(judged, 1, 0, DPCXR_METRIC_AUROC),
             fnr = dpcxr_gap(judged, 1, 0, DPCXR_METRIC_FNR),
             rate = dpcxr_gap(judged, 1, 0, DPCXR_METRIC_POSITIVE_RATE);
    double lowest =
               dpcxr_judged_series(judged, view_by_name(judged, "age", auroc.lowest), 0, DPCXR_METRIC_AUROC)
                   .value,
           highest =
               dpcxr_judged_series(judged, view_by_name(judged, "age", auroc.highest), 0, DPCXR_METRIC_AUROC)
                   .value;

    g_assert_cmpfloat(auroc.spread.value, ==, highest - lowest);
    g_assert_cmpstr(auroc.worst, ==, auroc.lowest); /* less is worse */
    g_assert_cmpstr(auroc.worst, ==, "0-30");       /* as the file was made */
    g_assert_cmpstr(fnr.worst, ==, fnr.highest);
    g_assert_null(rate.worst);
    g_assert_false(dpcxr_gap_has(DPCXR_METRIC_CALIBRATION_SLOPE) || dpcxr_gap_has(DPCXR_METRIC_F1));
    g_assert_true(dpcxr_gap_has(DPCXR_METRIC_ECE_EQUAL_WIDTH) && dpcxr_gap_has(DPCXR_METRIC_AUROC));
}

/* A gap of one group, or of none, is no gap. */
static void test_no_gap(void)
{
    const DpcxrJudgeOptions options = {DPCXR_CI_NONE, FALSE, 0, 0.95, 1, 200, 10};
    g_autoptr(DpcxrPredictionFile) file = read_golden();
    g_autoptr(DpcxrJudged) judged = judge(file, NULL, &options);
    DpcxrGap gap = dpcxr_gap(judged, 0, 0, DPCXR_METRIC_AUROC); /* of F and M, F only has 200 */

    g_assert_true(isnan(gap.spread.value) && !gap.lowest && !gap.worst);
    for (int p = 0; p < DPCXR_N_PARITIES; p++)
        g_assert_true(isnan(take(dpcxr_parity(judged, 0, 0, p))) &&
                      isnan(take(dpcxr_parity_mean(judged, 2, p))));
}

/* Intervals of gaps come from gaps of the same replicates. */
static void test_intervals(void)
{
    const DpcxrJudgeOptions options = {DPCXR_CI_BOOTSTRAP, FALSE, 200, 0.9, 1, 20, 10};
    g_autoptr(DpcxrPredictionFile) file = read_golden();
    g_autoptr(DpcxrThresholds) thresholds = make_thresholds(0.4, 0.5);
    g_autoptr(DpcxrJudged) judged = judge(file, thresholds, &options);
    gsize women = view_by_name(judged, "sex", "F"), men = view_by_name(judged, "sex", "M");
    DpcxrSeries a = dpcxr_judged_series(judged, women, 1, DPCXR_METRIC_AUROC),
                b = dpcxr_judged_series(judged, men, 1, DPCXR_METRIC_AUROC);
    DpcxrGap gap = dpcxr_gap(judged, 0, 1, DPCXR_METRIC_AUROC);

    g_assert_cmpuint(a.n, ==, 200);
    for (gsize r = 0; r < 200; r++)
        g_assert_cmpfloat(gap.spread.replicates[r], ==, fabs(a.replicates[r] - b.replicates[r]));
    DpcxrEstimate estimate = dpcxr_judged_estimate(judged, women, 1, DPCXR_METRIC_AUROC);
    DpcxrPercentiles interval = dpcxr_percentile_interval(a.replicates, 200, 0.9);
    g_assert_true(estimate.low == interval.low && estimate.high == interval.high);
    g_assert_true(estimate.low < estimate.value && estimate.value < estimate.high);
    /* no value, no interval */
    estimate = dpcxr_judged_estimate(judged, judged->first_view[1] + 3, 1, DPCXR_METRIC_AUROC);
    g_assert_true(isnan(estimate.value) && isnan(estimate.low) && isnan(estimate.high));
    dpcxr_series_clear(&gap.spread);
}

static DpcxrPredictionFile *read_text(const char *text, GError **error)
{
    g_autofree char *path = NULL;
    int descriptor = g_file_open_tmp("dpcxr-judge-XXXXXX", &path, NULL);

    close(descriptor);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    DpcxrPredictionFile *file = dpcxr_prediction_file_read(path, error);
    g_unlink(path);
    return file;
}

static void test_delong(void)
{
    const DpcxrJudgeOptions options = {DPCXR_CI_DELONG, FALSE, 0, 0.95, 1, 1, 1};
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrPredictionFile) several = read_golden();
    g_autoptr(DpcxrPredictionFile) file = read_text("sample_id,patient_id,y_a,p_a\n"
                                                    "1,,1,0.9\n2,,0,0.2\n3,,1,0.4\n4,,0,0.5\n5,,,0.1\n",
                                                    &error);
    const double scores[] = {0.9, 0.2, 0.4, 0.5};
    const guint8 truths[] = {1, 0, 1, 0};
    DpcxrDeLong delong = dpcxr_delong(scores, truths, 4);
    double low, high;

    g_assert_no_error(error);
    g_autoptr(DpcxrJudged) judged = judge(file, NULL, &options);
    DpcxrEstimate estimate = dpcxr_judged_estimate(judged, 0, 0, DPCXR_METRIC_AUROC);
    dpcxr_delong_interval(&delong, 0.95, &low, &high);
    g_assert_true(estimate.value == 0.75 && estimate.low == low && estimate.high == high);
    g_assert_true(isnan(dpcxr_judged_estimate(judged, 0, 0, DPCXR_METRIC_AUPRC).low));
    g_assert_null(dpcxr_judge(several, NULL, &options, NULL, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_assert_nonnull(strstr(error->message, "400 images of 210 patients; use bootstrap"));
}

static void test_statuses(void)
{
    const DpcxrJudgeOptions options = {DPCXR_CI_BOOTSTRAP, TRUE, 50, 0.95, 1, 1, 1};
    static const DpcxrLabelStatus expected[] = {DPCXR_LABEL_OK, DPCXR_LABEL_ONE_CLASS, DPCXR_LABEL_NO_LABELS,
                                                DPCXR_LABEL_NOT_FINITE};
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrPredictionFile) file = read_text("sample_id,patient_id,g,y_a,y_b,y_c,y_d,p_a,p_b,p_c,p_d\n"
                                                    "1,x,,1,0,,1,0.9,0.5,0.5,nan\n"
                                                    "2,x,,0,0,,0,0.2,0.5,0.5,0.5\n",
                                                    &error);
    g_assert_no_error(error);
    g_autoptr(DpcxrJudged) judged = judge(file, NULL, &options);

    for (int k = 0; k < 4; k++)
        g_assert_cmpint(judged->views[0].labels[k].status, ==, expected[k]);
    g_assert_cmpstr(dpcxr_label_status_name(DPCXR_LABEL_ONE_CLASS), ==, "one_class");
    /* one class: no AUROC, but a Brier score; no group is known */
    g_assert_true(isnan(dpcxr_judged_estimate(judged, 0, 1, DPCXR_METRIC_AUROC).value));
    g_assert_cmpfloat(dpcxr_judged_estimate(judged, 0, 1, DPCXR_METRIC_BRIER).value, ==, 0.25);
    g_assert_cmpuint(judged->n_views, ==, 1);
    /* the mean is over the one label that has it; half of the resamples of two images have one class */
    DpcxrSeries mean = dpcxr_judged_mean(judged, 0, DPCXR_METRIC_AUROC);
    DpcxrEstimate estimate = dpcxr_series_estimate(&mean, 0.95);
    g_assert_cmpfloat(estimate.value, ==, 1);
    g_assert_cmpuint(estimate.undefined, >, 5);
    g_assert_true(isnan(estimate.low) && isnan(estimate.high));
    dpcxr_series_clear(&mean);
}

static void test_bad_files(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"sample_id,y_a,p_a\n", "no column \"patient_id\""},
        {"sample_id,patient_id,y_a\n", ":1: no columns y_LABEL and p_LABEL"},
        {"sample_id,patient_id,y_a,p_a\n1,2,0.5,0.5\n", ":2: y_a is \"0.5\"; expected 1, 0 or nothing"},
        {"sample_id,patient_id,y_a,p_a\n1,2,1,high\n", ":2: p_a is \"high\"; expected a number"},
        {"sample_id,patient_id,y_a,p_a\n1,2,1,0.5\n1,2,0,0.5\n", ":3: the sample \"1\" is there twice"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(read_text(cases[i].text, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
        if (!strstr(error->message, cases[i].message))
            g_error("\"%s\" is not in \"%s\"", cases[i].message, error->message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/judge/read", test_read);
    g_test_add_func("/judge/golden", test_golden);
    g_test_add_func("/judge/groups", test_groups);
    g_test_add_func("/judge/gap-ends", test_gap_ends);
    g_test_add_func("/judge/no-gap", test_no_gap);
    g_test_add_func("/judge/intervals", test_intervals);
    g_test_add_func("/judge/delong", test_delong);
    g_test_add_func("/judge/statuses", test_statuses);
    g_test_add_func("/judge/bad-files", test_bad_files);
    return g_test_run();
}
