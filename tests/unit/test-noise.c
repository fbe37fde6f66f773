/* SPDX-License-Identifier: MIT
 * The noise: bits, accuracy, law, addressing, and a start-up test that fails when it should. Keys are fixed,
 * so the statistics never flake. */
#include "../golden/noise-golden.h"
#include "privacy/gaussian.h"
#include "privacy/noise-kernel.h"
#include "privacy/noise.h"
#include <math.h>
#include <string.h>

static const DpcxrAddress here = {DPCXR_PURPOSE_NOISE, 0, 0, 0};

/* --- The transform --- */

/* Distance in units of the last place of @expected. */
static double ulps(double value, double expected)
{
    int exponent;
    if (value == expected)
        return 0;
    frexp(expected, &exponent);
    return fabs(value - expected) / ldexp(1, MAX(exponent - 53, -1074));
}

#define assert_close(value, expected, limit) g_assert_cmpfloat(ulps(value, expected), <=, limit)

static void test_log(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(golden_log); i++)
        assert_close(dpcxr_gaussian_log(golden_log[i].x, golden_log[i].scale), golden_log[i].ln, 2);
}

static void test_angle(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(golden_angle); i++) {
        double cosine, sine;
        dpcxr_gaussian_cos_sin(golden_angle[i].word, &cosine, &sine);
        assert_close(cosine, golden_angle[i].cosine, 2);
        assert_close(sine, golden_angle[i].sine, 2);
    }
}

static void test_tail_pairs(void)
{
    double largest = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(golden_tail); i++) {
        double z0, z1;
        g_assert_true(dpcxr_gaussian_is_tail(golden_tail[i].radius));
        dpcxr_gaussian_tail_pair(golden_tail[i].radius, golden_tail[i].tail, golden_tail[i].angle, &z0, &z1);
        assert_close(z0, golden_tail[i].z0, 5);
        assert_close(z1, golden_tail[i].z1, 5);
        largest = MAX(largest, MAX(fabs(z0), fabs(z1)));
    }
    g_assert_cmpfloat(largest, >, 13.3);
    g_assert_false(dpcxr_gaussian_is_tail(G_GUINT64_CONSTANT(1) << 32));
}

/* Where 64 bits end and 128 begin, the radius goes on without a step. */
static void test_tail_seam(void)
{
    double inner, outer, rest;
    dpcxr_gaussian_pair(G_GUINT64_CONSTANT(1) << 32, 0, &inner, &rest);
    dpcxr_gaussian_tail_pair(G_MAXUINT32, G_MAXUINT64, 0, &outer, &rest);
    g_assert_cmpfloat(outer, >, inner);
    g_assert_cmpfloat(outer - inner, <, 1e-9);
}

/* --- Kernels --- */

static void interesting_words(guint64 *words, gsize n)
{
    const guint64 one = 1;
    const guint64 edges[] = {
        0,         1,         G_MAXUINT32,     one << 32,       one << 63,          G_MAXUINT64,
        one << 61, one << 62, 3 * (one << 61), (one << 53) + 1, G_MAXUINT64 - 1023, 0xb504f333f9de6484};
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(11);
    dpcxr_secret_fill(secret, &here, 0, words, n);
    for (gsize i = 0; i < G_N_ELEMENTS(edges) * G_N_ELEMENTS(edges); i++) {
        gsize radius = i / DPCXR_NOISE_PAIRS * DPCXR_NOISE_GROUP + i % DPCXR_NOISE_PAIRS;
        words[radius] = edges[i / G_N_ELEMENTS(edges)];
        words[radius + DPCXR_NOISE_PAIRS] = edges[i % G_N_ELEMENTS(edges)];
    }
}

static void test_kernels(void)
{
    enum { GROUPS = 40, N = GROUPS * DPCXR_NOISE_GROUP };
    gsize n_kernels, tails = 0;
    const DpcxrNoiseKernel *kernels = dpcxr_noise_kernels(&n_kernels);
    g_autofree guint64 *words = g_new(guint64, N);
    g_autofree float *expected = g_new(float, N), *out = g_new(float, N + 1);
    interesting_words(words, N);
    for (gsize i = 0; i < N / 2; i++) {
        gsize at = i / DPCXR_NOISE_PAIRS * DPCXR_NOISE_GROUP + i % DPCXR_NOISE_PAIRS;
        double z0, z1;
        dpcxr_gaussian_pair(words[at], words[at + DPCXR_NOISE_PAIRS], &z0, &z1);
        tails += dpcxr_gaussian_is_tail(words[at]) ? 1 : 0;
        expected[at] = (float)(1.7 * z0);
        expected[at + DPCXR_NOISE_PAIRS] = (float)(1.7 * z1);
    }
    g_assert_cmpuint(tails, ==, 36);
    for (gsize k = 0; k < n_kernels; k++) {
        g_test_message("%s: %s", kernels[k].name,
                       dpcxr_isa_has(kernels[k].isa) ? "checked" : "not on this processor");
        if (!dpcxr_isa_has(kernels[k].isa))
            continue;
        out[N] = 42;
        g_assert_cmpuint(kernels[k].run(words, GROUPS, 1.7, out), ==, tails);
        g_assert_cmpmem(out, N * sizeof *out, expected, N * sizeof *out);
        g_assert_cmpfloat(out[N], ==, 42);
    }
}

/* --- Tensors --- */

static float *fill(guint64 seed, DpcxrAddress address, gsize n)
{
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(seed);
    float *out = g_new(float, n);
    dpcxr_noise_fill(secret, &address, 1, out, n, NULL);
    return out;
}

/* From the seed to the float, against a computation that shares no code. */
static void test_golden(void)
{
    const gsize n = G_N_ELEMENTS(golden_normals), start = 2 * n;
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(7);
    const DpcxrAddress address = {DPCXR_PURPOSE_NOISE, 1, 345, 12};
    g_autofree float *out = g_new(float, start + n);
    dpcxr_noise_fill(secret, &address, 3.25, out, start + n, NULL);
    for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat(fabs(out[start + i] / (3.25 * golden_normals[i]) - 1), <=, 0x1.000001p-24);
}

/* Any length, with any number of workers, is a prefix of the longest. */
static void test_chunks(void)
{
    enum { MOST = 100000 };
    static const gsize lengths[] = {0,    1,    63,   64,    65,    127,   128, 129,
                                    4095, 4096, 4097, 16384, 16385, 50021, MOST};
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(5);
    g_autofree float *all = g_new(float, MOST), *out = g_new(float, MOST + 1);
    dpcxr_noise_fill(secret, &here, 2, all, MOST, NULL);
    for (int threads = 1; threads <= 3; threads++) {
        g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(threads, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
            out[lengths[i]] = 42;
            dpcxr_noise_fill(secret, &here, 2, out, lengths[i], workers);
            g_assert_cmpmem(out, lengths[i] * sizeof *out, all, lengths[i] * sizeof *out);
            g_assert_cmpfloat(out[lengths[i]], ==, 42);
        }
    }
}

/* Radius words below 2^32 get 64 further bits, each pair its own, from the upper half of the stream; in a
 * last group that is cut short, too. */
static void test_tail_words(void)
{
    enum { GROUPS = 3, FIRST = 5, N = GROUPS * DPCXR_NOISE_GROUP, CUT = N - 27 };
    static const gsize pairs[] = {0, 63, 64, 100, 128, 191};
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(6);
    guint64 words[N], upper[N / 2];
    float plain[N], out[N];
    dpcxr_secret_fill(secret, &here, 0, words, N);
    dpcxr_secret_fill(secret, &here, DPCXR_SECRET_WORDS / 2 + FIRST * DPCXR_NOISE_PAIRS, upper, N / 2);
    dpcxr_noise_transform(secret, &here, FIRST, words, N, 1, plain);
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
        words[pairs[i] / DPCXR_NOISE_PAIRS * DPCXR_NOISE_GROUP + pairs[i] % DPCXR_NOISE_PAIRS] = i % 2;
    out[CUT] = 42;
    dpcxr_noise_transform(secret, &here, FIRST, words, CUT, 1, out);
    g_assert_cmpfloat(out[CUT], ==, 42);
    for (gsize p = 0; p < N / 2; p++) {
        gsize at = p / DPCXR_NOISE_PAIRS * DPCXR_NOISE_GROUP + p % DPCXR_NOISE_PAIRS;
        double z0 = plain[at], z1 = plain[at + DPCXR_NOISE_PAIRS];
        if (dpcxr_gaussian_is_tail(words[at]))
            dpcxr_gaussian_tail_pair(words[at], upper[p], words[at + DPCXR_NOISE_PAIRS], &z0, &z1);
        g_assert_cmpfloat(out[at], ==, (float)z0);
        if (at + DPCXR_NOISE_PAIRS < CUT)
            g_assert_cmpfloat(out[at + DPCXR_NOISE_PAIRS], ==, (float)z1);
    }
}

/* Element e comes from words of its own group, however far into the tensor. */
static void test_addressing(void)
{
    enum { N = 130000 };
    static const guint64 groups[] = {0, 1, 31, 32, 33, 127, 128, 129, 500, 1014};
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(9);
    g_autofree float *all = g_new(float, N);
    dpcxr_noise_fill(secret, &here, 1, all, N, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        guint64 words[DPCXR_NOISE_GROUP];
        float out[DPCXR_NOISE_GROUP];
        dpcxr_secret_fill(secret, &here, groups[i] * DPCXR_NOISE_GROUP, words, DPCXR_NOISE_GROUP);
        dpcxr_noise_transform(secret, &here, groups[i], words, DPCXR_NOISE_GROUP, 1, out);
        g_assert_cmpmem(out, sizeof out, all + groups[i] * DPCXR_NOISE_GROUP, sizeof out);
    }
}

/* --- Law --- */

static int compare_floats(gconstpointer a, gconstpointer b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov on all points; 1.95 is exceeded by one good sample in a thousand. */
static void test_kolmogorov_smirnov(void)
{
    enum { N = 200000 };
    double distance = 0;
    g_autofree float *z = fill(21, here, N);
    qsort(z, N, sizeof *z, compare_floats);
    for (int i = 0; i < N; i++) {
        double p = 0.5 * erfc(-z[i] * G_SQRT2 / 2);
        distance = MAX(distance, MAX(fabs(p - (double)i / N), fabs(p - (i + 1.0) / N)));
    }
    g_assert_cmpfloat(distance * sqrt(N), <, 1.95);
}

/* The first eight moments, for several keys and addresses, each within 4.5 of its own standard deviations: E z^k is
 * (k-1)!! for even k and 0 for odd ones, and z^k has variance (2k-1)!! - E[z^k]^2. */
static void test_moments(void)
{
    enum { N = 1 << 20, MOMENTS = 8 };
    static const double expected[] = {0, 1, 0, 3, 0, 15, 0, 105},
                        second[] = {1, 3, 15, 105, 945, 10395, 135135, 2027025};
    static const DpcxrAddress addresses[] = {{DPCXR_PURPOSE_NOISE, 0, 0, 0},
                                             {DPCXR_PURPOSE_NOISE, 3, 123456789, 77},
                                             {DPCXR_PURPOSE_COUNT_NOISE, 0, 5, 0}};
    for (guint64 seed = 41; seed < 44; seed++) {
        g_autofree float *z = fill(seed, addresses[seed - 41], N);
        double sums[MOMENTS] = {0};
        for (int i = 0; i < N; i++) {
            double power = 1;
            for (int k = 0; k < MOMENTS; k++)
                sums[k] += power *= z[i];
        }
        for (int k = 0; k < MOMENTS; k++) {
            double deviation = sqrt((second[k] - expected[k] * expected[k]) / N);
            g_assert_cmpfloat(fabs(sums[k] / N - expected[k]), <, 4.5 * deviation);
        }
    }
}

/* Counts beyond k standard deviations, each side, within 4.5 standard deviations of a Poisson count. */
static void test_tail_mass(void)
{
    enum { N = 1 << 24, PIECE = 1 << 20 };
    static const double beyond[] = {1, 2, 3, 4, 4.5, 5};
    double above[G_N_ELEMENTS(beyond)] = {0}, below[G_N_ELEMENTS(beyond)] = {0};
    for (guint32 tensor = 0; tensor < N / PIECE; tensor++) {
        g_autofree float *z = fill(22, (DpcxrAddress){DPCXR_PURPOSE_NOISE, 0, 1, tensor}, PIECE);
        for (int i = 0; i < PIECE; i++)
            for (gsize t = 0; t < G_N_ELEMENTS(beyond) && fabsf(z[i]) > beyond[t]; t++)
                *(z[i] > 0 ? &above[t] : &below[t]) += 1;
    }
    for (gsize t = 0; t < G_N_ELEMENTS(beyond); t++) {
        double expected = N * 0.5 * erfc(beyond[t] * G_SQRT2 / 2);
        g_test_message("beyond %g: %g above, %g below, %.1f expected", beyond[t], above[t], below[t],
                       expected);
        g_assert_cmpfloat(fabs(above[t] - expected), <, 4.5 * sqrt(expected) + 1);
        g_assert_cmpfloat(fabs(below[t] - expected), <, 4.5 * sqrt(expected) + 1);
    }
}

/* Mean of a_i b_i over its standard deviation. */
static double correlation(const float *a, const float *b, gsize n)
{
    double sum = 0;
    for (gsize i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum / sqrt((double)n);
}

/* The same for squares: a common radius would show here. */
static double square_correlation(const float *a, const float *b, gsize n)
{
    double sum = 0;
    for (gsize i = 0; i < n; i++)
        sum += ((double)a[i] * a[i] - 1) * ((double)b[i] * b[i] - 1);
    return sum / (2 * sqrt((double)n));
}

static void test_independence(void)
{
    enum { N = 1 << 18 };
    static const gsize lags[] = {1, 2, 8, 63, 64, 65, 127, 128, 4096, 16384};
    g_autofree float *z = fill(23, here, N);
    const DpcxrAddress others[] = {{DPCXR_PURPOSE_NOISE, 1, 0, 0},
                                   {DPCXR_PURPOSE_NOISE, 0, 1, 0},
                                   {DPCXR_PURPOSE_NOISE, 0, 0, 1},
                                   {DPCXR_PURPOSE_COUNT_NOISE, 0, 0, 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(lags); i++) {
        g_assert_cmpfloat(fabs(correlation(z, z + lags[i], N - lags[i])), <, 4);
        g_assert_cmpfloat(fabs(square_correlation(z, z + lags[i], N - lags[i])), <, 4);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree float *other = fill(23, others[i], N);
        g_assert_cmpfloat(fabs(correlation(z, other, N)), <, 4);
        g_assert_cmpfloat(fabs(square_correlation(z, other, N)), <, 4);
    }
    g_autofree float *other_key = fill(24, here, N);
    g_assert_cmpfloat(fabs(correlation(z, other_key, N)), <, 4);
}

/* --- Start-up test --- */

static void test_self_test(void)
{
    g_autoptr(GError) error = NULL;
    for (guint64 seed = 0; seed < 10; seed++) {
        g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(seed);
        g_assert_true(dpcxr_noise_self_test(secret, &error));
        g_assert_no_error(error);
    }
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new(&error);
    g_assert_no_error(error);
    g_assert_true(dpcxr_noise_self_test(secret, &error));
    g_assert_no_error(error);
}

typedef float (*Spoil)(const float *z, int i);

static float five_percent_up(const float *z, int i)
{
    return z[i] * 1.05f;
}

static float five_percent_down(const float *z, int i)
{
    return z[i] * 0.95f;
}

static float two_percent_up(const float *z, int i)
{
    return z[i] * 1.02f;
}

static float shifted(const float *z, int i)
{
    return z[i] + 0.02f;
}

static float cut_at_4(const float *z, int i)
{
    return CLAMP(z[i], -3.99f, 3.99f);
}

static float heavy(const float *z, int i) /* variance 1, fourth moment 3.3 */
{
    return i % 10 == 0 ? z[i] * 1.3f : z[i] * 0.96096f;
}

static float laplace_like(const float *z, int i) /* fourth moment 9 */
{
    return z[i] * z[(i + 1) % DPCXR_NOISE_TEST_SAMPLES];
}

static float uniform(const float *z, int i)
{
    return (float)((erfc(z[i] * G_SQRT2 / 2) - 1) * sqrt(3));
}

static float twice_the_same(const float *z, int i)
{
    return z[i % (DPCXR_NOISE_TEST_SAMPLES / 2)];
}

static float spikes(const float *z, int i)
{
    return i % 200000 == 0 ? 6.5f : z[i];
}

static float hole(const float *z, int i) /* nothing close to zero, all moments as they should be */
{
    return fabsf(z[i]) < 0.02f ? 0.02f : z[i];
}

static float absent(const float *z, int i)
{
    return i == 1000 ? NAN : z[i];
}

static float nothing(const float *z, int i)
{
    return 0;
}

static void test_self_test_fails(void)
{
    static const struct {
        Spoil spoil;
        const char *message;
    } cases[] = {{five_percent_up, "*variance*"},
                 {five_percent_down, "*variance*"},
                 {two_percent_up, "*variance*"},
                 {shifted, "*mean*"},
                 {cut_at_4, "*beyond 4 standard*"},
                 {heavy, "*fourth moment*"},
                 {laplace_like, "*fourth moment*"},
                 {uniform, "*fourth moment*"},
                 {spikes, "*beyond 6 standard*"},
                 {twice_the_same, "*halves*"},
                 {hole, "*distance*"},
                 {absent, "*finite*"},
                 {nothing, "*variance*"}};
    g_autofree float *z = fill(31, here, DPCXR_NOISE_TEST_SAMPLES);
    g_autofree float *bad = g_new(float, DPCXR_NOISE_TEST_SAMPLES);
    g_assert_true(dpcxr_noise_check(z, NULL));
    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        g_autoptr(GError) error = NULL;
        for (int i = 0; i < DPCXR_NOISE_TEST_SAMPLES; i++)
            bad[i] = cases[c].spoil(z, i);
        g_assert_false(dpcxr_noise_check(bad, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
        g_test_message("%s", error->message);
        g_assert_true(g_pattern_match_simple(cases[c].message, error->message));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/noise/log", test_log);
    g_test_add_func("/noise/angle", test_angle);
    g_test_add_func("/noise/tail-pairs", test_tail_pairs);
    g_test_add_func("/noise/tail-seam", test_tail_seam);
    g_test_add_func("/noise/kernels", test_kernels);
    g_test_add_func("/noise/golden", test_golden);
    g_test_add_func("/noise/chunks", test_chunks);
    g_test_add_func("/noise/tail-words", test_tail_words);
    g_test_add_func("/noise/addressing", test_addressing);
    g_test_add_func("/noise/moments", test_moments);
    g_test_add_func("/noise/kolmogorov-smirnov", test_kolmogorov_smirnov);
    g_test_add_func("/noise/tail-mass", test_tail_mass);
    g_test_add_func("/noise/independence", test_independence);
    g_test_add_func("/noise/self-test", test_self_test);
    g_test_add_func("/noise/self-test-fails", test_self_test_fails);
    return g_test_run();
}
