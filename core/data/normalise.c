/* SPDX-License-Identifier: MIT
 * Normalising 8-bit pixels by table: the table is made once in f64, so every pixel costs one load and is
 * rounded once. */
#include "data/normalise.h"

static const double imagenet_mean[3] = {0.485, 0.456, 0.406}, imagenet_std[3] = {0.229, 0.224, 0.225};

static double average(const double values[3])
{
    return (values[0] + values[1] + values[2]) / 3;
}

/* value = (v / 255 - offset) / scale */
static void choose(DpcxrNormalise normalise, int channels, int channel, double *offset, double *scale)
{
    switch (normalise) {
    case DPCXR_NORMALISE_IMAGENET:
        *offset = channels == 3 ? imagenet_mean[channel] : average(imagenet_mean);
        *scale = channels == 3 ? imagenet_std[channel] : average(imagenet_std);
        return;
    case DPCXR_NORMALISE_XRV:
        *offset = 0.5;
        *scale = 1 / 2048.0;
        return;
    case DPCXR_NORMALISE_UNIT:
        break;
    }
    *offset = 0;
    *scale = 1;
}

void dpcxr_normaliser_init(DpcxrNormaliser *normaliser, DpcxrNormalise normalise, int channels)
{
    double background = 0;
    normaliser->channels = channels;
    for (int c = 0; c < channels; c++) {
        double offset, scale;
        choose(normalise, channels, c, &offset, &scale);
        for (int v = 0; v < 256; v++)
            normaliser->values[c][v] = (float)((v / 255.0 - offset) / scale);
        background += normaliser->values[c][0];
    }
    normaliser->background = (float)(background / channels);
}

void dpcxr_normaliser_apply(const DpcxrNormaliser *normaliser, const guint8 *in, int in_channels, gsize n,
                            float *out)
{
    int channels = normaliser->channels;
    for (gsize i = 0; i < n; i++)
        for (int c = 0; c < channels; c++)
            out[i * channels + c] = normaliser->values[c][in[i * in_channels + (in_channels == 1 ? 0 : c)]];
}
