/* SPDX-License-Identifier: MIT
 * Rényi differential privacy of the (Poisson-subsampled) Gaussian mechanism: the Rényi divergence of each
 * step at an order alpha, added up over steps and turned into epsilon; then the best order. Every order gives
 * a valid bound, so the search for the best one can cost tightness but never soundness. Results are rounded
 * upward.
 *
 * One dimension is enough: with contributions of norm at most C and noise of deviation sigma C, the worst
 * pair of outputs of a step is P = (1-q) N(0, sigma^2) + q N(1, sigma^2) and Q = N(0, sigma^2), in units of
 * C, for add_remove (Mironov, Talwar & Zhang 2019, Theorem 4) and for zero_out, where the unit sums into the
 * step or is null, likewise. Of the two directions D(P || Q) is the larger one at every order (their Theorem
 * 5), so adding it up bounds both. Other samplers are mixtures of such pairs (dpcxr/sampling.h) or, of fixed size, close
 * to one (fixed-size.h). docs/accounting.md has the formulas and the error bounds. */
#include <dpcxr/dpcxr.h>
#include <float.h>
#include <math.h>
#include "fixed-size.h"

/* Outside, rounding and node counts have not been looked at. */
#define NOISE_MIN 0.01
#define NOISE_MAX 1e5
#define RATE_MIN 1e-12

#define SQRT_2PI 2.506628274631000502415765284811
#define NEGLIGIBLE 60.0 /* e^-60: what quadrature leaves away, relative to the largest term */
#define NODES_MAX 200000
#define ORDER_MAX                                                                                            \
    1e6 /* in units of sigma: beyond, exponents near alpha^2/sigma^2 leave no digits for the quadrature */

static const DpcxrOptionSpec options[] = {
    {"conversion", DPCXR_OPTION_CHOICE, "improved", .choices = "improved|classic",
     .summary = "from Rényi divergence to epsilon: improved (Canonne, Kamath & Steinke 2020) or classic "
                "(Mironov 2017)"},
    {"orders", DPCXR_OPTION_NUMBERS, "null", .min = 1 + 1e-9, .max = 1e12,
     .summary = "orders to choose from, as published tables do; null: search for the best order"},
    {0}};

/* The Poisson-subsampled Gaussian at one order. */
typedef struct {
    double q, log_q, sigma, alpha;
    double step; /* of the quadrature */
} Sampled;

/* log(1 - q + q e^u): the privacy loss of an outcome, u that of the mechanism without sampling. */
static double log_mixture(const Sampled *m, double u)
{
    if (u > 30)
        return m->log_q + u + log1p((1 - m->q) / m->q * exp(-u));
    double x = m->q * expm1(u);
    return x > -0.5 ? log1p(x) : log((1 - m->q) + m->q * exp(u));
}

/* log of g = (1+x)^alpha - 1 - alpha x, x = q (e^u - 1), which is >= 0 (Bernoulli) and whose mean under Q is
 * E[(1+x)^alpha] - 1 because E[x] = 0: no cancellation where the moment is close to 1. @loss: log(1+x). */
static double log_excess(const Sampled *m, double u, double loss)
{
    double a = m->alpha, power = (a - 1) * loss;
    if (power > 40)
        return a * loss; /* above g, by less than e^-34 of it */
    double x = u > 30 ? INFINITY : m->q * expm1(u);
    if (fabs(x) > 0.25 || fabs(a * x) > 0.5)
        return loss + log(expm1(power) + (a - 1) * expm1(-loss));
    double term = 1, sum = 1;
    for (int k = 3; fabs(term) > DBL_EPSILON / 8 && k < 60; k++) {
        term *= (a - k + 1) / k * x;
        sum += term;
    }
    return log(a * (a - 1) / 2) + 2 * (m->log_q + log(fabs(expm1(u)))) + log(sum);
}

/* Sum of exponentials, kept as max and sum. */
typedef struct {
    double max, sum,
        magnitude; /* magnitude: of the numbers that were subtracted to make max; bounds its rounding */
    guint64 n;
} LogSum;

static void log_sum_add(LogSum *total, double value, double magnitude)
{
    total->n++;
    if (value > total->max) {
        total->sum = total->sum * exp(total->max - value) + 1;
        total->max = value;
        total->magnitude = magnitude;
    } else {
        total->sum += exp(value - total->max);
    }
}

/* Node i of the trapezoidal rule lies at z = 1/2 + s, where the privacy loss u = s / sigma^2. */
static double node_s(const Sampled *m, gint64 i)
{
    return (i + 0.5) * m->step;
}

/* What bounds the integrand at node i, without the normalising constant of the density: for z > 1/2
 * (1+x)^alpha stands for g; @rising tells whether that product grows with z. Adds the node
 * itself to @total. */
static double visit(const Sampled *m, gint64 i, LogSum *total, gboolean *rising)
{
    double s = node_s(m, i), z = 0.5 + s, u = s / (m->sigma * m->sigma);
    double loss = log_mixture(m, u), density = -0.5 * (z / m->sigma) * (z / m->sigma);
    double excess = log_excess(m, u, loss);
    log_sum_add(total, density + excess, fabs(density) + fabs(excess) + fabs(m->alpha * loss));
    *rising = m->alpha * exp(m->log_q + u - loss) > z;
    return density + m->alpha * loss;
}

/* The smallest (from 0) or largest (from alpha) z with z = alpha p(z), p = q e^u / (1 - q + q e^u): where the
 * integrand (1+x)^alpha times the density peaks. The iteration is monotone, so stopping early errs to the
 * outer side. */
static double peak(const Sampled *m, double start)
{
    double z = start;
    for (int i = 0; i < 200; i++) {
        double u = (z - 0.5) / (m->sigma * m->sigma);
        double next = m->alpha * exp(m->log_q + u - log_mixture(m, u));
        gboolean settled = fabs(next - z) < 0.01 * m->step;
        z = next;
        if (settled)
            break;
    }
    return z;
}

/* The trapezoidal rule converges like e^(-2 pi b / h) e^(b^2/2) for an integrand that is analytic in a strip
 * of half width b (in units of sigma, as h); (1+x)^alpha is where |Im u| < pi. Both exponents together are at
 * most -60. */
static double quadrature_step(double sigma)
{
    double b = MIN(2.5 * sigma, sqrt(2 * NEGLIGIBLE));
    return sigma * 2 * G_PI * b / (NEGLIGIBLE + 0.5 * b * b);
}

/* E[(1+x)^alpha] <= 1 - q + q e^((alpha^2 - alpha) / (2 sigma^2)), by convexity. */
static double convexity_bound(const Sampled *m)
{
    double full = m->alpha * (m->alpha - 1) / (2 * m->sigma * m->sigma);
    return log_mixture(m, full) * (1 + 16 * DBL_EPSILON) + DBL_MIN;
}

/* log E_Q[(P/Q)^alpha], rounded upward, by the trapezoidal rule on g. The product of density and (1+x)^alpha
 * has at most two peaks (its logarithm is concave, convex, concave); nodes are visited around both until it
 * has fallen below e^-60 of the largest term, and what was not visited is added as a bound. */
static double sampled_log_moment(double q, double sigma, double alpha)
{
    Sampled m = {q, log(q), sigma, alpha, quadrature_step(sigma)};
    if (alpha > ORDER_MAX * sigma)
        return convexity_bound(&m);
    LogSum total = {.max = -INFINITY};
    gboolean rising;
    gint64 low = MAX(0, (gint64)floor(MIN((peak(&m, 0) - 0.5) / m.step, 1e15)));
    gint64 high = MAX(low, (gint64)ceil(MIN((peak(&m, alpha) - 0.5) / m.step, 1e15)));

    /* The largest term is near one of these; they are counted when their turn comes. */
    gint64 spread = (gint64)(sqrt(2) * sigma / m.step);
    LogSum largest = {.max = -INFINITY};
    const gint64 candidates[] = {low, high, spread, -1 - spread};
    for (int i = 0; i < (int)G_N_ELEMENTS(candidates); i++)
        visit(&m, candidates[i], &largest, &rising);
    double threshold = largest.max - NEGLIGIBLE;

    gint64 right = low; /* first node right of the lower hill that was not visited */
    for (double bound = INFINITY; total.n < NODES_MAX && (bound > threshold || rising); right++)
        bound = visit(&m, right, &total, &rising);
    for (gint64 i = low - 1; i >= 0 && total.n < NODES_MAX; i--) {
        if (visit(&m, i, &total, &rising) < threshold)
            break;
    }
    gint64 top = MAX(high, right);
    for (gint64 i = top - 1; i >= right && total.n < NODES_MAX; i--) {
        if (visit(&m, i, &total, &rising) < threshold && rising)
            break;
    }
    for (double bound = INFINITY; bound > threshold && total.n < NODES_MAX; top++)
        bound = visit(&m, top, &total, &rising);

    /* Left of 1/2, where x < 0, g is at most what it is at x = -q. */
    double left_excess = log_excess(&m, -INFINITY, log1p(-q));
    double left = 0.5;
    for (gint64 i = -1; left_excess > threshold && total.n < NODES_MAX; i--) {
        visit(&m, i, &total, &rising);
        left = 0.5 + node_s(&m, i);
        if (left < 0 && left_excess - 0.5 * (left / sigma) * (left / sigma) < threshold)
            break;
    }
    if (total.n >= NODES_MAX)
        return convexity_bound(&m);

    double skipped = (MAX(alpha, 0.5 + node_s(&m, top)) + fabs(left) + 8 * sigma + 2) / m.step;
    double sum = total.sum + skipped * exp(threshold - total.max);
    double rounding = DBL_EPSILON * (64 + (double)total.n + 8 * total.magnitude);
    double excess = total.max + log(sum) + log(m.step / (sigma * SQRT_2PI)) + rounding;
    double log_moment = excess > 36 ? excess + log1p(exp(-excess)) : log1p(exp(excess));
    return MIN(log_moment * (1 + 8 * DBL_EPSILON), convexity_bound(&m));
}

/* An event as this accountant sees it: a mixture of Poisson-sampled steps, or a sample of fixed size. */
typedef struct {
    DpcxrMixture mixture;
    gboolean fixed; /* then the mixture has the Poisson sample of its rate */
} Part;

/* (transfer full) [n_events] */
static Part *parts_new(const DpcxrMechanism *mechanism)
{
    Part *parts = g_new0(Part, mechanism->n_events);
    for (gsize i = 0; i < mechanism->n_events; i++)
        parts[i].fixed = !dpcxr_event_mixture(&mechanism->events[i], mechanism->adjacency, &parts[i].mixture);
    return parts;
}

/* log E_Q[(P/Q)^alpha] of one component, rounded upward. */
static double component_log_moment(const DpcxrComponent *component, double alpha)
{
    double q = component->sampling_rate, sigma = component->noise_multiplier;
    if (q == 0)
        return 0;
    return q == 1 ? alpha * (alpha - 1) / (2 * sigma * sigma) : sampled_log_moment(q, sigma, alpha);
}

/* Of a mixture whose component is revealed, the moment is the mean of the moments: of what they exceed 1 by, where they are
 * close to it. */
static double mixture_log_moment(const DpcxrMixture *mixture, double alpha)
{
    double logs[DPCXR_COMPONENTS], most = 0, sum = 0;
    if (mixture->n == 1)
        return component_log_moment(&mixture->components[0], alpha);
    for (gsize c = 0; c < mixture->n; c++)
        most = MAX(most, logs[c] = component_log_moment(&mixture->components[c], alpha));
    for (gsize c = 0; c < mixture->n; c++)
        sum += mixture->components[c].weight * (most < 1 ? expm1(logs[c]) : exp(logs[c] - most));
    return (most < 1 ? log1p(sum) : most + log(sum)) * (1 + 16 * DBL_EPSILON) + 16 * DBL_EPSILON * most;
}

/* Rényi divergence at @alpha of everything, rounded upward. */
static double divergence(const Part *parts, gsize n, double alpha)
{
    double sum = 0;
    for (gsize i = 0; i < n; i++) {
        const DpcxrMixture *mixture = &parts[i].mixture;
        if (mixture->count == 0)
            continue;
        double one = mixture_log_moment(mixture, alpha);
        if (parts[i].fixed)
            one = fixed_size_log_moment(mixture->components[0].sampling_rate, mixture->components[0].noise_multiplier,
                                        alpha, one);
        sum += (double)mixture->count * (one / (alpha - 1)) * (1 + 8 * DBL_EPSILON);
    }
    return sum * (1 + (double)n * DBL_EPSILON);
}

/* At most this far apart, in total variation, are the outputs on neighbours: each step keeps the two runs
 * together with probability 1 - q TV(N(0, sigma^2), N(1, sigma^2)), which holds for a fixed size, too. At a delta that
 * large epsilon is 0. */
static double total_variation(const Part *parts, gsize n)
{
    double together = 0;
    for (gsize i = 0; i < n; i++) {
        const DpcxrMixture *mixture = &parts[i].mixture;
        double step = 0;
        for (gsize c = 0; c < mixture->n; c++) {
            const DpcxrComponent *m = &mixture->components[c];
            step += m->weight * m->sampling_rate * erf(1 / (2 * G_SQRT2 * m->noise_multiplier));
        }
        together += (double)mixture->count * log1p(-MIN(step * (1 + 16 * DBL_EPSILON), 1));
    }
    return MIN(1, -expm1(together * (1 + 1e-14)) * (1 + 16 * DBL_EPSILON));
}

typedef struct {
    const Part *parts;
    gsize n_parts;
    gboolean classic;
    double delta;   /* given, where epsilon is wanted; else 0 */
    double epsilon; /* given, where delta is wanted */
} Question;

/* epsilon, or log delta, by the bound of one order. Improved conversion: Canonne, Kamath & Steinke 2020,
 * Proposition 12 (Asoodeh et al. 2020 have the same); total variation: Bretagnolle & Huber with the
 * Kullback-Leibler divergence, which is below every Rényi divergence. */
static double answer(const Question *question, double alpha)
{
    double d = divergence(question->parts, question->n_parts, alpha);
    if (question->delta > 0) {
        double log_delta = log(question->delta);
        if (question->delta * question->delta > -expm1(-d) * (1 + 8 * DBL_EPSILON))
            return 0;
        double gain = question->classic ? 0 : log1p(-1 / alpha);
        double cost = (-log_delta - (question->classic ? 0 : log(alpha))) / (alpha - 1);
        double error = 8 * DBL_EPSILON * (d + fabs(gain) + (fabs(log_delta) + log(alpha)) / (alpha - 1));
        return MAX(0, d + gain + cost + error);
    }
    double gain = question->classic ? 0 : log1p(-1 / alpha);
    double exponent = (alpha - 1) * (d - question->epsilon + gain) - (question->classic ? 0 : log(alpha));
    double error = 8 * DBL_EPSILON * ((alpha - 1) * (d + question->epsilon + fabs(gain)) + log(alpha));
    return MIN(exponent + error, 0.5 * log(-expm1(-d) * (1 + 8 * DBL_EPSILON)));
}

/* The least answer over all orders: a coarse grid over log(alpha - 1), then golden section around its best
 * point. */
static double best_order(const Question *question)
{
    enum { PER_DECADE = 4, FIRST = -6, LAST = 10, N = (LAST - FIRST) * PER_DECADE + 1, REFINEMENTS = 44 };
    const double spacing = G_LN10 / PER_DECADE, golden = 0.61803398874989484820;
    double best = INFINITY, at = 0;
    for (int i = 0; i < N; i++) {
        double t = FIRST * G_LN10 + i * spacing, value = answer(question, 1 + exp(t));
        if (value < best) {
            best = value;
            at = t;
        }
    }
    double a = at - spacing, b = at + spacing;
    double t1 = b - golden * (b - a), t2 = a + golden * (b - a);
    double y1 = answer(question, 1 + exp(t1)), y2 = answer(question, 1 + exp(t2));
    for (int i = 0; i < REFINEMENTS; i++) {
        best = MIN(best, MIN(y1, y2));
        if (y1 < y2) {
            b = t2, t2 = t1, y2 = y1;
            t1 = b - golden * (b - a), y1 = answer(question, 1 + exp(t1));
        } else {
            a = t1, t1 = t2, y1 = y2;
            t2 = a + golden * (b - a), y2 = answer(question, 1 + exp(t2));
        }
    }
    return MIN(best, MIN(y1, y2));
}

static double least_answer(const DpcxrOptions *values, const Question *question)
{
    gsize n = 0;
    const double *orders = dpcxr_options_get_numbers(values, "orders", &n);
    if (!dpcxr_options_is_set(values, "orders"))
        return best_order(question);
    double best = INFINITY;
    for (gsize i = 0; i < n; i++)
        best = MIN(best, answer(question, orders[i]));
    return best;
}

static gboolean is_classic(const DpcxrOptions *values)
{
    return g_str_equal(dpcxr_options_get_string(values, "conversion"), "classic");
}

static gboolean epsilon(const DpcxrOptions *values, const DpcxrMechanism *mechanism, double delta,
                        DpcxrInterval *interval, GError **error)
{
    g_autofree Part *parts = parts_new(mechanism);
    Question question = {parts, mechanism->n_events, is_classic(values), .delta = delta};
    double upper = delta >= total_variation(parts, mechanism->n_events) ? 0 : least_answer(values, &question);
    *interval = (DpcxrInterval){-INFINITY, upper, upper};
    return TRUE;
}

static gboolean delta(const DpcxrOptions *values, const DpcxrMechanism *mechanism, double at,
                      DpcxrInterval *interval, GError **error)
{
    g_autofree Part *parts = parts_new(mechanism);
    Question question = {parts, mechanism->n_events, is_classic(values), .epsilon = at};
    double upper = MIN(exp(least_answer(values, &question)) * (1 + 4 * DBL_EPSILON),
                       total_variation(parts, mechanism->n_events));
    *interval = (DpcxrInterval){-INFINITY, upper, upper};
    return TRUE;
}

static gboolean covers(const DpcxrOptions *values, const DpcxrMechanism *mechanism, GError **error)
{
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        double sigma = event->noise_multiplier, q = event->sampling_rate;
        if (!dpcxr_event_check("rdp", event, mechanism->adjacency, error))
            return FALSE;
        if (!(sigma >= NOISE_MIN && sigma <= NOISE_MAX)) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                        "rdp: the noise multiplier is %g; this accountant is made for %g to %g", sigma,
                        NOISE_MIN, NOISE_MAX);
            return FALSE;
        }
        if (!(q >= RATE_MIN && q <= 1)) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                        "rdp: the sampling rate is %g; this accountant is made for %g to 1", q, RATE_MIN);
            return FALSE;
        }
    }
    return TRUE;
}

static const DpcxrAccountant rdp = {.covers = covers, .epsilon = epsilon, .delta = delta};

DPCXR_PLUGIN_DEFINE_ACCOUNTANT(
    rdp, .version = "1.1",
    .summary = "Rényi differential privacy of sampled Gaussian steps, best order; every sampler", .licence = "MIT",
    .reference = "Mironov, Talwar & Zhang 2019, arXiv:1908.10530; Canonne, Kamath & Steinke "
                 "2020, arXiv:2004.00010; Balle, Barthe & Gaboardi 2018, arXiv:1807.01647",
    .options = options, .feature = &rdp);
