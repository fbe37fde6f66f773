/* SPDX-License-Identifier: MIT
 * What decoding and resizing make of a row, and what the caches keep. */
#pragma once
#include <glib.h>

/* An image of size x size, 8 bits; the size is the experiment's. */
typedef struct {
    gint32 channels; /* 1 or 3, as the file has, or 1 where the experiment wants gray */
    guint8 pixels[];
} DpcxrResized;
