/* SPDX-License-Identifier: MIT
 * The grid noise: its table, its integers against a computation that shares no code, its law against exact probabilities,
 * its addresses, and a start-up test that fails when it should. Keys are fixed, so the statistics never flake. */
#define DPCXR_GRID_STRIP_RESTS
#include "../golden/grid-noise-golden.h"
#include "privacy/grid-noise-kernel.h"
#include "privacy/grid-noise.h"
#include "privacy/grid-strips.h"
#include "privacy/grid.h"
#include "privacy/noise-kernel.h"
#include "privacy/noise.h"
#include <math.h>
#include <string.h>

static const DpcxrAddress here = {DPCXR_PURPOSE_NOISE, 0, 0, 0};
static const DpcxrAddress golden_address = {DPCXR_PURPOSE_NOISE, 1, 345, 12};
enum { GOLDEN_BLOCK = 3 };

/* --- Table --- */

static double threshold(int column)
{
    double t = strip_heads[column] >> 10;
    for (int i = 0; i < 3; i++)
        t += ldexp((double)strip_rests[column][i], -64 * (i + 1));
    return ldexp(t, -15);
}

/* What the columns add up to is the law of the strips, to what doubles can tell. */
static void test_table(void)
{
    g_autofree double *got = g_new0(double, 1024);
    for (int column = 0; column < 1024; column++) {
        double t = threshold(column);
        g_assert_true(t >= 0 && t <= 1);
        got[column] += t / 1024;
        got[strip_heads[column] & 1023] += (1 - t) / 1024;
    }
    for (int strip = 0; strip < 1024; strip++)
        if (!(fabs(got[strip] - golden_strips[strip]) <= 1e-12 * golden_strips[strip] + 0x1p-217))
            g_error("strip %d has %.17g instead of %.17g", strip, got[strip], golden_strips[strip]);
}

/* --- Integers --- */

static void check_block(const DpcxrSecret *secret, const guint64 *words, const gint64 *wanted, gsize n, gsize used)
{
    g_autofree gint64 *out = g_new(gint64, n + 1);
    out[n] = 42;
    g_assert_cmpuint(dpcxr_grid_noise_block(secret, &golden_address, GOLDEN_BLOCK, words, n, out), ==, used);
    for (gsize i = 0; i < n; i++)
        g_assert_cmpint(out[i], ==, wanted[i]);
    g_assert_cmpint(out[n], ==, 42);
}

static void test_golden(void)
{
    enum { HARD = G_N_ELEMENTS(golden_hard) };
    const guint64 trial = G_GUINT64_CONSTANT(8191) << 35, head = G_GUINT64_CONSTANT(32767) << 49;
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(7);
    guint64 words[DPCXR_GRID_BLOCK], hard[HARD], ties[HARD];
    dpcxr_secret_fill(secret, &golden_address, GOLDEN_BLOCK * DPCXR_GRID_BLOCK, words, DPCXR_GRID_BLOCK);
    for (int i = 0; i < HARD; i++) {
        guint64 limit = strip_heads[words[HARD + i] & 1023] >> 10;
        hard[i] = words[i] & ~trial;
        ties[i] = limit > 32767 ? words[HARD + i] : (words[HARD + i] & ~trial & ~head) | limit << 49;
    }
    check_block(secret, words, golden_block, DPCXR_GRID_BLOCK, GOLDEN_BLOCK_USED);
    check_block(secret, hard, golden_hard, HARD, GOLDEN_HARD_USED);
    check_block(secret, ties, golden_ties, HARD, GOLDEN_TIES_USED);
}

/* All kernels give the same, for words at the edges of every field, too. */
static void test_kernels(void)
{
    enum { N = 3001 };
    gsize n_kernels, n_noise;
    const DpcxrGridKernel *kernels = dpcxr_grid_kernels(&n_kernels);
    const DpcxrNoiseKernel *noise = dpcxr_noise_kernels(&n_noise);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(11);
    g_autofree guint64 *words = g_new(guint64, N);
    g_autofree gint64 *expected = g_new(gint64, N), *out = g_new(gint64, N + 1);
    gsize undecided = 0;
    dpcxr_secret_fill(secret, &here, 0, words, N);
    for (int i = 0; i < 1024; i++) { /* heads at, below and above the limit, trials at and above the strip's */
        guint64 limit = strip_heads[i] >> 10, strip = i % 3 ? (guint64)i : strip_heads[i] & 1023;
        guint64 head = MIN(limit + (guint64)(i % 3) - 1, 32767), trial = MIN(2 * strip + (guint64)(i / 3 % 2), 8191);
        words[i] = (guint64)i | (guint64)(i % 2 ? 0x1ffffff : i) << 10 | trial << 35 | (guint64)(i % 5 == 0) << 48 | head << 49;
    }
    for (gsize i = 0; i < N; i++) {
        DpcxrGridWord word = dpcxr_grid_word(words[i]);
        guint32 limit = strip_heads[word.column] >> 10, alias = strip_heads[word.column] & 1023;
        guint32 strip = word.head < limit ? word.column : alias;
        gboolean decided = word.head != limit && word.trial > 2 * strip;
        expected[i] = decided ? dpcxr_grid_value(strip, word.place, word.negative) : DPCXR_GRID_UNDECIDED;
        undecided += !decided;
    }
    g_assert_cmpuint(undecided, >, 300);
    g_assert_cmpuint(n_kernels, ==, n_noise);
    for (gsize k = 0; k < n_kernels; k++) {
        g_assert_cmpstr(kernels[k].name, ==, noise[k].name);
        if (!dpcxr_isa_has(noise[k].isa))
            continue;
        out[N] = 42;
        g_assert_cmpuint(kernels[k].run(words, N, out), ==, undecided);
        g_assert_cmpmem(out, N * sizeof *out, expected, N * sizeof *out);
        g_assert_cmpint(out[N], ==, 42);
    }
}

/* --- Addresses --- */

/* Any length, with any number of workers, is a prefix of the longest, and block b has the words that are said to be its. */
static void test_chunks(void)
{
    enum { MOST = 70000 };
    static const gsize lengths[] = {0, 1, 63, 1023, 1024, 1025, 16384, 16385, 50021, MOST};
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(5);
    g_autofree gint64 *all = g_new(gint64, MOST), *out = g_new(gint64, MOST + 1);
    dpcxr_grid_noise_fill(secret, &here, all, MOST, NULL);
    for (int threads = 1; threads <= 3; threads++) {
        g_autoptr(DpcxrWorkers) workers = dpcxr_workers_new(threads, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
            out[lengths[i]] = 42;
            dpcxr_grid_noise_fill(secret, &here, out, lengths[i], workers);
            g_assert_cmpmem(out, lengths[i] * sizeof *out, all, lengths[i] * sizeof *out);
            g_assert_cmpint(out[lengths[i]], ==, 42);
        }
    }
    for (guint64 block = 0; block < MOST / DPCXR_GRID_BLOCK; block++) {
        guint64 words[DPCXR_GRID_BLOCK];
        dpcxr_secret_fill(secret, &here, block * DPCXR_GRID_BLOCK, words, DPCXR_GRID_BLOCK);
        gsize used = dpcxr_grid_noise_block(secret, &here, block, words, DPCXR_GRID_BLOCK, out);
        g_assert_cmpuint(used, <, 300); /* of 1024 */
        g_assert_cmpmem(out, DPCXR_GRID_BLOCK * sizeof *out, all + block * DPCXR_GRID_BLOCK, DPCXR_GRID_BLOCK * sizeof *out);
    }
}

/* A block whose elements want more words than are its own ends the program: the next word is another block's. */
static void test_exhausted(void)
{
    if (g_test_subprocess()) {
        static guint64 words[DPCXR_GRID_BLOCK];
        static gint64 out[DPCXR_GRID_BLOCK];
        g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(5);
        dpcxr_grid_noise_block(secret, &here, 0, words, DPCXR_GRID_BLOCK, out);
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*used up its words*");
}

/* --- Law --- */

enum { PIECE = 1 << 20, PIECES = 16, HALVES = 512 };

/* Counts of values by sign and half-strip, of PIECES tensors. */
typedef struct {
    double positive[HALVES + 1], negative[HALVES + 1], zero;
    double low[256]; /* by the lowest byte of the value */
} Counts;

static void count(Counts *counts, gint64 value)
{
    gsize half = MIN((gsize)ABS(value) >> 23, HALVES);
    if (value == 0)
        counts->zero++;
    else
        (value > 0 ? counts->positive : counts->negative)[half]++;
    counts->low[value & 255]++;
}

static Counts *law_counts(void)
{
    Counts *counts = g_new0(Counts, 1);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(22);
    g_autofree gint64 *values = g_new(gint64, PIECE);
    for (guint32 tensor = 0; tensor < PIECES; tensor++) {
        dpcxr_grid_noise_fill(secret, &(DpcxrAddress){DPCXR_PURPOSE_NOISE, 0, 1, tensor}, values, PIECE, NULL);
        for (gsize i = 0; i < PIECE; i++)
            count(counts, values[i]);
    }
    return counts;
}

/* Pearson's statistic in standard deviations of its own, over cells with 10 expected at least. */
static double chi_square(const double *counts, const double *expected, gsize n)
{
    double sum = 0, freedom = 0;
    for (gsize i = 0; i < n; i++) {
        g_assert_cmpfloat(expected[i], >, 10);
        sum += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
        freedom++;
    }
    g_test_message("chi-square %.1f of %.0f cells", sum, freedom);
    return (sum - (freedom - 1)) / sqrt(2 * (freedom - 1));
}

static void test_law(void)
{
    const double n = (double)PIECE * PIECES;
    g_autofree Counts *counts = law_counts();
    double all[2 * (HALVES + 1)], expected[2 * (HALVES + 1)], low[256];
    double first = 0, mean = 0, variance = 0;
    for (int i = 0; i <= HALVES; i++) {
        all[i] = counts->positive[i] + (i == 0 ? counts->zero / 2 : 0);
        all[HALVES + 1 + i] = counts->negative[i] + (i == 0 ? counts->zero / 2 : 0);
        expected[i] = expected[HALVES + 1 + i] = n / 2 * golden_halves[i];
    }
    g_assert_cmpfloat(fabs(chi_square(all, expected, 2 * (HALVES + 1))), <, 4.5);
    /* Of those in a strip, the first half has more: what the rejection is for. The number is off by far otherwise. */
    for (int strip = 0; strip < HALVES / 2; strip++) {
        double p = golden_halves[2 * strip] / (golden_halves[2 * strip] + golden_halves[2 * strip + 1]);
        double here_first = all[2 * strip] + all[HALVES + 1 + 2 * strip];
        double here_all = here_first + all[2 * strip + 1] + all[HALVES + 1 + 2 * strip + 1];
        first += here_first;
        mean += here_all * p;
        variance += here_all * p * (1 - p);
    }
    g_test_message("first halves: %.0f, %.0f expected, standard deviation %.0f; %.0f without rejection", first, mean,
                   sqrt(variance), n / 2);
    g_assert_cmpfloat(fabs(first - mean), <, 4.5 * sqrt(variance));
    g_assert_cmpfloat(mean - n / 2, >, 9 * sqrt(variance));
    for (int i = 0; i < 256; i++)
        low[i] = n / 256;
    g_assert_cmpfloat(fabs(chi_square(counts->low, low, 256)), <, 4.5);
}

/* --- Start-up test --- */

static void test_self_test(void)
{
    g_autoptr(GError) error = NULL;
    for (guint64 seed = 0; seed < 5; seed++) {
        g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(seed);
        g_assert_true(dpcxr_grid_noise_self_test(secret, &error));
        g_assert_no_error(error);
    }
}

/* Deviations that are 5 % off, as integers, do not pass. */
static void test_self_test_fails(void)
{
    static const double wrong[] = {0.95, 1.05, 1.02};
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(31);
    g_autofree gint64 *values = g_new(gint64, DPCXR_NOISE_TEST_SAMPLES);
    g_autofree float *z = g_new(float, DPCXR_NOISE_TEST_SAMPLES);
    dpcxr_grid_noise_fill(secret, &here, values, DPCXR_NOISE_TEST_SAMPLES, NULL);
    for (gsize w = 0; w < G_N_ELEMENTS(wrong); w++) {
        g_autoptr(GError) error = NULL;
        for (int i = 0; i < DPCXR_NOISE_TEST_SAMPLES; i++)
            z[i] = (float)ldexp(wrong[w] * (double)values[i], -DPCXR_GRID_BITS);
        g_assert_false(dpcxr_noise_check(z, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    }
}

/* --- The grid itself --- */

/* multiplier^2 * limit <= 2^60, in integers. */
static void check_grid(double multiplier, double norm)
{
    __extension__ typedef unsigned __int128 Wide;
    DpcxrGrid grid = dpcxr_grid_new(multiplier, norm);
    int e_m, e_l;
    guint64 m = (guint64)ldexp(frexp(multiplier, &e_m), 53), l = (guint64)ldexp(frexp(grid.limit, &e_l), 53);
    Wide square = (Wide)m * m; /* below 2^106, in units of 2^(2 e_m - 106) */
    Wide high = square >> 64, low = square & G_MAXUINT64;
    high = high * l + ((low * l) >> 64) + 1; /* at least square * l / 2^64 */
    int e = 2 * e_m - 106 + e_l - 53 + 64;
    g_assert_true(60 - e >= 127 || high <= (Wide)1 << (60 - e));
    /* and not much less; and a gradient of the norm fits */
    g_assert_cmpfloat(multiplier * multiplier * grid.limit, >, ldexp(1 - 1e-9, 60));
    g_assert_cmpfloat(norm * norm * grid.scale * grid.scale, <, grid.limit * (1 - 1e-6));
    g_assert_cmpfloat(fabs(grid.scale * grid.spacing - 1), <, 1e-15);
    g_assert_cmpfloat(fabs(grid.spacing * ldexp(1, 30) / (multiplier * norm) - 1), <, 1e-6);
}

static void test_grid(void)
{
    static const double multipliers[] = {DPCXR_GRID_MULTIPLIER_MIN, 0.3, 0.610644, 1, 1.0000000000000002, 3.7, 100,
                                         DPCXR_GRID_MULTIPLIER_MAX};
    static const double norms[] = {1e-12, 0.1, 1, 1.5, 1e9};
    for (gsize i = 0; i < G_N_ELEMENTS(multipliers); i++)
        for (gsize k = 0; k < G_N_ELEMENTS(norms); k++)
            check_grid(multipliers[i], norms[k]);
    g_autoptr(GError) error = NULL;
    g_assert_true(dpcxr_grid_check(1, 1000000, NULL));
    g_assert_false(dpcxr_grid_check(0.0005, 10, NULL));
    g_assert_false(dpcxr_grid_check(INFINITY, 10, NULL));
    g_assert_false(dpcxr_grid_check(1, G_GUINT64_CONSTANT(1) << 32, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
}

static void test_add(void)
{
    DpcxrGrid grid = dpcxr_grid_new(1, 1);
    gint64 sum[2] = {5, -5};
    g_assert_true(dpcxr_grid_add(&grid, (double[]){0.6, -0.8}, 2, sum));
    g_assert_cmpint(sum[0], ==, 5 + (gint64)(0.6 * grid.scale));
    g_assert_cmpint(sum[1], ==, -5 - (gint64)(0.8 * grid.scale));
    memset(sum, 0, sizeof sum);
    g_assert_false(dpcxr_grid_add(&grid, (double[]){0.6, -0.800002}, 2, sum));
    g_assert_false(dpcxr_grid_add(&grid, (double[]){0, NAN}, 2, sum));
    g_assert_false(dpcxr_grid_add(&grid, (double[]){INFINITY, 0}, 2, sum));
    g_assert_true(sum[0] == 0 && sum[1] == 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/grid-noise/table", test_table);
    g_test_add_func("/grid-noise/golden", test_golden);
    g_test_add_func("/grid-noise/kernels", test_kernels);
    g_test_add_func("/grid-noise/chunks", test_chunks);
    g_test_add_func("/grid-noise/exhausted", test_exhausted);
    g_test_add_func("/grid-noise/law", test_law);
    g_test_add_func("/grid-noise/self-test", test_self_test);
    g_test_add_func("/grid-noise/self-test-fails", test_self_test_fails);
    g_test_add_func("/grid/spacing", test_grid);
    g_test_add_func("/grid/add", test_add);
    return g_test_run();
}
