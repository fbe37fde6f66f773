/* SPDX-License-Identifier: MIT
 * Decoded images as a dataset hands them over, before resizing. */
#pragma once
#include <dpcxr/error.h>
#include <glib.h>

G_BEGIN_DECLS

/* Rows top to bottom, pixels interleaved, no row padding. @depth 8: guint8; 16: guint16 in host order. */
typedef struct {
    int width, height; /* pixels, 1 .. 65535 */
    int channels;      /* 1 gray or 3 RGB */
    int depth;         /* bits of a sample as stored: 8 or 16 */
    void *pixels;      /* (owned) g_malloc */
} DpcxrImage;

/* Allocates pixels for the four numbers set in @image; size checked. DPCXR_ERROR_MEMORY, DPCXR_ERROR_DATA. */
gboolean dpcxr_image_allocate(DpcxrImage *image, GError **error);
void dpcxr_image_clear(DpcxrImage *image); /* frees the pixels and zeroes the struct; safe on a zeroed one */

/* Decodes a JPEG or PNG file (told apart by content, not by name). Alpha is dropped, palettes are expanded.
 * @min_size: the caller will shrink so that both sides are at least so long; a JPEG decoder may then scale in the DCT
 *            domain. 0: full size.
 * DPCXR_ERROR_DATA names @path and what is wrong (missing, empty, cut, not an image, too large). */
gboolean dpcxr_image_read(const char *path, int min_size, DpcxrImage *image, GError **error);

G_END_DECLS
