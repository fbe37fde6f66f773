/* SPDX-License-Identifier: MIT
 * A ring of slots between loader threads and one taker. Requests are numbered as they come; number i is
 * decoded into slot i modulo capacity once the one before it in that slot was taken. So the ring bounds
 * memory, and order is kept without sorting. One lock guards the numbers and the slots' states; images are
 * made and copied outside of it. */
#include "data/loader.h"
#include <string.h>

typedef struct {
    float *pixels, *targets, *mask;
    char *problem; /* why it could not be decoded, or NULL */
    gboolean ready;
} Slot;

struct _DpcxrLoader {
    DpcxrData *data;
    gsize n_pixels, n_labels; /* floats of an image, of its targets */
    int capacity;
    Slot *slots;

    GMutex lock;
    GCond work;  /* there may be something to decode, or it is time to stop */
    GCond ready; /* a slot has become ready */
    gboolean stopping;
    GArray *draws;      /* DpcxrDraw, requests from number first_draw on */
    guint64 first_draw; /* number of draws[0] */
    guint64 next_decode, next_take;

    GThread **threads;
    int n_threads;
};

static guint64 n_requested(const DpcxrLoader *loader)
{
    return loader->first_draw + loader->draws->len;
}

static gboolean can_decode(const DpcxrLoader *loader)
{
    return loader->next_decode < n_requested(loader) &&
           loader->next_decode - loader->next_take < (guint64)loader->capacity;
}

static void blank(const DpcxrLoader *loader, Slot *slot)
{
    memset(slot->pixels, 0, loader->n_pixels * sizeof(float));
    memset(slot->targets, 0, loader->n_labels * sizeof(float));
    memset(slot->mask, 0, loader->n_labels * sizeof(float));
}

static void fill(const DpcxrLoader *loader, Slot *slot, const DpcxrDraw *draw)
{
    g_autoptr(GError) error = NULL;
    if (dpcxr_data_load(loader->data, draw, slot->pixels, slot->targets, slot->mask, &error))
        return;
    blank(loader, slot);
    slot->problem = g_strdup(error->message);
}

static gpointer load(gpointer data)
{
    DpcxrLoader *loader = data;
    g_mutex_lock(&loader->lock);
    while (!loader->stopping) {
        if (!can_decode(loader)) {
            g_cond_wait(&loader->work, &loader->lock);
            continue;
        }
        guint64 number = loader->next_decode++;
        DpcxrDraw draw = g_array_index(loader->draws, DpcxrDraw, number - loader->first_draw);
        Slot *slot = &loader->slots[number % loader->capacity];
        g_mutex_unlock(&loader->lock);
        fill(loader, slot, &draw);
        g_mutex_lock(&loader->lock);
        slot->ready = TRUE;
        g_cond_signal(&loader->ready);
    }
    g_mutex_unlock(&loader->lock);
    return NULL;
}

static gboolean allocate_slots(DpcxrLoader *loader, GError **error)
{
    gboolean good = TRUE;
    loader->slots = g_new0(Slot, loader->capacity);
    for (int i = 0; good && i < loader->capacity; i++) {
        loader->slots[i] = (Slot){.pixels = g_try_new(float, loader->n_pixels),
                                  .targets = g_new(float, loader->n_labels),
                                  .mask = g_new(float, loader->n_labels)};
        good = loader->slots[i].pixels != NULL;
    }
    if (!good)
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
            "not enough memory for %d decoded images; use a smaller train.batch.physical or smaller images",
            loader->capacity);
    return good;
}

/* Fewer than asked for do, too: what comes out does not depend on how many there are. */
static gboolean start_threads(DpcxrLoader *loader, int threads, GError **error)
{
    int wanted = CLAMP(threads > 0 ? threads : (int)g_get_num_processors(), 1, loader->capacity);
    g_autoptr(GError) local = NULL;
    loader->threads = g_new(GThread *, wanted);
    while (loader->n_threads < wanted && !local) {
        GThread *thread = g_thread_try_new("dpcxr-loader", load, loader, &local);
        if (thread)
            loader->threads[loader->n_threads++] = thread;
    }
    if (loader->n_threads == 0)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY, "no thread could be started to read images: %s",
                    local->message);
    return loader->n_threads > 0;
}

DpcxrLoader *dpcxr_loader_new(DpcxrData *data, int threads, int capacity, GError **error)
{
    const DpcxrExperiment *experiment = dpcxr_data_experiment(data);
    DpcxrLoader *loader = g_new0(DpcxrLoader, 1);
    loader->data = data;
    loader->n_pixels = (gsize)experiment->data.size * experiment->data.size * experiment->data.channels;
    loader->n_labels = experiment->data.n_labels;
    loader->capacity = MAX(capacity, 1);
    g_mutex_init(&loader->lock);
    g_cond_init(&loader->work);
    g_cond_init(&loader->ready);
    loader->draws = g_array_new(FALSE, FALSE, sizeof(DpcxrDraw));
    if (allocate_slots(loader, error) && start_threads(loader, threads, error))
        return loader;
    dpcxr_loader_free(loader);
    return NULL;
}

void dpcxr_loader_free(DpcxrLoader *loader)
{
    if (!loader)
        return;
    g_mutex_lock(&loader->lock);
    loader->stopping = TRUE;
    g_cond_broadcast(&loader->work);
    g_mutex_unlock(&loader->lock);
    for (int i = 0; i < loader->n_threads; i++)
        g_thread_join(loader->threads[i]);
    for (int i = 0; i < loader->capacity; i++) {
        g_free(loader->slots[i].pixels);
        g_free(loader->slots[i].targets);
        g_free(loader->slots[i].mask);
        g_free(loader->slots[i].problem);
    }
    g_free(loader->slots);
    g_free(loader->threads);
    g_array_unref(loader->draws);
    g_cond_clear(&loader->work);
    g_cond_clear(&loader->ready);
    g_mutex_clear(&loader->lock);
    g_free(loader);
}

/* Draws that were taken are of no use any more. Done once they are the larger part, so the
 * cost stays linear. */
static void forget_taken(DpcxrLoader *loader)
{
    guint64 taken = loader->next_take - loader->first_draw;
    if (taken == 0 || taken < loader->draws->len / 2)
        return;
    g_array_remove_range(loader->draws, 0, (guint)taken);
    loader->first_draw = loader->next_take;
}

void dpcxr_loader_request(DpcxrLoader *loader, const DpcxrDraw *draws, gsize n)
{
    if (n == 0)
        return;
    g_mutex_lock(&loader->lock);
    forget_taken(loader);
    g_assert(n <= G_MAXUINT - loader->draws->len);
    g_array_append_vals(loader->draws, draws, (guint)n);
    g_cond_broadcast(&loader->work);
    g_mutex_unlock(&loader->lock);
}

/* Waits for the next image. Its slot is this thread's until release_slot. */
static Slot *next_slot(DpcxrLoader *loader)
{
    g_mutex_lock(&loader->lock);
    g_assert(loader->next_take < n_requested(loader)); /* else this would wait for ever */
    Slot *slot = &loader->slots[loader->next_take % loader->capacity];
    while (!slot->ready)
        g_cond_wait(&loader->ready, &loader->lock);
    g_mutex_unlock(&loader->lock);
    return slot;
}

static void release_slot(DpcxrLoader *loader, Slot *slot)
{
    g_mutex_lock(&loader->lock);
    slot->ready = FALSE;
    loader->next_take++;
    g_cond_signal(&loader->work);
    g_mutex_unlock(&loader->lock);
}

void dpcxr_loader_take(DpcxrLoader *loader, gsize n, float *images, float *targets, float *mask, gboolean *ok,
                       char **problem)
{
    if (problem)
        *problem = NULL;
    for (gsize i = 0; i < n; i++) {
        Slot *slot = next_slot(loader);
        memcpy(images + i * loader->n_pixels, slot->pixels, loader->n_pixels * sizeof(float));
        memcpy(targets + i * loader->n_labels, slot->targets, loader->n_labels * sizeof(float));
        memcpy(mask + i * loader->n_labels, slot->mask, loader->n_labels * sizeof(float));
        if (ok)
            ok[i] = slot->problem == NULL;
        if (problem && !*problem)
            *problem = g_steal_pointer(&slot->problem);
        g_clear_pointer(&slot->problem, g_free);
        release_slot(loader, slot);
    }
}
