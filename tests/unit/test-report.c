/* SPDX-License-Identifier: MIT
 * What the report is made of: text, scales, tables, thinning, charts, bands, reading a run's files. */
#include "base/workers.h"
#include "report/chart-interval.h"
#include "report/chart-line.h"
#include "report/curve-bands.h"
#include "report/markup.h"
#include "report/run-files.h"
#include "report/scale.h"
#include "report/table.h"
#include "stats/ranking.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static void assert_text(char *text, const char *expected)
{
    g_assert_cmpstr(text, ==, expected);
    g_free(text);
}

static void test_escape(void)
{
    assert_text(dpcxr_markup_escape("a < b & \"c\" > 'd'"), "a &lt; b &amp; &quot;c&quot; &gt; &#39;d&#39;");
    assert_text(dpcxr_markup_escape("</script>"), "&lt;/script&gt;");
    assert_text(dpcxr_markup_escape("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\xA9\xBB"),
                "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\xA9\xBB");
    /* Not UTF-8: a lone byte, a cut sequence. Not XML: NUL aside, controls and U+FFFE. */
    assert_text(dpcxr_markup_escape("a\xFF"
                                    "b"),
                "a\xEF\xBF\xBD"
                "b");
    assert_text(dpcxr_markup_escape("x\xE2\x82"), "x\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_text(dpcxr_markup_escape("a\x01"
                                    "b\x7F"
                                    "c\td\n"),
                "a\xEF\xBF\xBD"
                "b\xEF\xBF\xBD"
                "c\td\n");
    assert_text(dpcxr_markup_escape("\xEF\xBF\xBE"), "\xEF\xBF\xBD");
    assert_text(dpcxr_markup_escape(NULL), "");
}

static void test_slug(void)
{
    g_autoptr(GString) slug = g_string_new("roc-");
    dpcxr_markup_slug(slug, "../nodule, small/\xC3\xA4 (left)");
    g_assert_cmpstr(slug->str, ==, "roc-nodule-small-left");
    g_string_truncate(slug, 0);
    dpcxr_markup_slug(slug, "///");
    g_assert_cmpstr(slug->str, ==, "x");
}

static void test_numbers(void)
{
    assert_text(dpcxr_number_text(0.12345, 3), "0.123");
    assert_text(dpcxr_number_text(-0.5, 2), "\xE2\x88\x92"
                                            "0.50");
    assert_text(dpcxr_number_text(-0.0001, 2), "0.00");
    assert_text(dpcxr_number_text(NAN, 2), "\xE2\x80\x93");
    assert_text(dpcxr_number_text(INFINITY, 2), "\xE2\x88\x9E");
    assert_text(dpcxr_interval_text(0.8, 0.75, 0.85, 2), "0.80 (0.75\xE2\x80\x93"
                                                         "0.85)");
    assert_text(dpcxr_interval_text(0, -0.1, 0.1, 1), "0.0 (\xE2\x88\x92"
                                                      "0.1 to 0.1)");
    assert_text(dpcxr_interval_text(0.8, NAN, 0.85, 2), "0.80");
    assert_text(dpcxr_interval_text(NAN, 0, 1, 2), "\xE2\x80\x93");
    assert_text(dpcxr_count_text(1234), "1234");
    assert_text(dpcxr_count_text(39809), "39\xE2\x80\xAF"
                                         "809");
    assert_text(dpcxr_count_text(1234567), "1\xE2\x80\xAF"
                                           "234\xE2\x80\xAF"
                                           "567");
}

/* The texts of all ticks with blanks between. (transfer full) */
static char *ticks_of(DpcxrScale scale, int wanted)
{
    double ticks[DPCXR_MAX_TICKS];
    int n = dpcxr_scale_ticks(&scale, wanted, ticks);
    GString *all = g_string_new(NULL);
    for (int i = 0; i < n; i++) {
        g_autofree char *text = dpcxr_tick_text(&scale, ticks, n, i);
        g_string_append_printf(all, "%s%s", i ? " " : "", text);
    }
    return g_string_free(all, FALSE);
}

static void test_ticks(void)
{
    assert_text(ticks_of(dpcxr_scale(0, 1, FALSE), 6), "0.0 0.2 0.4 0.6 0.8 1.0");
    assert_text(ticks_of(dpcxr_scale(0.61, 0.93, FALSE), 5), "0.7 0.8 0.9");
    assert_text(ticks_of(dpcxr_scale(0, 85, FALSE), 5), "0 20 40 60 80");
    assert_text(ticks_of(dpcxr_scale(-0.31, 0.12, FALSE), 5), "\xE2\x88\x92"
                                                              "0.3 \xE2\x88\x92"
                                                              "0.2 \xE2\x88\x92"
                                                              "0.1 0.0 0.1");
    assert_text(ticks_of(dpcxr_scale(0, 3e7, FALSE), 4), "0 1e+07 2e+07 3e+07");
    assert_text(ticks_of(dpcxr_scale_log(0.5, 20), 6), "0.5 1 2 5 10 20");
    assert_text(ticks_of(dpcxr_scale_log(11, 19), 4), "12 14 16 18");
    assert_text(ticks_of(dpcxr_scale_log(1e-12, 1e-4), 6), "1e-12 1e-10 1e-8 1e-6 1e-4");
}

/* Ticks lie within the scale, rise by equal steps, and are not too many, whatever the range. */
static void test_ticks_random(void)
{
    for (int i = 0; i < 20000; i++) {
        double low = g_test_rand_double_range(-1, 1) * pow(10, g_test_rand_int_range(-8, 9));
        double high = low + g_test_rand_double() * pow(10, g_test_rand_int_range(-6, 9)),
               ticks[DPCXR_MAX_TICKS];
        DpcxrScale scale = dpcxr_scale(low, high, i % 2);
        int wanted = g_test_rand_int_range(2, 12), n = dpcxr_scale_ticks(&scale, wanted, ticks);
        /* of the arithmetic of numbers that are large beside their range */
        double slack = 1e-6 * (scale.high - scale.low) + 1e-15 * fmax(fabs(low), fabs(high));
        g_assert_cmpint(n, >=, 1);
        g_assert_cmpint(n, <=, 2 * MIN(wanted, DPCXR_MAX_TICKS / 2) + 1);
        for (int k = 0; k < n; k++) {
            g_assert_cmpfloat(ticks[k], >=, scale.low - slack);
            g_assert_cmpfloat(ticks[k], <=, scale.high + slack);
            if (k > 1)
                g_assert_cmpfloat_with_epsilon(ticks[k] - ticks[k - 1], ticks[1] - ticks[0], slack);
        }
    }
}

static void test_scale(void)
{
    DpcxrScale scale = dpcxr_scale(10, 20, FALSE);
    scale.start = 100;
    scale.end = 0; /* a vertical axis */
    g_assert_cmpfloat(dpcxr_scale_at(&scale, 10), ==, 100);
    g_assert_cmpfloat(dpcxr_scale_at(&scale, 15), ==, 50);
    scale = dpcxr_scale_log(1, 100);
    g_assert_cmpfloat_with_epsilon(dpcxr_scale_at(&scale, 10), 0.5, 1e-12);
    /* What cannot be drawn becomes what can. */
    const DpcxrScale odd[] = {dpcxr_scale(NAN, NAN, TRUE), dpcxr_scale(INFINITY, -INFINITY, TRUE),
                              dpcxr_scale(3, 3, TRUE),     dpcxr_scale(0, 0, FALSE),
                              dpcxr_scale_log(0, 1),       dpcxr_scale_log(5, 5),
                              dpcxr_scale_log(NAN, 2)};
    for (gsize i = 0; i < G_N_ELEMENTS(odd); i++)
        g_assert_true(isfinite(odd[i].low) && isfinite(odd[i].high) && odd[i].low < odd[i].high &&
                      (!odd[i].log || odd[i].low > 0));
    scale = dpcxr_scale(0.13, 0.87, FALSE);
    dpcxr_scale_round(&scale, 5);
    g_assert_cmpfloat_with_epsilon(scale.low, 0, 1e-12);
    g_assert_cmpfloat_with_epsilon(scale.high, 1, 1e-12);
}

/* Every point that is left out is close to the kept one before it, and long staircases shrink. */
static void test_thin(void)
{
    enum { N = 40000 };
    g_autofree double *x = g_new(double, N), *y = g_new(double, N);
    for (int i = 0; i < N; i++) {
        x[i] = 250.0 * i / N;
        y[i] = 250 - 250 * sqrt((double)i / N);
    }
    g_autoptr(GArray) kept = dpcxr_thin(x, y, N, 0.4);
    gsize last = 0;
    g_assert_cmpuint(kept->len, <, 2000);
    g_assert_cmpuint(g_array_index(kept, gsize, 0), ==, 0);
    g_assert_cmpuint(g_array_index(kept, gsize, kept->len - 1), ==, N - 1);
    for (guint k = 1; k < kept->len; k++) {
        gsize next = g_array_index(kept, gsize, k);
        for (gsize i = last + 1; i < next; i++)
            g_assert_true(fabs(x[i] - x[last]) <= 0.4 && fabs(y[i] - y[last]) <= 0.4);
        last = next;
    }
}

static DpcxrTable *make_table(void)
{
    DpcxrTable *table = dpcxr_table_new("Odd & even");
    dpcxr_table_column(table, "label", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "n", DPCXR_COLUMN_COUNT, 0);
    dpcxr_table_column(table, "AUROC", DPCXR_COLUMN_INTERVAL, 3);
    dpcxr_table_text(table, "a, \"b\"");
    dpcxr_table_count(table, 12345);
    dpcxr_table_interval(table, 0.8123456789, 0.7, 0.9);
    dpcxr_table_text(table, "50 % <c_d>");
    dpcxr_table_count(table, 7);
    dpcxr_table_missing(table, "one class");
    return table;
}

static void test_table(void)
{
    g_autoptr(DpcxrTable) table = make_table();
    g_autoptr(GString) page = g_string_new(NULL);
    g_assert_cmpuint(dpcxr_table_rows(table), ==, 2);
    assert_text(dpcxr_table_to_csv(table), "label,n,AUROC,AUROC_low,AUROC_high\n"
                                           "\"a, \"\"b\"\"\",12345,0.8123456789,0.7,0.9\n"
                                           "50 % <c_d>,7,,,\n");
    assert_text(dpcxr_table_to_latex(table), "% needs \\usepackage{booktabs}\n"
                                             "\\begin{tabular}{lrr}\n\\toprule\n"
                                             "label & n & AUROC \\\\\n\\midrule\n"
                                             "a, \"b\" & 12\\,345 & 0.812 (0.700--0.900) \\\\\n"
                                             "50 \\% \\textless{}c\\_d\\textgreater{} & 7 & one class \\\\\n"
                                             "\\bottomrule\n\\end{tabular}\n");
    dpcxr_table_to_page(table, page);
    g_assert_nonnull(strstr(page->str, "<caption>Odd &amp; even</caption>"));
    g_assert_nonnull(strstr(page->str, "<th scope=\"row\">50 % &lt;c_d&gt;</th>"));
    g_assert_nonnull(strstr(page->str, "<td class=\"number missing\">one class</td>"));
}

/* A bound is never shown smaller than it is, nor written so. */
static void test_bounds(void)
{
    g_autoptr(DpcxrTable) table = dpcxr_table_new(NULL);
    g_autoptr(GString) page = g_string_new(NULL);
    dpcxr_table_column(table, "epsilon", DPCXR_COLUMN_UPPER_BOUND, 2);
    dpcxr_table_number(table, 9.2246);
    dpcxr_table_number(table, 13.493478250576);
    dpcxr_table_number(table, NAN);
    dpcxr_table_to_page(table, page);
    g_assert_nonnull(strstr(page->str, ">9.23<"));
    g_assert_nonnull(strstr(page->str, ">13.50<"));
    assert_text(dpcxr_table_to_csv(table), "epsilon\n9.2246\n13.493478250576\n\n");
}

/* What has no value is not drawn, neither at a place of its own nor as text "nan". */
static void test_charts(void)
{
    const double x[] = {0, 1, 2, 3}, y[] = {0.2, NAN, 0.4, 0.5}, low[] = {0.1, NAN, NAN, 0.4},
                 high[] = {0.3, NAN, 0.5, 0.6};
    const DpcxrChartSeries series[] = {
        {.kind = DPCXR_SERIES_LINE, .name = "a<b", .n = 4, .x = x, .y = y, .low = low, .high = high},
        {.kind = DPCXR_SERIES_LINE_POINTS,
         .name = "c",
         .colour = 1,
         .n = 4,
         .x = x,
         .y = y,
         .low = low,
         .high = high},
        {.kind = DPCXR_SERIES_LINE, .n = 0}};
    DpcxrLineChart lines = {
        .label = "lines",
        .width = 300,
        .height = 200,
        .series = series,
        .n_series = 3,
        .legend = TRUE,
        .frame = {.x = dpcxr_scale(0, 3, FALSE), .y = dpcxr_scale(0, 1, FALSE), .x_ticks = 4, .y_ticks = 4},
        .x_name = "x",
        .y_name = "y",
        .x_digits = 1,
        .y_digits = 1};
    const DpcxrIntervalRow rows[] = {
        {.name = "F", .heading = TRUE, .value = NAN, .low = NAN, .high = NAN},
        {.name = "small", .value = NAN, .low = NAN, .high = NAN, .missing = "too small"},
        {.name = "good", .value = 0.7, .low = 0.6, .high = 0.8},
        {.name = "bare", .value = 0.5, .low = NAN, .high = NAN}};
    DpcxrIntervalChart intervals = {.label = "intervals",
                                    .x = dpcxr_interval_scale(rows, 4, NAN),
                                    .reference = NAN,
                                    .digits = 2,
                                    .rows = rows,
                                    .n_rows = 4};
    g_autoptr(DpcxrSvg) first = dpcxr_line_chart(&lines);
    g_autoptr(DpcxrSvg) second = dpcxr_interval_chart(&intervals);
    g_assert_null(strstr(first->body->str, "nan"));
    g_assert_null(strstr(second->body->str, "nan"));
    g_assert_nonnull(strstr(first->body->str, "<title>a&lt;b: x 0.0, y 0.2 (0.1"));
    g_assert_nonnull(strstr(second->body->str, ">too small</text>"));
    g_assert_nonnull(strstr(second->body->str, "<title>bare: 0.50</title>"));
}

/* Bands around a curve of one image a patient, against sorting and counting it all out for each resample is
 * done in the bootstrap's own tests; here: they hold the curve, and narrow where there are more patients. */
static double band_width(gsize n, DpcxrWorkers *workers)
{
    g_autofree double *scores = g_new(double, n);
    g_autofree guint8 *truths = g_new(guint8, n);
    g_autofree guint32 *patients = g_new(guint32, n);
    g_autofree DpcxrBands *bands = g_new(DpcxrBands, 1);
    double width = 0;
    for (gsize i = 0; i < n; i++) {
        truths[i] = i % 3 == 0;
        scores[i] = (double)((i * 7919) % n) / (double)n + (truths[i] ? 0.3 : 0);
        patients[i] = (guint32)i;
    }
    g_autoptr(DpcxrScored) sample = dpcxr_scored_new(scores, truths, n);
    dpcxr_curve_bands(&sample, 1, patients, n, 200, 0.95, 1, workers, bands);
    gsize n_points;
    g_autofree DpcxrCurvePoint *points = dpcxr_curve(sample, &n_points);
    for (gsize i = 0; i < n_points; i++) {
        double fpr = (double)points[i].fp / (double)(n - sample->positives);
        double tpr = (double)points[i].tp / (double)sample->positives;
        int k = (int)floor(fpr * (DPCXR_BAND_POINTS - 1));
        if (k < 5 || k > 90)
            continue;
        g_assert_cmpfloat(tpr, >=, bands->roc_low[k] - 1e-9);
        g_assert_cmpfloat(tpr, <=, bands->roc_high[k + 1] + 1e-9);
    }
    for (int k = 10; k < 90; k++) {
        g_assert_cmpfloat(bands->roc_low[k], <=, bands->roc_low[k + 1]);
        width += bands->roc_high[k] - bands->roc_low[k];
    }
    return width / 80;
}

static void test_bands(void)
{
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(2, NULL);
    double few = band_width(150, workers), many = band_width(2400, workers);
    g_assert_cmpfloat(few, >, 2.5 * many); /* sixteen times the patients: a quarter of the width */
    g_assert_cmpfloat(many, >, 0.01);
}

/* A resample that is the sample itself, many times over, has the curve's own height. */
static void test_bands_exact(void)
{
    const double scores[] = {0.9, 0.8, 0.7, 0.6};
    const guint8 truths[] = {1, 0, 1, 0};
    const guint32 patients[] = {0, 0, 0, 0}; /* one patient: every resample is the data */
    g_autoptr(DpcxrScored) sample = dpcxr_scored_new(scores, truths, 4);
    g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(1, NULL);
    g_autofree DpcxrBands *bands = g_new(DpcxrBands, 1);
    dpcxr_curve_bands(&sample, 1, patients, 1, 20, 0.95, 1, workers, bands);
    const struct {
        int place;
        double roc, pr;
    } expected[] = {{0, 0.5, 1}, {25, 0.5, 1}, {49, 0.5, 1}, {50, 1, 1}, {51, 1, 2.0 / 3}, {100, 1, 2.0 / 3}};
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        int k = expected[i].place;
        g_assert_cmpfloat_with_epsilon(bands->roc_low[k], expected[i].roc, 1e-12);
        g_assert_cmpfloat_with_epsilon(bands->roc_high[k], expected[i].roc, 1e-12);
        g_assert_cmpfloat_with_epsilon(bands->pr_low[k], expected[i].pr, 1e-12);
        g_assert_cmpfloat_with_epsilon(bands->pr_high[k], expected[i].pr, 1e-12);
    }
}

/* A folder with one file; removed by the caller. (transfer full) */
static char *make_run(const char *file, const char *content)
{
    g_autoptr(GError) error = NULL;
    char *root = g_dir_make_tmp("dpcxr-report-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *folder = g_build_filename(root, "private", NULL),
                    *path = g_build_filename(folder, file, NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    g_file_set_contents(path, content, -1, &error);
    g_assert_no_error(error);
    return root;
}

static void remove_run(char *root, const char *file)
{
    g_autofree char *folder = g_build_filename(root, "private", NULL),
                    *path = g_build_filename(folder, file, NULL);
    g_unlink(path);
    g_rmdir(folder);
    g_rmdir(root);
    g_free(root);
}

/* Steps that were done again have the later value, what came after is gone, a cut line is no error. */
static void test_traces(void)
{
    char *root = make_run("metrics.jsonl",
                          "{\"step\":1,\"epoch\":0.1,\"name\":\"train_loss\",\"value\":0.9,\"wall\":1}\n"
                          "{\"step\":2,\"epoch\":0.2,\"name\":\"train_loss\",\"value\":0.8,\"wall\":2}\n"
                          "{\"step\":3,\"epoch\":0.3,\"name\":\"train_loss\",\"value\":0.7,\"wa\n"
                          "{\"step\":3,\"epoch\":0.3,\"name\":\"train_loss\",\"value\":null,\"wall\":3}\n"
                          "{\"step\":2,\"epoch\":0.2,\"name\":\"train_loss\",\"value\":0.85,\"wall\":4}\n");
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrRunFiles) files = dpcxr_run_files_read(root, FALSE, &error);
    g_assert_no_error(error);
    const DpcxrTrace *trace = dpcxr_run_files_trace(files, "train_loss");
    g_assert_nonnull(trace);
    g_assert_cmpuint(trace->steps->len, ==, 2);
    g_assert_cmpfloat(g_array_index(trace->steps, double, 1), ==, 2);
    g_assert_cmpfloat(g_array_index(trace->values, double, 1), ==, 0.85);
    g_assert_null(dpcxr_run_files_trace(files, "epsilon_so_far"));
    remove_run(root, "metrics.jsonl");
}

static void test_refusals(void)
{
    GError *error = NULL;
    g_assert_null(dpcxr_run_files_read("/nowhere/at/all", FALSE, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_clear_error(&error);
    char *root = make_run("results.json", "{\"schema\": 1}");
    g_assert_null(dpcxr_run_files_read(root, FALSE, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_assert_nonnull(strstr(error->message, "schema 1"));
    g_clear_error(&error);
    /* Nothing is released of a run without a release. */
    g_assert_null(dpcxr_run_files_read(root, TRUE, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_clear_error(&error);
    remove_run(root, "results.json");
    root = make_run("results.json", "[1]");
    g_assert_null(dpcxr_run_files_read(root, FALSE, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_clear_error(&error);
    remove_run(root, "results.json");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/escape", test_escape);
    g_test_add_func("/report/slug", test_slug);
    g_test_add_func("/report/numbers", test_numbers);
    g_test_add_func("/report/ticks", test_ticks);
    g_test_add_func("/report/ticks/random", test_ticks_random);
    g_test_add_func("/report/scale", test_scale);
    g_test_add_func("/report/thin", test_thin);
    g_test_add_func("/report/table", test_table);
    g_test_add_func("/report/bounds", test_bounds);
    g_test_add_func("/report/charts", test_charts);
    g_test_add_func("/report/bands", test_bands);
    g_test_add_func("/report/bands/exact", test_bands_exact);
    g_test_add_func("/report/traces", test_traces);
    g_test_add_func("/report/refusals", test_refusals);
    return g_test_run();
}
