/* SPDX-License-Identifier: MIT
 * Fuzz target: any bytes as an image. What is accepted has a sane size and can be read to its last pixel,
 * resized and turned gray. */
#include "data/decode.h"
#include "data/resize.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autofree guint8 *bytes = g_memdup2(data, size); /* a copy of exactly this size, for ASan */
    g_autoptr(GError) error = NULL;
    DpcxrImage image = {0};
    guint8 small[5 * 3 * 3];
    gboolean done = dpcxr_image_decode(bytes, size, size % 2 ? 16 : 0, &image, &error);
    g_assert(done == (error == NULL) && done == (image.pixels != NULL));
    if (!done)
        return 0;
    g_assert(image.width >= 1 && image.height >= 1 && (image.channels == 1 || image.channels == 3));
    g_assert_true(dpcxr_image_resize(&image, 5, 3, small, &error));
    dpcxr_image_to_gray(&image);
    dpcxr_image_clear(&image);
    return 0;
}
