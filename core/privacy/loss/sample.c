/* SPDX-License-Identifier: MIT
 * Per step and in units of C, P = (1-q) N(0, sigma^2) + q N(1, sigma^2) and Q = N(0, sigma^2); at the outcome x the loss is
 * log(1 - q + q e^u), u = (x - 1/2) / sigma^2. Steps of an event are alike, so only how many of them drew the unit
 * matters, not which; and their losses are the logarithm of one product. */
#include "privacy/loss/sample.h"
#include <float.h>
#include <math.h>

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

/* Box-Muller, both of the pair. */
typedef struct {
    DpcxrRandom *random;
    double spare;
    gboolean has_spare;
} Normals;

static double normal(Normals *normals)
{
    if (normals->has_spare) {
        normals->has_spare = FALSE;
        return normals->spare;
    }
    double radius = sqrt(-2 * log(1 - dpcxr_random_uniform(normals->random))), sine, cosine;
    sincos(2 * G_PI * dpcxr_random_uniform(normals->random), &sine, &cosine);
    normals->spare = radius * sine;
    normals->has_spare = TRUE;
    return radius * cosine;
}

/* How many of @count steps drew the unit: the gaps between those that did are geometric. */
static guint64 draw_binomial(DpcxrRandom *random, guint64 count, double q)
{
    double log_missed = log1p(-q), position = 0;
    for (guint64 drawn = 0;; drawn++) {
        position += 1 + floor(log(1 - dpcxr_random_uniform(random)) / log_missed);
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

static void draw_event(const DpcxrEvent *event, Normals *normals, LogSum *sum)
{
    double sigma = event->noise_multiplier, per_sigma = 1 / sigma, per_variance = per_sigma * per_sigma;
    guint64 drawn = draw_binomial(normals->random, event->count, event->sampling_rate);
    for (guint64 step = 0; step < event->count; step++)
        log_sum_step(sum, event->sampling_rate,
                     normal(normals) * per_sigma + (step < drawn ? 0.5 : -0.5) * per_variance);
    sum->magnitude += (double)event->count * (per_sigma + per_variance);
}

static double draw(const DpcxrMechanism *mechanism, double mu, Normals *normals)
{
    LogSum sum = {0, 1, 0};
    for (gsize i = 0; i < mechanism->n_events; i++) {
        if (!is_full(&mechanism->events[i]))
            draw_event(&mechanism->events[i], normals, &sum);
    }
    double loss = sum.log + log(sum.product);
    if (mu > 0)
        loss += mu * (mu / 2 + normal(normals));
    return loss + ROUNDING * (sum.magnitude + fabs(loss) + mu * mu + mu);
}

void dpcxr_loss_sample(const DpcxrMechanism *mechanism, DpcxrRandom *random, double *losses, gsize n)
{
    Normals normals = {random, 0, FALSE};
    double mu = full_batch_mu(mechanism);
    for (gsize i = 0; i < n; i++)
        losses[i] = draw(mechanism, mu, &normals);
}
