/* SPDX-License-Identifier: MIT
 * Image files, made here through libpng and libturbojpeg: every kind that is decoded comes out as it went in,
 * and every way of being broken is an error that names the file. */
#include "data/decode.h"
#include <glib/gstdio.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

static char *folder;

/* A smooth picture in [0, 1] that is different in each channel and not symmetric. */
static double picture(int x, int y, int width, int height, int channel)
{
    double u = (x + 0.5) / width, v = (y + 0.5) / height;
    return channel == 0 ? (u + 2 * v) / 3 : channel == 1 ? (3 * u + v) / 4 : 1 - u * v;
}

static GByteArray *make_jpeg(int width, int height, int pixel_format, int subsampling)
{
    int channels = tjPixelSize[pixel_format];
    g_autofree guint8 *pixels = g_malloc((gsize)width * height * channels);
    for (int i = 0; i < width * height * channels; i++)
        pixels[i] =
            (guint8)(255 * picture(i / channels % width, i / channels / width, width, height, i % channels) +
                     0.5);
    tjhandle handle = tjInitCompress();
    unsigned char *out = NULL;
    unsigned long n = 0;
    int result = tjCompress2(handle, pixels, width, 0, height, pixel_format, &out, &n, subsampling, 100, 0);
    g_assert_cmpint(result, ==, 0);
    GByteArray *bytes = g_byte_array_append(g_byte_array_new(), out, (guint)n);
    tjFree(out);
    tjDestroy(handle);
    return bytes;
}

static void assert_close(const DpcxrImage *image, int tolerance)
{
    const guint8 *pixels = image->pixels;
    for (int i = 0; i < image->width * image->height * image->channels; i++) {
        int pixel = i / image->channels;
        double want = 255 * picture(pixel % image->width, pixel / image->width, image->width, image->height,
                                    i % image->channels);
        g_assert_cmpfloat_with_epsilon(pixels[i], want, tolerance);
    }
}

static void test_jpeg(void)
{
    static const struct {
        int format, subsampling, channels, tolerance;
    } kinds[] = {{TJPF_GRAY, TJSAMP_GRAY, 1, 2}, {TJPF_RGB, TJSAMP_444, 3, 4}, {TJPF_RGB, TJSAMP_420, 3, 8}};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GByteArray) bytes = make_jpeg(101, 67, kinds[i].format, kinds[i].subsampling);
        g_autoptr(GError) error = NULL;
        DpcxrImage image = {0};
        g_assert_true(dpcxr_image_decode(bytes->data, bytes->len, 0, &image, &error));
        g_assert_no_error(error);
        g_assert_cmpint(image.width, ==, 101);
        g_assert_cmpint(image.height, ==, 67);
        g_assert_cmpint(image.channels, ==, kinds[i].channels);
        g_assert_cmpint(image.depth, ==, 8);
        assert_close(&image, kinds[i].tolerance);
        dpcxr_image_clear(&image);
    }
}

static void test_jpeg_shrinks(void)
{
    static const struct {
        int min_size, divisor;
    } cases[] = {{0, 1}, {304, 1}, {153, 1}, {152, 2}, {76, 4}, {38, 8}, {1, 8}};
    g_autoptr(GByteArray) bytes = make_jpeg(408, 304, TJPF_RGB, TJSAMP_444);
    g_autoptr(GByteArray) odd = make_jpeg(403, 301, TJPF_GRAY, TJSAMP_GRAY);
    DpcxrImage image = {0};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(dpcxr_image_decode(bytes->data, bytes->len, cases[i].min_size, &image, NULL));
        g_assert_cmpint(image.width, ==, 408 / cases[i].divisor);
        g_assert_cmpint(image.height, ==, 304 / cases[i].divisor);
        assert_close(&image, 6); /* the reduced inverse DCT drops high frequencies */
        dpcxr_image_clear(&image);
    }
    g_assert_true(dpcxr_image_decode(odd->data, odd->len, 100, &image, NULL));
    g_assert_cmpint(image.width, ==, 202); /* rounded up */
    g_assert_cmpint(image.height, ==, 151);
    dpcxr_image_clear(&image);
}

/* @message (nullable): part of what the error must say. */
static void assert_refused(const guint8 *bytes, gsize n, const char *message)
{
    g_autofree guint8 *exact = g_memdup2(bytes, n); /* so that ASan sees a read past the end */
    g_autoptr(GError) error = NULL;
    DpcxrImage image = {0};
    g_assert_false(dpcxr_image_decode(exact, n, 0, &image, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    if (message && !strstr(error->message, message))
        g_error("\"%s\" lacks \"%s\"", error->message, message);
    g_assert_null(image.pixels);
}

static void test_jpeg_cut(void)
{
    g_autoptr(GByteArray) bytes = make_jpeg(160, 120, TJPF_GRAY, TJSAMP_GRAY);
    for (guint n = 0; n < bytes->len; n += 1 + n / 50)
        assert_refused(bytes->data, n, NULL);
    assert_refused(bytes->data, bytes->len - 2, "cut or damaged"); /* all pixels, no end marker */
    assert_refused(bytes->data, bytes->len / 2, "cut or damaged");
}

/* Between the data and the end marker only: other damage stays an error. */
static void test_jpeg_extra_bytes(void)
{
    g_autoptr(GByteArray) bytes = make_jpeg(64, 48, TJPF_GRAY, TJSAMP_GRAY);
    g_byte_array_set_size(bytes, bytes->len - 2);
    for (guint8 i = 0; i < 100; i++) /* more than the decoder reads ahead */
        g_byte_array_append(bytes, &i, 1);
    g_byte_array_append(bytes, (const guint8 *)"\xFF\xD9", 2);
    g_autoptr(GError) error = NULL;
    DpcxrImage image = {0};
    g_assert_true(dpcxr_image_decode(bytes->data, bytes->len, 0, &image, &error));
    g_assert_no_error(error);
    assert_close(&image, 4);
    dpcxr_image_clear(&image);
    guint middle = (bytes->len - 102) * 3 / 4; /* an end marker in the middle of the data */
    bytes->data[middle] = 0xFF;
    bytes->data[middle + 1] = 0xD9;
    assert_refused(bytes->data, bytes->len, "cut or damaged");
}

static void test_jpeg_cmyk(void)
{
    g_autoptr(GByteArray) bytes = make_jpeg(32, 32, TJPF_CMYK, TJSAMP_444);
    assert_refused(bytes->data, bytes->len, "CMYK");
}

static void append_bytes(png_structp png, png_bytep data, gsize n)
{
    g_byte_array_append(png_get_io_ptr(png), data, (guint)n);
}

static void no_flush(png_structp png)
{
}

typedef struct {
    int colour, depth;
    gboolean interlaced, transparent; /* transparent: with a tRNS chunk */
} PngKind;

static int samples_of(int colour)
{
    return colour == PNG_COLOR_TYPE_GRAY || colour == PNG_COLOR_TYPE_PALETTE ? 1
           : colour == PNG_COLOR_TYPE_GRAY_ALPHA                             ? 2
           : colour == PNG_COLOR_TYPE_RGB                                    ? 3
                                                                             : 4;
}

/* Sample @i of the file as stored, of @depth bits. */
static guint stored(int i, int depth)
{
    return (guint)(i * 40503u >> 3) & ((1u << depth) - 1);
}

static guint8 palette_value(int entry, int channel)
{
    return (guint8)(entry * 7 + channel * 85);
}

static void write_header(png_structp png, png_infop info, const PngKind *kind, int width, int height)
{
    png_color palette[256];
    png_set_IHDR(png, info, width, height, kind->depth, kind->colour,
                 kind->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    for (int i = 0; i < 256; i++)
        palette[i] = (png_color){palette_value(i, 0), palette_value(i, 1), palette_value(i, 2)};
    if (kind->colour == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 1 << kind->depth);
    if (kind->transparent)
        png_set_tRNS(png, info, (png_byte[]){0, 128}, 2, &(png_color_16){.gray = 1, .red = 1});
    png_write_info(png, info);
}

static GByteArray *make_png(const PngKind *kind, int width, int height)
{
    GByteArray *bytes = g_byte_array_new();
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    int samples = samples_of(kind->colour), bytes_each = kind->depth == 16 ? 2 : 1;
    gsize stride = (gsize)width * samples * bytes_each;
    g_autofree guint8 *pixels = g_malloc(stride * height);
    g_autofree png_bytepp rows = g_new(png_bytep, height);
    for (int i = 0; i < width * height * samples; i++)
        if (bytes_each == 2) {
            pixels[2 * i] = (guint8)(stored(i, 16) >> 8);
            pixels[2 * i + 1] = (guint8)stored(i, 16);
        } else {
            pixels[i] = (guint8)stored(i, kind->depth);
        }
    for (int y = 0; y < height; y++)
        rows[y] = pixels + y * stride;
    png_set_write_fn(png, bytes, append_bytes, no_flush);
    write_header(png, info, kind, width, height);
    png_set_packing(png); /* one byte a sample here, whatever the file has */
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return bytes;
}

/* What channel @c of pixel @pixel must be once decoded. */
static guint expected(const PngKind *kind, int pixel, int c)
{
    guint sample = stored(pixel * samples_of(kind->colour) + (kind->colour == PNG_COLOR_TYPE_PALETTE ? 0 : c),
                          kind->depth);
    if (kind->colour == PNG_COLOR_TYPE_PALETTE)
        return palette_value((int)sample, c);
    return kind->depth < 8 ? sample * 255 / ((1u << kind->depth) - 1) : sample;
}

static void check_png(const PngKind *kind)
{
    g_autoptr(GByteArray) bytes = make_png(kind, 21, 13);
    g_autoptr(GError) error = NULL;
    DpcxrImage image = {0};
    int channels = kind->colour & PNG_COLOR_MASK_COLOR ? 3 : 1;
    g_assert_true(dpcxr_image_decode(bytes->data, bytes->len, 4, &image, &error));
    g_assert_no_error(error);
    g_assert_cmpint(image.width, ==, 21);
    g_assert_cmpint(image.height, ==, 13);
    g_assert_cmpint(image.channels, ==, channels);
    g_assert_cmpint(image.depth, ==, kind->depth == 16 ? 16 : 8);
    for (int i = 0; i < 21 * 13 * channels; i++) {
        guint value = image.depth == 16 ? ((guint16 *)image.pixels)[i] : ((guint8 *)image.pixels)[i];
        g_assert_cmpuint(value, ==, expected(kind, i / channels, i % channels));
    }
    dpcxr_image_clear(&image);
}

static void test_png(void)
{
    static const PngKind kinds[] = {
        {PNG_COLOR_TYPE_GRAY, 1},        {PNG_COLOR_TYPE_GRAY, 2},      {PNG_COLOR_TYPE_GRAY, 4},
        {PNG_COLOR_TYPE_GRAY, 8},        {PNG_COLOR_TYPE_GRAY, 16},     {PNG_COLOR_TYPE_RGB, 8},
        {PNG_COLOR_TYPE_RGB, 16},        {PNG_COLOR_TYPE_PALETTE, 1},   {PNG_COLOR_TYPE_PALETTE, 2},
        {PNG_COLOR_TYPE_PALETTE, 4},     {PNG_COLOR_TYPE_PALETTE, 8},   {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
        {PNG_COLOR_TYPE_GRAY_ALPHA, 16}, {PNG_COLOR_TYPE_RGB_ALPHA, 8}, {PNG_COLOR_TYPE_RGB_ALPHA, 16}};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        for (int variant = 0; variant < 4; variant++) {
            PngKind kind = kinds[i];
            kind.interlaced = variant & 1;
            kind.transparent = variant & 2 && !(kind.colour & PNG_COLOR_MASK_ALPHA);
            check_png(&kind);
        }
}

static void test_png_cut(void)
{
    g_autoptr(GByteArray) bytes = make_png(&(PngKind){PNG_COLOR_TYPE_GRAY, 8}, 60, 40);
    for (guint n = 0; n < bytes->len; n++)
        assert_refused(bytes->data, n, NULL);
    assert_refused(bytes->data, bytes->len / 2, "PNG: the file is cut");
    assert_refused(bytes->data, bytes->len - 12, "PNG: the file is cut"); /* all pixels, no IEND */
}

static void test_png_checksum(void)
{
    g_autoptr(GByteArray) bytes = make_png(&(PngKind){PNG_COLOR_TYPE_GRAY, 8}, 60, 40);
    bytes->data[bytes->len - 20] ^= 1; /* near the end of IDAT */
    assert_refused(bytes->data, bytes->len, "PNG: ");
    g_autoptr(GByteArray) other = make_png(&(PngKind){PNG_COLOR_TYPE_GRAY, 8}, 60, 40);
    other->data[other->len - 13] ^= 1; /* its CRC */
    assert_refused(other->data, other->len, "CRC");
}

/* A header of 33 bytes that promises gigabytes is refused before anything is allocated. */
static void test_sizes(void)
{
    g_autoptr(GByteArray) bytes = make_png(&(PngKind){PNG_COLOR_TYPE_GRAY, 8}, 60000, 1);
    DpcxrImage image = {0};
    g_assert_true(dpcxr_image_decode(bytes->data, bytes->len, 0, &image, NULL)); /* long, but small */
    dpcxr_image_clear(&image);

    g_autoptr(GError) error = NULL;
    g_assert_false(dpcxr_image_check_size(60000, 60000, &error));
    g_assert_nonnull(strstr(error->message, "60000 x 60000"));
    g_assert_false(dpcxr_image_check_size(0, 10, NULL));
    g_assert_false(dpcxr_image_check_size(65536, 1, NULL));
    g_assert_true(dpcxr_image_check_size(65535, 1, NULL));
    g_assert_true(dpcxr_image_check_size(11000, 12000, NULL));

    g_autoptr(GByteArray) bomb = make_jpeg(16, 16, TJPF_GRAY, TJSAMP_GRAY);
    for (guint i = 0; i + 9 < bomb->len; i++)
        if (bomb->data[i] == 0xFF &&
            bomb->data[i + 1] == 0xC0) /* the frame header: length, precision, height, width */
            memcpy(bomb->data + i + 5, "\xFA\x00\xFA\x00", 4);
    assert_refused(bomb->data, bomb->len, "64000 x 64000");
}

static void write_and_refuse(const char *name, const char *bytes, gsize n, const char *message)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    DpcxrImage image = {0};
    if (bytes)
        g_assert_true(g_file_set_contents(path, bytes, n, NULL));
    g_assert_false(dpcxr_image_read(path, 0, &image, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA);
    if (!strstr(error->message, path) || !strstr(error->message, message))
        g_error("\"%s\" lacks the path or \"%s\"", error->message, message);
    g_remove(path);
}

static void test_files(void)
{
    g_autoptr(GByteArray) good = make_png(&(PngKind){PNG_COLOR_TYPE_GRAY, 8}, 5, 4);
    char dicom[140] = {0};
    memcpy(dicom + 128, "DICM", 4);
    write_and_refuse("missing.png", NULL, 0, "No such file");
    write_and_refuse("empty.png", "", 0, "empty");
    write_and_refuse("page.jpg", "<html>", 6, "text file");
    write_and_refuse("scan.png", dicom, sizeof dicom, "DICOM");
    write_and_refuse("noise.png", "\1\2\3\4", 4, "not a JPEG or PNG");
    write_and_refuse("cut.png", (const char *)good->data, good->len - 20, "PNG: ");

    g_autoptr(GError) error = NULL;
    DpcxrImage image = {0};
    g_assert_false(dpcxr_image_read(folder, 0, &image, &error));
    g_assert_nonnull(strstr(error->message, "no regular file"));
    g_autofree char *path = g_build_filename(folder, "misnamed.jpg", NULL); /* content counts, not the name */
    g_assert_true(g_file_set_contents(path, (const char *)good->data, good->len, NULL));
    g_assert_true(dpcxr_image_read(path, 0, &image, NULL));
    dpcxr_image_clear(&image);
    g_remove(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("dpcxr-image-XXXXXX", NULL);
    g_test_add_func("/image/jpeg", test_jpeg);
    g_test_add_func("/image/jpeg/shrinks", test_jpeg_shrinks);
    g_test_add_func("/image/jpeg/cut", test_jpeg_cut);
    g_test_add_func("/image/jpeg/extra-bytes", test_jpeg_extra_bytes);
    g_test_add_func("/image/jpeg/cmyk", test_jpeg_cmyk);
    g_test_add_func("/image/png", test_png);
    g_test_add_func("/image/png/cut", test_png_cut);
    g_test_add_func("/image/png/checksum", test_png_checksum);
    g_test_add_func("/image/sizes", test_sizes);
    g_test_add_func("/image/files", test_files);
    int result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
