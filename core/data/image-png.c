/* SPDX-License-Identifier: MIT
 * PNG through libpng, from memory, row by row into a DpcxrImage. Sixteen bits stay sixteen. Damaged checksums
 * and cut files are errors; text chunks and the like are skipped and limited in size. */
#include "data/decode.h"
#include <png.h>
#include <setjmp.h>
#include <string.h>

/* Everything that must survive libpng's longjmp lives here, outside the frame that calls setjmp. */
typedef struct {
    const guint8 *bytes;
    gsize left;
    png_structp png;
    png_infop info;
    DpcxrImage image;
    png_bytepp rows;
    char problem[160];
    GError *error; /* one of ours, met between libpng calls */
} Reader;

static void on_error(png_structp png, png_const_charp message)
{
    Reader *reader = png_get_error_ptr(png);
    g_strlcpy(reader->problem, message, sizeof reader->problem);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
}

static void read_bytes(png_structp png, png_bytep out, gsize n)
{
    Reader *reader = png_get_io_ptr(png);
    if (n > reader->left)
        png_error(png, "the file is cut");
    memcpy(out, reader->bytes, n);
    reader->bytes += n;
    reader->left -= n;
}

static gboolean start(Reader *reader)
{
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning);
    if (reader->png)
        reader->info = png_create_info_struct(reader->png);
    if (!reader->info) {
        g_set_error(&reader->error, DPCXR_ERROR, DPCXR_ERROR_MEMORY, "PNG: libpng does not start");
        return FALSE;
    }
    png_set_read_fn(reader->png, reader, read_bytes);
    png_set_user_limits(reader->png, 65535, 65535);
    png_set_chunk_cache_max(reader->png, 128);
    png_set_chunk_malloc_max(reader->png, 8 << 20);
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    return TRUE;
}

/* Asks libpng for gray or RGB of 8 or 16 bits in host order, whatever the file has. */
static void set_transforms(png_structp png, png_infop info)
{
    int colour = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);
    if (colour == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    else if (colour == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if ((colour & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, info, PNG_INFO_tRNS))
        png_set_strip_alpha(png);
    if (depth == 16 && G_BYTE_ORDER == G_LITTLE_ENDIAN)
        png_set_swap(png);
}

static gboolean allocate(Reader *reader)
{
    reader->image = (DpcxrImage){.width = (int)png_get_image_width(reader->png, reader->info),
                                 .height = (int)png_get_image_height(reader->png, reader->info),
                                 .channels = png_get_channels(reader->png, reader->info),
                                 .depth = png_get_bit_depth(reader->png, reader->info)};
    if (!dpcxr_image_allocate(&reader->image, &reader->error))
        return FALSE;
    gsize stride = (gsize)reader->image.width * reader->image.channels * (reader->image.depth / 8);
    g_assert(stride == png_get_rowbytes(reader->png, reader->info));
    reader->rows = g_new(png_bytep, reader->image.height);
    for (int y = 0; y < reader->image.height; y++)
        reader->rows[y] = (png_bytep)reader->image.pixels + y * stride;
    return TRUE;
}

/* libpng reports by longjmp to here; nothing in this frame changes after setjmp. */
static gboolean decode(Reader *reader)
{
    if (setjmp(png_jmpbuf(reader->png)))
        return FALSE;
    png_read_info(reader->png, reader->info);
    if (!dpcxr_image_check_size(png_get_image_width(reader->png, reader->info),
                                png_get_image_height(reader->png, reader->info), &reader->error))
        return FALSE;
    set_transforms(reader->png, reader->info);
    png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
    if (!allocate(reader))
        return FALSE;
    png_read_image(reader->png, reader->rows);
    png_read_end(reader->png, NULL);
    return TRUE;
}

gboolean dpcxr_image_decode_png(const guint8 *bytes, gsize n, DpcxrImage *image, GError **error)
{
    Reader reader = {.bytes = bytes, .left = n};
    gboolean done = start(&reader) && decode(&reader);
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    g_free(reader.rows);
    if (done) {
        *image = reader.image;
        return TRUE;
    }
    dpcxr_image_clear(&reader.image);
    if (reader.error)
        g_propagate_error(error, reader.error);
    else
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "PNG: %s", reader.problem);
    return FALSE;
}
