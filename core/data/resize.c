/* SPDX-License-Identifier: MIT
 * Resampling in two separable passes with fixed-point weights: the same bits on every machine. The weights
 * follow Pillow 9.4 (libImaging/Resample.c, "bilinear"), checked against stored output of it
 * (tests/golden/resize). */
#include "data/resize.h"
#include <math.h>
#include <string.h>

#define WEIGHT_BITS 22 /* 8 bits of sample, 22 of weight, 2 spare: sums of products fit in 32 bits */

/* For each output position: where its window starts, how long it is, and its weights, which sum to about
 * 2^22. */
typedef struct {
    int *starts, *lengths;
    gint32 *weights; /* [outputs, stride] */
    int outputs, stride;
} Filter;

static void filter_clear(Filter *filter)
{
    g_free(filter->starts);
    g_free(filter->lengths);
    g_free(filter->weights);
}

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* The window of one output: [*start, *start + *length) of the inputs, and its weights, normalised. */
static void fill_window(int output, int inputs, double scale, int *start, int *length, double *real,
                        gint32 *weights)
{
    double support = MAX(scale, 1.0), centre = (output + 0.5) * scale, sum = 0;
    int first = MAX((int)(centre - support + 0.5), 0);
    int end = MIN((int)(centre + support + 0.5), inputs);
    for (int i = first; i < end; i++) {
        real[i - first] = triangle((i - centre + 0.5) / support);
        sum += real[i - first];
    }
    for (int i = 0; i < end - first; i++)
        weights[i] = (gint32)(0.5 + (sum != 0 ? real[i] / sum : 0) * (1 << WEIGHT_BITS));
    *start = first;
    *length = end - first;
}

static gboolean filter_init(Filter *filter, int inputs, int outputs)
{
    double scale = (double)inputs / outputs;
    filter->outputs = outputs;
    filter->stride = 2 * (int)ceil(MAX(scale, 1.0)) + 1;
    gsize n;
    if (!g_size_checked_mul(&n, outputs, filter->stride))
        return FALSE;
    filter->starts = g_try_new(int, outputs);
    filter->lengths = g_try_new(int, outputs);
    filter->weights = g_try_new(gint32, n);
    g_autofree double *real = g_try_new(double, filter->stride);
    if (!filter->starts || !filter->lengths || !filter->weights || !real)
        return FALSE;
    for (int i = 0; i < outputs; i++)
        fill_window(i, inputs, scale, &filter->starts[i], &filter->lengths[i], real,
                    filter->weights + (gsize)i * filter->stride);
    return TRUE;
}

static inline guint8 round_to_8(gint32 sum)
{
    return (guint8)CLAMP((sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS, 0, 255);
}

static inline guint16 round_to_16(gint64 sum)
{
    return (guint16)CLAMP((sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS, 0, 65535);
}

/* One row of @channels interleaved samples, from @in to @filter->outputs pixels. */
static void columns_8(const Filter *filter, const guint8 *in, int channels, guint8 *out)
{
    for (int x = 0; x < filter->outputs; x++) {
        const gint32 *weights = filter->weights + (gsize)x * filter->stride;
        for (int c = 0; c < channels; c++) {
            const guint8 *from = in + (gsize)filter->starts[x] * channels + c;
            gint32 sum = 0;
            for (int i = 0; i < filter->lengths[x]; i++)
                sum += weights[i] * from[(gsize)i * channels];
            *out++ = round_to_8(sum);
        }
    }
}

static void columns_16(const Filter *filter, const guint16 *in, int channels, guint16 *out)
{
    for (int x = 0; x < filter->outputs; x++) {
        const gint32 *weights = filter->weights + (gsize)x * filter->stride;
        for (int c = 0; c < channels; c++) {
            const guint16 *from = in + (gsize)filter->starts[x] * channels + c;
            gint64 sum = 0;
            for (int i = 0; i < filter->lengths[x]; i++)
                sum += (gint64)weights[i] * from[(gsize)i * channels];
            *out++ = round_to_16(sum);
        }
    }
}

/* Output row @y of @n samples from the rows of @in. @sums [n] is scratch; going row by row keeps the reads in
 * order. */
static void row_8(const Filter *filter, int y, const guint8 *in, gsize n, gint32 *sums, guint8 *out)
{
    const gint32 *weights = filter->weights + (gsize)y * filter->stride;
    memset(sums, 0, n * sizeof *sums);
    for (int i = 0; i < filter->lengths[y]; i++) {
        const guint8 *from = in + (filter->starts[y] + i) * n;
        for (gsize x = 0; x < n; x++)
            sums[x] += weights[i] * from[x];
    }
    for (gsize x = 0; x < n; x++)
        out[x] = round_to_8(sums[x]);
}

static void row_16(const Filter *filter, int y, const guint16 *in, gsize n, gint64 *sums, guint8 *out)
{
    const gint32 *weights = filter->weights + (gsize)y * filter->stride;
    memset(sums, 0, n * sizeof *sums);
    for (int i = 0; i < filter->lengths[y]; i++) {
        const guint16 *from = in + (filter->starts[y] + i) * n;
        for (gsize x = 0; x < n; x++)
            sums[x] += (gint64)weights[i] * from[x];
    }
    for (gsize x = 0; x < n; x++)
        out[x] = (guint8)((round_to_16(sums[x]) + 128) / 257);
}

/* Both passes, @narrow being the image after the first: [image->height, width, channels] of the input's
 * depth. */
static void run_passes(const DpcxrImage *image, const Filter *across, const Filter *down, void *narrow,
                       void *sums, guint8 *out)
{
    gsize wide_row = (gsize)image->width * image->channels, row = (gsize)across->outputs * image->channels;
    for (int y = 0; y < image->height; y++)
        if (image->depth == 8)
            columns_8(across, (const guint8 *)image->pixels + y * wide_row, image->channels,
                      (guint8 *)narrow + y * row);
        else
            columns_16(across, (const guint16 *)image->pixels + y * wide_row, image->channels,
                       (guint16 *)narrow + y * row);
    for (int y = 0; y < down->outputs; y++)
        if (image->depth == 8)
            row_8(down, y, narrow, row, sums, out + y * row);
        else
            row_16(down, y, narrow, row, sums, out + y * row);
}

gboolean dpcxr_image_resize(const DpcxrImage *image, int width, int height, guint8 *out, GError **error)
{
    g_return_val_if_fail(image->pixels && width > 0 && height > 0, FALSE);
    Filter across = {0}, down = {0};
    gsize row, bytes;
    void *narrow = NULL, *sums = NULL;
    gboolean done = filter_init(&across, image->width, width) && filter_init(&down, image->height, height) &&
                    g_size_checked_mul(&row, width, image->channels) &&
                    g_size_checked_mul(&bytes, row, (gsize)image->height * (image->depth / 8)) &&
                    (narrow = g_try_malloc(bytes)) && (sums = g_try_new(gint64, row));
    if (done)
        run_passes(image, &across, &down, narrow, sums, out);
    else
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                    "no memory to resize an image of %d x %d to %d x %d", image->width, image->height, width,
                    height);
    g_free(narrow);
    g_free(sums);
    filter_clear(&across);
    filter_clear(&down);
    return done;
}

static inline guint32 luma(guint32 red, guint32 green, guint32 blue)
{
    return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16; /* at most 65535 * 2^16 + 2^15: fits */
}

void dpcxr_image_to_gray(DpcxrImage *image)
{
    if (image->channels == 1)
        return;
    gsize n = (gsize)image->width * image->height;
    if (image->depth == 8) {
        guint8 *pixels = image->pixels;
        for (gsize i = 0; i < n; i++)
            pixels[i] = (guint8)luma(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);
    } else {
        guint16 *pixels = image->pixels;
        for (gsize i = 0; i < n; i++)
            pixels[i] = (guint16)luma(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);
    }
    image->channels = 1;
}
