/* SPDX-License-Identifier: MIT
 * On a panel of width w the rule of 8 nodes is off by at most (64/15) (w/2) F rho^-16 / (1 - rho^-2), where F bounds the
 * integrand on the ellipse with foci at the ends of the panel and sum of half axes rho w / 2 (Trefethen 2008, Is Gauss
 * Quadrature Better than Clenshaw-Curtis?, Theorem 4.5). That ellipse stays within r = rho w / 4 of the panel. The
 * integrand is N(x; 0, sigma^2) e^(a l), |a| at most 1 + |s|; its logarithm changes by at most G = |x| / sigma^2 + |a| |l'| per
 * unit, and for r <= sigma^2 / (2 units) |l'| is at most 1.9 times what it is at the right end of the panel: the terms of
 * e^l turn by at most half a radian there, so their sum is at least cos(1/2) of its real value, and the mean of j grows by at
 * most e^(1/2). */
#include "privacy/loss/moments.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define SQRT_2PI 2.506628274631000502415765284811
#define UNIT_ROUNDOFF (DBL_EPSILON / 2)
#define PANEL_LOG_ERROR 38.0 /* rho^-16 F / (what the integrand is on the panel) is at most e^-38 */
#define TAIL 12.0            /* standard deviations: what is left beyond is below e^-72 of the largest */
#define MAGNITUDE 4096       /* exponents beyond it, where there is next to no mass, count as absolute errors */
#define BLOCK 64             /* after so many steps, rotations begin anew, so that rounding does not add up */

static const double rule_at[8] = {0.01985507175123188416, 0.10166676129318663020, 0.23723379504183550709,
                                  0.40828267875217509753, 0.59171732124782490247, 0.76276620495816449291,
                                  0.89833323870681336980, 0.98014492824876811584};
static const double rule_weight[8] = {0.05061426814518812958, 0.11119051722668723527, 0.15685332293894364367,
                                      0.18134189168918099148, 0.18134189168918099148, 0.15685332293894364367,
                                      0.11119051722668723527, 0.05061426814518812958};

/* One part of a law while it is being filled in. */
typedef struct {
    const DpcxrLossPart *part;
    DpcxrLossDraws draws;
    double tilt, reach, a; /* a: of e^(a l); 1 + tilt, or -tilt */
    double low, high;
    double lift; /* how far into the complex plane outcomes are moved to bound what is large */
} Filling;

static void filling_init(Filling *f, const DpcxrLossPart *part, double tilt, double reach)
{
    *f = (Filling){.part = part, .tilt = tilt, .reach = reach, .a = part->reverse ? -tilt : 1 + tilt};
    dpcxr_loss_draws_init(&f->draws, part);
    double below = TAIL * part->sigma;
    if (part->reverse) /* losses end at -log b_0, and grow by at most units / sigma^2 */
        below = MIN(sqrt(TAIL * TAIL - 2 * tilt * part->units * log1p(-part->q)) * part->sigma,
                    tilt * part->units + TAIL * part->sigma);
    f->low = MAX(part->from, -below);
    f->high = part->reverse ? TAIL * part->sigma : (1 + tilt) * part->units + TAIL * part->sigma;
    f->high = MAX(f->low, MIN(f->high, part->to));
    f->lift = MIN(part->split_fade, part->sigma * part->sigma / (2 * part->units));
}

/* How fast the logarithm of what fades out, Q((z - cap) / fade), can change within @r of a panel that ends at @end:
 * |erfc(a + ib)| <= e^(b^2) erfc(a) for a >= 0, and at most 2 e^(b^2) else. */
static double fade_growth(const DpcxrLossPart *part, double end, double r)
{
    double past = (end + r - part->cap) / part->fade;
    return part->fade > 0 && past > -8 ? (MAX(0, past) + 2 + r / part->fade) / part->fade : 0;
}

/* The same for what fades in, from @start on. */
static double split_growth(const DpcxrLossPart *part, double start, double end, double r)
{
    double before = (part->split - start + r) / part->split_fade, after = (end - part->split) / part->split_fade;
    return part->split_fade > 0 && before < 12 && after < 8 ? (MAX(0, before) + 2 + r / part->split_fade) / part->split_fade
                                                           : 0;
}

/* The width of the panel that begins at @x. */
static double panel_width(const Filling *f, double x, double guess)
{
    const DpcxrLossPart *part = f->part;
    double sigma = part->sigma, s2 = sigma * sigma, far = MIN(s2 / (2 * part->units), 4 * sigma), mean;
    if (part->fade > 0 && x > part->cap - 10 * part->fade)
        far = MIN(far, part->fade);
    if (part->split_fade > 0 && fabs(x - part->split) < 12 * part->split_fade)
        far = MIN(far, part->split_fade);
    double size = hypot(1 + f->tilt, f->reach);
    for (double w = guess;; w *= 0.8) {
        dpcxr_loss_draws_loss(&f->draws, x + w, &mean, NULL);
        double growth = (MAX(fabs(x), fabs(x + w)) + far) / s2 + 1.9 * size * mean / s2 +
                        fade_growth(part, x + w, far) + split_growth(part, x, x + w, far);
        double r = MIN(far, 12 / growth);
        if (16 * log(4 * r / w) >= PANEL_LOG_ERROR + growth * (r + w / 2) || w < 1e-12 * sigma)
            return w;
    }
}

static void nodes_reserve(DpcxrLossNodes *nodes, gsize n)
{
    nodes->loss = g_renew(double, nodes->loss, n);
    nodes->mass = g_renew(double, nodes->mass, n);
    nodes->tilted = g_renew(double, nodes->tilted, n);
    nodes->large = g_renew(double, nodes->large, n);
    nodes->turn = g_renew(double, nodes->turn, n);
}

/* To bound what is large at all high frequencies, its integral is moved from x to x + i eta(x), where |e^(i y l)| falls like
 * e^(-y Im l). eta is at most the lift, and near the cap at most half the distance to it, or one fade. The way is longer by
 * a factor of at most 1.12; the normal density is multiplied by e^(eta^2 / (2 sigma^2)), |e^(a l)| does not grow, and the two
 * fades are multiplied by at most 3 e^(1/2) each: |erfc(a + ib)| <= e^(b^2) erfc(a) for a >= 0, and it is 2 - erfc(-a - ib)
 * else, with b at most a / 2 or 1 / sqrt(2). */
static double eta_at(const Filling *f, double x)
{
    const DpcxrLossPart *part = f->part;
    return part->fade > 0 ? MIN(f->lift, MAX(part->fade, 0.5 * (part->cap - x))) : f->lift;
}

static void panel_fill(const Filling *f, double x, double w, DpcxrLossNodes *nodes)
{
    const DpcxrLossPart *part = f->part;
    double s2 = part->sigma * part->sigma, sign = part->reverse ? -1 : 1, size = hypot(1 + f->tilt, f->reach);
    for (int k = 0; k < 8; k++) {
        double at = x + rule_at[k] * w, mean, variance;
        double loss = dpcxr_loss_draws_loss(&f->draws, at, &mean, &variance);
        double square = 0.5 * at * at / s2, scale = part->weight * rule_weight[k] * w / (part->sigma * SQRT_2PI);
        double past = part->fade > 0 ? (at - part->cap) / part->fade : -INFINITY, hazard = 0;
        if (past > -9) {
            double remains = 0.5 * erfc(past / G_SQRT2);
            scale *= remains;
            hazard = exp(-0.5 * past * past) / SQRT_2PI / remains / part->fade;
        }
        double tilted = exp(f->a * loss - square) * scale;
        double slope = (f->a * mean - at - variance / mean) / s2 - hazard; /* of the logarithm of density over l' */
        double in = part->split_fade > 0 ? (at - part->split) / part->split_fade : -INFINITY, share = 0;
        if (in > -9) {
            share = 0.5 * erfc(-in / G_SQRT2);
            nodes->turn[nodes->n] = dpcxr_loss_draws_turn(&f->draws, at, eta_at(f, at));
            nodes->large_sum += share * tilted;
            nodes->large_quadrature += 1e-15 * share * tilted;
        }
        nodes->large[nodes->n] = share * tilted;
        nodes->loss[nodes->n] = sign * loss;
        nodes->mass[nodes->n] = exp((part->reverse ? 0 : loss) - square) * scale;
        nodes->tilted[nodes->n++] = tilted;
        double magnitude = 8 * square + 8 * fabs(f->a * loss) + 128;
        if (magnitude <= MAGNITUDE)
            nodes->relative = MAX(nodes->relative, magnitude * UNIT_ROUNDOFF);
        else
            nodes->quadrature += tilted * magnitude * UNIT_ROUNDOFF;
        /* e^(s l) - 1 is at most |s l| e^|..|, and at most twice the larger of both */
        nodes->quadrature += 5e-16 * tilted * MIN(2, size * (fabs(loss) + 4 * w * mean / s2));
        nodes->variation += tilted / mean * s2 * fabs(slope);
    }
}

/* Density over l' at an end of the range: what integration by parts leaves there. */
static double end_variation(const Filling *f, double x)
{
    double mean, loss = dpcxr_loss_draws_loss(&f->draws, x, &mean, NULL), sigma = f->part->sigma;
    if (f->part->fade > 0 && x > f->part->cap)
        loss -= 36 / f->a; /* what has faded by there, more than e^-36 */
    return f->part->weight * exp(f->a * loss - 0.5 * (x / sigma) * (x / sigma)) / (sigma * SQRT_2PI) * sigma * sigma / mean;
}

static double lift_factor(const Filling *f)
{
    double of_density = f->lift / f->part->sigma;
    return 1.12 * 9 * exp(1 + 0.5 * of_density * of_density);
}

static gboolean fill(Filling *f, DpcxrLossNodes *nodes, gsize max_nodes)
{
    gsize room = nodes->n;
    double guess = 0.5 * f->part->sigma;
    for (double x = f->low; x < f->high;) {
        double w = MIN(panel_width(f, x, guess), f->high - x);
        if (nodes->n + 8 > max_nodes || !(x + w > x))
            return FALSE;
        if (nodes->n + 8 > room)
            nodes_reserve(nodes, room = 2 * nodes->n + 256);
        panel_fill(f, x, w, nodes);
        x += w;
        guess = MIN(0.5 * f->part->sigma, 1.5 * w);
    }
    nodes->variation += end_variation(f, f->low) + end_variation(f, f->high);
    if (f->part->split_fade > 0)
        nodes->lift = MAX(nodes->lift, lift_factor(f));
    return TRUE;
}

/* Where a range of outcomes may end so that no more than @may_leave of the tilted mass is beyond; sets *left_out. */
static double early_end(const Filling *f, double may_leave, double *left_out)
{
    Filling coarse = *f;
    coarse.reach = 0;
    DpcxrLossNodes *nodes = g_new0(DpcxrLossNodes, 1);
    double end = f->high;
    *left_out = 0;
    if (fill(&coarse, nodes, 1 << 20)) {
        gsize keep = nodes->n;
        double left = 0;
        while (keep > 0 && left + nodes->tilted[keep - 1] <= may_leave)
            left += nodes->tilted[--keep];
        if (keep < nodes->n && keep > 0) { /* nodes' losses increase with x, or fall, with the sign */
            double sign = f->part->reverse ? -1 : 1, low = f->low, high = f->high;
            for (int i = 0; i < 60; i++) {
                double middle = (low + high) / 2;
                gboolean below = dpcxr_loss_draws_loss(&f->draws, middle, NULL, NULL) < sign * nodes->loss[keep];
                *(below ? &low : &high) = middle;
            }
            end = high;
            *left_out = left * (1 + 1e-6) + nodes->quadrature;
        }
    }
    dpcxr_loss_nodes_free(nodes);
    return end;
}

static void find_moments(DpcxrLossNodes *nodes)
{
    double sum = nodes->atom, first = 0, distance = 0;
    nodes->excess = -nodes->beyond;
    for (gsize i = 0; i < nodes->n; i++) {
        double exponent = nodes->tilt * nodes->loss[i];
        nodes->excess += fabs(exponent) < 1 ? nodes->mass[i] * expm1(exponent) : nodes->tilted[i] - nodes->mass[i];
        sum += nodes->tilted[i];
        first += nodes->tilted[i] * nodes->loss[i];
    }
    nodes->mean = first / sum;
    for (gsize i = 0; i < nodes->n; i++)
        distance += nodes->tilted[i] * fabs(nodes->loss[i] - nodes->mean);
    nodes->spread = (distance + nodes->atom * fabs(nodes->mean)) / sum;
}

DpcxrLossNodes *dpcxr_loss_nodes_new(const DpcxrLossLaw *law, double tilt, double reach, double may_leave,
                                     gsize max_nodes)
{
    DpcxrLossNodes *nodes = g_new0(DpcxrLossNodes, 1);
    nodes->tilt = tilt;
    nodes->reach = reach;
    nodes->beyond = law->beyond;
    nodes->atom = law->atom;
    nodes->quadrature = exp(-70);
    gboolean done = TRUE;
    for (gsize i = 0; i < law->n && done; i++) {
        Filling f;
        filling_init(&f, &law->parts[i], tilt, reach);
        double left = 0;
        if (may_leave > 0)
            f.high = early_end(&f, may_leave / (double)law->n, &left);
        nodes->left_out += left;
        done = fill(&f, nodes, max_nodes);
    }
    nodes->variation *= 1.02; /* the rule meets corners of the absolute value */
    if (!(nodes->large_sum > 0))
        g_clear_pointer(&nodes->large, g_free);
    if (done)
        find_moments(nodes);
    if (done && isfinite(nodes->excess) && isfinite(nodes->variation) && isfinite(nodes->spread))
        return nodes;
    dpcxr_loss_nodes_free(nodes);
    return NULL;
}

void dpcxr_loss_nodes_free(DpcxrLossNodes *nodes)
{
    if (!nodes)
        return;
    g_free(nodes->loss);
    g_free(nodes->mass);
    g_free(nodes->tilted);
    g_free(nodes->large);
    g_free(nodes->turn);
    g_free(nodes);
}

double dpcxr_loss_nodes_log_moment(const DpcxrLossNodes *nodes, double t)
{
    double excess = -nodes->beyond;
    for (gsize i = 0; i < nodes->n; i++) {
        double exponent = t * nodes->loss[i];
        if (exponent > 700)
            return INFINITY;
        excess += nodes->mass[i] * expm1(exponent);
    }
    return excess > -1 ? log1p(excess) : -INFINITY;
}

/* @rotation[j] += (e^(i step l_j) - 1) (1 + @rotation[j]): rotations minus 1 keep their digits where losses are small. */
static void rotate(double *restrict re, double *restrict im, const double *restrict by_re, const double *restrict by_im,
                   gsize n)
{
    for (gsize j = 0; j < n; j++) {
        double a = re[j] + 1, b = im[j], c = by_re[j], d = by_im[j];
        re[j] += a * c - b * d;
        im[j] = b + (a * d + b * c);
    }
}

static double complex weighted_sum(const double *restrict weight, const double *restrict re, const double *restrict im,
                                   gsize n)
{
    enum { LANES = 8 };
    double sum_re[LANES] = {0}, sum_im[LANES] = {0};
    gsize j = 0;
    for (; j + LANES <= n; j += LANES) {
        for (int k = 0; k < LANES; k++) {
            sum_re[k] += weight[j + k] * re[j + k];
            sum_im[k] += weight[j + k] * im[j + k];
        }
    }
    for (int k = 0; j < n; j++, k++) {
        sum_re[k] += weight[j] * re[j];
        sum_im[k] += weight[j] * im[j];
    }
    for (int k = 1; k < LANES; k++) {
        sum_re[0] += sum_re[k];
        sum_im[0] += sum_im[k];
    }
    return CMPLX(sum_re[0], sum_im[0]);
}

/* e^(i y l) - 1 */
static void rotation_start(const double *loss, double y, double *re, double *im, gsize n)
{
    for (gsize j = 0; j < n; j++) {
        double half = sin(0.5 * y * loss[j]);
        re[j] = -2 * half * half;
        im[j] = sin(y * loss[j]);
    }
}

void dpcxr_loss_nodes_excesses(const DpcxrLossNodes *nodes, double first, double step, gsize n, double complex *excess,
                               double complex *large)
{
    g_autofree double *scratch = g_new(double, 4 * nodes->n);
    double *re = scratch, *im = re + nodes->n, *by_re = im + nodes->n, *by_im = by_re + nodes->n;
    if (n > 1)
        rotation_start(nodes->loss, step, by_re, by_im, nodes->n);
    for (gsize k = 0; k < n; k++) {
        if (k % BLOCK == 0)
            rotation_start(nodes->loss, first + (double)k * step, re, im, nodes->n);
        else
            rotate(re, im, by_re, by_im, nodes->n);
        excess[k] = nodes->excess + weighted_sum(nodes->tilted, re, im, nodes->n);
        if (large)
            large[k] = nodes->large_sum + weighted_sum(nodes->large, re, im, nodes->n);
    }
}

double dpcxr_loss_nodes_large_bound(const DpcxrLossNodes *nodes, double y)
{
    double sum = 0;
    for (gsize j = 0; nodes->large && j < nodes->n; j++)
        if (nodes->large[j] > 0)
            sum += nodes->large[j] * exp(-y * nodes->turn[j]);
    return nodes->lift * (sum + 1e-17 * nodes->large_sum) * 1.001; /* 1e-17: at the ends, what has not faded */
}

double dpcxr_loss_nodes_large_rounding(const DpcxrLossNodes *nodes)
{
    double operations = 16 + 8 * BLOCK + (double)nodes->n / 8;
    return 2 * UNIT_ROUNDOFF * operations * nodes->large_sum + nodes->large_quadrature;
}

double dpcxr_loss_nodes_rounding(const DpcxrLossNodes *nodes, double y)
{
    double size = 1 + nodes->excess - nodes->atom + nodes->beyond; /* of the tilted masses */
    double moved = MIN(2 * size, fabs(y) * (fabs(nodes->mean) + nodes->spread) * (size + nodes->atom));
    double operations = 16 + 8 * BLOCK + (double)nodes->n / 8;
    return UNIT_ROUNDOFF * operations * (moved + fabs(nodes->excess)) + nodes->quadrature;
}
