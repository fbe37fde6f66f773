/* SPDX-License-Identifier: MIT
 * Per step and in units of C, P = (1-q) N(0, sigma^2) + q N(1, sigma^2) and Q = N(0, sigma^2); at the outcome x the loss is
 * log(1 - q + q e^u), u = (x - 1/2) / sigma^2. Steps of an event are alike, so only how many of them drew the unit
 * matters, not which; and their losses are the logarithm of one product. */
#include "privacy/loss/sample.h"
#include "privacy/secret.h"
#include <dpcxr/random.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define EXPONENT_MAX 600 /* e^u beyond is not multiplied: the product, below 1e40, would overflow */
#define PRODUCT_MAX 1e40
#define PRODUCT_MIN 1e-40
#define ROUNDING (16 * DBL_EPSILON)

static gboolean is_full(const DpcxrEvent *event)
{
    return event->sampler == DPCXR_SAMPLER_FULL ||
           (event->sampler == DPCXR_SAMPLER_POISSON && event->sampling_rate == 1);
}

gboolean dpcxr_loss_sample_covers(const DpcxrMechanism *mechanism, GError **error)
{
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        if (is_full(event) ||
            (event->sampler == DPCXR_SAMPLER_POISSON && mechanism->adjacency != DPCXR_ADJACENCY_REPLACE_ONE))
            continue;
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
            "losses are drawn for full batches and, under zero_out and add_remove, Poisson samples, not for "
            "sampler %s under %s",
            dpcxr_sampler_name(event->sampler), dpcxr_adjacency_name(mechanism->adjacency));
        return FALSE;
    }
    return TRUE;
}

guint64 dpcxr_loss_sample_cost(const DpcxrMechanism *mechanism)
{
    guint64 cost = 1;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        if (!is_full(event) && !g_uint64_checked_add(&cost, cost, event->count))
            return G_MAXUINT64;
    }
    return cost;
}

/* All full batches are one Gaussian mechanism; its mu, rounded up. */
static double full_batch_mu(const DpcxrMechanism *mechanism)
{
    double sensitivity = mechanism->adjacency == DPCXR_ADJACENCY_REPLACE_ONE ? 2 : 1, sum = 0;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        double mu = sensitivity / event->noise_multiplier;
        if (is_full(event))
            sum += (double)event->count * mu * mu;
    }
    return sqrt(sum) * (1 + (double)(mechanism->n_events + 4) * DBL_EPSILON);
}

/* Public words, many blocks of the stream at once, and normals from them: Box-Muller, both of the pair. */
typedef struct {
    guint8 key[32], nonce[12];
    guint64 offset;
    gsize used;
    gboolean has_spare;
    double spare;
    guint64 words[512];
} Stream;

static void stream_init(Stream *stream, guint64 seed, guint32 part)
{
    DpcxrRandom random;
    dpcxr_random_init(&random, seed, "privacy loss", 0, part);
    *stream = (Stream){.used = G_N_ELEMENTS(stream->words)};
    for (gsize i = 0; i < G_N_ELEMENTS(random.key); i++) {
        guint32 word = GUINT32_TO_LE(random.key[i]);
        memcpy(stream->key + 4 * i, &word, 4);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(random.nonce); i++) {
        guint32 word = GUINT32_TO_LE(random.nonce[i]);
        memcpy(stream->nonce + 4 * i, &word, 4);
    }
}

/* In (0, 1]. */
static double uniform(Stream *stream)
{
    if (stream->used == G_N_ELEMENTS(stream->words)) {
        dpcxr_secret_words(stream->key, stream->nonce, stream->offset, stream->words, stream->used);
        stream->offset += stream->used;
        stream->used = 0;
    }
    return (double)((stream->words[stream->used++] >> 11) + 1) * 0x1p-53;
}

static double normal(Stream *stream)
{
    stream->has_spare = !stream->has_spare;
    if (!stream->has_spare)
        return stream->spare;
    double radius = sqrt(-2 * log(uniform(stream))), sine, cosine;
    sincos(2 * G_PI * uniform(stream), &sine, &cosine);
    stream->spare = radius * sine;
    return radius * cosine;
}

/* How many of @count steps drew the unit: the gaps between those that did are geometric. */
static guint64 draw_binomial(Stream *stream, guint64 count, double q)
{
    double log_missed = log1p(-q), position = 0;
    for (guint64 drawn = 0;; drawn++) {
        position += 1 + floor(log(uniform(stream)) / log_missed);
        if (!(position <= (double)count))
            return drawn;
    }
}

/* A sum of logarithms, as the logarithm of a product that is kept within range. */
typedef struct {
    double log, product, magnitude; /* magnitude: what rounding is relative to */
} LogSum;

static void log_sum_step(LogSum *sum, double q, double u)
{
    sum->magnitude += 2 + fabs(u);
    if (u > EXPONENT_MAX) {
        sum->log += log(q) + u + log1p((1 - q) / q * exp(-u));
        return;
    }
    sum->product *= 1 - q + q * exp(u);
    if (sum->product > PRODUCT_MAX || sum->product < PRODUCT_MIN) {
        sum->log += log(sum->product);
        sum->magnitude += fabs(sum->log);
        sum->product = 1;
    }
}

static void draw_event(const DpcxrEvent *event, Stream *stream, LogSum *sum)
{
    double sigma = event->noise_multiplier, per_sigma = 1 / sigma, per_variance = per_sigma * per_sigma;
    guint64 drawn = draw_binomial(stream, event->count, event->sampling_rate);
    for (guint64 step = 0; step < event->count; step++)
        log_sum_step(sum, event->sampling_rate,
                     normal(stream) * per_sigma + (step < drawn ? 0.5 : -0.5) * per_variance);
    sum->magnitude += (double)event->count * (per_sigma + per_variance);
}

static double draw(const DpcxrMechanism *mechanism, double mu, Stream *stream)
{
    LogSum sum = {0, 1, 0};
    for (gsize i = 0; i < mechanism->n_events; i++) {
        if (!is_full(&mechanism->events[i]))
            draw_event(&mechanism->events[i], stream, &sum);
    }
    double loss = sum.log + log(sum.product);
    if (mu > 0)
        loss += mu * (mu / 2 + normal(stream));
    return loss + ROUNDING * (sum.magnitude + fabs(loss) + mu * mu + mu);
}

void dpcxr_loss_sample(const DpcxrMechanism *mechanism, guint64 seed, guint32 part, double *losses, gsize n)
{
    Stream stream;
    double mu = full_batch_mu(mechanism);
    stream_init(&stream, seed, part);
    for (gsize i = 0; i < n; i++)
        losses[i] = draw(mechanism, mu, &stream);
}
