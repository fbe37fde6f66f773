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

static DpcxrSampler make_capped(DpcxrSamplerKind kind, gsize population, double rate, gsize cap, int images)
{
    g_autoptr(GError) error = NULL;
    DpcxrSampler sampler;
    g_assert_true(dpcxr_sampler_init(&sampler, kind, population, rate, cap, images, &error));
    g_assert_no_error(error);
    return sampler;
}

static DpcxrSampler make_sampler(DpcxrSamplerKind kind, gsize population, double rate, int images)
{
    return make_capped(kind, population, rate, 0, images);
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
        static const gsize caps[] = {0, 11};
        for (gsize c = 0; c < G_N_ELEMENTS(caps); c++) {
            g_autoptr(GError) error = NULL;
            gboolean good = dpcxr_sampler_init(&sampler, kinds[i], 10, 0.5, caps[c], 0, &error);
            /* a Poisson sample may have a cap that is never reached */
            g_assert_cmpint(good, ==, kinds[i] == DPCXR_SAMPLER_TRUNCATED_POISSON && caps[c] > 0);
            if (good)
                continue;
            g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
            g_assert_nonnull(strstr(error->message, dpcxr_sampler_name(kinds[i])));
        }
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
        for (DpcxrSamplerKind kind = DPCXR_SAMPLER_TRUNCATED_POISSON; kind < DPCXR_N_SAMPLERS; kind++) {
            DpcxrSampler capped = make_capped(kind, units->n, 0.3, 440, images);
            for (guint64 step = 0; step < 20; step++) {
                dpcxr_sampler_draw(&capped, units, secret, step, step % dpcxr_sampler_record_steps(&capped),
                                   &draw);
                assert_whole(&draw, units, (gsize)images);
                g_assert_cmpuint(draw.units->len, <=, 440);
            }
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

/* --- Laws of the samplers with a cap ---  For few units all outcomes are counted, and those of neighbouring
 * steps together. Limits for chi-square with k degrees of freedom are those of Laurent & Massart 2000, Lemma
 * 1, at e^-21: k - 2 sqrt(21 k) and k + 2 sqrt(21 k) + 42. */

static void assert_chi_square(const char *what, double chi2, double k)
{
    g_test_message("%s: chi-square %.1f with %.0f degrees of freedom", what, chi2, k);
    g_assert_cmpfloat(chi2, >, k - 2 * sqrt(21 * k));
    g_assert_cmpfloat(chi2, <, k + 2 * sqrt(21 * k) + 42);
}

/* Bit u: unit u is in the draw. */
static guint mask_of(const DpcxrUnitDraw *draw)
{
    guint mask = 0;
    for (guint i = 0; i < draw->units->len; i++)
        mask |= 1u << g_array_index(draw->units, gsize, i);
    return mask;
}

enum { OUTCOMES = 64 };

/* Counts @steps draws, and pairs of a draw and the next one, against @probability of each mask. */
static void assert_law(const char *what, const DpcxrSampler *sampler, int steps,
                       double (*probability)(guint mask))
{
    g_autoptr(DpcxrUnits) units = make_units(sampler->population, one);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(29);
    g_autofree double *counts = g_new0(double, OUTCOMES), *pairs = g_new0(double, OUTCOMES *OUTCOMES);
    double chi2 = 0, k = -1, chi2_pairs = 0, k_pairs = -1;
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    for (int s = 0; s < steps; s++) {
        guint masks[2];
        for (int i = 0; i < 2; i++) {
            dpcxr_sampler_draw(sampler, units, secret, (guint64)(2 * s + i), 0, &draw);
            masks[i] = mask_of(&draw);
            counts[masks[i]]++;
        }
        pairs[masks[0] * OUTCOMES + masks[1]]++;
    }
    dpcxr_unit_draw_clear(&draw);
    for (guint i = 0; i < OUTCOMES; i++) {
        double p = probability(i);
        if (p == 0)
            g_assert_cmpfloat(counts[i], ==, 0);
        else
            k++, chi2 += pow(counts[i] - 2 * steps * p, 2) / (2 * steps * p);
        for (guint j = 0; j < OUTCOMES && p > 0; j++) {
            double both = steps * p * probability(j);
            if (both > 0)
                k_pairs++, chi2_pairs += pow(pairs[i * OUTCOMES + j] - both, 2) / both;
        }
    }
    assert_chi_square(what, chi2, k);
    assert_chi_square("with the step after it", chi2_pairs, k_pairs);
}

/* 2 of 5 at most, each at 1/2: of the 26 samples with more, or with 2, each pair is left equally often. */
static double truncated_probability(guint mask)
{
    int n = __builtin_popcount(mask);
    return mask >= 32 || n > 2 ? 0 : n < 2 ? 1 / 32.0 : 26 / 320.0;
}

static double fixed_probability(guint mask)
{
    return __builtin_popcount(mask) == 3 ? 1 / 20.0 : 0;
}

static void test_small_laws(void)
{
    DpcxrSampler truncated = make_capped(DPCXR_SAMPLER_TRUNCATED_POISSON, 5, 0.5, 2, 0);
    DpcxrSampler fixed = make_capped(DPCXR_SAMPLER_FIXED, 6, 1, 3, 0);
    assert_law("truncated, 2 of 5", &truncated, 60000, truncated_probability);
    assert_law("fixed, 3 of 6", &fixed, 60000, fixed_probability);
}

/* Five units in batches of 2, 2 and 1: 30 divisions, equally likely; and so are pairs of one epoch's and the
 * next one's. */
static void test_small_shuffle(void)
{
    enum { EPOCHS = 60000, CODES = 32 * 32 };
    g_autoptr(DpcxrUnits) units = make_units(5, one);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(31);
    DpcxrSampler sampler = make_capped(DPCXR_SAMPLER_SHUFFLE, 5, 1, 2, 0);
    g_autoptr(GHashTable) pairs = g_hash_table_new(NULL, NULL);
    g_autofree double *counts = g_new0(double, CODES);
    double chi2 = 0, chi2_pairs = 0;
    guint before = 0, divisions = 0;
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    g_assert_cmpuint(dpcxr_sampler_record_steps(&sampler), ==, 3);
    for (guint64 e = 0; e < EPOCHS; e++) {
        guint masks[3];
        for (guint64 i = 0; i < 3; i++) {
            dpcxr_sampler_draw(&sampler, units, secret, 3 * e + i, i, &draw);
            masks[i] = mask_of(&draw);
            g_assert_cmpuint(draw.units->len, ==, i < 2 ? 2 : 1);
        }
        g_assert_cmphex(masks[0] | masks[1] | masks[2], ==, 31);
        guint code = masks[0] * 32 + masks[1];
        counts[code]++;
        if (e % 2) {
            gpointer key = GUINT_TO_POINTER(before * CODES + code);
            g_hash_table_insert(pairs, key,
                                GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(pairs, key)) + 1));
        }
        before = code;
    }
    dpcxr_unit_draw_clear(&draw);
    for (guint i = 0; i < CODES; i++) {
        divisions += counts[i] > 0;
        chi2 += counts[i] > 0 ? pow(counts[i] - EPOCHS / 30.0, 2) / (EPOCHS / 30.0) : 0;
    }
    g_assert_cmpuint(divisions, ==, 30);
    g_assert_cmpuint(g_hash_table_size(pairs), ==, 900);
    g_autoptr(GList) seen = g_hash_table_get_values(pairs);
    for (GList *at = seen; at; at = at->next)
        chi2_pairs += pow(GPOINTER_TO_UINT(at->data) - EPOCHS / 1800.0, 2) / (EPOCHS / 1800.0);
    assert_chi_square("shuffle, 5 in batches of 2", chi2, 29);
    assert_chi_square("with the epoch after it", chi2_pairs, 899);
}

/* Every unit exactly once an epoch, whatever the epoch's first number. */
static void test_shuffle_once(void)
{
    g_autoptr(DpcxrUnits) units = make_units(1000, one_to_seven);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(37);
    DpcxrSampler sampler = make_capped(DPCXR_SAMPLER_SHUFFLE, 1000, 1, 64, 0);
    guint64 steps = dpcxr_sampler_record_steps(&sampler);
    g_assert_cmpuint(steps, ==, 16);
    g_assert_cmpfloat(sampler.sampling_rate, ==, 0.064);
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    for (guint64 first = 5; first < 500; first += 99) {
        g_autofree guint8 *seen = g_new0(guint8, 1000);
        for (guint64 i = 0; i < steps; i++) {
            dpcxr_sampler_draw(&sampler, units, secret, first + i, i, &draw);
            assert_whole(&draw, units, 0);
            g_assert_cmpuint(draw.units->len, ==, i < 15 ? 64 : 40);
            for (guint u = 0; u < draw.units->len; u++)
                g_assert_cmpuint(seen[g_array_index(draw.units, gsize, u)]++, ==, 0);
        }
    }
    dpcxr_unit_draw_clear(&draw);
}

/* Mean of @n frequencies in [0, 1], each of @steps independent steps: by Hoeffding none of them is off by more
 * in 1e9. */
static double hoeffding(double n, double steps)
{
    return sqrt(log(2 * n * 1e9) / (2 * steps));
}

/* A cut sample is part of the Poisson one that the same words make; an uncut one is that. Sizes have the law of
 * min(Bin(N, q), cap); in cut steps every unit, and every pair, is in equally often. */
static void test_truncated_law(void)
{
    enum { N = 60, CAP = 14, STEPS = 20000 };
    g_autoptr(DpcxrUnits) units = make_units(N, one);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(41);
    DpcxrSampler poisson = make_sampler(DPCXR_SAMPLER_POISSON, N, 0.2, 0);
    DpcxrSampler truncated = make_capped(DPCXR_SAMPLER_TRUNCATED_POISSON, N, 0.2, CAP, 0);
    g_autofree double *pairs = g_new0(double, N *N);
    double sizes[CAP + 1] = {0}, cut = 0, chi2 = 0, rest = 1;
    DpcxrUnitDraw whole, draw;
    dpcxr_unit_draw_init(&whole);
    dpcxr_unit_draw_init(&draw);
    for (guint64 s = 0; s < STEPS; s++) {
        dpcxr_sampler_draw(&poisson, units, secret, s, 0, &whole);
        dpcxr_sampler_draw(&truncated, units, secret, s, 0, &draw);
        g_assert_cmpuint(draw.units->len, ==, MIN(whole.units->len, CAP));
        guint at = 0;
        for (guint i = 0; i < draw.units->len; i++, at++) {
            while (at < whole.units->len &&
                   g_array_index(whole.units, gsize, at) != g_array_index(draw.units, gsize, i))
                at++;
            g_assert_cmpuint(at, <, whole.units->len);
        }
        sizes[draw.units->len]++;
        if (draw.units->len == whole.units->len)
            continue;
        cut++;
        for (guint i = 0; i < CAP; i++)
            for (guint j = 0; j < CAP; j++)
                pairs[g_array_index(draw.units, gsize, i) * N + g_array_index(draw.units, gsize, j)]++;
    }
    for (int k = 5; k <= CAP; k++) { /* up to 5 together */
        double p = 0;
        for (int j = k == 5 ? 0 : k; j <= k; j++)
            p += exp(lgamma(N + 1) - lgamma(j + 1) - lgamma(N - j + 1) + j * log(0.2) + (N - j) * log(0.8));
        double seen = sizes[k], expected = k < CAP ? p : rest;
        for (int j = 0; k == 5 && j < 5; j++)
            seen += sizes[j];
        chi2 += pow(seen - STEPS * expected, 2) / (STEPS * expected);
        rest -= p;
    }
    assert_chi_square("sizes of truncated samples", chi2, CAP - 5);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double p = i == j ? (double)CAP / N : (double)CAP * (CAP - 1) / (N * (N - 1));
            g_assert_cmpfloat(fabs(pairs[i * N + j] / cut - p), <, hoeffding(N * N, cut));
        }
    dpcxr_unit_draw_clear(&whole);
    dpcxr_unit_draw_clear(&draw);
}

/* Units and pairs of a sample of fixed size; and the sums of squares, which see what a bound for each does
 * not. */
static void test_fixed_law(void)
{
    enum { N = 40, B = 10, STEPS = 20000 };
    g_autoptr(DpcxrUnits) units = make_units(N, one);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(43);
    DpcxrSampler sampler = make_capped(DPCXR_SAMPLER_FIXED, N, 1, B, 0);
    g_autofree double *pairs = g_new0(double, N *N);
    const double p = (double)B / N, both = p * (B - 1) / (N - 1);
    double chi2 = 0;
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    for (guint64 s = 0; s < STEPS; s++) {
        dpcxr_sampler_draw(&sampler, units, secret, s, 0, &draw);
        g_assert_cmpuint(draw.units->len, ==, B);
        for (guint i = 0; i < B; i++)
            for (guint j = 0; j < B; j++)
                pairs[g_array_index(draw.units, gsize, i) * N + g_array_index(draw.units, gsize, j)]++;
    }
    for (int i = 0; i < N; i++) {
        chi2 += pow(pairs[i * N + i] - STEPS * p, 2) / (STEPS * p * (1 - p) * N / (N - 1));
        for (int j = 0; j < N; j++)
            g_assert_cmpfloat(fabs(pairs[i * N + j] / STEPS - (i == j ? p : both)), <,
                              hoeffding(N * N, STEPS));
    }
    assert_chi_square("units of fixed samples", chi2, N - 1);
    dpcxr_unit_draw_clear(&draw);
}

/* The words that docs/randomness.md names decide: the smallest of (PERMUTATION, sequence), from the epoch's
 * first number on for shuffle. */
static void test_permutation_words(void)
{
    enum { N = 3000, B = 700 };
    g_autoptr(DpcxrUnits) units = make_units(N, one);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(47);
    const DpcxrAddress address = {DPCXR_PURPOSE_PERMUTATION, 0, 90, 0};
    DpcxrSampler fixed = make_capped(DPCXR_SAMPLER_FIXED, N, 1, B, 0);
    DpcxrSampler shuffle = make_capped(DPCXR_SAMPLER_SHUFFLE, N, 1, B, 0);
    g_autofree guint64 *words = g_new(guint64, N);
    DpcxrUnitDraw draw;
    dpcxr_unit_draw_init(&draw);
    dpcxr_secret_fill(secret, &address, 0, words, N);
    for (guint64 position = 0; position < 5; position++) {
        dpcxr_sampler_draw(position == 4 ? &fixed : &shuffle, units, secret, 90 + position % 4, position % 4,
                           &draw);
        for (guint i = 0; i < draw.units->len; i++) {
            guint smaller = 0;
            for (gsize u = 0; u < N; u++)
                smaller += words[u] < words[g_array_index(draw.units, gsize, i)];
            g_assert_cmpuint(smaller / B, ==, position % 4);
        }
    }
    dpcxr_unit_draw_clear(&draw);
}

/* Rates of parts are rounded up: cap units are never more than rate times population, exactly. */
static void test_part_rate(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(6);
    for (int i = 0; i < 100000; i++) {
        gsize n = 1 + g_rand_int(random), cap = 1 + (gsize)(g_rand_double(random) * (double)(n - 1));
        DpcxrSampler sampler = make_capped(DPCXR_SAMPLER_FIXED, n, 1, cap, 0);
        int exponent;
        double mantissa = frexp(sampler.sampling_rate, &exponent);
        unsigned __int128 whole =
            (unsigned __int128)(guint64)ldexp(mantissa, 53) * n; /* rate * n * 2^(53 - exponent) */
        g_assert_true(whole >= (unsigned __int128)cap << (53 - exponent));
        g_assert_cmpfloat(sampler.sampling_rate, <=, (double)cap / (double)n * (1 + 4e-16));
    }
}

/* Smallest caps that are exceeded with a probability of at most 1e-10: tests/golden/accounting/sampling-
 * oracle.py --caps. */
static void test_default_cap(void)
{
    static const struct {
        guint64 population;
        double rate;
        guint64 cap;
    } cases[] = {{76, 0.15789473684210525, 36},
                 {1715, 0.0746, 202},
                 {120, 0.5, 94},
                 {10, 0.9, 10},
                 {5, 1.0, 5},
                 {300, 0.001, 8}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpuint(dpcxr_sampler_default_cap(cases[i].population, cases[i].rate), ==, cases[i].cap);
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
    g_test_add_func("/sampler/small-laws", test_small_laws);
    g_test_add_func("/sampler/small-shuffle", test_small_shuffle);
    g_test_add_func("/sampler/shuffle-once", test_shuffle_once);
    g_test_add_func("/sampler/truncated-law", test_truncated_law);
    g_test_add_func("/sampler/fixed-law", test_fixed_law);
    g_test_add_func("/sampler/permutation-words", test_permutation_words);
    g_test_add_func("/sampler/part-rate", test_part_rate);
    g_test_add_func("/sampler/default-cap", test_default_cap);
    g_test_add_func("/sampler/images", test_images);
    g_test_add_func("/sampler/addressing", test_addressing);
    return g_test_run();
}
