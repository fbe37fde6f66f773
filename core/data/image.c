/* SPDX-License-Identifier: MIT
 * Image files: reads the bytes, tells the format by content, and names the file in every error. */
#include "data/decode.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define MAX_FILE_BYTES ((gint64)1 << 30)

gboolean dpcxr_image_check_size(guint64 width, guint64 height, GError **error)
{
    if (width >= 1 && height >= 1 && width <= 65535 && height <= 65535 &&
        width * height <= DPCXR_IMAGE_MAX_PIXELS)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                "an image of %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
                " pixels; sides may be 1 to 65535 and the area at most %" G_GSIZE_FORMAT " pixels",
                width, height, DPCXR_IMAGE_MAX_PIXELS);
    return FALSE;
}

gboolean dpcxr_image_allocate(DpcxrImage *image, GError **error)
{
    g_return_val_if_fail(image->channels == 1 || image->channels == 3, FALSE);
    g_return_val_if_fail(image->depth == 8 || image->depth == 16, FALSE);
    if (!dpcxr_image_check_size(image->width < 0 ? 0 : image->width, image->height < 0 ? 0 : image->height,
                                error))
        return FALSE;
    gsize bytes; /* cannot overflow after the check, and is checked all the same */
    if (!g_size_checked_mul(&bytes, image->width, image->height) ||
        !g_size_checked_mul(&bytes, bytes, (gsize)image->channels * (image->depth / 8)) ||
        !(image->pixels = g_try_malloc(bytes))) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY, "no memory for an image of %d x %d x %d",
                    image->width, image->height, image->channels);
        return FALSE;
    }
    return TRUE;
}

void dpcxr_image_clear(DpcxrImage *image)
{
    g_free(image->pixels);
    memset(image, 0, sizeof *image);
}

/* What a file that is neither JPEG nor PNG is, where that helps a user. */
static const char *other_format(const guint8 *bytes, gsize n)
{
    static const struct {
        gsize offset;
        const char *magic, *name;
    } formats[] = {{128, "DICM", "a DICOM file"},
                   {0, "GIF8", "a GIF file"},
                   {0, "II*", "a TIFF file"},
                   {0, "MM", "a TIFF file"},
                   {0, "BM", "a BMP file"},
                   {8, "WEBP", "a WebP file"},
                   {0, "<", "a text file"},
                   {4, "jP  ", "a JPEG 2000 file"},
                   {0, "version https", "a Git LFS pointer"}};
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        gsize length = strlen(formats[i].magic);
        if (n >= formats[i].offset + length &&
            memcmp(bytes + formats[i].offset, formats[i].magic, length) == 0)
            return formats[i].name;
    }
    return "something else";
}

gboolean dpcxr_image_decode(const guint8 *bytes, gsize n, int min_size, DpcxrImage *image, GError **error)
{
    if (n == 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "the file is empty");
        return FALSE;
    }
    if (n >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0)
        return dpcxr_image_decode_jpeg(bytes, n, min_size, image, error);
    if (n >= 8 && memcmp(bytes, "\x89PNG\r\n\x1A\n", 8) == 0)
        return dpcxr_image_decode_png(bytes, n, image, error);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "not a JPEG or PNG image (by its content it is %s)",
                other_format(bytes, n));
    return FALSE;
}

static gboolean read_bytes(const char *path, char **bytes, gsize *n, GError **error)
{
    GStatBuf about;
    const char *problem = NULL;
    if (g_stat(path, &about) != 0)
        problem = g_strerror(errno);
    else if (!S_ISREG(about.st_mode))
        problem = "it is no regular file";
    else if (about.st_size > MAX_FILE_BYTES)
        problem = "it is larger than 1 GiB";
    if (problem) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "cannot be read: %s", problem);
        return FALSE;
    }
    g_autoptr(GError) cause = NULL;
    if (g_file_get_contents(path, bytes, n, &cause))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "cannot be read: %s", cause->message);
    return FALSE;
}

gboolean dpcxr_image_read(const char *path, int min_size, DpcxrImage *image, GError **error)
{
    g_return_val_if_fail(path && min_size >= 0, FALSE);
    g_autofree char *bytes = NULL;
    gsize n = 0;
    if (read_bytes(path, &bytes, &n, error) &&
        dpcxr_image_decode((const guint8 *)bytes, n, min_size, image, error))
        return TRUE;
    g_prefix_error(error, "%s: ", path);
    return FALSE;
}
