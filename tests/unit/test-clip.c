/* SPDX-License-Identifier: MIT
 * Clipping coefficients: never over the bound, never smaller than they need to be, zero for what is not
 * finite. */
#include "privacy/clip.h"
#include <float.h>
#include <math.h>

/* All parameters in one group. */
static int clip_flat(const double *norms2, int parameters, int units, double norm, float *coefficients)
{
    g_autofree int *groups = g_new0(int, MAX(parameters, 1));
    DpcxrClip clip = {
        .type = DPCXR_CLIP_FLAT, .norm = norm, .parameters = parameters, .n_groups = 1, .group_of = groups};
    return dpcxr_clip(&clip, norms2, units, coefficients);
}

static float clip_one(double n2, double clip_norm)
{
    float c;
    g_assert_cmpint(clip_flat(&n2, 1, 1, clip_norm, &c), ==, isfinite(n2) && n2 >= 0 ? 0 : 1);
    return c;
}

static void test_exact(void)
{
    g_assert_cmpfloat(clip_one(4, 1), ==, 0.5f);
    g_assert_cmpfloat(clip_one(1, 1), ==, 1);
    g_assert_cmpfloat(clip_one(0, 1), ==, 1);
    g_assert_cmpfloat(clip_one(0.25, 1), ==, 1);
    g_assert_cmpfloat(clip_one(36, 1.5), ==, 0.25f);
    g_assert_cmpfloat(clip_one(nextafter(1, 2), 1), ==, nextafterf(1, 0));
    g_assert_cmpfloat(clip_one(nextafter(4, 5), 1), ==, nextafterf(0.5f, 0));
    g_assert_cmpfloat(clip_one(nextafter(4, 3), 1), ==, 0.5f);
}

/* sign of (c^2 n2 - C^2), in integers: mantissas of c, n2, C as whole numbers, and one power of two. */
static int compare_exactly(float c, double n2, double clip_norm)
{
    int ec, en, ek;
    unsigned __int128 left = (guint64)ldexp(frexp(c, &ec), 24),
                      right = (guint64)ldexp(frexp(clip_norm, &ek), 24);
    left *= left;
    left *= (guint64)ldexp(frexp(n2, &en), 53); /* below 2^101 */
    right *= right;                             /* below 2^48 */
    int shift = (2 * (ec - 24) + (en - 53)) - 2 * (ek - 24);
    if (shift >= 27)
        return 1;
    if (shift >= 0)
        left <<= shift;
    else if (-shift < 80)
        right <<= -shift;
    else
        return -1;
    return (left > right) - (left < right);
}

/* Against exact integer arithmetic: the bound holds, and the next float breaks it. Clip norms are floats
 * here, so that their squares fit. */
static void test_largest(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    int clipped = 0;
    for (int i = 0; i < 200000; i++) {
        float clip_norm = (float)exp(g_rand_double_range(random, -8, 8));
        double n2 = (double)clip_norm * clip_norm * exp(g_rand_double_range(random, -1, i % 2 ? 12 : 0.001));
        if (i % 5 == 0) { /* C / c for a float c: the coefficient is on the edge */
            double n = clip_norm / (double)(float)g_rand_double_range(random, 0.01, 1);
            n2 = n * n;
        }
        float c = clip_one(n2, clip_norm);
        g_assert_cmpfloat(c, >, 0);
        g_assert_cmpfloat(c, <=, 1);
        g_assert_cmpint(compare_exactly(c, n2, clip_norm), <=, 0);
        if (c < 1) {
            g_assert_cmpint(compare_exactly(nextafterf(c, 1), n2, clip_norm), >, 0);
            clipped++;
        }
    }
    g_assert_cmpint(clipped, >, 100000);
}

static void test_extremes(void)
{
    g_assert_cmpfloat(clip_one(DBL_TRUE_MIN, 1), ==, 1);
    g_assert_cmpfloat(clip_one(DBL_MIN, 1e-3), ==, 1);
    g_assert_cmpfloat(clip_one(1e300, 1), ==, 0); /* below the smallest float: rounds down, is not skipped */
    g_assert_cmpfloat(clip_one(DBL_MAX, 1e10), ==, 0);
    g_assert_cmpfloat(clip_one(1e80, 1), >, 0.9999e-40f); /* a denormal float */
    g_assert_cmpfloat(clip_one(1e80, 1), <=, 1.0001e-40f);
    g_assert_cmpfloat(clip_one(1e-200, 1e-60), ==, 1);
    g_assert_cmpfloat(clip_one(4e-120, 1e-60), <=, 0.5f);
    g_assert_cmpfloat(clip_one(4e-120, 1e-60), >, 0.4999999f);
}

/* Coefficients of good units do not depend on bad neighbours. */
static void test_not_finite(void)
{
    const double norms2[2][6] = {{4, NAN, INFINITY, 4, DBL_MAX, -1}, {12, 1, 1, -INFINITY, DBL_MAX, 2}};
    const float expected[6] = {0.25f, 0, 0, 0, 0, 0};
    float coefficients[7] = {[6] = 42};
    g_assert_cmpint(clip_flat(&norms2[0][0], 2, 6, 1, coefficients), ==, 5);
    for (int u = 0; u < 6; u++)
        g_assert_cmpfloat(coefficients[u], ==, expected[u]);
    g_assert_cmpfloat(coefficients[6], ==, 42);
    g_assert_cmpint(clip_flat(&norms2[0][0], 2, 0, 1, coefficients), ==, 0);
}

/* Ten thousand terms that each vanish beside the first: together they do not. */
static void test_sum_rounds_up(void)
{
    enum { PARAMETERS = 10001 };
    g_autofree double *norms2 = g_new(double, PARAMETERS);
    norms2[0] = 1;
    for (int p = 1; p < PARAMETERS; p++)
        norms2[p] = 0x1p-54;
    float c;
    g_assert_cmpint(clip_flat(norms2, PARAMETERS, 1, 1, &c), ==, 0);
    g_assert_cmpfloat((double)c * c * (1 + 10000 * 0x1p-54), <=, 1);
    g_assert_cmpfloat(c, <, 1);
    norms2[0] = 0.5;
    for (int p = 1; p < PARAMETERS; p++)
        norms2[p] = 0.5 / 16384;
    norms2[0] += 0.5 * (16384 - 10000) / 16384; /* all exact: the sum is one */
    g_assert_cmpint(clip_flat(norms2, PARAMETERS, 1, 1, &c), ==, 0);
    g_assert_cmpfloat(c, ==, 1);
}

/* The bound holds and the next float breaks it, or the formula of the type. */
static void test_types(void)
{
    static const int groups[1] = {0};
    DpcxrClip clip = {.norm = 1.5, .stability = 0.01, .parameters = 1, .n_groups = 1, .group_of = groups};
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    for (int i = 0; i < 100000; i++) {
        double n2 = exp(g_rand_double_range(random, -60, 60)), norm = sqrt(n2);
        float c;
        clip.type = DPCXR_CLIP_AUTOMATIC;
        g_assert_cmpint(dpcxr_clip(&clip, &n2, 1, &c), ==, 0);
        g_assert_cmpfloat(c, <=, 1.5 / (norm + 0.01));
        g_assert_cmpfloat(nextafterf(c, INFINITY), >, 1.5 / (norm + 0.01) * (1 - 1e-15));
        clip.type = DPCXR_CLIP_NORMALISE;
        g_assert_cmpint(dpcxr_clip(&clip, &n2, 1, &c), ==, 0);
        g_assert_cmpfloat((double)c * norm, <=, 1.5 * (1 + 1e-15));
        g_assert_cmpfloat((double)nextafterf(c, INFINITY) * norm, >, 1.5 * (1 - 1e-15));
    }
}

static void test_zero_gradient(void)
{
    static const int groups[1] = {0};
    DpcxrClip clip = {.norm = 1, .stability = 0.25, .parameters = 1, .n_groups = 1, .group_of = groups};
    double zero = 0, tiny = 1e-300, nothing = NAN;
    float c;
    clip.type = DPCXR_CLIP_NORMALISE;
    g_assert_cmpint(dpcxr_clip(&clip, &zero, 1, &c), ==, 0);
    g_assert_cmpfloat(c, ==, 0);
    g_assert_cmpint(dpcxr_clip(&clip, &tiny, 1, &c), ==, 0);
    g_assert_true(isfinite(c));
    g_assert_cmpint(dpcxr_clip(&clip, &nothing, 1, &c), ==, 1);
    g_assert_cmpfloat(c, ==, 0);
    clip.type = DPCXR_CLIP_AUTOMATIC;
    g_assert_cmpint(dpcxr_clip(&clip, &zero, 1, &c), ==, 0);
    g_assert_cmpfloat(c, ==, 4);
}

/* Two layers of two parameters: each to C / sqrt(2); a unit with one bad norm is left out in both. */
static void test_per_layer(void)
{
    static const int groups[4] = {0, 0, 1, 1};
    static const double norms2[4][3] = {{8, 1e-4, 1}, {8, 0, 1}, {1e-6, 32, NAN}, {0, 0, 1}};
    DpcxrClip clip = {.type = DPCXR_CLIP_PER_LAYER, .norm = 2, .parameters = 4, .n_groups = 2, .group_of = groups};
    float c[2][3];
    g_assert_cmpint(dpcxr_clip(&clip, &norms2[0][0], 3, &c[0][0]), ==, 1);
    g_assert_cmpfloat_with_epsilon(c[0][0], sqrt(2) / 4, 1e-7);
    g_assert_cmpfloat(c[1][0], ==, 1);
    g_assert_cmpfloat(c[0][1], ==, 1);
    g_assert_cmpfloat_with_epsilon(c[1][1], 0.25, 1e-7);
    g_assert_cmpfloat(c[0][2], ==, 0);
    g_assert_cmpfloat(c[1][2], ==, 0);
    double whole = (double)c[0][0] * c[0][0] * 16 + (double)c[1][1] * c[1][1] * 32;
    g_assert_cmpfloat(whole, <=, 4);
}

/* 1/z^2 = 1/z_g^2 + 1/(2 s)^2, never more noise than that; exp(-rate (share - quantile)). */
static void test_adaptive(void)
{
    double z = 1, s = 5, z_g = dpcxr_clip_gradient_noise(z, s);
    g_assert_cmpfloat_with_epsilon(z_g, 1.0050378152592121, 1e-11); /* 1 / sqrt(0.99) */
    g_assert_cmpfloat(1 / (z_g * z_g) + 1 / (4 * s * s), <=, 1 / (z * z));
    g_assert_true(isinf(dpcxr_clip_gradient_noise(2, 1)));
    g_assert_true(isinf(dpcxr_clip_gradient_noise(2, 0.5)));
    g_assert_cmpfloat_with_epsilon(dpcxr_clip_adapt(2, 50, 100, 0.5, 0.2), 2 * exp(-0.1), 1e-12); /* all below */
    g_assert_cmpfloat_with_epsilon(dpcxr_clip_adapt(2, -50, 100, 0.5, 0.2), 2 * exp(0.1), 1e-12); /* none */
    g_assert_cmpfloat(dpcxr_clip_adapt(2, 0, 100, 0.5, 0.2), ==, 2);
    g_assert_cmpfloat(dpcxr_clip_adapt(1e8, -1e9, 1, 0.5, 10), ==, 1e9);
    g_assert_cmpfloat(dpcxr_clip_adapt(1e-8, 1e9, 1, 0.5, 10), ==, 1e-12);
}

static void bad_norm(gconstpointer data)
{
    static const double norms[] = {0, -1, NAN, INFINITY, 1e-61, 1e61};
    double n2 = 1;
    float c;
    clip_flat(&n2, 1, 1, norms[GPOINTER_TO_INT(data)], &c);
}

static void test_bad_norms(void)
{
    for (int i = 0; i < 6; i++) {
        g_autofree char *path = g_strdup_printf("/clip/bad-norms/subprocess/%d", i);
        g_test_trap_subprocess(path, 0, 0);
        g_test_trap_assert_failed();
        g_test_trap_assert_stderr("*clipping: norm*");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clip/exact", test_exact);
    g_test_add_func("/clip/largest", test_largest);
    g_test_add_func("/clip/types", test_types);
    g_test_add_func("/clip/adaptive", test_adaptive);
    g_test_add_func("/clip/zero-gradient", test_zero_gradient);
    g_test_add_func("/clip/per-layer", test_per_layer);
    g_test_add_func("/clip/extremes", test_extremes);
    g_test_add_func("/clip/not-finite", test_not_finite);
    g_test_add_func("/clip/sum-rounds-up", test_sum_rounds_up);
    g_test_add_func("/clip/bad-norms", test_bad_norms);
    for (int i = 0; i < 6; i++) {
        g_autofree char *path = g_strdup_printf("/clip/bad-norms/subprocess/%d", i);
        g_test_add_data_func(path, GINT_TO_POINTER(i), bad_norm);
    }
    return g_test_run();
}
