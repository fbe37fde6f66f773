/* SPDX-License-Identifier: MIT
 * The public random streams: bits against RFC 8439 and an independent program, shapes
 * against their moments. */
#include "base/random-words.h"
#include <math.h>

/* RFC 8439, section 2.3.2: key 00..1f, nonce 00 00 00 09 00 00 00 4a 00 00 00 00, block 1. */
static void test_rfc8439(void)
{
    static const guint32 expected[16] = {
        0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
        0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9, 0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2};
    DpcxrRandom random = {.nonce = {0x09000000, 0x4a000000, 0}, .counter = 1, .used = 16};

    for (guint32 i = 0; i < 8; i++)
        random.key[i] = (4 * i) | (4 * i + 1) << 8 | (4 * i + 2) << 16 | (4 * i + 3) << 24;
    for (int i = 0; i < 8; i++)
        g_assert_cmphex(dpcxr_random_u64(&random), ==, expected[2 * i] | (guint64)expected[2 * i + 1] << 32);
    g_assert_cmpuint(random.counter, ==, 2);
}

/* Values number 0, 1, 7, 8 and 19 of three streams, from tests/golden/random/random.py. */
static void test_addresses(void)
{
    static const struct {
        guint64 seed;
        const char *purpose;
        guint64 a;
        guint32 b;
        guint64 expected[5];
    } cases[] = {
        {0,
         "",
         0,
         0,
         {0xa086dbd24abe8f13, 0xe3e931d1480cf235, 0xb1ddc783d7899079, 0xdc3976500fe7bee7,
          0x52d0952d01fef5c8}},
        {1,
         "hflip",
         7,
         3,
         {0xc6438d62a77935cf, 0x8d15477103f96324, 0x764a248ddaa20e62, 0x0d2f7e226e011c75,
          0x79bad450fa992fde}},
        {G_MAXUINT64,
         "rotate",
         (G_GUINT64_CONSTANT(1) << 40) + 5,
         G_MAXUINT32,
         {0xa583a903246660f1, 0x2259c51b30cb7cb6, 0xb559e7896b70a9ad, 0xcbe28ff207863687,
          0x1ef56d0c79452855}},
    };
    static const int at[5] = {0, 1, 7, 8, 19};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        DpcxrRandom random;
        int next = 0;
        dpcxr_random_init(&random, cases[i].seed, cases[i].purpose, cases[i].a, cases[i].b);
        for (int k = 0; k < 20; k++) {
            guint64 value = dpcxr_random_u64(&random);
            if (next < 5 && k == at[next])
                g_assert_cmphex(value, ==, cases[i].expected[next++]);
        }
        g_assert_cmpint(next, ==, 5);
    }
}

static guint64 first(guint64 seed, const char *purpose, guint64 a, guint32 b)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, seed, purpose, a, b);
    return dpcxr_random_u64(&random);
}

static void test_every_part_counts(void)
{
    guint64 values[] = {first(1, "p", 2, 3),  first(2, "p", 2, 3),
                        first(1, "q", 2, 3),  first(1, "p", 3, 3),
                        first(1, "p", 2, 4),  first(1, "p", 3, 2),
                        first(1, "pp", 2, 3), first(1, "p", 2 + (G_GUINT64_CONSTANT(1) << 32), 3)};

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        for (gsize k = 0; k < i; k++)
            g_assert_cmphex(values[i], !=, values[k]);
    g_assert_cmphex(values[0], ==, first(1, "p", 2, 3));
}

/* Bounds are 5 standard deviations of the estimate; the streams are fixed, so a pass stays a pass. */
static void test_uniform(void)
{
    const int n = 200000;
    double sum = 0, squares = 0, low = 1, high = 0;
    DpcxrRandom random;

    dpcxr_random_init(&random, 3, "test", 0, 0);
    for (int i = 0; i < n; i++) {
        double u = dpcxr_random_uniform(&random);
        g_assert_true(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
        low = MIN(low, u);
        high = MAX(high, u);
    }
    g_assert_cmpfloat_with_epsilon(sum / n, 0.5, 5 * sqrt(1 / 12.0 / n));
    g_assert_cmpfloat_with_epsilon(squares / n, 1 / 3.0, 5 * sqrt(4 / 45.0 / n));
    g_assert_cmpfloat(low, <, 1e-4);
    g_assert_cmpfloat(high, >, 1 - 1e-4);
}

static void test_uniform_bits(void)
{
    DpcxrRandom random, again;

    dpcxr_random_init(&random, 1, "test", 0, 0);
    dpcxr_random_init(&again, 1, "test", 0, 0);
    for (int i = 0; i < 20; i++) {
        double u = dpcxr_random_uniform(&random);
        g_assert_cmphex((guint64)(u * 9007199254740992.0), ==, dpcxr_random_u64(&again) >> 11);
    }
}

static void test_below(void)
{
    enum { SIDES = 6, THROWS = 60000 };
    int counts[SIDES] = {0};
    double chi2 = 0;
    DpcxrRandom random;

    dpcxr_random_init(&random, 4, "test", 0, 0);
    for (int i = 0; i < THROWS; i++)
        counts[dpcxr_random_below(&random, SIDES)]++;
    for (int i = 0; i < SIDES; i++) {
        double d = counts[i] - THROWS / (double)SIDES;
        chi2 += d * d / (THROWS / (double)SIDES);
    }
    g_assert_cmpfloat(chi2, <, 20.5); /* 99.9 % point with 5 degrees of freedom */
    g_assert_cmpuint(dpcxr_random_below(&random, 1), ==, 0);
}

/* With n = 3/4 of 2^64 a plain remainder would give the lowest third twice as often as the rest. */
static void test_below_is_unbiased(void)
{
    const guint64 n = G_GUINT64_CONSTANT(3) << 62, third = G_GUINT64_CONSTANT(1) << 62;
    int low = 0, draws = 30000;
    DpcxrRandom random;

    dpcxr_random_init(&random, 5, "test", 0, 0);
    for (int i = 0; i < draws; i++) {
        guint64 value = dpcxr_random_below(&random, n);
        g_assert_cmpuint(value, <, n);
        low += value < third;
    }
    g_assert_cmpfloat_with_epsilon(low / (double)draws, 1 / 3.0, 5 * sqrt(2 / 9.0 / draws));
}

static void test_normal(void)
{
    const int n = 200000;
    double moments[5] = {0};
    DpcxrRandom random;

    dpcxr_random_init(&random, 6, "test", 0, 0);
    for (int i = 0; i < n; i++) {
        double z = dpcxr_random_normal(&random);
        for (int k = 1; k <= 4; k++)
            moments[k] += pow(z, k) / n;
    }
    g_assert_cmpfloat_with_epsilon(moments[1], 0, 5 * sqrt(1.0 / n));
    g_assert_cmpfloat_with_epsilon(moments[2], 1, 5 * sqrt(2.0 / n));
    g_assert_cmpfloat_with_epsilon(moments[3], 0, 5 * sqrt(15.0 / n));
    g_assert_cmpfloat_with_epsilon(moments[4], 3, 5 * sqrt(96.0 / n));
}

/* Many words at once are the same words, however they are taken. */
static void test_words(void)
{
    enum { N = 200 };
    guint32 words[N];
    DpcxrRandom many, single;

    dpcxr_random_init(&many, 7, "test", 1, 2);
    dpcxr_random_init(&single, 7, "test", 1, 2);
    for (gsize at = 0, step = 2; at < N; at += step, step = MIN(step * 3, N - at))
        dpcxr_random_words(&many, words + at, step);
    for (int i = 0; i < N; i += 2)
        g_assert_cmphex(dpcxr_random_u64(&single), ==, words[i] | (guint64)words[i + 1] << 32);
    g_assert_cmphex(dpcxr_random_u64(&single), ==, dpcxr_random_u64(&many));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/random/rfc8439", test_rfc8439);
    g_test_add_func("/random/addresses", test_addresses);
    g_test_add_func("/random/every-part-counts", test_every_part_counts);
    g_test_add_func("/random/words", test_words);
    g_test_add_func("/random/uniform", test_uniform);
    g_test_add_func("/random/uniform-bits", test_uniform_bits);
    g_test_add_func("/random/below", test_below);
    g_test_add_func("/random/below-is-unbiased", test_below_is_unbiased);
    g_test_add_func("/random/normal", test_normal);
    return g_test_run();
}
