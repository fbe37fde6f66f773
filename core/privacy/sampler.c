/* SPDX-License-Identifier: MIT
 * Sampling of units and of their images from the secret streams. */
#include "privacy/sampler.h"
#include "privacy/binomial.h"
#include <dpcxr/sampling.h>
#include <math.h>
#include <string.h>

#define CHUNK 1024   /* words drawn at once */
#define RARELY 1e-10 /* how often the default cap cuts a sample */

static gboolean is_poisson(DpcxrSamplerKind kind)
{
    return kind == DPCXR_SAMPLER_POISSON || kind == DPCXR_SAMPLER_TRUNCATED_POISSON;
}

static gboolean takes_part(DpcxrSamplerKind kind)
{
    return kind == DPCXR_SAMPLER_FIXED || kind == DPCXR_SAMPLER_SHUFFLE;
}

static gboolean check_ranges(DpcxrSamplerKind kind, gsize population, double rate, gsize cap,
                             int images_per_unit, GError **error)
{
    if (population == 0 || population > DPCXR_SECRET_WORDS || images_per_unit < 0)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "sampling needs 1 to 2^35 units and at least 0 images of each, not %" G_GSIZE_FORMAT
                    " units and %d images",
                    population, images_per_unit);
    else if (is_poisson(kind) && !(rate > 0 && rate <= 1))
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
            "the sampling rate must be above 0 and at most 1, not %g (train.batch.logical over the number of "
            "units, %" G_GSIZE_FORMAT ")",
            rate, population);
    else if (kind != DPCXR_SAMPLER_POISSON && kind != DPCXR_SAMPLER_FULL &&
             (cap == 0 || (takes_part(kind) && cap > population)))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "privacy.sampler: %s of %" G_GSIZE_FORMAT " units cannot take %s%" G_GSIZE_FORMAT
                    " of them a step",
                    dpcxr_sampler_name(kind), population, takes_part(kind) ? "" : "at most ", cap);
    else
        return TRUE;
    return FALSE;
}

/* @cap / @population, rounded up: the sign of a fused product and sum is exact. */
static double part_rate(gsize cap, gsize population)
{
    double rate = (double)cap / (double)population;
    return fma(rate, (double)population, -(double)cap) < 0 ? nextafter(rate, 1) : rate;
}

gboolean dpcxr_sampler_init(DpcxrSampler *sampler, DpcxrSamplerKind kind, gsize population, double rate,
                            gsize cap, int images_per_unit, GError **error)
{
    if (!check_ranges(kind, population, rate, cap, images_per_unit, error))
        return FALSE;
    *sampler = (DpcxrSampler){.kind = kind,
                              .population = population,
                              .threshold = G_MAXUINT64,
                              .sampling_rate = 1,
                              .images_per_unit = images_per_unit};
    if (is_poisson(kind)) {
        /* Both steps are exact: a double times 2^64, and a whole number of at most 53 significant bits. */
        double words = ceil(rate * 0x1p64);
        sampler->threshold = words >= 0x1p64 ? G_MAXUINT64 : (guint64)words - 1;
        sampler->sampling_rate = words * 0x1p-64;
    } else if (takes_part(kind)) {
        sampler->sampling_rate = part_rate(cap, population);
    }
    if (kind == DPCXR_SAMPLER_TRUNCATED_POISSON || takes_part(kind))
        sampler->cap = cap;
    return TRUE;
}

guint64 dpcxr_sampler_default_cap(guint64 population, double rate)
{
    guint64 low = (guint64)ceil((double)population * rate), high = population; /* high: nothing is ever cut */
    while (low < high) {
        guint64 middle = low + (high - low) / 2;
        double ratio;
        if (dpcxr_binomial_tail(population, rate, middle + 1, &ratio) <= RARELY)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

guint64 dpcxr_sampler_record_steps(const DpcxrSampler *sampler)
{
    return sampler->kind == DPCXR_SAMPLER_SHUFFLE ? dpcxr_epoch_steps(sampler->population, sampler->cap) : 1;
}

/* A unit, and the word that decides its place among others. */
typedef struct {
    guint64 word;
    gsize unit;
} Rank;

void dpcxr_unit_draw_init(DpcxrUnitDraw *draw)
{
    draw->rows = g_array_new(FALSE, FALSE, sizeof(gsize));
    draw->unit_offsets = g_array_new(FALSE, FALSE, sizeof(gsize));
    draw->units = g_array_new(FALSE, FALSE, sizeof(gsize));
    draw->keys = g_array_new(FALSE, FALSE, sizeof(guint64));
    draw->ranks = g_array_new(FALSE, FALSE, sizeof(Rank));
}

void dpcxr_unit_draw_clear(DpcxrUnitDraw *draw)
{
    g_clear_pointer(&draw->rows, g_array_unref);
    g_clear_pointer(&draw->unit_offsets, g_array_unref);
    g_clear_pointer(&draw->units, g_array_unref);
    g_clear_pointer(&draw->keys, g_array_unref);
    g_clear_pointer(&draw->ranks, g_array_unref);
}

static int compare_words(gconstpointer a, gconstpointer b)
{
    guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
    return (x > y) - (x < y);
}

/* Appends the @k rows of a unit that have the smallest of its @n words: every subset of k is equally likely
 * (but for two equal words, below n^2 / 2^65). */
static void draw_images(const DpcxrUnits *units, gsize unit, gsize k, const DpcxrSecret *secret,
                        guint64 sequence, DpcxrUnitDraw *draw)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_IMAGES, 0, sequence, 0};
    gsize first = units->offsets[unit], n = units->offsets[unit + 1] - first;
    g_array_set_size(draw->keys, (guint)(2 * n));
    guint64 *keys = (guint64 *)draw->keys->data, *sorted = keys + n;
    dpcxr_secret_fill(secret, &address, first, keys, n);
    memcpy(sorted, keys, n * sizeof *keys);
    qsort(sorted, n, sizeof *sorted, compare_words);
    for (gsize i = 0, taken = 0; i < n && taken < k; i++) {
        if (keys[i] > sorted[k - 1])
            continue;
        g_array_append_val(draw->rows, units->rows[first + i]);
        taken++;
    }
}

static void draw_unit(const DpcxrSampler *sampler, const DpcxrUnits *units, gsize unit,
                      const DpcxrSecret *secret, guint64 sequence, DpcxrUnitDraw *draw)
{
    gsize first = units->offsets[unit], n = units->offsets[unit + 1] - first;
    gsize k = sampler->images_per_unit > 0 ? (gsize)sampler->images_per_unit : n;
    if (n <= k)
        g_array_append_vals(draw->rows, units->rows + first, (guint)n);
    else
        draw_images(units, unit, k, secret, sequence, draw);
    gsize end = draw->rows->len;
    g_array_append_val(draw->units, unit);
    g_array_append_val(draw->unit_offsets, end);
}

static gboolean comes_in(const DpcxrSampler *sampler, guint64 word)
{
    return word <= sampler->threshold; /* where nobody is left out: the largest word there is */
}

/* Fills draw->ranks with the units that come in by their words of (SAMPLING, @sequence), in order. */
static void collect(const DpcxrSampler *sampler, const DpcxrUnits *units, const DpcxrSecret *secret,
                    guint64 sequence, DpcxrUnitDraw *draw)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_SAMPLING, 0, sequence, 0};
    guint64 words[CHUNK];
    g_array_set_size(draw->ranks, 0);
    for (gsize start = 0; start < units->n; start += CHUNK) {
        gsize n = MIN(units->n - start, CHUNK);
        if (is_poisson(sampler->kind))
            dpcxr_secret_fill(secret, &address, start, words, n);
        for (gsize i = 0; i < n; i++) {
            Rank rank = {0, start + i};
            if (!is_poisson(sampler->kind) || comes_in(sampler, words[i]))
                g_array_append_val(draw->ranks, rank);
        }
    }
}

static int compare_ranks(gconstpointer a, gconstpointer b)
{
    const Rank *x = a, *y = b;
    if (x->word != y->word)
        return x->word < y->word ? -1 : 1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

static int compare_units(gconstpointer a, gconstpointer b)
{
    gsize x = ((const Rank *)a)->unit, y = ((const Rank *)b)->unit;
    return (x > y) - (x < y);
}

/* Keeps those of draw->ranks that are @first .. @first+@n-1 of them (as far as there are so many) by their
 * units' words of (PERMUTATION, @sequence), in the order of the units. Each order is equally likely, but for
 * two equal words, below n^2 / 2^65; which even then are no two in one place. */
static void keep_part(const DpcxrSecret *secret, guint64 sequence, gsize units, gsize first, gsize n,
                      DpcxrUnitDraw *draw)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_PERMUTATION, 0, sequence, 0};
    Rank *ranks = (Rank *)(void *)draw->ranks->data;
    gsize all = draw->ranks->len, at = 0;
    guint64 words[CHUNK];
    for (gsize start = 0; start < units; start += CHUNK) {
        gsize many = MIN(units - start, CHUNK);
        dpcxr_secret_fill(secret, &address, start, words, many);
        for (; at < all && ranks[at].unit < start + many; at++)
            ranks[at].word = words[ranks[at].unit - start];
    }
    qsort(ranks, all, sizeof *ranks, compare_ranks);
    n = first < all ? MIN(n, all - first) : 0;
    memmove(ranks, ranks + MIN(first, all), n * sizeof *ranks);
    g_array_set_size(draw->ranks, (guint)n);
    qsort(ranks, n, sizeof *ranks, compare_units);
}

void dpcxr_sampler_draw(const DpcxrSampler *sampler, const DpcxrUnits *units, const DpcxrSecret *secret,
                        guint64 sequence, guint64 position, DpcxrUnitDraw *draw)
{
    const gsize zero = 0;
    g_array_set_size(draw->rows, 0);
    g_array_set_size(draw->units, 0);
    g_array_set_size(draw->unit_offsets, 0);
    g_array_append_val(draw->unit_offsets, zero);
    collect(sampler, units, secret, sequence, draw);
    if (sampler->cap > 0 && draw->ranks->len > sampler->cap)
        keep_part(secret, sequence - position, units->n, position * sampler->cap, sampler->cap, draw);
    for (guint i = 0; i < draw->ranks->len; i++)
        draw_unit(sampler, units, g_array_index(draw->ranks, Rank, i).unit, secret, sequence, draw);
}
