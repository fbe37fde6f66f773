/* SPDX-License-Identifier: MIT */
#include "privacy/loss/law.h"
#include <dpcxr/sampling.h>
#include <float.h>
#include <math.h>

#define SQRT_2PI 2.506628274631000502415765284811
#define FADE_GROWTH 0.7 /* log of how much e^(tilt loss) may grow over a fade */
#define FADED 9.0  /* fades after the cap where an outcome's part ends */
#define WEIGHT_LEAST 1e-250 /* components below it have no part in anything */
#define REACH 45.0 /* standard deviations: no tail is looked for further out */

double dpcxr_loss_log_normal_below(double z)
{
    if (z > -5)
        return log(0.5 * erfc(-z / G_SQRT2) * (1 + 16 * DBL_EPSILON));
    return -0.5 * z * z - log(-z * SQRT_2PI);
}

static double log_add(double a, double b)
{
    double most = MAX(a, b);
    return most == -INFINITY ? most : most + log1p(exp(MIN(a, b) - most));
}

void dpcxr_loss_draws_init(DpcxrLossDraws *draws, const DpcxrLossPart *part)
{
    *draws = (DpcxrLossDraws){.q = part->q, .sigma = part->sigma, .units = part->units};
    double k = part->units;
    for (guint j = 0; j <= part->units; j++) {
        double log_choose = lgamma(k + 1) - lgamma(j + 1.0) - lgamma(k - j + 1);
        double others = j == part->units ? 0 : (k - j) * log1p(-part->q);
        draws->weights[j] = part->units == 1 ? (j ? part->q : 1 - part->q)
                                             : exp(log_choose + (j ? j * log(part->q) : 0) + others);
    }
}

/* One unit: log(1 - q + q e^u), u = (x - 1/2) / sigma^2. */
static double single_loss(const DpcxrLossDraws *draws, double x, double *mean, double *variance)
{
    double q = draws->q, u = (x - 0.5) / (draws->sigma * draws->sigma), loss;
    if (u > 30)
        loss = log(q) + u + log1p((1 - q) / q * exp(-u));
    else {
        double excess = q * expm1(u);
        loss = excess > -0.5 ? log1p(excess) : log((1 - q) + q * exp(u));
    }
    double drawn = q * exp(u - loss);
    if (u > 600)
        drawn = exp(log(q) + u - loss);
    if (mean)
        *mean = drawn;
    if (variance)
        *variance = drawn * MAX(0, 1 - drawn);
    return loss;
}

double dpcxr_loss_draws_loss(const DpcxrLossDraws *draws, double x, double *mean, double *variance)
{
    if (draws->units == 1)
        return single_loss(draws, x, mean, variance);
    double s2 = draws->sigma * draws->sigma, most = 0;
    for (guint j = 1; j <= draws->units; j++)
        most = MAX(most, j * (x - 0.5 * j) / s2);
    double excess = 0, sum = 0, first = 0, second = 0; /* sums times e^-most */
    for (guint j = 0; j <= draws->units; j++) {
        double u = j * (x - 0.5 * j) / s2, term = draws->weights[j] * exp(u - most);
        sum += term;
        first += j * term;
        second += (double)j * j * term;
        if (most < 30)
            excess += draws->weights[j] * expm1(u);
    }
    if (mean)
        *mean = first / sum;
    if (variance)
        *variance = MAX(0, second / sum - first / sum * (first / sum));
    return most < 30 && excess > -0.5 ? log1p(excess) : most + log(sum);
}

double dpcxr_loss_draws_turn(const DpcxrLossDraws *draws, double x, double lift)
{
    double s2 = draws->sigma * draws->sigma, most = 0, re = 0, im = 0;
    for (guint j = 1; j <= draws->units; j++)
        most = MAX(most, j * (x - 0.5 * j) / s2);
    for (guint j = 0; j <= draws->units; j++) {
        double term = draws->weights[j] * exp(j * (x - 0.5 * j) / s2 - most);
        re += term * cos(j * lift / s2);
        im += term * sin(j * lift / s2);
    }
    return atan2(im, re);
}

/* Log of a bound of the probability, under P, that the outcome plus noise of deviation @fade is above @x. */
static double log_above(const DpcxrLossDraws *draws, double x, double fade)
{
    double total = -INFINITY, width = hypot(draws->sigma, fade);
    for (guint j = 0; j <= draws->units; j++)
        if (draws->weights[j] > 0)
            total = log_add(total, log(draws->weights[j]) + dpcxr_loss_log_normal_below((j - x) / width));
    return total + 64 * DBL_EPSILON;
}

/* The cap beyond which, with this fade, e^@log_mass is left. */
static double find_cap(const DpcxrLossDraws *draws, double low, double log_mass, double fade)
{
    double high = draws->units + REACH * draws->sigma;
    for (int k = 0; k < 60; k++) {
        double middle = (low + high) / 2;
        *(log_above(draws, middle, fade) > log_mass ? &low : &high) = middle;
    }
    return high;
}

static void part_set_cap(DpcxrLossPart *part, double log_mass, double fade, double tilt)
{
    DpcxrLossDraws draws;
    dpcxr_loss_draws_init(&draws, part);
    double least = MAX(0.5, part->from), mean;
    part->fade = fade * part->sigma;
    part->cap = find_cap(&draws, least, log_mass, part->fade);
    dpcxr_loss_draws_loss(&draws, part->cap, &mean, NULL);
    double growth = (1 + tilt) * mean / (part->sigma * part->sigma);
    if (growth * part->fade > FADE_GROWTH) {
        part->fade = FADE_GROWTH / growth;
        part->cap = find_cap(&draws, least, log_mass, part->fade);
    }
    part->to = part->cap + FADED * part->fade;
}

void dpcxr_loss_law_set_cap(DpcxrLossLaw *law, double log_mass, double fade, double tilt)
{
    law->beyond = 0;
    for (gsize i = 0; i < law->n; i++) {
        DpcxrLossPart *part = &law->parts[i];
        part->to = INFINITY;
        part->fade = 0;
        if (part->reverse || dpcxr_loss_law_is_full(law))
            continue; /* losses of Q against P end at -log of b_0; full batches have one hump only */
        part_set_cap(part, log_mass - log(2 * (double)law->n * part->weight), fade, tilt);
        DpcxrLossDraws draws;
        dpcxr_loss_draws_init(&draws, part);
        double faded = log_above(&draws, part->cap, part->fade), ended = log_above(&draws, part->to, 0);
        law->beyond += part->weight * (exp(faded) + exp(ended));
    }
}

static int compare_parts(const DpcxrLossPart *x, const DpcxrLossPart *y)
{
    const double keys[][2] = {{x->q, y->q}, {x->sigma, y->sigma}, {x->from, y->from}, {x->weight, y->weight}};
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

static int compare_laws(gconstpointer a, gconstpointer b)
{
    const DpcxrLossLaw *x = a, *y = b;
    int order = (x->n > y->n) - (x->n < y->n);
    for (gsize i = 0; i < x->n && order == 0; i++)
        order = compare_parts(&x->parts[i], &y->parts[i]);
    return order ? order : (x->atom > y->atom) - (x->atom < y->atom);
}

/* Samples of a fixed size, when a unit is replaced: up to the order of outcomes the worst case is the pair (1-q) Q + q P
 * against Q for losses above 0, and its mirror image below (Zhu, Dong & Wang 2022, arXiv:2106.08567, Theorem 11; Dong, Roth
 * & Su 2019, Theorem 4.2: the smaller of both trade-off functions, made convex by a line). docs/accounting.md has why the
 * same holds under zero_out. */
static void fixed_size(DpcxrLossLaw *law, double q, double sigma)
{
    DpcxrLossPart part = {.weight = 1, .q = q, .sigma = sigma, .units = 1, .from = 0.5, .to = INFINITY};
    law->n = 2;
    law->parts[0] = law->parts[1] = part;
    law->parts[1].reverse = TRUE;
    double above = 0.5 * erfc(0.5 / (sigma * G_SQRT2)); /* Q(x > 1/2) */
    law->atom = (1 - q) * (1 - 2 * above);
}

static void law_of(const DpcxrEvent *event, DpcxrAdjacency adjacency, guint units, gboolean reverse, DpcxrLossLaw *law)
{
    DpcxrMixture mixture;
    gboolean has_mixture = dpcxr_event_mixture(event, adjacency, &mixture);
    *law = (DpcxrLossLaw){.count = mixture.count};
    if (!has_mixture) {
        fixed_size(law, mixture.components[0].sampling_rate, mixture.components[0].noise_multiplier);
        return;
    }
    for (gsize i = 0; i < mixture.n; i++) {
        const DpcxrComponent *component = &mixture.components[i];
        if (component->sampling_rate == 0)
            law->atom += component->weight;
        if (component->sampling_rate == 0 || !(component->weight > WEIGHT_LEAST))
            continue;
        gboolean full = component->sampling_rate == 1;
        law->parts[law->n++] = (DpcxrLossPart){.weight = component->weight,
                                               .q = component->sampling_rate,
                                               .sigma = component->noise_multiplier / (full ? units : 1),
                                               .units = full ? 1 : units,
                                               .reverse = reverse,
                                               .from = -INFINITY,
                                               .to = INFINITY};
    }
    if (dpcxr_loss_law_is_full(law))
        law->parts[0].reverse = FALSE;
}

/* Full batches and Poisson samples have the laws they are given here; of the others these are only upper bounds. */
static gboolean is_tight(const DpcxrEvent *event)
{
    return event->sampler == DPCXR_SAMPLER_FULL || event->sampler == DPCXR_SAMPLER_POISSON;
}

GArray *dpcxr_loss_laws(const DpcxrMechanism *mechanism, guint units, gboolean reverse, gboolean *tight)
{
    g_autoptr(GArray) laws = g_array_new(FALSE, FALSE, sizeof(DpcxrLossLaw));
    if (tight)
        *tight = TRUE;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        DpcxrLossLaw law;
        if (mechanism->events[i].count == 0)
            continue;
        law_of(&mechanism->events[i], mechanism->adjacency, units, reverse, &law);
        g_array_append_val(laws, law);
        if (tight)
            *tight = *tight && is_tight(&mechanism->events[i]);
    }
    g_array_sort(laws, compare_laws);
    GArray *merged = g_array_new(FALSE, FALSE, sizeof(DpcxrLossLaw));
    double precision = 0;
    for (guint i = 0; i < laws->len; i++) {
        DpcxrLossLaw *law = &g_array_index(laws, DpcxrLossLaw, i);
        DpcxrLossLaw *last = merged->len ? &g_array_index(merged, DpcxrLossLaw, merged->len - 1) : NULL;
        if (dpcxr_loss_law_is_full(law))
            precision += (double)law->count / (law->parts[0].sigma * law->parts[0].sigma);
        else if (last && compare_laws(last, law) == 0)
            last->count += law->count;
        else
            g_array_append_vals(merged, law, 1);
    }
    if (precision > 0) {
        DpcxrLossLaw full = {.n = 1, .count = 1};
        full.parts[0] = (DpcxrLossPart){
            .weight = 1, .q = 1, .sigma = 1 / sqrt(precision), .units = 1, .from = -INFINITY, .to = INFINITY};
        g_array_append_val(merged, full);
    }
    return merged;
}
