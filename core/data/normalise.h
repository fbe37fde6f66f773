/* SPDX-License-Identifier: MIT
 * From 8-bit pixels to what a network reads: `data.image.normalise`, as one table look-up a value. */
#pragma once
#include "config/experiment.h"

typedef struct {
    int channels; /* of the network's input: 1 or 3 */
    float values[3][256];
    float background; /* of a black pixel; the mean over the channels where they differ (imagenet with 3) */
} DpcxrNormaliser;

/* unit: v / 255. imagenet: (v / 255 - mean) / std of ImageNet's channels, of their average where @channels is 1.
 * xrv: v / 255 spread over [-1024, 1024], as torchxrayvision's models expect it. */
void dpcxr_normaliser_init(DpcxrNormaliser *normaliser, DpcxrNormalise normalise, int channels);

/* @n pixels of @in_channels (1 or 3, at most the normaliser's) to @out [n, channels]; gray is repeated. */
void dpcxr_normaliser_apply(const DpcxrNormaliser *normaliser, const guint8 *in, int in_channels, gsize n, float *out);
