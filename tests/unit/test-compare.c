/* SPDX-License-Identifier: MIT
 * Comparisons: AUROCs, differences and correlations against scikit-learn and SciPy
 * (tests/golden/compare/make.py); runs in another order; runs that cannot be compared; p of what is and is
 * not different. */
#include "base/files.h"
#include "report/compare.h"
#include <dpcxr/dataset.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static const char results[] =
    "{\"schema\": 2, \"name\": \"%s\", \"labels\": [\"effusion\", \"nodule, small\", \"edema\", \"rare\"],\n"
    " \"splits\": {\"test\": {\"groups\": {\n"
    "   \"sex\": {\"columns\": [\"sex\"], \"values\": {\"F\": {}, \"M\": {}}},\n"
    "   \"age\": {\"columns\": [\"age\"], \"values\": {\"0-30\": {}, \"30-60\": {}, \"60-100\": {}}},\n"
    "   \"sex x age\": {\"columns\": [\"sex\", \"age\"], \"values\": {\"F x 0-30\": {}}}}}}}\n";

static char *golden(const char *name)
{
    g_autofree char *path =
        g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "compare", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static void write_text(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

/* PLACE/NAME as a run folder with these predictions. @claim (nullable): privacy.json. (transfer full) */
static char *make_run(const char *place, const char *name, const char *predictions, const char *claim)
{
    char *root = g_build_filename(place, name, NULL);
    g_autofree char *private_dir = g_build_filename(root, "private", NULL);
    g_autofree char *release = g_build_filename(root, "release", NULL);
    g_autofree char *text = g_strdup_printf(results, name);
    g_assert_cmpint(g_mkdir_with_parents(private_dir, 0700), ==, 0);
    write_text(private_dir, "results.json", text);
    write_text(private_dir, "predictions-test.csv", predictions);
    if (claim) {
        g_assert_cmpint(g_mkdir_with_parents(release, 0700), ==, 0);
        write_text(release, "privacy.json", claim);
    }
    return root;
}

static const char claim[] =
    "{\"name\": \"private\", \"claim\": {\"epsilon\": 3.0, \"delta\": 1e-4, \"accountant\": \"rdp\"}}";

typedef struct {
    char *place, *open, *private_run;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    g_autofree char *open = golden("open.csv"), *private_csv = golden("private.csv");
    f->place = g_dir_make_tmp("dpcxr-compare-XXXXXX", NULL);
    f->open = make_run(f->place, "open", open, NULL);
    f->private_run = make_run(f->place, "private", private_csv, claim);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    dpcxr_remove_tree(f->place);
    g_free(f->place);
    g_free(f->open);
    g_free(f->private_run);
}

static const DpcxrCompareOptions options = {
    .split = "test", .margin = 0.05, .replicates = 400, .level = 0.95, .seed = 1, .min_n = 20, .min_pos = 5};

static DpcxrComparison *compare(const char *first, const char *second, GError **error)
{
    const char *roots[] = {first, second, NULL};
    return dpcxr_compare(roots, &options, error);
}

static void check_value(const char *name, const DpcxrComparedValue *open,
                        const DpcxrComparedValue *private_value, double open_auroc, double private_auroc)
{
    g_test_message("%s", name);
    if (isnan(open_auroc)) {
        g_assert_true(isnan(open->auroc.value) && isnan(private_value->auroc.value));
        g_assert_true(isnan(private_value->difference.value) && isnan(private_value->p));
        return;
    }
    g_assert_cmpfloat_with_epsilon(open->auroc.value, open_auroc, 1e-9);
    g_assert_cmpfloat_with_epsilon(private_value->auroc.value, private_auroc, 1e-9);
    g_assert_cmpfloat_with_epsilon(private_value->difference.value, private_auroc - open_auroc, 1e-9);
    g_assert_true(isnan(open->difference.value) && isnan(open->p));
    g_assert_cmpfloat(private_value->difference.low, <, private_value->difference.value);
    g_assert_cmpfloat(private_value->difference.high, >, private_value->difference.value);
}

/* A row of expected.csv. */
static void check_row(const DpcxrComparison *c, const DpcxrCsv *csv)
{
    const DpcxrComparedRun *open = dpcxr_compared_run(c, 1), *run = dpcxr_compared_run(c, 0);
    const char *what = dpcxr_csv_cell(csv, 0), *name = dpcxr_csv_cell(csv, 1);
    double first = g_ascii_strtod(dpcxr_csv_cell(csv, 2), NULL),
           second = g_ascii_strtod(dpcxr_csv_cell(csv, 3), NULL);
    gboolean found = FALSE;
    if (g_str_equal(what, "mean")) {
        check_value("mean", &open->mean, &run->mean, first, second);
        found = TRUE;
    }
    for (gsize i = 0; i < c->n_labels && g_str_equal(what, "label"); i++)
        if (g_str_equal(c->labels[i], name)) {
            check_value(name, &open->labels[i], &run->labels[i], first, second);
            found = TRUE;
        }
    for (gsize i = 0; i < c->n_groups && g_str_equal(what, "group"); i++) {
        g_autofree char *full = g_strdup_printf("%s %s", c->groups[i].grouping, c->groups[i].value);
        if (g_str_equal(full, name)) {
            check_value(name, &open->groups[i], &run->groups[i], first, second);
            found = TRUE;
        }
    }
    if (g_str_equal(what, "relation")) {
        const DpcxrRelation *r = g_str_equal(name, "size") ? &run->with_size : &run->with_prevalence;
        g_assert_cmpfloat_with_epsilon(r->r, first, 1e-9);
        g_assert_cmpfloat_with_epsilon(r->p, second, 1e-9);
        found = TRUE;
    }
    g_assert_true(found);
}

/* The private run comes first and is in another order; the baseline is the one without a claim all the same. */
static void test_golden(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrComparison) c = compare(f->private_run, f->open, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(c->baseline, ==, 1);
    g_assert_cmpuint(c->n, ==, 150);
    g_assert_cmpuint(c->n_groups, ==, 5);
    g_assert_cmpfloat(dpcxr_compared_run(c, 0)->epsilon, ==, 3);
    g_assert_true(isnan(dpcxr_compared_run(c, 1)->epsilon));
    g_autofree char *path =
        g_build_filename(g_getenv("DPCXR_SOURCE"), "tests", "golden", "compare", "expected.csv", NULL);
    g_autoptr(DpcxrCsv) csv = dpcxr_csv_open(path, &error);
    g_assert_no_error(error);
    int rows = 0;
    for (; dpcxr_csv_next(csv, &error); rows++)
        check_row(c, csv);
    g_assert_no_error(error);
    g_assert_cmpint(rows, >=, 10);
}

/* Groups below min_n have no numbers. */
static void test_small(Fixture *f, gconstpointer data)
{
    g_autoptr(DpcxrComparison) c = compare(f->open, f->private_run, NULL);
    gsize small = 0;
    for (gsize i = 0; i < c->n_groups; i++) {
        small += c->groups[i].small;
        g_assert_true(c->groups[i].small == (c->groups[i].n < 20));
        if (c->groups[i].small)
            g_assert_true(isnan(dpcxr_compared_run(c, 1)->groups[i].auroc.value));
    }
    g_assert_cmpuint(small, ==, 1);
}

/* What is clearly different has the smallest p that there is; the same has 1, and is not inferior. */
static void test_p(Fixture *f, gconstpointer data)
{
    g_autofree char *open = golden("open.csv"), *twin = make_run(f->place, "twin", open, NULL);
    const char *roots[] = {f->open, f->private_run, twin, NULL};
    g_autoptr(DpcxrComparison) c = dpcxr_compare(roots, &options, NULL);
    const DpcxrComparedRun *worse = dpcxr_compared_run(c, 1), *same = dpcxr_compared_run(c, 2);
    g_assert_cmpfloat_with_epsilon(worse->mean.p, 2.0 / 401, 1e-12);
    g_assert_cmpfloat_with_epsilon(worse->mean.p_holm, 4.0 / 401, 1e-12); /* the smaller of two */
    g_assert_cmpfloat(worse->p_not_inferior, >, 0.9);
    g_assert_cmpfloat(same->mean.p, ==, 1);
    g_assert_cmpfloat(same->mean.difference.low, ==, 0);
    g_assert_cmpfloat(same->mean.difference.high, ==, 0);
    g_assert_cmpfloat_with_epsilon(same->p_not_inferior, 1.0 / 401, 1e-12);
}

/* Replaces the first @from. (transfer full) */
static char *replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    g_assert_nonnull(at);
    return g_strdup_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void check_refused(const Fixture *f, const char *predictions, const char *message)
{
    g_autofree char *other = make_run(f->place, "other", predictions, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(compare(f->open, other, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, message));
    dpcxr_remove_tree(other);
}

static void test_refusals(Fixture *f, gconstpointer data)
{
    g_autofree char *open = golden("open.csv"), *image = replace(open, "\ns7,", "\nt7,");
    g_autofree char *label = replace(open, "y_edema", "y_other"),
                    *no_label = replace(label, "p_edema", "p_other");
    g_auto(GStrv) lines = g_strsplit(open, "\n", 0);
    g_autofree char *row = g_strjoinv("\n", lines + 1),
                    *short_file = g_strdup_printf("%s\n%s", lines[0], strchr(row, '\n') + 1);
    g_auto(GStrv) cells = g_strsplit(lines[3], ",", 0);
    char *other_truth = g_strdup(*cells[4] == '1' ? "0" : "1");
    g_free(cells[4]);
    cells[4] = other_truth;
    g_autofree char *changed = g_strjoinv(",", cells), *truth = replace(open, lines[3], changed);
    check_refused(f, image, "an image of the one is not in the other (s7)");
    check_refused(f, no_label, "a label of the one is not in the other (other)");
    check_refused(f, short_file, "an image of the one is not in the other (s0)");
    check_refused(f, truth, "the truth is not the same (label effusion, sample s2)");
}

static void test_usage(Fixture *f, gconstpointer data)
{
    const char *one[] = {f->open, NULL}, *two[] = {f->open, f->private_run, NULL};
    DpcxrCompareOptions other = options;
    GError *error = NULL;
    g_assert_null(dpcxr_compare(one, &options, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_clear_error(&error);
    other.baseline = "elsewhere";
    g_assert_null(dpcxr_compare(two, &other, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_clear_error(&error);
    other.baseline = NULL;
    other.split = "valid";
    g_assert_null(dpcxr_compare(two, &other, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    g_clear_error(&error);
    /* A folder that is something else stays as it is. */
    g_autoptr(DpcxrComparison) c = dpcxr_compare(two, &options, &error);
    g_assert_no_error(error);
    g_assert_false(dpcxr_comparison_write(c, f->open, FALSE, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_clear_error(&error);
}

static void check_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL), *content = NULL;
    GStatBuf info;
    g_file_get_contents(path, &content, NULL, NULL);
    g_assert_nonnull(content);
    g_assert_nonnull(strstr(content, text));
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
}

static void test_files(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrComparison) c = compare(f->open, f->private_run, &error);
    g_autofree char *folder = g_build_filename(f->place, "comparison", NULL);
    for (int again = 0; again < 2; again++) { /* a comparison may be made again */
        dpcxr_comparison_write(c, folder, FALSE, &error);
        g_assert_no_error(error);
    }
    check_file(folder, "comparison.html", "nodule, small");
    check_file(folder, "comparison.json", "\"p_holm\"");
    check_file(folder, "runs.csv", "private,3.00,0.0001,rdp,0.");
    check_file(folder, "runs.tex", "\\toprule");
    check_file(folder, "labels.csv", "open,\"nodule, small\",");
    check_file(folder, "groups.csv", "private,sex,F,");
    check_file(folder, "figures/auroc-epsilon.svg", "epsilon 3.00 by rdp");
    check_file(folder, "figures/auroc-epsilon.csv", "rdp,private,3,0.");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(NAME, FUNCTION) g_test_add("/compare/" NAME, Fixture, NULL, set_up, FUNCTION, tear_down)
    ADD("golden", test_golden);
    ADD("small", test_small);
    ADD("p", test_p);
    ADD("refusals", test_refusals);
    ADD("usage", test_usage);
    ADD("files", test_files);
    return g_test_run();
}
