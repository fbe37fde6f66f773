/* SPDX-License-Identifier: MIT
 * The pld accountant through the public interface: against exact values and contour integrals of the moment
 * generating function, published values, the bounds of rdp, and what any accountant has to do. Where the
 * stored values come from: tests/golden/accounting. */
#include <math.h>
#include <string.h>
#include "config/options.h"
#include "privacy/accounting.h"

static DpcxrFeature feature_new(const char *type)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, type, &error);
    g_assert_no_error(error);
    DpcxrFeature feature = {.type = (char *)type, .entry = entry};
    feature.options = dpcxr_options_parse(entry->plugin->options, "", &error);
    g_assert_no_error(error);
    return feature;
}

static DpcxrInterval epsilon_by(const char *type, const DpcxrEvent *events, gsize n, double delta)
{
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new(type);
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, events, n};
    DpcxrInterval epsilon;
    gboolean done = dpcxr_account_epsilon(&feature, &mechanism, delta, &epsilon, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    dpcxr_options_free(feature.options);
    return epsilon;
}

static DpcxrInterval epsilon_of(const DpcxrEvent *events, gsize n, double delta)
{
    return epsilon_by("pld", events, n, delta);
}

static DpcxrInterval delta_of(const DpcxrEvent *events, gsize n, double epsilon)
{
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new("pld");
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, events, n};
    DpcxrInterval delta;
    gboolean done = dpcxr_account_delta(&feature, &mechanism, epsilon, &delta, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    dpcxr_options_free(feature.options);
    return delta;
}

static DpcxrEvent poisson(double rate, double noise_multiplier, guint64 count)
{
    return (DpcxrEvent){.sampling_rate = rate, .noise_multiplier = noise_multiplier, .count = count};
}

/* Rows of a stored table without comments and heading. (transfer full) */
static GStrv golden_rows(const char *name)
{
    g_autofree char *text = NULL;
    g_autofree char *path = g_build_filename(g_getenv("DPCXR_SOURCE"), "tests/golden/accounting", name, NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *rows = g_ptr_array_new();
    gboolean heading = TRUE;
    for (char **line = lines; *line; line++) {
        if (**line == '\0' || **line == '#')
            continue;
        if (!heading)
            g_ptr_array_add(rows, g_strdup(*line));
        heading = FALSE;
    }
    g_ptr_array_add(rows, NULL);
    return (GStrv)g_ptr_array_free(rows, FALSE);
}

static double number(const char *text)
{
    char *end;
    double value = g_ascii_strtod(text, &end);
    g_assert_cmpstr(end, ==, "");
    return value;
}

/* lower <= truth <= upper, both for epsilon and for delta; the stored digits leave 1e-9. */
static void test_oracle(void)
{
    g_auto(GStrv) rows = golden_rows("pld-oracle.csv");
    g_assert_cmpuint(g_strv_length(rows), >=, 20);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", -1);
        g_auto(GStrv) texts = g_strsplit(cells[2], ";", -1);
        DpcxrEvent events[4];
        gsize n = g_strv_length(texts);
        g_assert_cmpuint(n, <=, G_N_ELEMENTS(events));
        for (gsize i = 0; i < n; i++) {
            g_auto(GStrv) words = g_strsplit(texts[i], " ", 3);
            events[i] = poisson(number(words[0]), number(words[1]), (guint64)number(words[2]));
        }
        double epsilon = number(cells[0]), delta = number(cells[1]);
        DpcxrInterval e = epsilon_of(events, n, delta), d = delta_of(events, n, epsilon);
        if (!(e.lower <= epsilon * (1 + 1e-9) && e.upper >= epsilon * (1 - 1e-9)))
            g_error("%s: epsilon in %.12g to %.12g", *row, e.lower, e.upper);
        if (!(e.upper - e.lower <= 1e-3 * epsilon))
            g_error("%s: epsilon in %.12g to %.12g is too wide", *row, e.lower, e.upper);
        if (!(d.lower <= delta * (1 + 1e-7) && d.upper >= delta * (1 - 1e-7) &&
              d.upper - d.lower <= 5e-3 * delta))
            g_error("%s: delta in %.12g to %.12g", *row, d.lower, d.upper);
    }
}

/* The same Gaussian mechanism in many small steps, sampled at a rate that is 1 but for the last bits, so that
 * it goes all the way through composition: epsilon is that of one step. */
static void test_nearly_gaussian(void)
{
    static const guint64 counts[] = {7, 1000, 1000000, 10000000};
    DpcxrEvent one = poisson(1, 1, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
        for (double delta = 0.3; delta > 1e-18; delta *= 1e-4) {
            DpcxrEvent many = poisson(nextafter(1, 0), sqrt((double)counts[i]), counts[i]);
            DpcxrInterval a = epsilon_of(&one, 1, delta), b = epsilon_of(&many, 1, delta);
            g_assert_cmpfloat(a.lower, <=, b.upper * (1 + 1e-9));
            g_assert_cmpfloat(b.lower, <=, a.upper * (1 + 1e-9));
            g_assert_cmpfloat(b.upper - b.lower, <=, 1e-3 * b.upper);
        }
    }
}

/* An estimate of a published accountant: at most so far above the truth, and (with what it says of itself)
 * not below. */
static void test_reference(void)
{
    g_auto(GStrv) rows = golden_rows("pld-reference.csv");
    g_assert_cmpuint(g_strv_length(rows), ==, 40);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", 7);
        DpcxrEvent event = poisson(number(cells[1]), number(cells[2]), (guint64)number(cells[3]));
        double delta = number(cells[4]), epsilon = number(cells[5]);
        if (g_str_equal(cells[0], "PLD-Fourier")) {
            DpcxrInterval d = delta_of(&event, 1, epsilon);
            if (!(d.lower <= delta * (1 + 1e-6) && d.upper >= delta * (1 - 1e-6)))
                g_error("%s: delta in %.12g to %.12g", *row, d.lower, d.upper);
            continue;
        }
        DpcxrInterval e = epsilon_of(&event, 1, delta);
        gboolean exact = g_str_equal(cells[0], "exact-Gaussian");
        double printed = exact ? 5e-6 * epsilon : 2e-3 + 1e-3 * epsilon;
        if (!(e.upper - e.lower <= 2e-3 * e.upper) || !(e.lower <= epsilon + printed) ||
            (exact && !(e.upper >= epsilon - printed)) || !(epsilon <= e.upper * 1.02 + 0.011))
            g_error("%s: epsilon in %.12g to %.12g", *row, e.lower, e.upper);
    }
}

/* What another program computed as lower bounds, and rdp as upper ones. */
static void test_other_bounds(void)
{
    g_auto(GStrv) rows = golden_rows("lower-bound.csv");
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", -1);
        DpcxrEvent event = poisson(number(cells[0]), number(cells[1]), (guint64)number(cells[2]));
        double delta = number(cells[3]), bound = number(cells[4]);
        DpcxrInterval e = epsilon_of(&event, 1, delta);
        double rdp = epsilon_by("rdp", &event, 1, delta).upper;
        if (!(e.upper >= bound && e.lower <= rdp))
            g_error("%s: epsilon in %.12g to %.12g, rdp %.12g", *row, e.lower, e.upper, rdp);
    }
}

/* For more steps, a higher rate, less noise or a smaller delta, epsilon is larger: the new upper end is not
 * below the old lower end. */
static void test_monotone(void)
{
    static const double rates[] = {0.001, 0.1, 0.9, 1}, noises[] = {50, 2, 0.7},
                        deltas[] = {0.3, 1e-5, 1e-15};
    static const guint64 counts[] = {1, 30, 1000, 20000};
    for (gsize r = 0; r < G_N_ELEMENTS(rates); r++) {
        for (gsize n = 0; n < G_N_ELEMENTS(noises); n++) {
            DpcxrEvent event = poisson(rates[r], noises[n], counts[2]);
            double here = epsilon_of(&event, 1, 1e-5).lower, previous = 0;
            for (gsize d = 0; d < G_N_ELEMENTS(deltas); d++) {
                DpcxrInterval e = epsilon_of(&event, 1, deltas[d]);
                g_assert_cmpfloat(e.upper, >=, previous);
                previous = e.lower;
                g_assert_cmpfloat(e.lower, <=, epsilon_by("rdp", &event, 1, deltas[d]).upper);
            }
            previous = 0;
            for (gsize c = 0; c < G_N_ELEMENTS(counts); c++) {
                event.count = counts[c];
                DpcxrInterval e = epsilon_of(&event, 1, 1e-5);
                g_assert_cmpfloat(e.upper, >=, previous);
                previous = e.lower;
            }
            event.count = counts[2];
            if (n + 1 < G_N_ELEMENTS(noises)) {
                event.noise_multiplier = noises[n + 1];
                g_assert_cmpfloat(epsilon_of(&event, 1, 1e-5).upper, >=, here);
                event.noise_multiplier = noises[n];
            }
            if (r + 1 < G_N_ELEMENTS(rates)) {
                event.sampling_rate = rates[r + 1];
                g_assert_cmpfloat(epsilon_of(&event, 1, 1e-5).upper, >=, here);
            }
        }
    }
}

static void test_order(void)
{
    const DpcxrEvent one[] = {poisson(0.01, 1, 400), poisson(1, 20, 1), poisson(0.03, 2, 77),
                              poisson(0.01, 1, 600)};
    const DpcxrEvent other[] = {poisson(0.03, 2, 77), poisson(0.01, 1, 1000), poisson(1, 20, 1),
                                poisson(0.5, 3, 0)};
    DpcxrInterval a = epsilon_of(one, 4, 1e-7), b = epsilon_of(other, 4, 1e-7);
    g_assert_cmpfloat(a.lower, ==, b.lower);
    g_assert_cmpfloat(a.upper, ==, b.upper);
    g_assert_cmpfloat(a.lower, >, epsilon_of(one, 3, 1e-7).upper);
}

/* Many different events of one step each, as a schedule of the noise makes them: between all at the least
 * noise and all at the most. */
static void test_schedule(void)
{
    DpcxrEvent events[200];
    for (gsize i = 0; i < G_N_ELEMENTS(events); i++)
        events[i] = poisson(0.05, 1 + 0.001 * (double)i, 1);
    DpcxrEvent most = poisson(0.05, 1, 200), least = poisson(0.05, 1.2, 200),
               middle = poisson(0.05, 1.1, 200);
    DpcxrInterval e = epsilon_of(events, G_N_ELEMENTS(events), 1e-6);
    g_assert_cmpfloat(e.upper - e.lower, <=, 1e-3 * e.upper);
    g_assert_cmpfloat(e.upper, <, epsilon_of(&most, 1, 1e-6).lower);
    g_assert_cmpfloat(e.lower, >, epsilon_of(&least, 1, 1e-6).upper);
    g_assert_cmpfloat_with_epsilon(e.estimate, epsilon_of(&middle, 1, 1e-6).estimate, 0.1);
}

/* Exchanging a unit is like halving the noise. */
static void test_replace_one(void)
{
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new("pld");
    DpcxrEvent full = {.sampler = DPCXR_SAMPLER_FULL, 1, 6, 4, 0, 0}, half = poisson(1, 3, 4);
    DpcxrMechanism replace = {DPCXR_ADJACENCY_REPLACE_ONE, &full, 1};
    DpcxrInterval e;
    g_assert_true(dpcxr_account_epsilon(&feature, &replace, 1e-5, &e, &error));
    g_assert_cmpfloat(e.upper, ==, epsilon_of(&half, 1, 1e-5).upper);
    dpcxr_options_free(feature.options);
}

/* A unit never takes part with probability (1-q)^T: at that delta, epsilon is 0. */
static void test_trivial(void)
{
    DpcxrEvent event = poisson(1e-6, 0.1, 100);
    DpcxrInterval e = epsilon_of(&event, 1, 1e-4), d = delta_of(&event, 1, 0);
    g_assert_cmpfloat(e.lower, ==, 0);
    g_assert_cmpfloat(e.upper, <=, 1e-3);
    g_assert_cmpfloat(d.lower, <=, 1e-4);
    g_assert_cmpfloat(d.upper, >, 0.99e-4);
    DpcxrEvent one = poisson(1, 1, 1); /* erf(1 / sqrt 8) = 0.3829 */
    g_assert_cmpfloat(epsilon_of(&one, 1, 0.383).upper, ==, 0);
    g_assert_cmpfloat(epsilon_of(&one, 1, 0.3829).lower, >, 0);
}

/* Corners of what it is made for: an interval, of sensible numbers, never above what is known otherwise. */
static void test_extremes(void)
{
    static const double rates[] = {1e-6, 1e-3, 0.5, 1}, noises[] = {0.2, 1, 200},
                        deltas[] = {1e-18, 1e-7, 0.5};
    static const guint64 counts[] = {1, 3000, 10000000};
    for (gsize r = 0; r < G_N_ELEMENTS(rates); r++) {
        for (gsize n = 0; n < G_N_ELEMENTS(noises); n++) {
            for (gsize c = 0; c < G_N_ELEMENTS(counts); c++) {
                DpcxrEvent event = poisson(rates[r], noises[n], counts[c]);
                double delta = deltas[(r + n + c) % G_N_ELEMENTS(deltas)];
                DpcxrInterval e = epsilon_of(&event, 1, delta);
                g_test_message("%g %g %" G_GUINT64_FORMAT " %g: %.9g to %.9g", rates[r], noises[n], counts[c],
                               delta, e.lower, e.upper);
                g_assert_true(e.lower >= 0 && e.lower <= e.upper && isfinite(e.upper));
                g_assert_cmpfloat(e.lower, <=, epsilon_by("rdp", &event, 1, delta).upper * (1 + 1e-9));
            }
        }
    }
}

static void test_refusals(void)
{
    static const struct {
        DpcxrAdjacency adjacency;
        DpcxrEvent event;
        const char *says;
    } refused[] = {
        {DPCXR_ADJACENCY_REPLACE_ONE, {DPCXR_SAMPLER_POISSON, 0.1, 1, 1, 0, 0}, "replace_one"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, 100, 20}, "truncated"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FIXED, 0.1, 1, 1, 100, 10}, "fixed size"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_SHUFFLE, 0.1, 1, 1, 100, 0}, "shuffled"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FULL, 0.1, 1, 1, 0, 0}, "rate is 1"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 0.1, 1e-3, 1, 0, 0}, "0.001"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 1e-13, 1, 1, 0, 0}, "1e-13"},
        {DPCXR_ADJACENCY_ZERO_OUT,
         {DPCXR_SAMPLER_POISSON, 0.1, 1, G_GUINT64_CONSTANT(1) << 47, 0, 0},
         "steps"},
    };
    DpcxrFeature feature = feature_new("pld");
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        DpcxrInterval epsilon;
        const DpcxrEvent events[] = {{DPCXR_SAMPLER_FULL, 1, 1, 1, 0, 0}, refused[i].event};
        DpcxrMechanism mechanism = {refused[i].adjacency, events, 2};
        g_assert_false(dpcxr_account_epsilon(&feature, &mechanism, 1e-5, &epsilon, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
        g_assert_nonnull(strstr(error->message, refused[i].says));
    }
    dpcxr_options_free(feature.options);
}

static gboolean toy_covers(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    return TRUE;
}

static gboolean toy_epsilon(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double delta,
                            DpcxrInterval *epsilon, GError **error)
{
    *epsilon = (DpcxrInterval){-INFINITY, 2.4, 2.4};
    return TRUE;
}

/* A claim below the lower end is refused, whoever makes it; one above is not, and neither is what pld does
 * not cover. */
static void test_claim(void)
{
    g_autoptr(GError) error = NULL;
    const DpcxrAccountant accountant = {.covers = toy_covers, .epsilon = toy_epsilon};
    const DpcxrPlugin plugin = {.name = "toy", .feature = &accountant};
    const DpcxrPluginEntry entry = {.plugin = &plugin};
    DpcxrFeature toy = {.type = (char *)"toy", .entry = &entry};
    DpcxrEvent event = poisson(0.01, 0.7, 120); /* 2.461 */
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, &event, 1};
    DpcxrInterval epsilon;
    g_assert_false(dpcxr_account_claim(&toy, &mechanism, 1e-5, &epsilon, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_assert_nonnull(strstr(error->message, "toy"));
    g_assert_nonnull(strstr(error->message, "at least 2.46"));
    g_clear_error(&error);
    g_assert_true(dpcxr_account_epsilon(&toy, &mechanism, 1e-5, &epsilon, &error));
    g_assert_true(dpcxr_account_claim(&toy, &mechanism, 2e-5, &epsilon, &error)); /* 2.2 */
    event.sampler = DPCXR_SAMPLER_SHUFFLE;
    g_assert_true(dpcxr_account_claim(&toy, &mechanism, 1e-5, &epsilon, &error));
}

static void load(const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *plugin = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", file, NULL);
    g_assert_true(dpcxr_registry_add(plugin, &error));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    load("dpcxr-accountant-pld.so");
    load("dpcxr-accountant-rdp.so");
    g_test_add_func("/pld/oracle", test_oracle);
    g_test_add_func("/pld/nearly-gaussian", test_nearly_gaussian);
    g_test_add_func("/pld/reference", test_reference);
    g_test_add_func("/pld/other-bounds", test_other_bounds);
    g_test_add_func("/pld/monotone", test_monotone);
    g_test_add_func("/pld/order", test_order);
    g_test_add_func("/pld/schedule", test_schedule);
    g_test_add_func("/pld/replace-one", test_replace_one);
    g_test_add_func("/pld/trivial", test_trivial);
    g_test_add_func("/pld/extremes", test_extremes);
    g_test_add_func("/pld/refusals", test_refusals);
    g_test_add_func("/pld/claim", test_claim);
    return g_test_run();
}
