/* SPDX-License-Identifier: MIT
 * Mirrors an image left to right. A finding of the left side is then on the right, so labels whose names say
 * a side trade places with their partners; an experiment may also refuse such labels, or
 * knowingly keep them. */
#include <dpcxr/dpcxr.h>
#include <string.h>

static const DpcxrOptionSpec options[] = {
    {"p", DPCXR_OPTION_NUMBER, "0.5", 0, 1, NULL, NULL, "Probability of a flip"},
    {"labels", DPCXR_OPTION_CHOICE, "swap", 0, 0, "swap|keep|refuse", NULL,
     "Labels with the word left or right in their name: swap with their partner; keep, which is wrong for "
     "them "
     "unless their side does not matter; or refuse"},
    {NULL},
};

typedef struct {
    double p;
    gsize n_labels;
    gsize *partner; /* of each label: where its value goes in a flip; itself where it has no side */
} Flip;

/* Letters, digits and whatever is not ASCII belong to a word; "_", "-", " " and the like part words. */
static gboolean in_word(char c)
{
    return g_ascii_isalnum(c) || (guchar)c >= 0x80;
}

/* @side in the spelling of @word: lower case, Capitalised or CAPITALS. */
static char *spelt_like(const char *side, const char *word)
{
    if (g_ascii_isupper(word[1]))
        return g_ascii_strup(side, -1);
    char *spelt = g_strdup(side);
    if (g_ascii_isupper(word[0]))
        spelt[0] = g_ascii_toupper(spelt[0]);
    return spelt;
}

/* @name with left for right and right for left; NULL where it has neither word. (transfer full) */
static char *mirror_name(const char *name)
{
    GString *mirrored = g_string_new(NULL);
    gboolean has_side = FALSE;

    for (const char *rest = name; *rest;) {
        gsize length = 0;
        while (in_word(rest[length]))
            length++;
        gboolean left = length == 4 && g_ascii_strncasecmp(rest, "left", 4) == 0;
        gboolean right = length == 5 && g_ascii_strncasecmp(rest, "right", 5) == 0;
        if (left || right) {
            g_autofree char *other = spelt_like(left ? "right" : "left", rest);
            g_string_append(mirrored, other);
            has_side = TRUE;
        } else {
            length = MAX(length, 1); /* not in a word: one character between words */
            g_string_append_len(mirrored, rest, (gssize)length);
        }
        rest += length;
    }
    return g_string_free(mirrored, !has_side);
}

static gsize find_label(const char *const *labels, const char *name)
{
    gsize i = 0;
    while (labels[i] && !g_str_equal(labels[i], name))
        i++;
    return i;
}

/* What a flip does to label @i, by the policy; FALSE where that is nothing good. */
static gboolean find_partner(Flip *flip, gsize i, const char *const *labels, const char *policy,
                             const char *where, GError **error)
{
    g_autofree char *mirrored = mirror_name(labels[i]);

    flip->partner[i] = i;
    if (!mirrored || g_str_equal(policy, "keep"))
        return TRUE;
    if (g_str_equal(policy, "refuse")) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "%s: hflip: label \"%s\" is of one side, and a flip would show it on the other; "
                    "use labels: swap, or leave hflip out",
                    where, labels[i]);
        return FALSE;
    }
    gsize partner = find_label(labels, mirrored);
    if (!labels[partner]) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "%s: hflip: label \"%s\" has no partner \"%s\" to swap with; add it to data.labels, "
                    "or leave hflip out",
                    where, labels[i], mirrored);
        return FALSE;
    }
    flip->partner[i] = partner;
    return TRUE;
}

static void close_flip(gpointer self)
{
    Flip *flip = self;
    g_free(flip->partner);
    g_free(flip);
}

static gboolean open_flip(const DpcxrOptions *values, const char *const *labels, gpointer *self,
                          GError **error)
{
    Flip *flip = g_new0(Flip, 1);
    flip->p = dpcxr_options_get_number(values, "p");
    flip->n_labels = g_strv_length((char **)labels);
    flip->partner = g_new(gsize, flip->n_labels + 1);
    for (gsize i = 0; i < flip->n_labels; i++) {
        if (!find_partner(flip, i, labels, dpcxr_options_get_string(values, "labels"),
                          dpcxr_options_where(values, "labels"), error)) {
            close_flip(flip);
            return FALSE;
        }
    }
    *self = flip;
    return TRUE;
}

static void swap_floats(float *a, float *b)
{
    float kept = *a;
    *a = *b;
    *b = kept;
}

static void mirror_pixels(DpcxrSample *sample)
{
    gsize channels = (gsize)sample->channels, width = (gsize)sample->width;

    for (gsize y = 0; y < (gsize)sample->height; y++) {
        float *row = sample->pixels + y * width * channels;
        for (gsize x = 0; x < width / 2; x++)
            for (gsize c = 0; c < channels; c++)
                swap_floats(row + x * channels + c, row + (width - 1 - x) * channels + c);
    }
}

static void apply_flip(gconstpointer self, DpcxrSample *sample, DpcxrRandom *random)
{
    const Flip *flip = self;

    g_return_if_fail(sample->n_labels == flip->n_labels);
    if (dpcxr_random_uniform(random) >= flip->p)
        return;
    mirror_pixels(sample);
    for (gsize i = 0; i < flip->n_labels; i++) {
        if (flip->partner[i] <= i) /* each pair once */
            continue;
        swap_floats(sample->targets + i, sample->targets + flip->partner[i]);
        swap_floats(sample->mask + i, sample->mask + flip->partner[i]);
    }
}

static const DpcxrAugmentation hflip = {.open = open_flip, .apply = apply_flip, .close = close_flip};

DPCXR_PLUGIN_DEFINE_AUGMENTATION(hflip, .version = "1.0",
                                 .summary = "Mirrors images left to right, labels included", .licence = "MIT",
                                 .options = options, .feature = &hflip);
