/* SPDX-License-Identifier: MIT
 * The table of published values, row by row: every accountant of ours that covers a row is consistent with it, by its kind.
 * Exact: within 0.1 %, the truth inside of our intervals. Upper estimates: ours not above them. Coarse orders: ours not
 * above them. A row that is not covered has to be on a short list, with why. */
#include <math.h>
#include <string.h>
#include "config/options.h"
#include "privacy/accounting.h"
#include "privacy/group.h"

typedef struct {
    char **cells;
    const char *kind;
    double delta, epsilon, digit; /* digit: of the last place that is printed */
    DpcxrEvent event;
    DpcxrMechanism mechanism;
} Row;

enum { ACCOUNTANT, Q, SIGMA, STEPS, DELTA, EPSILON, ADJACENCY, CONVERSION, SOURCE, NOTE, COLUMNS };

/* Rows that nothing of ours answers, by kind and rate, and why. It shrinks. */
static const struct {
    const char *kind, *q, *sigma, *why;
} not_covered[] = {
    {"RDP-tree", "1", "1.13", "DP-FTRL's tree aggregation is no mechanism of dpcxr"},
    {"RDP-tree", "1", "8.83", "DP-FTRL's tree aggregation is no mechanism of dpcxr"},
    {"PLD-Fourier", "0.01", "4.0", "the delta does not belong to epsilon 1 (there it is 1e-34), and the source does not say to which"},
    {"PLD-Fourier", "0.01", "2.0", "substitute: Poisson samples under replace_one are refused"},
    {"PLD-Fourier", "0.01", "1.0", "substitute: Poisson samples under replace_one are refused"},
};

/* --- The table --- */

/* Cells of one line of CSV, where a cell may be in quotes and have commas and doubled quotes. (transfer full) */
static char **split_line(const char *line)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new();
    GString *cell = g_string_new(NULL);
    gboolean quoted = FALSE;
    for (const char *at = line;; at++) {
        if (*at == '"' && quoted && at[1] == '"')
            g_string_append_c(cell, *++at);
        else if (*at == '"')
            quoted = !quoted;
        else if (*at == '\0' || (*at == ',' && !quoted)) {
            g_ptr_array_add(cells, g_string_free(cell, FALSE));
            if (*at == '\0')
                break;
            cell = g_string_new(NULL);
        } else
            g_string_append_c(cell, *at);
    }
    g_ptr_array_add(cells, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&cells), FALSE);
}

/* One in the last place of a decimal number: 0.001 for 1.616; 2.16 may be 2.169 cut off. */
static double last_digit(const char *text)
{
    const char *point = strchr(text, '.');
    return point ? pow(10, -(double)strspn(point + 1, "0123456789")) : 0;
}

static void row_init(Row *row, const char *line)
{
    row->cells = split_line(line);
    g_assert_cmpuint(g_strv_length(row->cells), ==, COLUMNS);
    row->kind = row->cells[ACCOUNTANT];
    row->delta = g_ascii_strtod(row->cells[DELTA], NULL);
    row->epsilon = g_ascii_strtod(row->cells[EPSILON], NULL);
    row->digit = last_digit(row->cells[EPSILON]);
    double q = g_ascii_strtod(row->cells[Q], NULL);
    row->event = (DpcxrEvent){.sampler = q == 1 ? DPCXR_SAMPLER_FULL : DPCXR_SAMPLER_POISSON,
                              .sampling_rate = q,
                              .noise_multiplier = g_ascii_strtod(row->cells[SIGMA], NULL),
                              .count = g_ascii_strtoull(row->cells[STEPS], NULL, 10)};
    row->mechanism = (DpcxrMechanism){DPCXR_ADJACENCY_ADD_REMOVE, &row->event, 1};
    if (g_str_equal(row->kind, "RDP-WOR")) { /* its noise multiplier is relative to C, as ours */
        row->event.sampler = DPCXR_SAMPLER_FIXED;
        row->event.population = 100000;
        row->event.cap = (guint64)lround(q * 100000);
        row->mechanism.adjacency = DPCXR_ADJACENCY_REPLACE_ONE;
    }
    if (g_str_equal(row->cells[ADJACENCY], "substitute"))
        row->mechanism.adjacency = DPCXR_ADJACENCY_REPLACE_ONE;
}

static char *read_table(const char *path)
{
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    if (*text == '#')
        memmove(text, strchr(text, '\n') + 1, strlen(strchr(text, '\n') + 1) + 1);
    return text;
}

static char *golden_path(void)
{
    return g_build_filename(g_getenv("DPCXR_SOURCE"), "tests/golden/accounting/accountants.csv", NULL);
}

/* --- Accountants --- */

static DpcxrFeature feature_new(const char *name, const char *options)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, name, &error);
    g_assert_no_error(error);
    DpcxrOptions *values = dpcxr_options_parse(entry->plugin->options, options, &error);
    g_assert_no_error(error);
    return (DpcxrFeature){(char *)name, entry, values};
}

/* FALSE where the accountant refuses. */
static gboolean epsilon_by(const Row *row, const char *name, const char *options, guint64 group, DpcxrInterval *epsilon)
{
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new(name, options);
    gboolean done = dpcxr_group_epsilon(&feature, &row->mechanism, group, row->delta, epsilon, &error);
    if (!done)
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    dpcxr_options_free(feature.options);
    return done;
}

static gboolean delta_by(const Row *row, const char *name, double epsilon, DpcxrInterval *delta)
{
    DpcxrFeature feature = feature_new(name, "");
    gboolean done = dpcxr_account_delta(&feature, &row->mechanism, epsilon, delta, NULL);
    dpcxr_options_free(feature.options);
    return done;
}

static void expect(const Row *row, const char *name, const char *what, double value, double low, double high)
{
    if (!(value >= low && value <= high))
        g_error("%s, rate %s, noise %s, %s steps: %s of %s is %.12g, not in %.12g to %.12g", row->kind, row->cells[Q],
                row->cells[SIGMA], row->cells[STEPS], what, name, value, low, high);
}

static const char *const numerical[] = {"pld", "prv", "gaussian"};

/* --- Kinds of rows; each returns whether any accountant answered --- */

static gboolean check_exact(const Row *row)
{
    int answers = 0;
    DpcxrInterval e;
    for (gsize i = 0; i < G_N_ELEMENTS(numerical); i++) {
        if (!epsilon_by(row, numerical[i], "", 1, &e))
            continue;
        answers++;
        expect(row, numerical[i], "the lower end", e.lower, row->epsilon * 0.999, row->epsilon * (1 + 1e-5));
        expect(row, numerical[i], "the upper end", e.upper, row->epsilon * (1 - 1e-5), row->epsilon * 1.001);
    }
    if (epsilon_by(row, "rdp", "", 1, &e))
        expect(row, "rdp", "epsilon", e.upper, row->epsilon * (1 - 1e-5), INFINITY);
    return answers > 0;
}

/* The source's own discretisation adds up to 2 %, and 0.011 (for groups up to 8 %: 5.00008, where the central limit of the
 * mixture of both units says 4.5 and ours 4.60); ours at the accuracy that is asked for, 1e-4, is below.
 * What is printed with few digits may be cut off. */
static gboolean check_upper(const Row *row, guint64 group)
{
    int answers = 0;
    double printed = row->digit > 1e-5 ? row->digit : 1e-9;
    for (gsize i = 0; i < G_N_ELEMENTS(numerical); i++) {
        DpcxrInterval e;
        const char *options = g_str_equal(numerical[i], "pld") ? "{accuracy: 1e-4}" : "";
        if (!epsilon_by(row, numerical[i], options, group, &e) || e.lower == -INFINITY)
            continue; /* a group bound is no number of theirs */
        answers++;
        double slack = g_str_equal(numerical[i], "pld") && group == 1 ? 1e-4 : 1e-3; /* width aimed at */
        expect(row, numerical[i], "the lower end", e.lower, row->epsilon * (group == 1 ? 0.98 : 0.92) - 0.011 - row->digit,
               row->epsilon + printed);
        expect(row, numerical[i], "the upper end", e.upper, e.lower, row->epsilon * (1 + slack) + printed);
    }
    return answers > 0;
}

/* Ours takes the best order, and the better conversion. */
static gboolean check_coarse(const Row *row, guint64 group)
{
    DpcxrInterval e, truth;
    if (!epsilon_by(row, "rdp", "", group, &e))
        return FALSE;
    expect(row, "rdp", "epsilon", e.upper, 0, row->epsilon * (1 + 1e-9) + (row->digit > 1e-5 ? row->digit : 0));
    if (group == 1 && epsilon_by(row, "pld", "", 1, &truth))
        expect(row, "rdp", "epsilon", e.upper, truth.lower, INFINITY);
    return TRUE;
}

/* The source takes the moments of Poisson samples at half the noise (its value is that of its row with noise 4). Ours are
 * bounds that are proven for an exchange (rdp: Wang et al. 2019; pld and prv: Balle et al. 2018), and above it: by 10 % and
 * by 1.1 %. */
static gboolean check_without_replacement(const Row *row)
{
    DpcxrInterval e;
    if (!epsilon_by(row, "rdp", "", 1, &e))
        return FALSE;
    expect(row, "rdp", "epsilon", e.upper, row->epsilon, row->epsilon * 1.1);
    for (gsize i = 0; i < G_N_ELEMENTS(numerical); i++) {
        if (epsilon_by(row, numerical[i], "", 1, &e))
            expect(row, numerical[i], "the upper end", e.upper, row->epsilon, row->epsilon * 1.012);
    }
    return TRUE;
}

static gboolean check_approximation(const Row *row)
{
    DpcxrInterval e;
    if (!epsilon_by(row, "gdp", "", 1, &e))
        return FALSE;
    expect(row, "gdp", "epsilon", e.estimate, row->epsilon * 0.997 - 0.01, row->epsilon * 1.003 + 0.01);
    return TRUE;
}

/* The noise that the source finds is enough by ours, and ours finds no more. */
static gboolean check_calibration(const Row *row, const char *name)
{
    DpcxrInterval e;
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new(name, "");
    double noise = 0;
    DpcxrEvent steps = row->event;
    gboolean approximate = dpcxr_account_is_approximate(&feature);
    g_assert_true(epsilon_by(row, name, "", 1, &e));
    double value = approximate ? e.estimate : e.upper;
    expect(row, name, "epsilon", value, row->epsilon * 0.98 - 0.011, row->epsilon * 1.001);
    if (!approximate) {
        g_assert_true(dpcxr_calibrate_noise(&feature, NULL, &steps, DPCXR_ADJACENCY_ADD_REMOVE, row->epsilon, row->delta,
                                            &noise, &error));
        expect(row, name, "the noise", noise, 0, row->event.noise_multiplier * 1.001);
    }
    dpcxr_options_free(feature.options);
    return TRUE;
}

/* Delta at epsilon 1, within 0.1 %. The source's grid is off by up to 1.4e-4 (0.239176 for rate 0.01, noise 1, where the contour
 * integral of pld-oracle.py has 0.2391430). */
static gboolean check_delta(const Row *row)
{
    DpcxrInterval d;
    int answers = 0;
    if (row->delta < 1e-5) /* on the list */
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(numerical); i++) {
        if (!delta_by(row, numerical[i], row->epsilon, &d))
            continue;
        answers++;
        expect(row, numerical[i], "the lower end of delta", d.lower, row->delta * 0.999, row->delta * (1 + 2e-4));
        expect(row, numerical[i], "the upper end of delta", d.upper, row->delta * (1 - 2e-4), row->delta * 1.001);
    }
    return answers > 0;
}

/* Where the source fails: one far above the truth, one that raises an error. Ours answers, and well. */
static gboolean check_failure(const Row *row)
{
    int answers = 0;
    DpcxrInterval e, rdp;
    g_assert_true(epsilon_by(row, "rdp", "", 1, &rdp));
    if (isfinite(row->epsilon) && row->epsilon > 0)
        expect(row, "rdp", "epsilon", rdp.upper, 0, 0.669); /* by the same source's note */
    for (gsize i = 0; i < G_N_ELEMENTS(numerical); i++) {
        if (!epsilon_by(row, numerical[i], "", 1, &e))
            continue;
        answers++;
        expect(row, numerical[i], "the upper end", e.upper, e.lower, rdp.upper * (1 + 1e-3));
        expect(row, numerical[i], "the lower end", e.lower, e.upper * 0.99, e.upper);
    }
    return answers > 0;
}

static gboolean check_row(const Row *row)
{
    const char *kind = row->kind;
    if (g_str_equal(kind, "exact-Gaussian"))
        return check_exact(row);
    if (g_str_equal(kind, "PRV") || g_str_equal(kind, "PLD"))
        return check_upper(row, 1);
    if (g_str_equal(kind, "PLD-group2"))
        return check_upper(row, 2);
    if (g_str_equal(kind, "RDP") || g_str_equal(kind, "moments-accountant") )
        return check_coarse(row, 1);
    if (g_str_equal(kind, "RDP-WOR"))
        return check_without_replacement(row);
    if (g_str_equal(kind, "RDP-group3"))
        return check_coarse(row, 3);
    if (g_str_equal(kind, "RDP-group10"))
        return check_coarse(row, 10);
    if (g_str_equal(kind, "GDP-CLT"))
        return check_approximation(row);
    if (g_str_equal(kind, "RDP-calib"))
        return check_calibration(row, "rdp");
    if (g_str_equal(kind, "PRV-calib") || g_str_equal(kind, "PLD-calib"))
        return check_calibration(row, "pld");
    if (g_str_equal(kind, "GDP-calib"))
        return check_calibration(row, "gdp");
    if (g_str_equal(kind, "PLD-Fourier"))
        return check_delta(row);
    if (g_str_equal(kind, "PRV-FAILS") || g_str_equal(kind, "RAISES"))
        return check_failure(row);
    return FALSE;
}

static const char *excuse(const Row *row)
{
    for (gsize i = 0; i < G_N_ELEMENTS(not_covered); i++) {
        gboolean substitute = g_str_has_prefix(not_covered[i].why, "substitute");
        if (g_str_equal(row->kind, not_covered[i].kind) && g_str_equal(row->cells[Q], not_covered[i].q) &&
            g_str_equal(row->cells[SIGMA], not_covered[i].sigma) &&
            substitute == g_str_equal(row->cells[ADJACENCY], "substitute"))
            return not_covered[i].why;
    }
    return NULL;
}

static void test_rows(void)
{
    g_autofree char *path = golden_path(), *text = read_table(path);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint covered = 0, excused = 0;
    for (gsize i = 1; lines[i] && *lines[i]; i++) {
        Row row;
        row_init(&row, lines[i]);
        gboolean answered = check_row(&row);
        const char *why = excuse(&row);
        if (!answered && !why)
            g_error("nothing of ours answers this row, and it is not on the list: %s", lines[i]);
        if (answered && why)
            g_test_message("covered by now, so take it off the list: %s", lines[i]);
        if (!answered)
            g_test_message("not covered: %s, rate %s, noise %s: %s", row.kind, row.cells[Q], row.cells[SIGMA], why);
        answered ? covered++ : excused++;
        g_strfreev(row.cells);
    }
    g_test_message("%u rows consistent, %u not covered", covered, excused);
    g_assert_cmpuint(covered + excused, ==, 80);
    g_assert_cmpuint(excused, <=, G_N_ELEMENTS(not_covered));
}

/* The copy has every row of the table that is handed round, where that is there. */
static void test_complete(void)
{
    g_autofree char *path = g_build_filename(g_getenv("DPCXR_SHARED"), "reference", "accountants.csv", NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_test_skip("reference/accountants.csv of the shared folder is not here");
        return;
    }
    g_autofree char *golden = golden_path(), *ours = read_table(golden), *theirs = read_table(path);
    g_assert_cmpstr(ours, ==, theirs);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"rdp", "pld", "prv", "gdp", "gaussian"};
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_strdup_printf("dpcxr-accountant-%s.so", names[i]);
        g_autofree char *path = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", file, NULL);
        g_assert_true(dpcxr_registry_add(path, NULL));
    }
    g_test_add_func("/reference-table/complete", test_complete);
    g_test_add_func("/reference-table/rows", test_rows);
    return g_test_run();
}
