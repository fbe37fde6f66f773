/* SPDX-License-Identifier: MIT
 * An open data set: decode -> gray -> resize to 8 bits (kept on disk where a folder is given, else in memory while
 * there is room) -> normalise -> augment. Everything before normalising depends on the row alone; everything after on the row and its draw's
 * address. */
#include "data/data.h"
#include "config/options.h"
#include "data/labels.h"
#include "data/memory-cache.h"
#include "data/normalise.h"
#include "data/resize.h"
#include "data/shard-cache.h"
#include <math.h>
#include <string.h>

typedef struct {
    const DpcxrAugmentation *feature;
    gpointer self;
    char *purpose; /* of its random streams */
} Augmentation;

struct _DpcxrData {
    const DpcxrExperiment *experiment;
    DpcxrIndex *index;
    const DpcxrDataset *dataset;
    gpointer self;
    gboolean is_open;
    Augmentation *augment;
    gsize n_augment; /* opened */
    DpcxrNormaliser normaliser;
    DpcxrMemoryCache *cache;
    DpcxrShardCache *shards; /* NULL: none on disk */
    gboolean whole;          /* decoders do not shrink */
};

/* Columns that the groups of the experiment read, each once. (transfer full) */
static char **wanted_columns(const DpcxrExperiment *experiment)
{
    g_autoptr(GStrvBuilder) columns = g_strv_builder_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < experiment->data.n_groups; i++)
        if (g_hash_table_add(seen, experiment->data.groups[i].column))
            g_strv_builder_add(columns, experiment->data.groups[i].column);
    return g_strv_builder_end(columns);
}

static gboolean open_index(DpcxrData *data, GError **error)
{
    const DpcxrFeature *feature = &data->experiment->data.dataset;
    const char *const *labels = (const char *const *)data->experiment->data.labels;
    g_auto(GStrv) columns = wanted_columns(data->experiment);
    data->dataset = feature->entry->plugin->feature;
    data->index = dpcxr_index_new(labels);
    if (!data->dataset->open(feature->options, labels, (const char *const *)columns, data->index, &data->self,
                             error))
        return FALSE;
    data->is_open = TRUE;
    if (dpcxr_index_finish(data->index, error))
        return TRUE;
    g_prefix_error(error, "data set %s: ", feature->type);
    return FALSE;
}

static gboolean open_augmentations(DpcxrData *data, GError **error)
{
    const DpcxrExperiment *experiment = data->experiment;
    data->augment = g_new0(Augmentation, experiment->data.n_augment);
    for (gsize i = 0; i < experiment->data.n_augment; i++) {
        const DpcxrFeature *feature = &experiment->data.augment[i];
        Augmentation *augmentation = &data->augment[i];
        augmentation->feature = feature->entry->plugin->feature;
        if (!augmentation->feature->open(feature->options, (const char *const *)experiment->data.labels,
                                         &augmentation->self, error)) {
            g_prefix_error(error, "data.augment.%" G_GSIZE_FORMAT " (%s): ", i, feature->type);
            return FALSE;
        }
        augmentation->purpose = g_strdup_printf("augment:%" G_GSIZE_FORMAT ":%s", i, feature->type);
        data->n_augment++;
    }
    return TRUE;
}

/* Everything but the rows that decides the pixels of the cached images. */
static char *cache_description(const DpcxrExperiment *experiment)
{
    const DpcxrFeature *feature = &experiment->data.dataset;
    DpcxrMark mark = {.file = g_ref_string_new_intern("data")};
    g_autoptr(DpcxrYaml) options = dpcxr_yaml_new(DPCXR_YAML_MAP, &mark);
    dpcxr_mark_clear(&mark);
    if (feature->options)
        dpcxr_options_write(feature->options, FALSE, options);
    g_autofree char *text = dpcxr_yaml_write(options);
    return g_strdup_printf("%s %s %s\n%s\nsize %d, channels %d, resize %d\n", feature->type,
                           feature->entry->plugin->version,
                           feature->entry->sha256 ? feature->entry->sha256 : "", text, experiment->data.size,
                           experiment->data.channels, DPCXR_RESIZE_VERSION);
}

static void open_shards(DpcxrData *data)
{
    const DpcxrExperiment *experiment = data->experiment;
    if (!experiment->data.cache_dir)
        return;
    g_autofree char *what = cache_description(experiment);
    data->shards = dpcxr_shard_cache_open(experiment->data.cache_dir, what, data->index,
                                          (gsize)experiment->data.size * experiment->data.size,
                                          experiment->data.channels);
}

DpcxrData *dpcxr_data_open(const DpcxrExperiment *experiment, GError **error)
{
    g_autoptr(DpcxrData) data = g_new0(DpcxrData, 1);
    data->experiment = experiment;
    if (!open_index(data, error) || !open_augmentations(data, error))
        return NULL;
    dpcxr_normaliser_init(&data->normaliser, experiment->data.normalise, experiment->data.channels);
    data->cache = dpcxr_memory_cache_new(dpcxr_index_count(data->index), dpcxr_memory_cache_default_limit());
    open_shards(data);
    return g_steal_pointer(&data);
}

void dpcxr_data_free(DpcxrData *data)
{
    if (!data)
        return;
    for (gsize i = 0; i < data->n_augment; i++) {
        if (data->augment[i].feature->close)
            data->augment[i].feature->close(data->augment[i].self);
        g_free(data->augment[i].purpose);
    }
    g_free(data->augment);
    if (data->is_open && data->dataset->close)
        data->dataset->close(data->self);
    dpcxr_index_free(data->index);
    dpcxr_memory_cache_free(data->cache);
    dpcxr_shard_cache_free(data->shards);
    g_free(data);
}

const DpcxrExperiment *dpcxr_data_experiment(const DpcxrData *data)
{
    return data->experiment;
}

const DpcxrIndex *dpcxr_data_index(const DpcxrData *data)
{
    return data->index;
}

void dpcxr_data_limit_cache(DpcxrData *data, gsize bytes)
{
    dpcxr_memory_cache_free(data->cache);
    data->cache = dpcxr_memory_cache_new(dpcxr_index_count(data->index), bytes);
}

void dpcxr_data_decode_whole(DpcxrData *data)
{
    data->whole = TRUE;
}

void dpcxr_data_targets(const DpcxrData *data, gsize row, float *targets, float *mask)
{
    const DpcxrExperiment *experiment = data->experiment;
    gboolean training = dpcxr_index_split(data->index, row) == DPCXR_SPLIT_TRAIN;
    for (int i = 0; i < experiment->data.n_labels; i++)
        dpcxr_label_target(dpcxr_index_label(data->index, row, i), experiment->data.uncertain,
                           experiment->data.missing, training, &targets[i], &mask[i]);
}

/* At full size, or shrunk by the decoder to no less than twice @size: the last factor of two and
 * more is left to the antialiased resize, so a JPEG decoder's coarse shrinking is not visible
 * in the result. */
static gboolean load_image(DpcxrData *data, gsize row, int size, DpcxrImage *image, GError **error)
{
    int min_size = data->whole ? 0 : 2 * size;
    if (data->dataset->load) {
        if (!data->dataset->load(data->self, data->index, row, min_size, image, error))
            return FALSE;
    } else {
        const char *path = dpcxr_index_path(data->index, row);
        if (!path) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
                        "the data set plugin gave neither a path nor load()");
            return FALSE;
        }
        if (!dpcxr_image_read(path, min_size, image, error))
            return FALSE;
    }
    if (image->pixels && image->width > 0 && image->height > 0 &&
        (image->channels == 1 || image->channels == 3) && (image->depth == 8 || image->depth == 16))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
                "the data set plugin handed over an image of %d x %d x %d, %d bits", image->width,
                image->height, image->channels, image->depth);
    dpcxr_image_clear(image);
    return FALSE;
}

/* (transfer full) The row's image in 8 bits at the experiment's size, @bytes long; NULL on an error. */
static DpcxrResized *make_resized(DpcxrData *data, gsize row, gsize *bytes, GError **error)
{
    int size = data->experiment->data.size;
    DpcxrImage image = {0};
    if (!load_image(data, row, size, &image, error))
        return NULL;
    if (data->experiment->data.channels == 1)
        dpcxr_image_to_gray(&image);
    DpcxrResized *resized = NULL;
    if (!g_size_checked_mul(bytes, size, size) || !g_size_checked_mul(bytes, *bytes, image.channels) ||
        !g_size_checked_add(bytes, *bytes, sizeof *resized) || !(resized = g_try_malloc(*bytes)))
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY, "no memory for an image of %d x %d", size, size);
    else if (!dpcxr_image_resize(&image, size, size, resized->pixels, error))
        g_clear_pointer(&resized, g_free);
    else
        resized->channels = image.channels;
    dpcxr_image_clear(&image);
    return resized;
}

/* The longer side to @side, the other in proportion; nothing is enlarged. */
static gboolean shrink(DpcxrImage *image, int side, DpcxrImage *small, GError **error)
{
    double factor = fmin(1, (double)side / MAX(image->width, image->height));
    *small = (DpcxrImage){.width = MAX(1, (int)lround(image->width * factor)),
                          .height = MAX(1, (int)lround(image->height * factor)),
                          .channels = image->channels,
                          .depth = 8};
    if (!dpcxr_image_allocate(small, error))
        return FALSE;
    if (dpcxr_image_resize(image, small->width, small->height, small->pixels, error))
        return TRUE;
    dpcxr_image_clear(small);
    return FALSE;
}

gboolean dpcxr_data_show(DpcxrData *data, gsize row, int side, DpcxrImage *image, GError **error)
{
    DpcxrImage whole = {0};
    gboolean good = load_image(data, row, side, &whole, error);
    if (good && data->experiment->data.channels == 1)
        dpcxr_image_to_gray(&whole);
    good = good && shrink(&whole, side, image, error);
    if (!good)
        g_prefix_error(error, "sample %s: ", dpcxr_index_sample(data->index, row));
    dpcxr_image_clear(&whole);
    return good;
}

static DpcxrResized *make_for_shard(gpointer data, gsize row, gsize *bytes)
{
    return make_resized(data, row, bytes, NULL); /* who asks for the row hears why it is not there */
}

gboolean dpcxr_data_build_cache(DpcxrData *data, int threads, gboolean verify, DpcxrShardCounts *counts,
                                GError **error)
{
    return !data->shards ||
           dpcxr_shard_cache_build(data->shards, threads, verify, make_for_shard, data, counts, error);
}

const DpcxrShardCache *dpcxr_data_shards(const DpcxrData *data)
{
    return data->shards;
}

/* The image in memory (*own NULL), or one from disk or new, which is then cached there or the caller's to free (*own). */
static const DpcxrResized *get_resized(DpcxrData *data, gsize row, DpcxrResized **own, GError **error)
{
    *own = NULL;
    if (data->shards && (*own = dpcxr_shard_cache_get(data->shards, row)))
        return *own;
    const DpcxrResized *cached = dpcxr_memory_cache_get(data->cache, row);
    if (cached)
        return cached;
    gsize bytes = 0;
    DpcxrResized *made = make_resized(data, row, &bytes, error);
    if (!made)
        g_prefix_error(error, "sample %s: ", dpcxr_index_sample(data->index, row));
    else if (!dpcxr_memory_cache_put(data->cache, row, made, bytes))
        *own = made;
    return made;
}

gboolean dpcxr_data_prepare(DpcxrData *data, gsize row, GError **error)
{
    g_autofree DpcxrResized *own = NULL;
    return get_resized(data, row, &own, error) != NULL;
}

/* FNV-1a of the sample's name. Its row in the index would change where another patient's images come or go,
 * and with it the augmentation, and so the gradient, of everybody behind: one patient more or less must change
 * one unit's gradient only. Two names with one hash share their augmentations, which does no harm. */
static guint32 stream_of(const char *sample)
{
    guint32 hash = 2166136261u;
    for (; *sample; sample++)
        hash = (hash ^ (guint8)*sample) * 16777619u;
    return hash;
}

/* The chain in its order, each link with a stream of its own: whatever one draws, the others
 * draw the same. */
static void augment(const DpcxrData *data, const DpcxrDraw *draw, DpcxrSample *sample)
{
    g_assert(draw->step >> 48 == 0 && draw->view >> 16 == 0);
    guint64 address = draw->step | (guint64)draw->view << 48;
    guint32 stream = stream_of(dpcxr_index_sample(data->index, draw->row));
    for (gsize i = 0; i < data->n_augment; i++) {
        const Augmentation *augmentation = &data->augment[i];
        DpcxrRandom random;
        dpcxr_random_init(&random, data->experiment->seed, augmentation->purpose, address, stream);
        augmentation->feature->apply(augmentation->self, sample, &random);
    }
}

gboolean dpcxr_data_load(DpcxrData *data, const DpcxrDraw *draw, float *pixels, float *targets, float *mask,
                         GError **error)
{
    g_assert(draw->row < dpcxr_index_count(data->index));
    int size = data->experiment->data.size;
    g_autofree DpcxrResized *own = NULL;
    const DpcxrResized *image = get_resized(data, draw->row, &own, error);
    if (!image)
        return FALSE;
    dpcxr_normaliser_apply(&data->normaliser, image->pixels, image->channels, (gsize)size * size, pixels);
    dpcxr_data_targets(data, draw->row, targets, mask);
    if (draw->augment) {
        DpcxrSample sample = {.pixels = pixels,
                              .height = size,
                              .width = size,
                              .channels = data->experiment->data.channels,
                              .background = data->normaliser.background,
                              .targets = targets,
                              .mask = mask,
                              .n_labels = data->experiment->data.n_labels};
        augment(data, draw, &sample);
    }
    return TRUE;
}
