/* SPDX-License-Identifier: MIT
 * The rdp accountant through the public interface: against 50-digit Rényi divergences, published values, and
 * lower bounds that were computed another way. Where the stored values come from: tests/golden/accounting. */
#include "config/options.h"
#include "privacy/accounting.h"
#include <math.h>
#include <string.h>

static DpcxrFeature feature_new(const char *options)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, "rdp", &error);
    g_assert_no_error(error);
    DpcxrFeature feature = {.type = (char *)"rdp", .entry = entry};
    feature.options = dpcxr_options_parse(entry->plugin->options, options, &error);
    g_assert_no_error(error);
    return feature;
}

static double epsilon_of(const DpcxrFeature *feature, const DpcxrMechanism *mechanism, double delta)
{
    g_autoptr(GError) error = NULL;
    DpcxrInterval epsilon;
    gboolean done = dpcxr_account_epsilon(feature, mechanism, delta, &epsilon, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    g_assert_true(epsilon.estimate == epsilon.upper && epsilon.lower == -INFINITY);
    return epsilon.upper;
}

static double delta_of(const DpcxrFeature *feature, const DpcxrMechanism *mechanism, double epsilon)
{
    g_autoptr(GError) error = NULL;
    DpcxrInterval delta;
    gboolean done = dpcxr_account_delta(feature, mechanism, epsilon, &delta, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    return delta.upper;
}

static DpcxrEvent poisson(double rate, double noise_multiplier, guint64 count)
{
    return (DpcxrEvent){.sampling_rate = rate, .noise_multiplier = noise_multiplier, .count = count};
}

static double epsilon_with(const char *options, const DpcxrEvent *event, double delta)
{
    DpcxrFeature feature = feature_new(options);
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, event, 1};
    double epsilon = epsilon_of(&feature, &mechanism, delta);
    dpcxr_options_free(feature.options);
    return epsilon;
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

/* The divergence of one step at one order, read out of an epsilon: so many steps that the rest of the formula
 * is small. */
static double one_step(double rate, double noise_multiplier, double order, double about)
{
    g_autofree char *options = g_strdup_printf("{conversion: classic, orders: [%.17g]}", order);
    guint64 count = (guint64)MIN(1e19, MAX(1, 1e7 / about));
    DpcxrEvent event = poisson(rate, noise_multiplier, count);
    return (epsilon_with(options, &event, 1e-30) + log(1e-30) / (order - 1)) / (double)count;
}

static void test_oracle(void)
{
    g_auto(GStrv) rows = golden_rows("rdp-oracle.csv");
    g_assert_cmpuint(g_strv_length(rows), ==, 324);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", -1);
        double exact = number(cells[3]);
        double ours = one_step(number(cells[0]), number(cells[1]), number(cells[2]), exact);
        if (!(ours >= exact * (1 - 1e-12) && ours <= exact * (1 + 1e-6)))
            g_error("%s: got %.17g, off by %.3g", *row, ours, ours / exact - 1);
    }
}

/* Values of other implementations for 50 steps at rate 0.01 and noise multiplier 2.5; at order 1.5 one of
 * them has 6.7058e-4, an upper bound. */
static void test_known_divergences(void)
{
    static const double known[][2] = {
        {1.5, 6.5007e-4}, {2.5, 1.0854e-3}, {5, 2.1808e-3}, {50, 2.3846e-2}, {100, 167.416}};
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        double ours = 50 * one_step(0.01, 2.5, known[i][0], known[i][1] / 50);
        g_assert_cmpfloat_with_epsilon(ours / known[i][1], 1, 3e-5);
    }
}

/* One step of another sampler, as one_step does it. */
static double one_step_of(const DpcxrEvent *event, DpcxrAdjacency adjacency, double order, double about)
{
    g_autofree char *options = g_strdup_printf("{conversion: classic, orders: [%.17g]}", order);
    DpcxrFeature feature = feature_new(options);
    DpcxrEvent many = *event;
    many.count = (guint64)MIN(1e19, MAX(1, 1e7 / about));
    DpcxrMechanism mechanism = {adjacency, &many, 1};
    double epsilon = epsilon_of(&feature, &mechanism, 1e-30);
    dpcxr_options_free(feature.options);
    return (epsilon + log(1e-30) / (order - 1)) / (double)many.count;
}

/* Samples that are cut, and of fixed size, against 30 digits (tests/golden/accounting/sampling-rdp-oracle.py). Never below,
 * and above by no more than the weights are rounded; a fixed size above the order that is integrated by at most twice. */
static void test_samplers(void)
{
    g_auto(GStrv) rows = golden_rows("sampling-rdp-oracle.csv");
    g_assert_cmpuint(g_strv_length(rows), ==, 192);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", -1);
        gboolean fixed = g_str_equal(cells[0], "fixed");
        DpcxrAdjacency adjacency = fixed                                 ? DPCXR_ADJACENCY_REPLACE_ONE
                                   : g_str_equal(cells[1], "add_remove") ? DPCXR_ADJACENCY_ADD_REMOVE
                                                                         : DPCXR_ADJACENCY_ZERO_OUT;
        DpcxrEvent event = {fixed ? DPCXR_SAMPLER_FIXED : DPCXR_SAMPLER_TRUNCATED_POISSON, number(cells[3]),
                            number(cells[5]), 1, (guint64)number(cells[2]), (guint64)number(cells[4])};
        double order = number(cells[6]), exact = number(cells[7]), ours = one_step_of(&event, adjacency, order, exact);
        if (!(ours >= exact * (1 - 1e-12) && ours <= exact * (1 + 1e-6)))
            g_error("%s: got %.17g, off by %.3g", *row, ours, ours / exact - 1);
        if (fixed) /* no better where the unit becomes null */
            g_assert_cmpfloat(one_step_of(&event, DPCXR_ADJACENCY_ZERO_OUT, order, exact), ==, ours);
    }
}

/* Published divergences of 50 steps of fixed size (rate 0.01, noise 2.5 times what exchanging a unit moves), by the bound of
 * Wang, Balle & Kasiviswanathan 2019: ours are below, and not below those of Poisson samples. */
static void test_wang(void)
{
    static const double known[][2] = {
        {1.5, 3.4701e-3}, {2.5, 4.6386e-3}, {5, 8.7634e-3}, {50, 9.8474e-2}, {100, 167.76}};
    DpcxrEvent event = {DPCXR_SAMPLER_FIXED, 0.01, 5, 1, 10000, 100};
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        double order = known[i][0], poisson = 50 * one_step(0.01, 2.5, order, known[i][1] / 50);
        double ours = 50 * one_step_of(&event, DPCXR_ADJACENCY_REPLACE_ONE, order, known[i][1] / 50);
        g_assert_cmpfloat(ours, <, known[i][1] * (1 + 1e-4));
        g_assert_cmpfloat(ours, >=, poisson * (1 - 1e-9));
    }
}

/* A cap that is hardly ever reached costs next to nothing, one that cuts most samples a lot; half the noise is a bound. */
static void test_caps(void)
{
    DpcxrFeature feature = feature_new("");
    DpcxrEvent free = poisson(0.0746, 1.5, 800), cut = free, half = free;
    cut.sampler = DPCXR_SAMPLER_TRUNCATED_POISSON;
    cut.population = 1715;
    half.noise_multiplier /= 2;
    static const guint64 caps[] = {100, 128, 150, 170, 202, 240, 1716};
    for (int a = DPCXR_ADJACENCY_ZERO_OUT; a <= DPCXR_ADJACENCY_ADD_REMOVE; a++) {
        DpcxrMechanism mechanism = {a, &free, 1};
        double poisson_epsilon = epsilon_of(&feature, &mechanism, 1e-5), before = INFINITY;
        mechanism.events = &half;
        double half_epsilon = epsilon_of(&feature, &mechanism, 1e-5);
        mechanism.events = &cut;
        for (gsize i = 0; i < G_N_ELEMENTS(caps); i++) {
            cut.cap = caps[i];
            double epsilon = epsilon_of(&feature, &mechanism, 1e-5);
            g_assert_cmpfloat(epsilon, >=, poisson_epsilon * (1 - 1e-9));
            g_assert_cmpfloat(epsilon, <=, before * (1 + 1e-9));
            if (a == DPCXR_ADJACENCY_ADD_REMOVE)
                g_assert_cmpfloat(epsilon, <=, half_epsilon * (1 + 1e-9));
            before = epsilon;
        }
        g_assert_cmpfloat_with_epsilon(before, poisson_epsilon, 1e-9);
    }
    dpcxr_options_free(feature.options);
}

/* A shuffled epoch is one full batch. */
static void test_epochs(void)
{
    DpcxrFeature feature = feature_new("");
    DpcxrEvent shuffle = {DPCXR_SAMPLER_SHUFFLE, 0.3, 4, 12, 10, 3}, full = {DPCXR_SAMPLER_FULL, 1, 4, 3, 0, 0};
    for (int a = DPCXR_ADJACENCY_ZERO_OUT; a <= DPCXR_ADJACENCY_REPLACE_ONE; a += 2) {
        DpcxrMechanism of_shuffle = {a, &shuffle, 1}, of_full = {a, &full, 1};
        g_assert_cmpfloat(epsilon_of(&feature, &of_shuffle, 1e-5), ==, epsilon_of(&feature, &of_full, 1e-5));
        g_assert_cmpfloat(delta_of(&feature, &of_shuffle, 1), ==, delta_of(&feature, &of_full, 1));
    }
    dpcxr_options_free(feature.options);
}

static void append_orders(GString *list, double first, double step, double last)
{
    for (int i = 0; first + i * step <= last + 1e-9; i++)
        g_string_append_printf(list, "%s%.10g", list->len > 1 ? ", " : "", first + i * step);
}

/* Orders as the sources name them; (transfer full) as a YAML list. */
static char *orders_of(const char *name)
{
    GString *list = g_string_new("[");
    if (g_str_equal(name, "tenths")) {
        append_orders(list, 1.1, 0.1, 10.9);
        append_orders(list, 12, 1, 63);
    } else if (g_str_equal(name, "dp")) {
        append_orders(list, 1.1, 0.1, 10.9);
        append_orders(list, 11, 1, 63);
        g_string_append(list, ", 128, 256, 512, 1024");
    } else if (g_str_equal(name, "tf")) {
        g_string_append(list, "1.25, 1.5, 1.75, 2, 2.25, 2.5, 3, 3.5, 4, 4.5");
        append_orders(list, 5, 1, 63);
        g_string_append(list, ", 128, 256, 512");
    } else if (g_str_equal(name, "whole")) {
        append_orders(list, 2, 1, 63);
    } else {
        g_assert_cmpstr(name, ==, "fine");
        append_orders(list, 20, 0.001, 26);
    }
    g_string_append_c(list, ']');
    return g_string_free(list, FALSE);
}

static void test_reference(void)
{
    g_auto(GStrv) rows = golden_rows("reference.csv");
    g_assert_cmpuint(g_strv_length(rows), ==, 21);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", 10);
        DpcxrEvent event = poisson(number(cells[0]), number(cells[1]), (guint64)number(cells[2]));
        double delta = number(cells[3]), value = number(cells[4]), tolerance = number(cells[5]);
        g_autofree char *orders = orders_of(cells[7]);
        g_autofree char *options = g_strdup_printf("{conversion: %s, orders: %s}", cells[6], orders);
        g_autofree char *refined_options = g_strdup_printf("{conversion: %s}", cells[6]);
        double with_orders = epsilon_with(options, &event, delta);
        double refined = epsilon_with(refined_options, &event, delta);
        gboolean equal = g_str_equal(cells[8], "equal");
        if (!(with_orders <= value * (1 + 1e-9) + tolerance) ||
            (equal && !(with_orders >= value - tolerance * (1 + 1e-9))))
            g_error("%s: with these orders %.12g", *row, with_orders);
        if (!(refined <= value + 1e-3 + tolerance) || !(refined <= with_orders * (1 + 1e-9)))
            g_error("%s: refined %.12g, with these orders %.12g", *row, refined, with_orders);
    }
}

static void test_lower_bound(void)
{
    g_auto(GStrv) rows = golden_rows("lower-bound.csv");
    g_assert_cmpuint(g_strv_length(rows), ==, 24);
    for (char **row = rows; *row; row++) {
        g_auto(GStrv) cells = g_strsplit(*row, ",", -1);
        DpcxrFeature feature = feature_new("");
        DpcxrEvent event = poisson(number(cells[0]), number(cells[1]), (guint64)number(cells[2]));
        DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, &event, 1};
        double delta = number(cells[3]), bound = number(cells[4]);
        double ours = epsilon_of(&feature, &mechanism, delta);
        if (!(ours >= bound && ours <= 3.2 * bound + 0.1))
            g_error("%s: got %.12g", *row, ours);
        if (!(delta_of(&feature, &mechanism, bound) >= delta))
            g_error("%s: delta at the bound is %.12g", *row, delta_of(&feature, &mechanism, bound));
        dpcxr_options_free(feature.options);
    }
}

/* delta() and epsilon() are two readings of one curve. */
static void test_inverse(void)
{
    static const char *const conversions[] = {"{conversion: improved}", "{conversion: classic}"};
    DpcxrEvent event = poisson(0.02, 1.1, 3000);
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
    for (gsize i = 0; i < G_N_ELEMENTS(conversions); i++) {
        DpcxrFeature feature = feature_new(conversions[i]);
        for (double delta = 1e-18; delta < 0.5; delta *= 100) {
            double epsilon = epsilon_of(&feature, &mechanism, delta);
            g_assert_cmpfloat_with_epsilon(delta_of(&feature, &mechanism, epsilon) / delta, 1, 1e-4);
        }
        dpcxr_options_free(feature.options);
    }
}

static void test_monotone(void)
{
    DpcxrFeature feature = feature_new("");
    static const double rates[] = {1e-6, 1e-4, 0.003, 0.1, 0.5, 0.9, 1},
                        noises[] = {0.2, 0.5, 0.9, 2, 15, 200}, deltas[] = {1e-18, 1e-9, 1e-5, 0.01, 0.5};
    static const guint64 counts[] = {1, 30, 1000, 100000, 10000000};
    for (gsize r = 0; r < G_N_ELEMENTS(rates); r++) {
        for (gsize n = 0; n < G_N_ELEMENTS(noises); n++) {
            DpcxrEvent event = poisson(rates[r], noises[n], counts[2]);
            DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
            double previous = INFINITY, here = epsilon_of(&feature, &mechanism, 1e-5);
            for (gsize d = 0; d < G_N_ELEMENTS(deltas); d++) {
                double epsilon = epsilon_of(&feature, &mechanism, deltas[d]);
                g_assert_cmpfloat(epsilon, <=, previous * (1 + 1e-9));
                previous = epsilon;
            }
            previous = 0;
            for (gsize c = 0; c < G_N_ELEMENTS(counts); c++) {
                event.count = counts[c];
                double epsilon = epsilon_of(&feature, &mechanism, 1e-5);
                g_assert_cmpfloat(epsilon, >=, previous * (1 - 1e-9));
                previous = epsilon;
            }
            event.count = counts[2];
            if (n + 1 < G_N_ELEMENTS(noises)) {
                event.noise_multiplier = noises[n + 1];
                g_assert_cmpfloat(epsilon_of(&feature, &mechanism, 1e-5), <=, here * (1 + 1e-9));
                event.noise_multiplier = noises[n];
            }
            if (r + 1 < G_N_ELEMENTS(rates)) {
                event.sampling_rate = rates[r + 1];
                g_assert_cmpfloat(epsilon_of(&feature, &mechanism, 1e-5), >=, here * (1 - 1e-9));
            }
        }
    }
    dpcxr_options_free(feature.options);
}

static void test_compose(void)
{
    DpcxrFeature feature = feature_new("");
    DpcxrEvent whole = poisson(0.01, 1, 1000);
    const DpcxrEvent parts[] = {poisson(0.01, 1, 400), poisson(0.01, 1, 0), poisson(0.01, 1, 600)};
    const DpcxrEvent unequal[] = {poisson(0.01, 1, 1000), {.sampler = DPCXR_SAMPLER_FULL, 1, 20, 1, 0, 0}};
    DpcxrMechanism a = {DPCXR_ADJACENCY_ZERO_OUT, &whole, 1}, b = {DPCXR_ADJACENCY_ZERO_OUT, parts, 3},
                   c = {DPCXR_ADJACENCY_ZERO_OUT, unequal, 2}, d = {DPCXR_ADJACENCY_ZERO_OUT, &unequal[1], 1};
    double one = epsilon_of(&feature, &a, 1e-5), both = epsilon_of(&feature, &c, 1e-5);
    g_assert_cmpfloat_with_epsilon(one, epsilon_of(&feature, &b, 1e-5), 1e-9);
    g_assert_cmpfloat(both, >, one);
    g_assert_cmpfloat(both, <, one + epsilon_of(&feature, &d, 1e-5));
    /* an event of no weight changes nothing */
    DpcxrEvent two[] = {whole, poisson(1e-12, 1e5, 1)};
    DpcxrMechanism e = {DPCXR_ADJACENCY_ZERO_OUT, two, 2};
    g_assert_cmpfloat_with_epsilon(one, epsilon_of(&feature, &e, 1e-5), 1e-9);
    dpcxr_options_free(feature.options);
}

/* Without sampling the Rényi divergence is alpha / (2 sigma^2), and exchanging a unit is like halving the
 * noise. */
static void test_full(void)
{
    DpcxrFeature feature = feature_new("{conversion: classic}");
    DpcxrEvent full = {.sampler = DPCXR_SAMPLER_FULL, 1, 3, 4, 0, 0}, wide = full, every = full;
    wide.noise_multiplier = 6;
    every.sampler = DPCXR_SAMPLER_POISSON;
    DpcxrMechanism zero_out = {DPCXR_ADJACENCY_ZERO_OUT, &full, 1},
                   replace = {DPCXR_ADJACENCY_REPLACE_ONE, &wide, 1},
                   add = {DPCXR_ADJACENCY_ADD_REMOVE, &every, 1};
    double rho = 4.0 / (2 * 3 * 3),
           expected = rho + 2 * sqrt(rho * log(1e5)); /* the best order in closed form */
    g_assert_cmpfloat_with_epsilon(epsilon_of(&feature, &zero_out, 1e-5), expected, 1e-9);
    g_assert_cmpfloat_with_epsilon(epsilon_of(&feature, &replace, 1e-5), expected, 1e-9);
    g_assert_cmpfloat_with_epsilon(epsilon_of(&feature, &add, 1e-5), expected, 1e-9);
    dpcxr_options_free(feature.options);
}

static void test_nearly_full(void)
{
    DpcxrEvent full = poisson(1, 2, 10), nearly = poisson(1 - 1e-12, 2, 10);
    g_assert_cmpfloat_with_epsilon(epsilon_with("", &nearly, 1e-5), epsilon_with("", &full, 1e-5), 1e-6);
    nearly.sampling_rate = nextafter(1, 0);
    g_assert_cmpfloat_with_epsilon(epsilon_with("", &nearly, 1e-5), epsilon_with("", &full, 1e-5), 1e-6);
}

static void test_least_noise(void)
{
    DpcxrEvent event = poisson(0.01, 0.01, 10);
    double epsilon = epsilon_with("", &event, 1e-5);
    g_assert_true(isfinite(epsilon) &&
                  epsilon > 4e3); /* one step that the unit is in gives about 1 / (2 sigma^2) */
}

/* With probability (1-q)^T a unit never takes part, so at a delta of q T epsilon is 0. */
static void test_trivial(void)
{
    DpcxrEvent event = poisson(1e-6, 0.01, 100);
    g_assert_cmpfloat(epsilon_with("", &event, 1e-4), ==, 0);
    g_assert_cmpfloat(epsilon_with("", &event, 0.9e-4), >, 0);
    DpcxrFeature feature = feature_new("");
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, &event, 1};
    g_assert_cmpfloat(delta_of(&feature, &mechanism, 0), <=, 1e-4);
    g_assert_cmpfloat(delta_of(&feature, &mechanism, 0), >, 0.99e-4);
    dpcxr_options_free(feature.options);
}

static void test_extremes(void)
{
    static const double rates[] = {1e-12, 1e-6, 0.01, 0.5, 1}, noises[] = {0.05, 0.3, 30, 1e5},
                        deltas[] = {1e-300, 1e-18, 0.5, 0.999};
    static const guint64 counts[] = {1, 10000000, G_GUINT64_CONSTANT(1) << 47};
    DpcxrFeature feature = feature_new("");
    for (gsize r = 0; r < G_N_ELEMENTS(rates); r++) {
        for (gsize n = 0; n < G_N_ELEMENTS(noises); n++) {
            for (gsize c = 0; c < G_N_ELEMENTS(counts); c++) {
                DpcxrEvent event = poisson(rates[r], noises[n], counts[c]);
                DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
                double epsilon = epsilon_of(&feature, &mechanism, deltas[(r + n + c) % G_N_ELEMENTS(deltas)]);
                g_assert_true(epsilon >= 0 && isfinite(epsilon));
                double delta = delta_of(&feature, &mechanism, 1);
                g_assert_true(delta >= 0 && delta <= 1);
            }
        }
    }
    dpcxr_options_free(feature.options);
}

static void test_refusals(void)
{
    static const struct {
        DpcxrAdjacency adjacency;
        DpcxrEvent event;
        const char *says;
    } refused[] = {
        {DPCXR_ADJACENCY_REPLACE_ONE, {DPCXR_SAMPLER_POISSON, 0.1, 1, 1, 0, 0}, "replace_one"},
        {DPCXR_ADJACENCY_REPLACE_ONE, {DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, 100, 20}, "zero_out or add_remove"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, 100, 0}, "a cap of at least 1"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_TRUNCATED_POISSON, 0.1, 1, 1, 0, 20}, "the number of units"},
        {DPCXR_ADJACENCY_ADD_REMOVE, {DPCXR_SAMPLER_FIXED, 0.1, 1, 1, 100, 10}, "zero_out or replace_one"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FIXED, 0.0999, 1, 1, 100, 10}, "sampling rate is 0.1, not 0.0999"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FIXED, 1, 1, 1, 100, 101}, "more than the 100"},
        {DPCXR_ADJACENCY_ADD_REMOVE, {DPCXR_SAMPLER_SHUFFLE, 0.1, 1, 1, 100, 10}, "zero_out or replace_one"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_SHUFFLE, 0.1, 1, 1, 100, 0}, "a cap of at least 1"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_FULL, 0.1, 1, 1, 0, 0}, "rate is 1"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 0.1, 1e-3, 1, 0, 0}, "0.001"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 0.1, 1e6, 1, 0, 0}, "1e+06"},
        {DPCXR_ADJACENCY_ZERO_OUT, {DPCXR_SAMPLER_POISSON, 1e-13, 1, 1, 0, 0}, "1e-13"},
    };
    DpcxrFeature feature = feature_new("");
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *plugin =
        g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", "dpcxr-accountant-rdp.so", NULL);
    g_assert_true(dpcxr_registry_add(plugin, &error));
    g_test_add_func("/rdp/oracle", test_oracle);
    g_test_add_func("/rdp/known-divergences", test_known_divergences);
    g_test_add_func("/rdp/samplers", test_samplers);
    g_test_add_func("/rdp/wang", test_wang);
    g_test_add_func("/rdp/caps", test_caps);
    g_test_add_func("/rdp/epochs", test_epochs);
    g_test_add_func("/rdp/reference", test_reference);
    g_test_add_func("/rdp/lower-bound", test_lower_bound);
    g_test_add_func("/rdp/inverse", test_inverse);
    g_test_add_func("/rdp/monotone", test_monotone);
    g_test_add_func("/rdp/compose", test_compose);
    g_test_add_func("/rdp/full", test_full);
    g_test_add_func("/rdp/nearly-full", test_nearly_full);
    g_test_add_func("/rdp/trivial", test_trivial);
    g_test_add_func("/rdp/extremes", test_extremes);
    g_test_add_func("/rdp/least-noise", test_least_noise);
    g_test_add_func("/rdp/refusals", test_refusals);
    return g_test_run();
}
