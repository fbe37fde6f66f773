/* SPDX-License-Identifier: MIT
 * Antialiased bilinear resampling and gray conversion, bit for bit as Pillow's Image.resize(.., BILINEAR) and
 * convert("L") do it for 8-bit images, so that results can be compared with pipelines built on it. */
#pragma once
#include <dpcxr/image.h>

/* To be raised with whatever makes other bytes of the same file: decoders, their shrinking, gray, resampling. Caches on disk
 * made under another number are not used. */
enum { DPCXR_RESIZE_VERSION = 1 };

/* Resamples the whole image to @width x @height; the aspect ratio is not kept. A triangle filter as wide as the
 * reduction (or 1 pixel where enlarging), columns first, then rows, in fixed point.
 * 8-bit input rounds to 8 bits between the passes, as Pillow does; 16-bit input keeps 16 bits until the end and is then
 * divided by 257. @out [height, width, channels] guint8. DPCXR_ERROR_MEMORY. */
gboolean dpcxr_image_resize(const DpcxrImage *image, int width, int height, guint8 *out, GError **error);

/* RGB to gray in place by Rec. 601 luma, (19595 R + 38470 G + 7471 B + 2^15) / 2^16. Gray images stay as they are. */
void dpcxr_image_to_gray(DpcxrImage *image);
