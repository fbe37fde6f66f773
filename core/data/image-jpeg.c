/* SPDX-License-Identifier: MIT
 * JPEG through libturbojpeg. libjpeg decodes damaged and cut files to the end with made-up gray and only
 * warns; here a warning is an error, because half an image must not be trained on unnoticed. */
#include "data/decode.h"
#include <string.h>
#include <turbojpeg.h>

/* Bytes left over between the image data and the end marker: every pixel was decoded before libjpeg met them.
 * Some scanners' exports have them, and every viewer reads such files. */
static gboolean harmless(tjhandle handle)
{
    const char *warning = tjGetErrorStr2(handle);
    return tjGetErrorCode(handle) == TJERR_WARNING && g_str_has_prefix(warning, "Corrupt JPEG data: ") &&
           g_str_has_suffix(warning, " extraneous bytes before marker 0xd9");
}

static gboolean fail(tjhandle handle, GError **error)
{
    const char *why = handle ? tjGetErrorStr2(handle) : tjGetErrorStr();
    const char *hint = strstr(why, "remature end") ? " (the file is cut or damaged)" : "";
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "JPEG: %s%s", why, hint);
    return FALSE;
}

/* The largest of 1/1, 1/2, 1/4, 1/8 that leaves both sides at least @min_size. */
static int choose_divisor(int width, int height, int min_size)
{
    int divisor = 1;
    if (min_size > 0)
        while (divisor < 8 && MIN(width, height) / (2 * divisor) >= min_size)
            divisor *= 2;
    return divisor;
}

static int scaled(int side, int divisor)
{
    tjscalingfactor factor = {1, divisor};
    return TJSCALED(side, factor);
}

static gboolean read_header(tjhandle handle, const guint8 *bytes, gsize n, int min_size, DpcxrImage *image,
                            GError **error)
{
    int width = 0, height = 0, subsampling = 0, colours = 0; /* a file of tables only succeeds and sets none */
    if (tjDecompressHeader3(handle, bytes, n, &width, &height, &subsampling, &colours) != 0)
        return fail(handle, error);
    if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "JPEG: a CMYK image; radiographs are gray or RGB, convert it first");
        return FALSE;
    }
    if (!dpcxr_image_check_size(width, height, error))
        return FALSE;
    int divisor = choose_divisor(width, height, min_size);
    *image = (DpcxrImage){.width = scaled(width, divisor),
                          .height = scaled(height, divisor),
                          .channels = colours == TJCS_GRAY ? 1 : 3,
                          .depth = 8};
    return TRUE;
}

gboolean dpcxr_image_decode_jpeg(const guint8 *bytes, gsize n, int min_size, DpcxrImage *image,
                                 GError **error)
{
    tjhandle handle = tjInitDecompress();
    if (!handle)
        return fail(NULL, error);
    DpcxrImage decoded = {0};
    gboolean done =
        read_header(handle, bytes, n, min_size, &decoded, error) && dpcxr_image_allocate(&decoded, error);
    if (done &&
        tjDecompress2(handle, bytes, n, decoded.pixels, decoded.width, 0, decoded.height,
                      decoded.channels == 1 ? TJPF_GRAY : TJPF_RGB,
                      TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0 &&
        !harmless(handle))
        done = fail(handle, error);
    if (done)
        *image = decoded;
    else
        dpcxr_image_clear(&decoded);
    tjDestroy(handle);
    return done;
}
