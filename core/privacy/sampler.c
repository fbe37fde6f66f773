/* SPDX-License-Identifier: MIT
 * Sampling of units and of their images from the secret streams. */
#include "privacy/sampler.h"
#include <math.h>
#include <string.h>

#define CHUNK 1024 /* words drawn at once */

static gboolean refuse_kind(DpcxrSamplerKind kind, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "privacy.sampler: type: %s is not implemented, and no other sampling may stand in for it: "
                "use poisson "
                "(each unit with its own probability) or full (every unit, every step)",
                dpcxr_sampler_name(kind));
    return FALSE;
}

gboolean dpcxr_sampler_init(DpcxrSampler *sampler, DpcxrSamplerKind kind, gsize population, double rate,
                            int images_per_unit, GError **error)
{
    if (kind != DPCXR_SAMPLER_POISSON && kind != DPCXR_SAMPLER_FULL)
        return refuse_kind(kind, error);
    if (population == 0 || population > DPCXR_SECRET_WORDS || images_per_unit < 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "sampling needs 1 to 2^35 units and at least 0 images of each, not %" G_GSIZE_FORMAT
                    " units and %d images",
                    population, images_per_unit);
        return FALSE;
    }
    if (kind == DPCXR_SAMPLER_FULL)
        rate = 1;
    if (!(rate > 0 && rate <= 1)) {
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
            "the sampling rate must be above 0 and at most 1, not %g (train.batch.logical over the number of "
            "units, %" G_GSIZE_FORMAT ")",
            rate, population);
        return FALSE;
    }
    /* Both steps are exact: a double times 2^64, and a whole number of at most 53 significant bits. */
    double words = ceil(rate * 0x1p64);
    *sampler = (DpcxrSampler){
        .kind = kind,
        .population = population,
        .threshold = words >= 0x1p64 ? G_MAXUINT64 : (guint64)words - 1,
        .sampling_rate = words * 0x1p-64,
        .images_per_unit = images_per_unit,
    };
    return TRUE;
}

void dpcxr_unit_draw_init(DpcxrUnitDraw *draw)
{
    draw->rows = g_array_new(FALSE, FALSE, sizeof(gsize));
    draw->unit_offsets = g_array_new(FALSE, FALSE, sizeof(gsize));
    draw->units = g_array_new(FALSE, FALSE, sizeof(gsize));
    draw->keys = g_array_new(FALSE, FALSE, sizeof(guint64));
}

void dpcxr_unit_draw_clear(DpcxrUnitDraw *draw)
{
    g_clear_pointer(&draw->rows, g_array_unref);
    g_clear_pointer(&draw->unit_offsets, g_array_unref);
    g_clear_pointer(&draw->units, g_array_unref);
    g_clear_pointer(&draw->keys, g_array_unref);
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

void dpcxr_sampler_draw(const DpcxrSampler *sampler, const DpcxrUnits *units, const DpcxrSecret *secret,
                        guint64 sequence, DpcxrUnitDraw *draw)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_SAMPLING, 0, sequence, 0};
    const gsize zero = 0;
    guint64 words[CHUNK];
    g_array_set_size(draw->rows, 0);
    g_array_set_size(draw->units, 0);
    g_array_set_size(draw->unit_offsets, 0);
    g_array_append_val(draw->unit_offsets, zero);
    for (gsize start = 0; start < units->n; start += CHUNK) {
        gsize n = MIN(units->n - start, CHUNK);
        dpcxr_secret_fill(secret, &address, start, words, n);
        for (gsize i = 0; i < n; i++)
            if (words[i] <= sampler->threshold) /* FULL: the largest word there is */
                draw_unit(sampler, units, start + i, secret, sequence, draw);
    }
}
