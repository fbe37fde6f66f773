/* SPDX-License-Identifier: MIT
 * Turns an image about its centre by an angle drawn uniformly from [-degrees, degrees], counter-clockwise
 * where it is positive. Bilinear; what comes in from outside the frame is background. Labels stay as they
 * are. */
#include <dpcxr/dpcxr.h>
#include <math.h>

static const DpcxrOptionSpec options[] = {
    {"degrees", DPCXR_OPTION_NUMBER, "10", 0, 180, NULL, "degrees", "Largest angle, to either side"},
    {NULL},
};

typedef struct {
    double degrees;
} Rotation;

static gboolean open_rotation(const DpcxrOptions *values, const char *const *labels, gpointer *self,
                              GError **error)
{
    Rotation *rotation = g_new(Rotation, 1);
    rotation->degrees = dpcxr_options_get_number(values, "degrees");
    *self = rotation;
    return TRUE;
}

/* The pixel in column @x of row @y of @pixels, which may lie outside. */
static float pixel_at(const DpcxrSample *sample, const float *pixels, int x, int y, int channel)
{
    if (x < 0 || y < 0 || x >= sample->width || y >= sample->height)
        return sample->background;
    return pixels[((gsize)y * sample->width + x) * sample->channels + channel];
}

/* The value of @pixels between pixel centres, at (@x, @y). */
static float value_at(const DpcxrSample *sample, const float *pixels, double x, double y, int channel)
{
    int left = (int)floor(x), top = (int)floor(y);
    float a = (float)(x - left), b = (float)(y - top);
    float above = (1 - a) * pixel_at(sample, pixels, left, top, channel) +
                  a * pixel_at(sample, pixels, left + 1, top, channel);
    float below = (1 - a) * pixel_at(sample, pixels, left, top + 1, channel) +
                  a * pixel_at(sample, pixels, left + 1, top + 1, channel);
    return (1 - b) * above + b * below;
}

static void apply_rotation(gconstpointer self, DpcxrSample *sample, DpcxrRandom *random)
{
    const Rotation *rotation = self;
    double angle = (2 * dpcxr_random_uniform(random) - 1) * rotation->degrees * (G_PI / 180);
    double cosine = cos(angle), sine = sin(angle);
    double middle_x = (sample->width - 1) / 2.0, middle_y = (sample->height - 1) / 2.0;
    gsize n = (gsize)sample->width * sample->height * sample->channels;
    g_autofree float *source = g_memdup2(sample->pixels, n * sizeof(float));
    float *out = sample->pixels;

    for (int row = 0; row < sample->height; row++) {
        for (int column = 0; column < sample->width; column++) {
            double dx = column - middle_x, dy = row - middle_y;
            double x = middle_x + cosine * dx - sine * dy, y = middle_y + sine * dx + cosine * dy;
            for (int channel = 0; channel < sample->channels; channel++)
                *out++ = value_at(sample, source, x, y, channel);
        }
    }
}

static const DpcxrAugmentation rotate = {.open = open_rotation, .apply = apply_rotation, .close = g_free};

DPCXR_PLUGIN_DEFINE_AUGMENTATION(rotate, .version = "1.0", .summary = "Turns images by a random angle",
                                 .licence = "MIT", .options = options, .feature = &rotate);
