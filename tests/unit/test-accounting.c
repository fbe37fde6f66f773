/* SPDX-License-Identifier: MIT
 * What stands between the core and accountant plugins: checks of both sides, calibration that never exceeds
 * its target, epsilon printed upward. Accountants made for the test show what a broken or an odd one does. */
#include "config/options.h"
#include "privacy/accounting.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* Epsilon of the test's own accountant is noise-free arithmetic: sum of count * q / sigma, so expected values
 * are known; `interval` lets a test break it. */
static gboolean covers_all(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    for (gsize i = 0; i < mechanism->n_events; i++) {
        if (mechanism->events[i].sampler != DPCXR_SAMPLER_SHUFFLE)
            continue;
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "toy: no shuffling");
        return FALSE;
    }
    return TRUE;
}

static double toy_sum(const DpcxrMechanism *mechanism)
{
    double sum = 0;
    for (gsize i = 0; i < mechanism->n_events; i++)
        sum += (double)mechanism->events[i].count * mechanism->events[i].sampling_rate /
               mechanism->events[i].noise_multiplier;
    return sum;
}

static gboolean toy_epsilon(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double delta,
                            DpcxrInterval *epsilon, GError **error)
{
    double sum = toy_sum(mechanism);
    *epsilon = (DpcxrInterval){-INFINITY, sum, sum};
    return TRUE;
}

#define BROKEN(name, lower, estimate, upper)                                                                 \
    static gboolean name(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double given,         \
                         DpcxrInterval *interval, GError **error)                                            \
    {                                                                                                        \
        *interval = (DpcxrInterval){lower, estimate, upper};                                                 \
        return TRUE;                                                                                         \
    }
BROKEN(gives_nan, 0, NAN, 1)
BROKEN(gives_nan_above, 0, 1, NAN)
BROKEN(gives_negative, -2, -1, 3)
BROKEN(gives_crossed, 2, 1, 3)
BROKEN(gives_low_upper, 0, 2, 1)
BROKEN(gives_infinity, -INFINITY, INFINITY, INFINITY)

typedef struct {
    DpcxrAccountant accountant;
    DpcxrPlugin plugin;
    DpcxrPluginEntry entry;
    DpcxrFeature feature;
} Toy;

static void toy_init(Toy *toy, DpcxrAccountant accountant)
{
    *toy = (Toy){.accountant = accountant};
    toy->plugin = (DpcxrPlugin){.kind = DPCXR_PLUGIN_ACCOUNTANT, .name = "toy", .feature = &toy->accountant};
    toy->entry =
        (DpcxrPluginEntry){.kind = DPCXR_PLUGIN_ACCOUNTANT, .name = (char *)"toy", .plugin = &toy->plugin};
    toy->feature = (DpcxrFeature){.type = (char *)"toy", .entry = &toy->entry};
}

static const DpcxrAccountant honest = {.covers = covers_all, .epsilon = toy_epsilon, .delta = toy_epsilon};
static const DpcxrEvent steps = {DPCXR_SAMPLER_POISSON, 0.01, 2, 1000, 0, 0};
static const DpcxrMechanism training = {DPCXR_ADJACENCY_ZERO_OUT, &steps, 1};

static void test_broken(void)
{
    static const DpcxrAccountant broken[] = {
        {.covers = covers_all, .epsilon = gives_nan, .delta = gives_nan},
        {.covers = covers_all, .epsilon = gives_nan_above, .delta = gives_nan_above},
        {.covers = covers_all, .epsilon = gives_negative, .delta = gives_negative},
        {.covers = covers_all, .epsilon = gives_crossed, .delta = gives_crossed},
        {.covers = covers_all, .epsilon = gives_low_upper, .delta = gives_low_upper},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GError) error = NULL;
        DpcxrInterval interval;
        Toy toy;
        toy_init(&toy, broken[i]);
        g_assert_false(dpcxr_account_epsilon(&toy.feature, &training, 1e-5, &interval, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, "toy"));
        g_clear_error(&error);
        g_assert_false(dpcxr_account_delta(&toy.feature, &training, 1, &interval, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    }
}

static void test_infinite(void)
{
    g_autoptr(GError) error = NULL;
    DpcxrInterval interval;
    Toy toy;
    double noise;
    toy_init(&toy,
             (DpcxrAccountant){.covers = covers_all, .epsilon = gives_infinity, .delta = gives_infinity});
    g_assert_true(dpcxr_account_epsilon(&toy.feature, &training, 1e-5, &interval, &error));
    g_assert_true(interval.upper == INFINITY);
    g_assert_false(
        dpcxr_calibrate_noise(&toy.feature, NULL, &steps, DPCXR_ADJACENCY_ZERO_OUT, 1, 1e-5, &noise, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
}

static void test_approximate(void)
{
    g_autoptr(GError) error = NULL;
    DpcxrInterval interval;
    DpcxrAccountant approximate = honest;
    double noise;
    Toy toy;
    approximate.approximate = TRUE;
    toy_init(&toy, approximate);
    g_assert_true(dpcxr_account_epsilon(&toy.feature, &training, 1e-5, &interval, &error));
    g_assert_false(dpcxr_account_claim(&toy.feature, &training, 1e-5, &interval, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_assert_nonnull(strstr(error->message, "also_report"));
    g_clear_error(&error);
    g_assert_false(
        dpcxr_calibrate_noise(&toy.feature, NULL, &steps, DPCXR_ADJACENCY_ZERO_OUT, 1, 1e-5, &noise, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
}

static void test_bad_input(void)
{
    static const double deltas[] = {0, 1, -1, 2, NAN};
    static const struct {
        double rate, noise;
    } events[] = {{0, 1}, {1.5, 1}, {NAN, 1}, {0.1, 0}, {0.1, -1}, {0.1, NAN}, {0.1, INFINITY}};
    Toy toy;
    toy_init(&toy, honest);
    DpcxrInterval interval;
    for (gsize i = 0; i < G_N_ELEMENTS(deltas); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(dpcxr_account_epsilon(&toy.feature, &training, deltas[i], &interval, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(events); i++) {
        g_autoptr(GError) error = NULL;
        DpcxrEvent event = {DPCXR_SAMPLER_POISSON, events[i].rate, events[i].noise, 1, 0, 0};
        DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
        g_assert_false(dpcxr_account_epsilon(&toy.feature, &mechanism, 1e-5, &interval, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    }
    g_autoptr(GError) error = NULL;
    DpcxrFeature unloaded = {.type = (char *)"ghost"};
    g_assert_false(dpcxr_account_epsilon(&unloaded, &training, 1e-5, &interval, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_clear_error(&error);
    g_assert_false(dpcxr_account_delta(&toy.feature, &training, NAN, &interval, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
}

static void test_nothing_done(void)
{
    Toy toy;
    DpcxrInterval interval;
    DpcxrMechanism nothing = {DPCXR_ADJACENCY_ZERO_OUT, NULL, 0};
    toy_init(&toy,
             (DpcxrAccountant){.covers = covers_all, .epsilon = gives_infinity, .delta = gives_infinity});
    g_assert_true(dpcxr_account_epsilon(&toy.feature, &nothing, 1e-5, &interval, NULL));
    g_assert_cmpfloat(interval.upper, ==, 0);
    g_assert_true(dpcxr_account_delta(&toy.feature, &nothing, 1, &interval, NULL));
    g_assert_cmpfloat(interval.upper, ==, 0);
}

/* toy: epsilon = 1000 * 0.01 / noise, so the answer is 10 / (target - before). */
static void test_noise_exact(void)
{
    const DpcxrEvent counts = {DPCXR_SAMPLER_FULL, 1, 4, 1, 0, 0}; /* costs 0.25 */
    const DpcxrMechanism before = {DPCXR_ADJACENCY_ZERO_OUT, &counts, 1};
    static const double targets[][2] = {{1, 10},       {3, 3.33334},     {7, 1.42858},
                                        {1e-3, 10000}, {900, 0.0111112}, {0.13, 76.9231}};
    Toy toy;
    toy_init(&toy, honest);
    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autoptr(GError) error = NULL;
        double noise;
        g_assert_true(dpcxr_calibrate_noise(&toy.feature, NULL, &steps, DPCXR_ADJACENCY_ZERO_OUT,
                                            targets[i][0], 1e-5, &noise, &error));
        g_assert_cmpfloat_with_epsilon(noise / targets[i][1], 1, 1e-12);
        g_assert_cmpfloat(10 / noise, <=, targets[i][0]);
    }
    double noise;
    g_assert_true(dpcxr_calibrate_noise(&toy.feature, &before, &steps, DPCXR_ADJACENCY_ZERO_OUT, 1, 1e-5,
                                        &noise, NULL));
    g_assert_cmpfloat_with_epsilon(noise, 13.3334, 1e-9);
    g_assert_true(
        dpcxr_calibrate_noise(&toy.feature, NULL, &steps, DPCXR_ADJACENCY_ZERO_OUT, 1e9, 1e-5, &noise, NULL));
    g_assert_cmpfloat(noise, ==, 0.01); /* no less is ever added */
}

static void assert_noise_refused(const Toy *toy, const DpcxrMechanism *before, const DpcxrEvent *event,
                                 double target, int code, const char *says)
{
    g_autoptr(GError) error = NULL;
    double noise;
    g_assert_false(dpcxr_calibrate_noise(&toy->feature, before, event, DPCXR_ADJACENCY_ZERO_OUT, target, 1e-5,
                                         &noise, &error));
    g_assert_error(error, DPCXR_ERROR, code);
    if (!strstr(error->message, says))
        g_error("\"%s\" does not say \"%s\"", error->message, says);
}

static void test_noise_refused(void)
{
    const DpcxrEvent counts = {DPCXR_SAMPLER_FULL, 1, 4, 1, 0, 0};
    const DpcxrMechanism before = {DPCXR_ADJACENCY_ZERO_OUT, &counts, 1},
                         other = {DPCXR_ADJACENCY_REPLACE_ONE, &counts, 1};
    DpcxrEvent shuffled = steps;
    shuffled.sampler = DPCXR_SAMPLER_SHUFFLE;
    Toy toy;
    toy_init(&toy, honest);
    assert_noise_refused(&toy, NULL, &steps, 1e-5, DPCXR_ERROR_PRIVACY, "cannot be reached");
    assert_noise_refused(&toy, &before, &steps, 0.2, DPCXR_ERROR_PRIVACY, "0.25");
    assert_noise_refused(&toy, &other, &steps, 1, DPCXR_ERROR_PRIVACY, "replace_one");
    assert_noise_refused(&toy, NULL, &shuffled, 1, DPCXR_ERROR_PRIVACY, "no shuffling");
    assert_noise_refused(&toy, NULL, &steps, 0, DPCXR_ERROR_USAGE, "target");
    assert_noise_refused(&toy, NULL, &steps, NAN, DPCXR_ERROR_USAGE, "target");
}

static guint64 count_for(const Toy *toy, const DpcxrMechanism *before, double target, guint64 most)
{
    g_autoptr(GError) error = NULL;
    DpcxrEvent event = steps;
    guint64 count = G_MAXUINT64;
    event.count = most;
    g_assert_true(dpcxr_calibrate_steps(&toy->feature, before, &event, DPCXR_ADJACENCY_ZERO_OUT, target, 1e-5,
                                        &count, &error));
    g_assert_no_error(error);
    return count;
}

/* toy: a step costs 0.005. */
static void test_steps_exact(void)
{
    const DpcxrEvent counts = {DPCXR_SAMPLER_FULL, 1, 4, 1, 0, 0};
    const DpcxrMechanism before = {DPCXR_ADJACENCY_ZERO_OUT, &counts, 1};
    Toy toy;
    toy_init(&toy, honest);
    g_assert_cmpuint(count_for(&toy, NULL, 1.0001, 1000), ==, 200);
    g_assert_cmpuint(count_for(&toy, NULL, 1.0049, G_MAXUINT32), ==, 200);
    g_assert_cmpuint(count_for(&toy, &before, 1.0001, 1000), ==, 150);
    g_assert_cmpuint(count_for(&toy, NULL, 100, 1000), ==, 1000);
    g_assert_cmpuint(count_for(&toy, NULL, 100, 0), ==, 0);
    g_assert_cmpuint(count_for(&toy, NULL, 0.004, 1000), ==, 0);
    g_assert_cmpuint(count_for(&toy, NULL, 0.006, 1000), ==, 1);

    g_autoptr(GError) error = NULL;
    guint64 count;
    g_assert_false(dpcxr_calibrate_steps(&toy.feature, &before, &steps, DPCXR_ADJACENCY_ZERO_OUT, 0.2, 1e-5,
                                         &count, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
}

/* Unequal steps: with the toy, epsilon is the sum of count * q / (relative noise * factor). */
static void test_unequal(void)
{
    Toy toy;
    g_autoptr(GError) error = NULL;
    toy_init(&toy, honest);
    const DpcxrEvent fixed = {DPCXR_SAMPLER_FULL, 1, 10, 1, 0, 0},
                     parts[] = {{DPCXR_SAMPLER_POISSON, 0.01, 1.5, 40, 0, 0},
                                {DPCXR_SAMPLER_POISSON, 0.01, 1, 30, 0, 0},
                                {DPCXR_SAMPLER_POISSON, 0.01, 0.5, 50, 0, 0},
                                {DPCXR_SAMPLER_POISSON, 0.01, 1.5, 7, 0, 0}};
    DpcxrMechanism before = {DPCXR_ADJACENCY_ZERO_OUT, &fixed, 1};
    double factor, sum = 0.01 * (40 / 1.5 + 30 + 50 / 0.5 + 7 / 1.5), target = 0.7;
    g_assert_true(dpcxr_calibrate_noise_factor(&toy.feature, &before, parts, 4, DPCXR_ADJACENCY_ZERO_OUT, target, 1e-5,
                                               &factor, &error));
    g_assert_cmpfloat(0.1 + sum / factor, <=, target);
    g_assert_cmpfloat(factor, <=, sum / (target - 0.1) * (1 + 1e-5));
    for (guint64 n = 0; n <= 127; n++) { /* the epsilon of the first n steps, and a little more, pays for n */
        guint64 left = n, count;
        double epsilon = 0.1;
        for (gsize i = 0; i < 4; i++) {
            epsilon += 0.01 * (double)MIN(left, parts[i].count) / parts[i].noise_multiplier;
            left -= MIN(left, parts[i].count);
        }
        g_assert_true(dpcxr_calibrate_first_steps(&toy.feature, &before, parts, 4, DPCXR_ADJACENCY_ZERO_OUT, epsilon + 1e-9,
                                                  1e-5, &count, &error));
        g_assert_cmpuint(count, ==, n);
    }
    /* every step stays within what calibration looks at */
    g_assert_true(dpcxr_calibrate_noise_factor(&toy.feature, NULL, parts, 4, DPCXR_ADJACENCY_ZERO_OUT, 1e9, 1e-5, &factor,
                                               &error));
    g_assert_cmpfloat_with_epsilon(factor, 0.01 / 0.5, 1e-9);
}

/* With a real accountant: at most the target, within 0.1 % of it, and 6 digits of noise. */
static void test_rdp(void)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, "rdp", &error);
    g_assert_no_error(error);
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(entry->plugin->options, "", &error);
    DpcxrFeature rdp = {.type = (char *)"rdp", .entry = entry, .options = options};
    static const double rates[] = {1e-4, 0.01, 0.15, 1}, targets[] = {0.05, 1, 8, 60};
    for (gsize r = 0; r < G_N_ELEMENTS(rates); r++) {
        for (gsize t = 0; t < G_N_ELEMENTS(targets); t++) {
            DpcxrEvent event = {DPCXR_SAMPLER_POISSON, rates[r], 0, 2000, 0, 0};
            DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
            DpcxrInterval epsilon;
            g_assert_true(dpcxr_calibrate_noise(&rdp, NULL, &event, DPCXR_ADJACENCY_ZERO_OUT, targets[t],
                                                1e-6, &event.noise_multiplier, &error));
            g_assert_true(dpcxr_account_claim(&rdp, &mechanism, 1e-6, &epsilon, &error));
            g_assert_cmpfloat(epsilon.upper, <=, targets[t]);
            g_assert_cmpfloat(epsilon.upper, >=, targets[t] * 0.999);
            g_autofree char *digits = g_strdup_printf("%.6g", event.noise_multiplier);
            g_assert_true(g_ascii_strtod(digits, NULL) == event.noise_multiplier);
            guint64 count;
            event.count = 5000;
            g_assert_true(dpcxr_calibrate_steps(&rdp, NULL, &event, DPCXR_ADJACENCY_ZERO_OUT, targets[t],
                                                1e-6, &count, &error));
            g_assert_cmpuint(count, >=, 2000);
            g_assert_cmpuint(count, <, 5000);
            event.count = count;
            g_assert_true(dpcxr_account_claim(&rdp, &mechanism, 1e-6, &epsilon, &error));
            g_assert_cmpfloat(epsilon.upper, <=, targets[t]);
            event.count++;
            g_assert_true(dpcxr_account_claim(&rdp, &mechanism, 1e-6, &epsilon, &error));
            g_assert_cmpfloat(epsilon.upper, >, targets[t]);
        }
    }
}

static void test_format(void)
{
    static const struct {
        double epsilon;
        int digits;
        const char *text;
    } cases[] = {{1, 2, "1.00"},
                 {1.0000001, 2, "1.01"},
                 {0.1, 1, "0.1"},
                 {0.3, 2, "0.30"},
                 {9.991, 2, "10.00"},
                 {99.999, 2, "100.00"},
                 {0, 2, "0.00"},
                 {7.9999999, 2, "8.00"},
                 {0.2, 0, "1"},
                 {1e-300, 3, "0.001"},
                 {INFINITY, 2, "inf"},
                 {NAN, 2, "inf"},
                 {1.005, 2, "1.01"},
                 {2.674, 2, "2.68"},
                 {123456.25, 1, "123456.3"},
                 {1 + DBL_EPSILON, 4, "1.0001"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = dpcxr_format_epsilon(cases[i].epsilon, cases[i].digits);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
    for (int i = 0; i < 20000; i++) {
        double epsilon = exp(g_test_rand_double_range(-12, 12));
        int digits = g_test_rand_int_range(0, 7);
        g_autofree char *text = dpcxr_format_epsilon(epsilon, digits);
        double printed = g_ascii_strtod(text, NULL);
        g_assert_cmpfloat(printed, >=, epsilon);
        g_assert_cmpfloat(printed, <, epsilon + pow(10, -digits) * (1 + 1e-9));
    }
}

static void test_format_exact(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{1e-6, "1e-06"}, {0.001, "0.001"}, {128, "128"}, {1.5, "1.5"}, {1234567, "1234567"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = dpcxr_format_exact(cases[i].value);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
    for (int i = 0; i < 20000; i++) {
        double value = exp(g_test_rand_double_range(-40, 12));
        g_autofree char *text = dpcxr_format_exact(value);
        g_assert_cmpfloat(g_ascii_strtod(text, NULL), ==, value);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *plugin =
        g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", "dpcxr-accountant-rdp.so", NULL);
    g_assert_true(dpcxr_registry_add(plugin, NULL));
    g_test_add_func("/accounting/broken", test_broken);
    g_test_add_func("/accounting/infinite", test_infinite);
    g_test_add_func("/accounting/approximate", test_approximate);
    g_test_add_func("/accounting/bad-input", test_bad_input);
    g_test_add_func("/accounting/nothing-done", test_nothing_done);
    g_test_add_func("/accounting/noise/exact", test_noise_exact);
    g_test_add_func("/accounting/noise/refused", test_noise_refused);
    g_test_add_func("/accounting/steps/exact", test_steps_exact);
    g_test_add_func("/accounting/unequal", test_unequal);
    g_test_add_func("/accounting/rdp", test_rdp);
    g_test_add_func("/accounting/format", test_format);
    g_test_add_func("/accounting/format-exact", test_format_exact);
    return g_test_run();
}
