/* SPDX-License-Identifier: MIT
 * The augmentation plugins, as the program loads them: built, through their descriptors. */
#include "../golden/augmentations/rotate.inc"
#include "config/options.h"
#include <dpcxr/augmentation.h>
#include <gmodule.h>
#include <math.h>
#include <string.h>

static const DpcxrPlugin *hflip, *rotate;

static const DpcxrPlugin *load_plugin(const char *name)
{
    g_autofree char *file =
        g_strdup_printf("%s/plugins/dpcxr-augmentation-%s.so", g_getenv("DPCXR_BUILD"), name);
    g_autofree char *symbol = g_strdup_printf("dpcxr_plugin_augmentation_%s", name);
    GModule *module = g_module_open(file, G_MODULE_BIND_LOCAL);
    gpointer plugin;

    if (!module || !g_module_symbol(module, symbol, &plugin))
        g_error("%s", g_module_error());
    g_module_make_resident(module);
    return plugin;
}

/* An image with a fence of NaN around each buffer, so that a write outside is seen. */
enum { FENCE = 8 };

typedef struct {
    DpcxrSample sample;
    float *pixels, *targets, *mask;
    gsize n;
} Fixture;

static float *fenced(gsize n)
{
    float *buffer = g_new(float, n + 2 * FENCE);
    for (gsize i = 0; i < n + 2 * FENCE; i++)
        buffer[i] = NAN;
    return buffer;
}

static void assert_fences(const float *buffer, gsize n)
{
    for (gsize i = 0; i < FENCE; i++)
        g_assert_true(isnan(buffer[i]) && isnan(buffer[FENCE + n + i]));
    for (gsize i = 0; i < n; i++)
        g_assert_true(isfinite(buffer[FENCE + i]));
}

/* The same image as in rotate.py. Targets are 0, 1/8, 2/8, ...; every third label is masked. */
static void set_up(Fixture *f, int height, int width, int channels, gsize n_labels)
{
    f->n = (gsize)height * width * channels;
    f->pixels = fenced(f->n);
    f->targets = fenced(n_labels);
    f->mask = fenced(n_labels);
    f->sample = (DpcxrSample){f->pixels + FENCE,  height,          width,   channels, -0.25f,
                              f->targets + FENCE, f->mask + FENCE, n_labels};
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                f->sample.pixels[(y * width + x) * channels + c] =
                    (float)((3 * x + 5 * y * y + x * y + 7 * c) % 17) / 16;
    for (gsize i = 0; i < n_labels; i++) {
        f->sample.targets[i] = (float)i / 8;
        f->sample.mask[i] = i % 3 != 0;
    }
}

static void tear_down(Fixture *f)
{
    assert_fences(f->pixels, f->n);
    assert_fences(f->targets, f->sample.n_labels);
    assert_fences(f->mask, f->sample.n_labels);
    g_free(f->pixels);
    g_free(f->targets);
    g_free(f->mask);
}

static gpointer open_plugin(const DpcxrPlugin *plugin, const char *yaml, const char *const *labels,
                            GError **error)
{
    GError *failure = NULL;
    g_autoptr(DpcxrOptions) values = dpcxr_options_parse(plugin->options, yaml, &failure);
    gpointer self = NULL;

    g_assert_no_error(failure);
    const DpcxrAugmentation *augmentation = plugin->feature;
    gboolean opened = augmentation->open(values, labels, &self, error);
    g_assert_true(opened == (self != NULL));
    return self;
}

static void close_plugin(const DpcxrPlugin *plugin, gpointer self)
{
    const DpcxrAugmentation *augmentation = plugin->feature;
    augmentation->close(self);
}

static void apply_once(const DpcxrPlugin *plugin, gpointer self, DpcxrSample *sample, guint64 address)
{
    const DpcxrAugmentation *augmentation = plugin->feature;
    DpcxrRandom random;
    dpcxr_random_init(&random, 1, plugin->name, address, 0);
    augmentation->apply(self, sample, &random);
}

static const char *const no_labels[] = {NULL};
static const char *const sided[] = {"Heart",
                                    "effusion_right",
                                    "Lung Lesion",
                                    "effusion_left",
                                    "left-sided pneumonia",
                                    "RIGHT APEX",
                                    "right-sided pneumonia",
                                    "LEFT APEX",
                                    NULL};

/* --- Hflip --- */

static void test_flip_pixels(void)
{
    static const int sizes[][3] = {{3, 5, 1}, {4, 6, 3}, {1, 1, 1}, {2, 2, 3}, {5, 1, 1}};
    gpointer self = open_plugin(hflip, "{p: 1}", no_labels, NULL);

    for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
        Fixture f, before;
        int width = sizes[s][1], channels = sizes[s][2];
        set_up(&f, sizes[s][0], width, channels, 0);
        set_up(&before, sizes[s][0], width, channels, 0);
        apply_once(hflip, self, &f.sample, 0);
        for (int y = 0; y < sizes[s][0]; y++)
            for (int x = 0; x < width; x++)
                for (int c = 0; c < channels; c++)
                    g_assert_cmpfloat(f.sample.pixels[(y * width + x) * channels + c], ==,
                                      before.sample.pixels[(y * width + width - 1 - x) * channels + c]);
        apply_once(hflip, self, &f.sample, 1);
        g_assert_cmpmem(f.sample.pixels, f.n * sizeof(float), before.sample.pixels, f.n * sizeof(float));
        tear_down(&f);
        tear_down(&before);
    }
    close_plugin(hflip, self);
}

static void test_flip_labels(void)
{
    static const gsize expected[8] = {0, 3, 2, 1, 6, 7, 4, 5};
    gpointer self = open_plugin(hflip, "{p: 1, labels: swap}", sided, NULL);
    Fixture f;

    set_up(&f, 2, 3, 1, 8);
    apply_once(hflip, self, &f.sample, 0);
    for (gsize i = 0; i < 8; i++) {
        g_assert_cmpfloat(f.sample.targets[i], ==, (float)expected[i] / 8);
        g_assert_cmpfloat(f.sample.mask[i], ==, expected[i] % 3 != 0);
    }
    tear_down(&f);
    close_plugin(hflip, self);
}

static void test_flip_keeps_labels(void)
{
    gpointer self = open_plugin(hflip, "{p: 1, labels: keep}", sided, NULL);
    Fixture f;

    set_up(&f, 1, 2, 1, 8);
    apply_once(hflip, self, &f.sample, 0);
    g_assert_cmpfloat(f.sample.pixels[0], ==, 3 / 16.0f);
    for (gsize i = 0; i < 8; i++)
        g_assert_cmpfloat(f.sample.targets[i], ==, (float)i / 8);
    tear_down(&f);
    close_plugin(hflip, self);
}

/* How often, and that with p = 0 nothing and with p = 1 everything is flipped. */
static void test_flip_probability(void)
{
    static const struct {
        const char *yaml;
        int least, most; /* of 2000; 0.25 +- 5 standard deviations */
    } cases[] = {{"{p: 0}", 0, 0}, {"{p: 1}", 2000, 2000}, {"{p: 0.25}", 403, 597}};

    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        gpointer self = open_plugin(hflip, cases[c].yaml, no_labels, NULL);
        int flips = 0;
        for (guint64 i = 0; i < 2000; i++) {
            Fixture f;
            set_up(&f, 1, 2, 1, 0);
            apply_once(hflip, self, &f.sample, i);
            flips += f.sample.pixels[0] != 0;
            tear_down(&f);
        }
        g_assert_cmpint(flips, >=, cases[c].least);
        g_assert_cmpint(flips, <=, cases[c].most);
        close_plugin(hflip, self);
    }
}

static void assert_refused(const char *yaml, const char *const *labels, const char *pattern)
{
    g_autoptr(GError) error = NULL;
    gpointer self = open_plugin(hflip, yaml, labels, &error);
    g_assert_null(self);
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_test_message("%s", error->message);
    g_assert_true(g_pattern_match_simple(pattern, error->message));
}

static void test_flip_refuses(void)
{
    static const char *const lonely[] = {"edema", "effusion_left", NULL};
    static const char *const crossed[] = {"Left x", "right x", NULL};
    static const char *const whole_words[] = {"cleft", "bright_spot", "leftover", "aright",
                                              "l",     "rightly",     NULL};

    assert_refused("{labels: swap}", lonely, "*hflip*\"effusion_left\"*\"effusion_right\"*");
    assert_refused("{labels: swap}", crossed, "*hflip*\"Left x\"*\"Right x\"*");
    assert_refused("{labels: refuse}", sided, "*hflip*\"effusion_right\"*");

    gpointer self = open_plugin(hflip, "{labels: refuse}", whole_words, NULL);
    g_assert_nonnull(self);
    close_plugin(hflip, self);
    self = open_plugin(hflip, "{labels: keep}", lonely, NULL);
    close_plugin(hflip, self);
}

/* --- Rotate --- */

/* Turns @sample by exactly @angle degrees: looks up what the stream will draw and sets the largest angle by
 * it. */
static void rotate_by(DpcxrSample *sample, double angle)
{
    DpcxrRandom random;
    guint64 address = 0;
    double share;

    do {
        dpcxr_random_init(&random, 1, "rotate", ++address, 0);
        share = 2 * dpcxr_random_uniform(&random) - 1;
    } while (share * (angle < 0 ? -1 : 1) < 0.6);
    g_autofree char *yaml = g_strdup_printf("{degrees: %.17g}", angle / share);
    gpointer self = open_plugin(rotate, yaml, no_labels, NULL);
    apply_once(rotate, self, sample, address);
    close_plugin(rotate, self);
}

static void assert_pixels(const Fixture *f, const float *expected, gsize n)
{
    g_assert_cmpuint(f->n, ==, n);
    for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon(f->sample.pixels[i], expected[i], 2e-6);
}

static void test_rotate_like_scipy(void)
{
    Fixture f;
    set_up(&f, 7, 9, 1, 0);
    rotate_by(&f.sample, 30);
    assert_pixels(&f, ROTATED_ODD, G_N_ELEMENTS(ROTATED_ODD));
    tear_down(&f);
    set_up(&f, 6, 4, 3, 0);
    rotate_by(&f.sample, -75);
    assert_pixels(&f, ROTATED_EVEN, G_N_ELEMENTS(ROTATED_EVEN));
    tear_down(&f);
}

/* A quarter turn of a square moves pixels onto pixels, counter-clockwise: the right column becomes the top
 * row. */
static void test_rotate_quarter(void)
{
    enum { SIDE = 5 };
    Fixture f, before;
    set_up(&f, SIDE, SIDE, 1, 0);
    set_up(&before, SIDE, SIDE, 1, 0);
    rotate_by(&f.sample, 90);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            g_assert_cmpfloat_with_epsilon(f.sample.pixels[y * SIDE + x],
                                           before.sample.pixels[x * SIDE + SIDE - 1 - y], 2e-6);
    tear_down(&f);
    tear_down(&before);
}

static void test_rotate_by_nothing(void)
{
    gpointer self = open_plugin(rotate, "{degrees: 0}", sided, NULL);
    Fixture f, before;

    set_up(&f, 4, 7, 3, 8);
    set_up(&before, 4, 7, 3, 8);
    apply_once(rotate, self, &f.sample, 0);
    g_assert_cmpmem(f.sample.pixels, f.n * sizeof(float), before.sample.pixels, f.n * sizeof(float));
    g_assert_cmpmem(f.sample.targets, 8 * sizeof(float), before.sample.targets, 8 * sizeof(float));
    g_assert_cmpmem(f.sample.mask, 8 * sizeof(float), before.sample.mask, 8 * sizeof(float));
    tear_down(&f);
    tear_down(&before);
    close_plugin(rotate, self);
}

/* Angles fill [-10, 10] evenly: a bright point far from the centre tells each angle from where it went. */
static void test_rotate_range(void)
{
    enum { SIDE = 201, DRAWS = 300 };
    gpointer self = open_plugin(rotate, "{}", no_labels, NULL);
    double sum = 0, squares = 0, largest = 0;

    for (guint64 i = 0; i < DRAWS; i++) {
        Fixture f;
        double row = 0, mass = 0;
        set_up(&f, SIDE, SIDE, 1, 0);
        memset(f.sample.pixels, 0, f.n * sizeof(float));
        f.sample.background = 0;
        for (int y = 99; y <= 101; y++)
            for (int x = 189; x <= 191; x++)
                f.sample.pixels[y * SIDE + x] = 1;
        apply_once(rotate, self, &f.sample, i);
        for (gsize k = 0; k < f.n; k++) {
            row += (double)(k / SIDE) * f.sample.pixels[k];
            mass += f.sample.pixels[k];
        }
        double angle = asin((100 - row / mass) / 90) * 180 / G_PI;
        sum += angle;
        squares += angle * angle;
        largest = MAX(largest, fabs(angle));
        tear_down(&f);
    }
    g_assert_cmpfloat_with_epsilon(sum / DRAWS, 0, 5 * 10 / sqrt(3.0 * DRAWS));
    g_assert_cmpfloat_with_epsilon(squares / DRAWS, 100 / 3.0, 5 * 29.8 / sqrt(DRAWS));
    g_assert_cmpfloat(largest, >, 9.5);
    g_assert_cmpfloat(largest, <, 10.2); /* the point's centre is known to a fraction of a pixel */
    close_plugin(rotate, self);
}

/* A constant image whose background is the same constant stays what it is. */
static void test_rotate_constant(void)
{
    Fixture f;
    set_up(&f, 6, 9, 1, 0);
    for (gsize i = 0; i < f.n; i++)
        f.sample.pixels[i] = f.sample.background;
    rotate_by(&f.sample, 33);
    for (gsize i = 0; i < f.n; i++)
        g_assert_cmpfloat_with_epsilon(f.sample.pixels[i], f.sample.background, 1e-6);
    tear_down(&f);
}

static void test_deterministic(void)
{
    const DpcxrPlugin *plugins[] = {hflip, rotate};

    for (gsize i = 0; i < G_N_ELEMENTS(plugins); i++) {
        gpointer self = open_plugin(plugins[i], "{}", sided, NULL),
                 other = open_plugin(plugins[i], "{}", sided, NULL);
        for (guint64 address = 0; address < 20; address++) {
            Fixture a, b;
            set_up(&a, 6, 5, 3, 8);
            set_up(&b, 6, 5, 3, 8);
            apply_once(plugins[i], self, &a.sample, address);
            apply_once(plugins[i], other, &b.sample, address);
            g_assert_cmpmem(a.sample.pixels, a.n * sizeof(float), b.sample.pixels, b.n * sizeof(float));
            g_assert_cmpmem(a.sample.targets, 8 * sizeof(float), b.sample.targets, 8 * sizeof(float));
            tear_down(&a);
            tear_down(&b);
        }
        close_plugin(plugins[i], self);
        close_plugin(plugins[i], other);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    hflip = load_plugin("hflip");
    rotate = load_plugin("rotate");
    g_test_add_func("/augmentations/hflip/pixels", test_flip_pixels);
    g_test_add_func("/augmentations/hflip/labels", test_flip_labels);
    g_test_add_func("/augmentations/hflip/keep", test_flip_keeps_labels);
    g_test_add_func("/augmentations/hflip/probability", test_flip_probability);
    g_test_add_func("/augmentations/hflip/refuses", test_flip_refuses);
    g_test_add_func("/augmentations/rotate/like-scipy", test_rotate_like_scipy);
    g_test_add_func("/augmentations/rotate/quarter", test_rotate_quarter);
    g_test_add_func("/augmentations/rotate/nothing", test_rotate_by_nothing);
    g_test_add_func("/augmentations/rotate/range", test_rotate_range);
    g_test_add_func("/augmentations/rotate/constant", test_rotate_constant);
    g_test_add_func("/augmentations/deterministic", test_deterministic);
    return g_test_run();
}
