/* SPDX-License-Identifier: MIT
 * Privacy of groups: the bound recomputed point by point, published rows, what must hold for every k. */
#include <math.h>
#include <string.h>
#include "config/options.h"
#include "privacy/accounting.h"
#include "privacy/group.h"

static DpcxrFeature feature_new(const char *name)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, name, &error);
    g_assert_no_error(error);
    return (DpcxrFeature){(char *)name, entry, dpcxr_options_parse(entry->plugin->options, "", NULL)};
}

static double group_epsilon(const char *name, const DpcxrMechanism *mechanism, guint64 k, double delta)
{
    g_autoptr(GError) error = NULL;
    DpcxrFeature feature = feature_new(name);
    DpcxrInterval epsilon;
    gboolean done = dpcxr_group_epsilon(&feature, mechanism, k, delta, &epsilon, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    dpcxr_options_free(feature.options);
    return epsilon.upper;
}

static const DpcxrEvent sampled = {DPCXR_SAMPLER_POISSON, 0.0064, 1, 782, 0, 0},
                        full = {DPCXR_SAMPLER_FULL, 1, 1, 5, 0, 0};
static const DpcxrMechanism poisson = {DPCXR_ADJACENCY_ADD_REMOVE, &sampled, 1},
                            batch = {DPCXR_ADJACENCY_ADD_REMOVE, &full, 1};

/* A scan over epsilons of one unit finds nothing better, and what was found is a point of the bound. */
static void test_bound(void)
{
    DpcxrFeature rdp = feature_new("rdp");
    for (guint64 k = 2; k < 5; k++) {
        double ours = group_epsilon("rdp", &poisson, k, 1e-6), best = INFINITY, size = (double)k;
        for (double epsilon = 0.05; epsilon < 6; epsilon += 0.05) {
            DpcxrInterval delta;
            g_assert_true(dpcxr_account_delta(&rdp, &poisson, epsilon, &delta, NULL));
            if (delta.upper * expm1(size * epsilon) / expm1(epsilon) <= 1e-6)
                best = MIN(best, size * epsilon);
        }
        g_assert_cmpfloat(ours, <=, best * (1 + 1e-6));
        g_assert_cmpfloat(ours, >=, best - 0.051 * size);
        DpcxrInterval delta;
        g_assert_true(dpcxr_group_delta(&rdp, &poisson, k, ours, &delta, NULL));
        g_assert_cmpfloat(delta.upper, <=, 1e-6 * (1 + 1e-6));
        g_assert_cmpfloat(delta.upper, >=, 0.9e-6);
    }
    dpcxr_options_free(rdp.options);
}

/* A group in a shuffled epoch is worst off where all of it is in one step: like full batches. Other samplers: the bound. */
static void test_samplers(void)
{
    static const DpcxrEvent shuffle = {DPCXR_SAMPLER_SHUFFLE, 0.3, 1, 20, 10, 3},
                            fixed = {DPCXR_SAMPLER_FIXED, 0.3, 1, 20, 10, 3};
    const DpcxrMechanism of_shuffle = {DPCXR_ADJACENCY_ZERO_OUT, &shuffle, 1},
                         of_full = {DPCXR_ADJACENCY_ZERO_OUT, &full, 1}, of_fixed = {DPCXR_ADJACENCY_ZERO_OUT, &fixed, 1};
    DpcxrFeature rdp = feature_new("rdp");
    g_assert_cmpint(dpcxr_group_method(&rdp, &of_shuffle, 3), ==, DPCXR_GROUP_SENSITIVITY);
    g_assert_cmpint(dpcxr_group_method(&rdp, &of_fixed, 3), ==, DPCXR_GROUP_BOUND);
    dpcxr_options_free(rdp.options);
    g_assert_cmpfloat(group_epsilon("gaussian", &of_shuffle, 3, 1e-6), ==, group_epsilon("gaussian", &of_full, 3, 1e-6));
}

/* tensorflow/privacy 03035d5d, analysis/compute_dp_sgd_privacy_test.py::privacy_statement: rdp for groups of
 * 3 and 10 at a table of orders, where ours searches for the best one; pld for groups of 2, exact where
 * nothing is sampled, by a better way than the group bound where something is. */
static void test_reference(void)
{
    static const double rows[][4] = {{3, 56.193, 56.224}, {10, 364.9, 366.374}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        double ours = group_epsilon("rdp", &batch, (guint64)rows[i][0], 1e-6);
        g_assert_cmpfloat(ours, <=, rows[i][2]);
        g_assert_cmpfloat(ours, >=, rows[i][1]);
    }
    double ours = group_epsilon("rdp", &poisson, 3, 1e-6);
    g_assert_true(ours <= 6.425 && ours > 6.42);
    g_assert_cmpfloat_with_epsilon(group_epsilon("gaussian", &batch, 2, 1e-6), 30.579, 5e-4);
    g_assert_cmpfloat(group_epsilon("rdp", &poisson, 2, 1e-6), >, 2.532);
}

/* k = 1 is one unit; larger groups cost more; without sampling, k is k times the distance, in any adjacency.
 */
static void test_sizes(void)
{
    DpcxrFeature rdp = feature_new("rdp");
    DpcxrInterval one;
    g_assert_true(dpcxr_account_epsilon(&rdp, &poisson, 1e-6, &one, NULL));
    g_assert_cmpfloat(group_epsilon("rdp", &poisson, 1, 1e-6), ==, one.upper);
    double previous = 0;
    for (guint64 k = 1; k < 40; k *= 3) {
        double here = group_epsilon("rdp", &poisson, k, 1e-6);
        g_assert_cmpfloat(here, >, previous);
        previous = here;
    }
    DpcxrEvent louder = full;
    louder.noise_multiplier /= 3;
    DpcxrMechanism alike = {DPCXR_ADJACENCY_ADD_REMOVE, &louder, 1};
    DpcxrInterval expected, delta;
    DpcxrFeature gaussian = feature_new("gaussian");
    g_assert_true(dpcxr_account_epsilon(&gaussian, &alike, 1e-6, &expected, NULL));
    g_assert_cmpfloat_with_epsilon(group_epsilon("gaussian", &batch, 3, 1e-6), expected.upper, 1e-9);
    g_assert_true(dpcxr_group_delta(&gaussian, &batch, 3, expected.upper, &delta, NULL));
    g_assert_cmpfloat_with_epsilon(delta.upper * 1e6, 1, 1e-6);
    dpcxr_options_free(gaussian.options);
    dpcxr_options_free(rdp.options);
}

/* A delta at which a group is not protected at all stays one: infinite, never a number. */
static void test_extremes(void)
{
    DpcxrEvent loud = {DPCXR_SAMPLER_POISSON, 0.5, 0.05, 1000000, 0, 0};
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ADD_REMOVE, &loud, 1};
    double epsilon = group_epsilon("rdp", &mechanism, 1000000, 1e-18);
    g_assert_true(epsilon > 1e6);
    DpcxrFeature rdp = feature_new("rdp");
    DpcxrInterval delta;
    g_assert_true(dpcxr_group_delta(&rdp, &mechanism, 1000000, 1e5, &delta, NULL));
    g_assert_cmpfloat(delta.upper, ==, 1);
    /* delta underflows for one unit, not for a thousand */
    g_assert_true(dpcxr_group_delta(&rdp, &poisson, 1000, 5e5, &delta, NULL));
    g_assert_cmpfloat(delta.upper, ==, 1);
    dpcxr_options_free(rdp.options);
}

static void test_calibrate(void)
{
    static const DpcxrEvent *const events[] = {&sampled, &full};
    DpcxrFeature rdp = feature_new("rdp");
    for (gsize i = 0; i < 2; i++) {
        for (guint64 k = 1; k <= 16; k *= 4) {
            g_autoptr(GError) error = NULL;
            DpcxrEvent event = *events[i];
            DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
            DpcxrInterval epsilon;
            gboolean done = dpcxr_group_calibrate_noise(&rdp, &event, DPCXR_ADJACENCY_ZERO_OUT, k, 4, 1e-6,
                                                        &event.noise_multiplier, &epsilon, &error);
            g_assert_no_error(error);
            g_assert_true(done);
            g_assert_cmpfloat(epsilon.upper, <=, 4);
            double ours = group_epsilon("rdp", &mechanism, k, 1e-6);
            g_assert_cmpfloat(ours, <=, 4 * (1 + 1e-6));
            g_assert_cmpfloat(ours, >=, 4 * 0.998);
        }
    }
    dpcxr_options_free(rdp.options);
}

static void test_refusals(void)
{
    g_autoptr(GError) error = NULL;
    DpcxrInterval epsilon;
    double noise;
    DpcxrFeature gdp = feature_new("gdp"), rdp = feature_new("rdp");
    g_assert_false(dpcxr_group_epsilon(&gdp, &poisson, 2, 1e-6, &epsilon, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_clear_error(&error);
    g_assert_true(dpcxr_group_epsilon(&gdp, &poisson, 1, 1e-6, &epsilon, &error));
    g_assert_false(dpcxr_group_epsilon(&rdp, &poisson, 0, 1e-6, &epsilon, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_clear_error(&error);
    g_assert_false(dpcxr_group_calibrate_noise(&rdp, &sampled, DPCXR_ADJACENCY_ZERO_OUT, 100, 2000, 1e-6,
                                               &noise, &epsilon, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_assert_nonnull(strstr(error->message, "smaller groups"));
    dpcxr_options_free(gdp.options);
    dpcxr_options_free(rdp.options);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"gaussian", "gdp", "rdp"};
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_strdup_printf("dpcxr-accountant-%s.so", names[i]);
        g_autofree char *path = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", file, NULL);
        g_assert_true(dpcxr_registry_add(path, NULL));
    }
    g_test_add_func("/group/bound", test_bound);
    g_test_add_func("/group/reference", test_reference);
    g_test_add_func("/group/samplers", test_samplers);
    g_test_add_func("/group/sizes", test_sizes);
    g_test_add_func("/group/extremes", test_extremes);
    g_test_add_func("/group/calibrate", test_calibrate);
    g_test_add_func("/group/refusals", test_refusals);
    return g_test_run();
}
