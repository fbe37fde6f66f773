/* SPDX-License-Identifier: MIT
 * Sampling: the rate that is accounted is the rate that is drawn. Keys are fixed, so the statistics never
 * flake. */
#include "privacy/sampler.h"
#include <math.h>
#include <string.h>

/* Units of the given sizes; row numbers run downwards from 10000, so that they are not unit numbers by
 * accident. */
static DpcxrUnits *make_units(gsize n, gsize (*size)(gsize unit))
{
    DpcxrUnits *units = g_new0(DpcxrUnits, 1);
    units->n = n;
    units->offsets = g_new0(gsize, n + 1);
    for (gsize u = 0; u < n; u++) {
        units->offsets[u + 1] = units->offsets[u] + size(u);
        units->max_rows = MAX(units->max_rows, size(u));
    }
    units->rows = g_new(gsize, units->offsets[n]);
    for (gsize i = 0; i < units->offsets[n]; i++)
        units->rows[i] = 10000 - i;
    return units;
}

static gsize one(gsize unit)
{
    return 1;
}

static gsize one_to_seven(gsize unit)
{
    return 1 + unit * 5 % 7;
}

static DpcxrSampler make_sampler(DpcxrSamplerKind kind, gsize population, double rate, int images)
{
    g_autoptr(GError) error = NULL;
    DpcxrSampler sampler;
    g_assert_true(dpcxr_sampler_init(&sampler, kind, population, rate, 0, images, &error));
    g_assert_no_error(error);
    return sampler;
}

/* --- Rates --- */

static void test_threshold(void)
{
    static const struct {
        double rate;
        guint64 threshold;
        double accounted;
    } cases[] = {{1, G_MAXUINT64, 1},
                 {0.5, (G_GUINT64_CONSTANT(1) << 63) - 1, 0.5},
                 {0x1p-64, 0, 0x1p-64},
                 {0x1.8p-64, 1, 0x1p-63},
                 {1e-300, 0, 0x1p-64},
                 {0x1.fffffffffffffp-1, G_MAXUINT64 - 2048, 0x1.fffffffffffffp-1},
                 {0x1.0000000000001p-12, (G_GUINT64_CONSTANT(1) << 52), 0x1.0000000000001p-12}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        DpcxrSampler sampler = make_sampler(DPCXR_SAMPLER_POISSON, 10, cases[i].rate, 0);
        g_assert_cmphex(sampler.threshold, ==, cases[i].threshold);
        g_assert_cmpfloat(sampler.sampling_rate, ==, cases[i].accounted);
    }
}

/* The accounted rate is the threshold's own, and not below what was asked for, for any rate. */
static void test_accounted(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(4);
    for (int i = 0; i < 100000; i++) {
        double rate = exp(-g_rand_double_range(random, 0, 44));
        DpcxrSampler sampler = make_sampler(DPCXR_SAMPLER_POISSON, 10, rate, 0);
        unsigned __int128 words = (unsigned __int128)sampler.threshold + 1;
        unsigned __int128 accounted = (unsigned __int128)ldexp(sampler.sampling_rate, 64);
        g_assert_true(words == accounted);
        g_assert_cmpfloat(sampler.sampling_rate, >=, rate);
        g_assert_cmpfloat(sampler.sampling_rate - rate, <, 0x1p-64);
    }
}

static void test_refused(void)
{
    static const DpcxrSamplerKind kinds[] = {DPCXR_SAMPLER_TRUNCATED_POISSON, DPCXR_SAMPLER_FIXED,
                                             DPCXR_SAMPLER_SHUFFLE};
    static const double rates[] = {0, -0.1, 1.0000000000000002, NAN, INFINITY};
    DpcxrSampler sampler;
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(dpcxr_sampler_init(&sampler, kinds[i], 10, 0.5, 0, 0, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
        g_assert_nonnull(strstr(error->message, dpcxr_sampler_name(kinds[i])));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(rates); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(dpcxr_sampler_init(&sampler, DPCXR_SAMPLER_POISSON, 10, rates[i], 0, 0, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    }
    g_autoptr(GError) error = NULL;
    g_assert_false(dpcxr_sampler_init(&sampler, DPCXR_SAMPLER_FULL, 0, 1, 0, 0, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
}

/* --- The shape of a draw --- */

static void assert_whole(const DpcxrUnitDraw *draw, const DpcxrUnits *units, gsize images)
{
    const gsize *rows = (const gsize *)draw->rows->data, *offsets = (const gsize *)draw->unit_offsets->data;
    const gsize *drawn = (const gsize *)draw->units->data;
    g_assert_cmpuint(draw->unit_offsets->len, ==, draw->units->len + 1);
    g_assert_cmpuint(offsets[0], ==, 0);
    g_assert_cmpuint(offsets[draw->units->len], ==, draw->rows->len);
    for (guint i = 0; i < draw->units->len; i++) {
        gsize u = drawn[i], at = units->offsets[u], all = units->offsets[u + 1] - at;
        g_assert_true(i == 0 || drawn[i - 1] < u);
        g_assert_cmpuint(offsets[i + 1] - offsets[i], ==, images == 0 ? all : MIN(all, images));
        for (gsize r = offsets[i]; r < offsets[i + 1]; r++) { /* the unit's own rows, in order, none twice */
            while (at < units->offsets[u + 1] && units->rows[at] != rows[r])
                at++;
            g_assert_cmpuint(at++, <, units->offsets[u + 1]);
        }
    }
}

static void test_shape(void)
{
    g_autoptr(DpcxrUnits) units = make_units(1500, one_to_seven);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(1);
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    for (int images = 0; images <= 8; images++) {
        DpcxrSampler full = make_sampler(DPCXR_SAMPLER_FULL, units->n, 1, images);
        dpcxr_sampler_draw(&full, units, secret, 3, 0, &draw);
        g_assert_cmpuint(draw.units->len, ==, units->n);
        g_assert_cmpfloat(full.sampling_rate, ==, 1);
        assert_whole(&draw, units, (gsize)images);
        DpcxrSampler some = make_sampler(DPCXR_SAMPLER_POISSON, units->n, 0.3, images);
        for (guint64 step = 0; step < 20; step++) {
            dpcxr_sampler_draw(&some, units, secret, step, 0, &draw);
            assert_whole(&draw, units, (gsize)images);
        }
    }
    dpcxr_unit_draw_clear(&draw);
    dpcxr_unit_draw_clear(&draw);
}

static void test_rate_one(void)
{
    g_autoptr(DpcxrUnits) units = make_units(5000, one);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(1);
    DpcxrSampler sampler = make_sampler(DPCXR_SAMPLER_POISSON, units->n, 1, 0);
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    dpcxr_sampler_draw(&sampler, units, secret, 0, 0, &draw);
    g_assert_cmpuint(draw.units->len, ==, units->n);
    dpcxr_unit_draw_clear(&draw);
}

static void test_empty(void)
{
    g_autoptr(DpcxrUnits) units = make_units(100, one);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(1);
    DpcxrSampler sampler = make_sampler(DPCXR_SAMPLER_POISSON, units->n, 1e-12, 0);
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    dpcxr_sampler_draw(&sampler, units, secret, 0, 0, &draw);
    g_assert_cmpuint(draw.units->len, ==, 0);
    g_assert_cmpuint(draw.rows->len, ==, 0);
    g_assert_cmpuint(draw.unit_offsets->len, ==, 1);
    dpcxr_unit_draw_clear(&draw);
}

/* The word of a unit decides, and a word equal to the threshold is in. */
static void test_words_decide(void)
{
    enum { N = 3000 };
    g_autoptr(DpcxrUnits) units = make_units(N, one);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(8);
    const DpcxrAddress address = {DPCXR_PURPOSE_SAMPLING, 0, 77, 0};
    DpcxrSampler sampler = make_sampler(DPCXR_SAMPLER_POISSON, N, 0.5, 0);
    g_autofree guint64 *words = g_new(guint64, N);
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    dpcxr_secret_fill(secret, &address, 0, words, N);
    sampler.threshold = words[N - 1];
    dpcxr_sampler_draw(&sampler, units, secret, 77, 0, &draw);
    guint at = 0;
    for (gsize u = 0; u < N; u++)
        if (words[u] <= words[N - 1])
            g_assert_cmpuint(g_array_index(draw.units, gsize, at++), ==, u);
    g_assert_cmpuint(at, ==, draw.units->len);
    dpcxr_unit_draw_clear(&draw);
}

/* --- Law --- */

/* Inclusion counts over units and steps, sizes of draws, and pairs of neighbours in both directions. */
static void poisson_law(double rate)
{
    enum { N = 1500, STEPS = 400 };
    g_autoptr(DpcxrUnits) units = make_units(N, one);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(17);
    DpcxrSampler sampler = make_sampler(DPCXR_SAMPLER_POISSON, N, rate, 0);
    g_autofree guint8 *in = g_new0(guint8, N * STEPS);
    const double variance = rate * (1 - rate);
    double per_unit = 0, per_step = 0, total = 0, next_unit = 0, next_step = 0;
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    for (int s = 0; s < STEPS; s++) {
        dpcxr_sampler_draw(&sampler, units, secret, (guint64)s, 0, &draw);
        for (guint i = 0; i < draw.units->len; i++)
            in[s * N + (int)g_array_index(draw.units, gsize, i)] = 1;
        total += draw.units->len;
        per_step += pow(draw.units->len - N * rate, 2) / (N * variance);
    }
    dpcxr_unit_draw_clear(&draw);
    for (int u = 0; u < N; u++) {
        double count = 0;
        for (int s = 0; s < STEPS; s++) {
            count += in[s * N + u];
            next_unit += (in[s * N + u] - rate) * (in[s * N + (u + 1) % N] - rate);
            next_step += (in[s * N + u] - rate) * (in[(s + 1) % STEPS * N + u] - rate);
        }
        per_unit += pow(count - STEPS * rate, 2) / (STEPS * variance);
    }
    const double cells = (double)N * STEPS;
    g_test_message(
        "rate %g: total %.2f, over units %.2f, over steps %.2f, neighbours %.2f %.2f (standard deviations)",
        rate, (total - cells * rate) / sqrt(cells * variance), (per_unit - N) / sqrt(2.0 * N),
        (per_step - STEPS) / sqrt(2.0 * STEPS), next_unit / (variance * sqrt(cells)),
        next_step / (variance * sqrt(cells)));
    g_assert_cmpfloat(fabs(total - cells * rate), <, 4 * sqrt(cells * variance));
    g_assert_cmpfloat(fabs(per_unit - N), <, 4 * sqrt(2.0 * N));
    g_assert_cmpfloat(fabs(per_step - STEPS), <, 4 * sqrt(2.0 * STEPS));
    g_assert_cmpfloat(fabs(next_unit), <, 4 * variance * sqrt(cells));
    g_assert_cmpfloat(fabs(next_step), <, 4 * variance * sqrt(cells));
}

static void test_poisson(void)
{
    poisson_law(0.02);
    poisson_law(0.1);
    poisson_law(0.5);
    poisson_law(0.97);
}

static gsize six(gsize unit)
{
    return 6;
}

/* Every subset of K of 6 images comes equally often (chi-square within 4 standard deviations), in two units
 * apart. */
static void test_images(void)
{
    enum { STEPS = 20000 };
    static const int subsets[] = {0, 6, 15, 20, 15, 6};
    g_autoptr(DpcxrUnits) units = make_units(2, six);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(19);
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    for (int k = 1; k < 6; k++) {
        DpcxrSampler sampler = make_sampler(DPCXR_SAMPLER_FULL, 2, 1, k);
        double counts[2][64] = {{0}}, both = 0, cells = subsets[k], expected = STEPS / cells;
        for (guint64 s = 0; s < STEPS; s++) {
            int masks[2] = {0, 0};
            dpcxr_sampler_draw(&sampler, units, secret, s, 0, &draw);
            for (guint i = 0; i < draw.rows->len; i++) {
                gsize at = 10000 - g_array_index(draw.rows, gsize, i);
                masks[at / 6] |= 1 << at % 6;
            }
            counts[0][masks[0]]++;
            counts[1][masks[1]]++;
            both += masks[0] == masks[1];
        }
        for (int u = 0; u < 2; u++) {
            double chi2 = 0;
            for (int m = 0; m < 64; m++) {
                if (__builtin_popcount((unsigned)m) == k)
                    chi2 += pow(counts[u][m] - expected, 2) / expected;
                else
                    g_assert_cmpfloat(counts[u][m], ==, 0);
            }
            g_assert_cmpfloat(fabs(chi2 - (cells - 1)), <, 4 * sqrt(2 * (cells - 1)));
        }
        g_assert_cmpfloat(fabs(both - expected), <, 4 * sqrt(expected));
    }
    dpcxr_unit_draw_clear(&draw);
}

/* What a unit gets depends on the sequence number and on the unit, not on who else is drawn. */
static void test_addressing(void)
{
    g_autoptr(DpcxrUnits) units = make_units(200, one_to_seven);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(23);
    DpcxrSampler all = make_sampler(DPCXR_SAMPLER_FULL, units->n, 1, 2);
    DpcxrSampler some = make_sampler(DPCXR_SAMPLER_POISSON, units->n, 0.3, 2);
    DpcxrUnitDraw whole, part, other;
    dpcxr_unit_draw_init(&whole);
    dpcxr_unit_draw_init(&part);
    dpcxr_unit_draw_init(&other);
    dpcxr_sampler_draw(&all, units, secret, 9, 0, &whole);
    dpcxr_sampler_draw(&some, units, secret, 9, 0, &part);
    dpcxr_sampler_draw(&some, units, secret, 10, 0, &other);
    for (guint i = 0; i < part.units->len; i++) {
        gsize u = g_array_index(part.units, gsize, i), from = g_array_index(part.unit_offsets, gsize, i);
        gsize n = g_array_index(part.unit_offsets, gsize, i + 1) - from;
        g_assert_cmpmem(&g_array_index(part.rows, gsize, from), n * sizeof(gsize),
                        &g_array_index(whole.rows, gsize, g_array_index(whole.unit_offsets, gsize, u)),
                        n * sizeof(gsize));
    }
    g_assert_true(part.units->len != other.units->len ||
                  memcmp(part.units->data, other.units->data, part.units->len * sizeof(gsize)) != 0);
    dpcxr_unit_draw_clear(&whole);
    dpcxr_unit_draw_clear(&part);
    dpcxr_unit_draw_clear(&other);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sampler/threshold", test_threshold);
    g_test_add_func("/sampler/accounted", test_accounted);
    g_test_add_func("/sampler/refused", test_refused);
    g_test_add_func("/sampler/shape", test_shape);
    g_test_add_func("/sampler/rate-one", test_rate_one);
    g_test_add_func("/sampler/empty", test_empty);
    g_test_add_func("/sampler/words-decide", test_words_decide);
    g_test_add_func("/sampler/poisson", test_poisson);
    g_test_add_func("/sampler/images", test_images);
    g_test_add_func("/sampler/addressing", test_addressing);
    return g_test_run();
}
