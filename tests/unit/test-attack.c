/* SPDX-License-Identifier: MIT
 * Bounds for an attacker: against the exact trade-off of Gaussian mechanisms, never below it, close where the
 * accountant is exact. */
#include <math.h>
#include <string.h>
#include "config/options.h"
#include "privacy/accounting.h"
#include "privacy/attack.h"

/* Quantiles of the normal distribution at 0.001, 0.01 and 0.1. */
static const double quantiles[DPCXR_ATTACK_RATES] = {-3.0902323061678135, -2.3263478740408411,
                                                     -1.2815515655446004};

static DpcxrFeature feature_new(const char *name)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, name, &error);
    g_assert_no_error(error);
    return (DpcxrFeature){(char *)name, entry, dpcxr_options_parse(entry->plugin->options, "", NULL)};
}

/* The best test of N(0, 1) against N(mu, 1). */
static double exact_rate(double mu, int i)
{
    return erfc(-(mu + quantiles[i]) / G_SQRT2) / 2;
}

static double exact_advantage(double mu)
{
    return erf(mu / (2 * G_SQRT2));
}

static DpcxrAttackBounds bounds_of(const char *name, const DpcxrMechanism *mechanism)
{
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new(name);
    DpcxrAttackBounds bounds;
    gboolean done = dpcxr_attack_bounds(&feature, mechanism, &bounds, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    dpcxr_options_free(feature.options);
    return bounds;
}

static void assert_between(double value, double low, double high)
{
    if (!(value >= low && value <= high))
        g_error("%.12g is not in %.12g to %.12g", value, low, high);
}

static void test_gaussian(void)
{
    static const double noises[] = {10000, 300, 30, 5, 2, 1, 0.5, 0.2, 0.1, 0.05};
    for (gsize n = 0; n < G_N_ELEMENTS(noises); n++) {
        DpcxrEvent event = {DPCXR_SAMPLER_FULL, 1, 2 * noises[n], 4, 0, 0};
        DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, &event, 1};
        double mu = 1 / noises[n];
        DpcxrAttackBounds exact = bounds_of("gaussian", &mechanism), zcdp = bounds_of("zcdp", &mechanism),
                          rdp = bounds_of("rdp", &mechanism);
        for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
            double truth = exact_rate(mu, i) * (1 - 1e-9);
            assert_between(exact.true_positive_rate[i], truth,
                           truth * 1.002 + 1e-3 * dpcxr_attack_false_positive_rate(i));
            assert_between(rdp.true_positive_rate[i], truth, 1);
            assert_between(zcdp.true_positive_rate[i], truth, 1);
        }
        double truth = exact_advantage(mu) * (1 - 1e-9);
        assert_between(exact.advantage, truth, truth * (1 + 1e-6));
        assert_between(rdp.advantage, truth, 1);
        assert_between(zcdp.advantage, truth, 1);
    }
}

/* dp_accounting, pld_privacy_accountant_test.py::test_gaussian_basic: mu = 1 has 0.38914 at 0.1. */
static void test_reference(void)
{
    DpcxrEvent event = {DPCXR_SAMPLER_FULL, 1, 1.7320508075688772, 3, 0, 0};
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
    assert_between(bounds_of("gaussian", &mechanism).true_positive_rate[2], 0.389135, 0.3896);
}

/* More of everything that costs privacy makes the attacker no weaker; sampling makes him weaker. */
static void test_monotone(void)
{
    DpcxrEvent event = {DPCXR_SAMPLER_POISSON, 0.01, 1, 1000, 0, 0};
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
    DpcxrAttackBounds before = bounds_of("rdp", &mechanism);
    event.count = 4000;
    DpcxrAttackBounds after = bounds_of("rdp", &mechanism);
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
        assert_between(before.true_positive_rate[i], dpcxr_attack_false_positive_rate(i),
                       after.true_positive_rate[i]);
        assert_between(after.true_positive_rate[i], before.true_positive_rate[i] * 1.2, 0.9);
    }
    assert_between(before.advantage, 0.1, after.advantage);
}

/* A schedule of many unequal steps: fewer points, bounds all the same. */
static void test_schedule(void)
{
    DpcxrEvent events[100];
    double mu_squared = 0;
    for (int i = 0; i < 100; i++) {
        events[i] = (DpcxrEvent){DPCXR_SAMPLER_FULL, 1, 5 + 0.1 * i, 1, 0, 0};
        mu_squared += 1 / (events[i].noise_multiplier * events[i].noise_multiplier);
    }
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, events, 100};
    DpcxrAttackBounds bounds = bounds_of("gaussian", &mechanism);
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++) {
        double truth = exact_rate(sqrt(mu_squared), i);
        assert_between(bounds.true_positive_rate[i], truth * (1 - 1e-9), truth * 1.2);
    }
}

/* One point: both lines of the trade-off, and where they cross. */
static void test_point(void)
{
    g_assert_cmpfloat_with_epsilon(dpcxr_attack_true_positive_rate(0.01, log(5), 0.02), 0.07, 1e-12);
    g_assert_cmpfloat_with_epsilon(dpcxr_attack_true_positive_rate(0.5, log(5), 0.1), 1 - 0.4 / 5, 1e-12);
    g_assert_cmpfloat(dpcxr_attack_true_positive_rate(0.5, 0, 0), ==, 0.5 * (1 + 16 * 2.220446049250313e-16));
    g_assert_cmpfloat(dpcxr_attack_true_positive_rate(0.001, 700, 1), ==, 1);
}

static gboolean covers(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    return TRUE;
}

static gboolean unknown(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double given,
                        DpcxrInterval *interval, GError **error)
{
    *interval = (DpcxrInterval){-INFINITY, 0.1, INFINITY};
    return TRUE;
}

static gboolean only_at_log_1000(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double epsilon,
                                 DpcxrInterval *delta, GError **error)
{
    if (epsilon < 6.9) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "toy: not at %g", epsilon);
        return FALSE;
    }
    *delta = (DpcxrInterval){0, 0.25, 0.25};
    return TRUE;
}

static void test_limits(void)
{
    g_autofree char *guess = dpcxr_attack_guess(DPCXR_ADJACENCY_REPLACE_ONE, "image");
    g_assert_cmpstr(guess, ==, "which of two versions of one image's data was used");
    DpcxrAccountant accountant = {.covers = covers, .epsilon = unknown, .delta = unknown};
    DpcxrPlugin plugin = {.kind = DPCXR_PLUGIN_ACCOUNTANT, .feature = &accountant};
    DpcxrPluginEntry entry = {.kind = DPCXR_PLUGIN_ACCOUNTANT, .plugin = &plugin};
    DpcxrFeature feature = {(char *)"toy", &entry, NULL};
    DpcxrEvent event = {DPCXR_SAMPLER_FULL, 1, 1, 1, 0, 0};
    DpcxrMechanism one = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1}, nothing = {DPCXR_ADJACENCY_ZERO_OUT, NULL, 0};
    DpcxrAttackBounds bounds;
    g_autoptr(GError) error = NULL;
    g_assert_true(dpcxr_attack_bounds(&feature, &one, &bounds, &error));
    g_assert_true(bounds.advantage == 1 && bounds.true_positive_rate[0] == 1);
    g_assert_true(dpcxr_attack_bounds(&feature, &nothing, &bounds, &error));
    g_assert_cmpfloat(bounds.advantage, ==, 0);
    g_assert_cmpfloat_with_epsilon(bounds.true_positive_rate[2], 0.1, 1e-12);
    /* what it cannot answer is left out, unless that is everything */
    accountant.delta = only_at_log_1000;
    g_assert_true(dpcxr_attack_bounds(&feature, &one, &bounds, &error));
    g_assert_cmpfloat_with_epsilon(bounds.true_positive_rate[0], 1 - 0.749 / 1000, 1e-9);
    DpcxrEvent impossible = {DPCXR_SAMPLER_FULL, 1, -1, 1, 0, 0};
    DpcxrMechanism refused = {DPCXR_ADJACENCY_ZERO_OUT, &impossible, 1};
    g_assert_false(dpcxr_attack_bounds(&feature, &refused, &bounds, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_clear_error(&error);
    accountant.approximate = TRUE;
    g_assert_false(dpcxr_attack_bounds(&feature, &one, &bounds, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"gaussian", "zcdp", "rdp"};
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_strdup_printf("dpcxr-accountant-%s.so", names[i]);
        g_autofree char *path = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", file, NULL);
        g_assert_true(dpcxr_registry_add(path, NULL));
    }
    g_test_add_func("/attack/gaussian", test_gaussian);
    g_test_add_func("/attack/reference", test_reference);
    g_test_add_func("/attack/monotone", test_monotone);
    g_test_add_func("/attack/schedule", test_schedule);
    g_test_add_func("/attack/point", test_point);
    g_test_add_func("/attack/limits", test_limits);
    return g_test_run();
}
