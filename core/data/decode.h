/* SPDX-License-Identifier: MIT
 * Decoders of one format each, from bytes in memory. dpcxr_image_read picks one by content. */
#pragma once
#include <dpcxr/image.h>

/* Images above this are refused: larger than any radiograph, small enough that a hostile header cannot take all memory. */
#define DPCXR_IMAGE_MAX_PIXELS ((gsize)1 << 27)

/* DPCXR_ERROR_DATA unless 1 <= @width, @height <= 65535 and their product is at most DPCXR_IMAGE_MAX_PIXELS. */
gboolean dpcxr_image_check_size(guint64 width, guint64 height, GError **error);

/* Decodes @n bytes of a file of either format. Errors do not name the file; the caller knows it. @image is written on
 * success only. */
gboolean dpcxr_image_decode(const guint8 *bytes, gsize n, int min_size, DpcxrImage *image, GError **error);

/* 8 bit, gray or RGB as the file is. Shrinks by 2, 4 or 8 in the DCT domain while both sides stay >= @min_size (0: no
 * shrinking). A file whose end is missing or whose data is damaged is an error, though libjpeg would fill the rest. */
gboolean dpcxr_image_decode_jpeg(const guint8 *bytes, gsize n, int min_size, DpcxrImage *image, GError **error);

/* 8 or 16 bit, gray or RGB. 1, 2 and 4 bit gray is stretched to 8; palettes become RGB; alpha is dropped. */
gboolean dpcxr_image_decode_png(const guint8 *bytes, gsize n, DpcxrImage *image, GError **error);
