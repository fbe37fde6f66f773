/* SPDX-License-Identifier: MIT
 * Resizing and gray conversion against stored results of Pillow: equal in every bit. */
#include "../golden/resize/pillow.h"
#include "data/normalise.h"
#include "data/resize.h"
#include <string.h>

/* The generator of tests/golden/resize/make.py. */
static guint16 next_number(guint32 *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (guint16)(*state >> 16);
}

static DpcxrImage make_image(int height, int width, int channels, int depth)
{
    DpcxrImage image = {.width = width, .height = height, .channels = channels, .depth = depth};
    g_autoptr(GError) error = NULL;
    guint32 state = 12345;
    g_assert_true(dpcxr_image_allocate(&image, &error));
    for (int i = 0; i < width * height * channels; i++)
        if (depth == 8)
            ((guint8 *)image.pixels)[i] = (guint8)next_number(&state);
        else
            ((guint16 *)image.pixels)[i] = next_number(&state);
    return image;
}

static void test_pillow(void)
{
    for (gsize k = 0; k < G_N_ELEMENTS(resize_cases); k++) {
        DpcxrImage image =
            make_image(resize_cases[k].height, resize_cases[k].width, resize_cases[k].channels, 8);
        gsize n = (gsize)resize_cases[k].out_height * resize_cases[k].out_width * resize_cases[k].channels;
        g_autofree guint8 *out = g_malloc(n);
        g_autoptr(GError) error = NULL;
        g_assert_true(
            dpcxr_image_resize(&image, resize_cases[k].out_width, resize_cases[k].out_height, out, &error));
        g_assert_no_error(error);
        g_assert_cmpmem(out, n, resize_cases[k].expected, n);
        dpcxr_image_clear(&image);
    }
}

/* Against the same filter in f64; one rounding to 16 bits lies between, so a step of one may differ. */
static void test_deep(void)
{
    DpcxrImage image = make_image(45, 61, 1, 16);
    guint8 out[11 * 13];
    g_assert_true(dpcxr_image_resize(&image, 13, 11, out, NULL));
    int different = 0;
    for (gsize i = 0; i < sizeof out; i++) {
        g_assert_cmpint(ABS((int)out[i] - (int)resized_16[i]), <=, 1);
        different += out[i] != resized_16[i];
    }
    g_assert_cmpint(different, <=, 2);
    dpcxr_image_clear(&image);
}

/* Constant images stay constant, at both ends of the range. */
static void test_constant(void)
{
    static const int values[] = {0, 1, 65535};
    for (gsize k = 0; k < G_N_ELEMENTS(values); k++)
        for (int depth = 8; depth <= 16; depth += 8) {
            DpcxrImage image = make_image(71, 113, 3, depth);
            int value = depth == 8 ? MIN(values[k], 255) : values[k];
            for (int i = 0; i < 71 * 113 * 3; i++)
                if (depth == 8)
                    ((guint8 *)image.pixels)[i] = (guint8)value;
                else
                    ((guint16 *)image.pixels)[i] = (guint16)value;
            guint8 out[31 * 29 * 3];
            g_assert_true(dpcxr_image_resize(&image, 31, 29, out, NULL));
            for (gsize i = 0; i < sizeof out; i++)
                g_assert_cmpint(out[i], ==, depth == 8 ? value : (value + 128) / 257);
            dpcxr_image_clear(&image);
        }
}

static void test_gray(void)
{
    DpcxrImage image = make_image(24, 24, 3, 8);
    dpcxr_image_to_gray(&image);
    g_assert_cmpint(image.channels, ==, 1);
    g_assert_cmpmem(image.pixels, 24 * 24, gray, sizeof gray);
    dpcxr_image_clear(&image);
    image = make_image(4, 4, 3, 16);
    memset(image.pixels, 0xFF, 4 * 4 * 3 * 2);
    dpcxr_image_to_gray(&image);
    for (int i = 0; i < 16; i++)
        g_assert_cmpuint(((guint16 *)image.pixels)[i], ==, 65535);
    dpcxr_image_clear(&image);
}

static void test_normalise(void)
{
    static const guint8 gray_pixels[] = {0, 51, 255}, rgb[] = {0, 255, 51};
    float out[9];
    DpcxrNormaliser normaliser;
    dpcxr_normaliser_init(&normaliser, DPCXR_NORMALISE_UNIT, 1);
    dpcxr_normaliser_apply(&normaliser, gray_pixels, 1, 3, out);
    g_assert_cmpfloat(out[0], ==, 0);
    g_assert_cmpfloat(out[1], ==, 0.2f);
    g_assert_cmpfloat(out[2], ==, 1);
    g_assert_cmpfloat(normaliser.background, ==, 0);

    dpcxr_normaliser_init(&normaliser, DPCXR_NORMALISE_XRV, 3);
    dpcxr_normaliser_apply(&normaliser, gray_pixels, 1, 3, out);
    g_assert_cmpfloat(out[0], ==, -1024);
    g_assert_cmpfloat(out[2], ==, -1024); /* gray is repeated */
    g_assert_cmpfloat(out[8], ==, 1024);
    g_assert_cmpfloat(normaliser.background, ==, -1024);

    dpcxr_normaliser_init(&normaliser, DPCXR_NORMALISE_IMAGENET, 3);
    dpcxr_normaliser_apply(&normaliser, rgb, 3, 1, out);
    g_assert_cmpfloat_with_epsilon(out[0], (0 - 0.485) / 0.229, 1e-6);
    g_assert_cmpfloat_with_epsilon(out[1], (1 - 0.456) / 0.224, 1e-6);
    g_assert_cmpfloat_with_epsilon(out[2], (0.2 - 0.406) / 0.225, 1e-6);
    dpcxr_normaliser_init(&normaliser, DPCXR_NORMALISE_IMAGENET, 1);
    g_assert_cmpfloat_with_epsilon(normaliser.background, -0.449 / 0.226, 1e-6);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resize/pillow", test_pillow);
    g_test_add_func("/resize/16-bit", test_deep);
    g_test_add_func("/resize/constant", test_constant);
    g_test_add_func("/resize/gray", test_gray);
    g_test_add_func("/resize/normalise", test_normalise);
    return g_test_run();
}
