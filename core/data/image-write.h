/* SPDX-License-Identifier: MIT
 * Images for people to look at. */
#pragma once
#include <dpcxr/image.h>

/* @image of 8 bits, gray or RGB, as PNG. */
gboolean dpcxr_image_write_png(const DpcxrImage *image, const char *path, int mode, GError **error);
