/* SPDX-License-Identifier: MIT */
#include "data/image-write.h"
#include "base/files.h"
#include <png.h>

static gboolean fail(png_image *png, const char *path, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", path, png->message);
    png_image_free(png);
    return FALSE;
}

gboolean dpcxr_image_write_png(const DpcxrImage *image, const char *path, int mode, GError **error)
{
    g_return_val_if_fail(image->depth == 8, FALSE);
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = image->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
    g_autofree guint8 *bytes = g_malloc(size);
    if (!png_image_write_to_memory(&png, bytes, &size, FALSE, image->pixels, 0, NULL))
        return fail(&png, path, error);
    return dpcxr_write_file(path, (const char *)bytes, (gssize)size, mode, error);
}
