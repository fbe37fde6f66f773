/* SPDX-License-Identifier: MIT
 * An augmentation plugin: exposure varies, anatomy does not. */
#include <dpcxr/dpcxr.h>

typedef struct {
    double amount;
} Brightness;

static gboolean open(const DpcxrOptions *options, const char *const *labels, gpointer *self, GError **error)
{
    Brightness *brightness = g_new(Brightness, 1);
    brightness->amount = dpcxr_options_get_number(options, "amount");
    *self = brightness;
    return TRUE;
}

static void apply(gconstpointer self, DpcxrSample *sample, DpcxrRandom *random)
{
    const Brightness *brightness = self;
    float factor = (float)(1 + brightness->amount * (2 * dpcxr_random_uniform(random) - 1));
    gsize n = (gsize)sample->height * sample->width * sample->channels;
    for (gsize i = 0; i < n; i++)
        sample->pixels[i] = sample->background + factor * (sample->pixels[i] - sample->background);
}

static const DpcxrOptionSpec options[] = {
    {"amount", DPCXR_OPTION_NUMBER, "0.1", .min = 0, .max = 1,
     .summary = "Values are scaled by a factor in [1 - amount, 1 + amount], black stays black."},
    {NULL},
};

static const DpcxrAugmentation augmentation = {.open = open, .apply = apply, .close = g_free};

DPCXR_PLUGIN_DEFINE_AUGMENTATION(brightness, .version = "1.0",
                                 .summary = "Scales the values of an image at random.", .licence = "MIT",
                                 .options = options, .feature = &augmentation);
