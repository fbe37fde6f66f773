/* SPDX-License-Identifier: MIT
 * Composition by FFT with every error on the books, coarsening in both directions, and the hockey-stick
 * curve. */
#include "privacy/loss/lattice.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "privacy/loss/fft.h"

#define UNIT_ROUNDOFF (DBL_EPSILON / 2)

DpcxrLossLattice *dpcxr_loss_lattice_new(gint64 first, gsize n)
{
    DpcxrLossLattice *lattice = g_new0(DpcxrLossLattice, 1);
    lattice->count = 1;
    lattice->first = first;
    lattice->n = n;
    for (int bound = 0; bound < 2; bound++)
        lattice->values[bound] = g_new0(double, n);
    return lattice;
}

void dpcxr_loss_lattice_free(DpcxrLossLattice *lattice)
{
    if (!lattice)
        return;
    g_free(lattice->values[0]);
    g_free(lattice->values[1]);
    g_free(lattice->moments);
    g_free(lattice);
}

void dpcxr_loss_spread(double *points, const DpcxrLossCells *cells, gsize n_points)
{
    for (gsize i = 0; i + 1 < n_points; i++) {
        points[i] += cells->left[i];
        points[i + 1] += cells->right[i];
    }
}

/* Every cell is given to its two points in parts, such that at a point what comes down from the right (and so
 * is at higher losses than the point) and what comes up from the left balance: the mean of y of both is that
 * of the point. Which part of one cell goes up then decides which part of the next goes down. That is stable
 * where masses grow, so it is done from both ends towards @meeting. There the two demands have to add up to
 * all of the cell. What comes up from the left has to be balanced, and is made less where it cannot be; what
 * comes down need not be: the mass is then at a lower loss than its own, which is sound, if less tight. Such
 * places are looked at once more at the end: mass that is on the next lower point is moved up to balance
 * them, as far as there is any. */
double dpcxr_loss_contract(double *points, const DpcxrLossCells *cells, gsize n_points, gsize meeting,
                           double spacing, double tilt)
{
    const double *left = cells->left, *right = cells->right;
    double balance = exp((2 * tilt + 1) * spacing), up = exp(tilt * spacing), down = exp(-tilt * spacing);
    g_autofree double *missing = g_new0(double, n_points); /* at a point, to balance the next higher one */
    double part = 0;                                       /* of a cell, that goes up */
    for (gsize i = 0; i < meeting; i++) {
        /* cell i - 1 has its part still to be given out, in case that cell i cannot balance it */
        double demand = i > 0 ? part * left[i - 1] * balance : 0;
        double given = demand > right[i] ? right[i] / demand : 1;
        if (i > 0) {
            points[i] += given * part * (left[i - 1] * up + right[i - 1]);
            points[i - 1] += (1 - given * part) * (left[i - 1] + right[i - 1] * down);
            if (i > 1)
                missing[i - 2] += (1 - given) * part * right[i - 1] / balance;
        }
        part = demand < right[i] ? 1 - demand / right[i] : 0;
    }
    double demand = meeting > 0 ? part * left[meeting - 1] * balance : 0;
    double given = demand > right[meeting] ? right[meeting] / demand : 1;
    if (meeting > 0) {
        points[meeting] += given * part * (left[meeting - 1] * up + right[meeting - 1]);
        points[meeting - 1] += (1 - given * part) * (left[meeting - 1] + right[meeting - 1] * down);
    }
    if (meeting > 1)
        missing[meeting - 2] += (1 - given) * part * right[meeting - 1] / balance;
    double below = demand > 0 ? demand / right[meeting] : 0; /* of the cell at the meeting: has to go down */

    double excess = 0, wanted = 0; /* excess: what came down to the point right of the cell */
    for (gsize i = n_points - 1; i-- > meeting;) {
        wanted = excess / balance;
        part = wanted < left[i] ? wanted / left[i] : 1;
        if (i == meeting) {
            double free = MAX(0, 1 - below);
            part = MIN(part, free);
            if (i > 0)
                missing[i - 1] += (free - part) * right[i] / balance;
        }
        missing[i] += wanted - part * left[i];
        points[i + 1] += part * (left[i] * up + right[i]);
        points[i] += (1 - part) * (left[i] + right[i] * down);
        excess = (1 - part) * right[i];
    }
    for (gsize i = 0; i + 1 < n_points; i++) {
        double moved = CLAMP(missing[i], 0, points[i]);
        points[i] -= moved;
        points[i + 1] += moved * up;
    }
    return below + (wanted > 0 ? wanted / left[meeting] : 0) - 1;
}

gsize dpcxr_loss_meeting(const DpcxrLossCells *cells, gsize n_points, double spacing, double tilt)
{
    gsize at = 0;
    double most = -INFINITY, gain = 1, step = exp(-tilt * spacing);
    double scale = 0;
    for (gsize i = 0; i + 1 < n_points; i++, gain *= step) {
        if (gain < 1e-100) {
            scale += log(gain);
            gain = 1;
        }
        double mass = (cells->left[i] + cells->right[i]) * gain;
        if (mass > 0 && (most == -INFINITY || mass > most * exp(-scale))) {
            most = mass * exp(scale);
            at = i;
        }
    }
    return at;
}

DpcxrLossLattice *dpcxr_loss_coarsen(const DpcxrLossLattice *fine, double spacing, double tilt)
{
    gint64 last = fine->first + (gint64)fine->n - 1;
    gint64 first = (fine->first - (fine->first & 1)) / 2, end = (last + (last & 1)) / 2;
    DpcxrLossLattice *coarse = dpcxr_loss_lattice_new(first, (gsize)(end - first) + 1);
    coarse->count = fine->count;
    coarse->offset = fine->offset;
    coarse->log_scale = fine->log_scale;
    coarse->shift = fine->shift;
    g_autofree double *left = g_new0(double, coarse->n), *right = g_new0(double, coarse->n);
    const DpcxrLossCells cells = {left, right};
    double to_left = exp(-tilt * spacing) / (1 + exp(spacing));
    double to_right = exp(tilt * spacing) / (1 + exp(-spacing));
    double sum = 0;
    for (int bound = 0; bound < 2; bound++) {
        const double *from = fine->values[bound];
        double *points = coarse->values[bound];
        memset(left, 0, coarse->n * sizeof *left);
        memset(right, 0, coarse->n * sizeof *right);
        for (gsize i = 0; i < fine->n; i++) {
            gint64 index = fine->first + (gint64)i;
            gsize to = (gsize)((index - (index & 1)) / 2 - first);
            if (index & 1) {
                left[to] = from[i] * to_left;
                right[to] = from[i] * to_right;
            } else {
                points[to] = from[i];
            }
            sum += from[i];
        }
        if (bound == DPCXR_LOSS_UPPER)
            dpcxr_loss_spread(points, &cells, coarse->n);
        else
            dpcxr_loss_contract(points, &cells, coarse->n,
                                dpcxr_loss_meeting(&cells, coarse->n, 2 * spacing, tilt), 2 * spacing, tilt);
    }
    coarse->error = fine->error + 32 * UNIT_ROUNDOFF * sum;
    return coarse;
}

/* Chernoff bounds for windows: log of the moment generating function, in units of the lattice, at 2^k /
 * 2^SHIFT. */
enum { N_MOMENTS = 26, MOMENT_SHIFT = 23, N_BUCKETS = 2048 };

typedef struct {
    double log_moment[2][2][N_MOMENTS]; /* [bound][0: upper tail, 1: lower tail] */
} Moments;

static const Moments *moments_get(DpcxrLossLattice *lattice)
{
    if (lattice->moments)
        return lattice->moments;
    Moments *moments = lattice->moments = g_new(Moments, 1);
    gsize width = lattice->n / N_BUCKETS + 1, n = (lattice->n + width - 1) / width;
    g_autofree double *bucket = g_new(double, n);
    for (int bound = 0; bound < 2; bound++) {
        memset(bucket, 0, n * sizeof *bucket);
        for (gsize i = 0; i < lattice->n; i++)
            bucket[i / width] += lattice->values[bound][i];
        double start = (double)lattice->first, end = start + (double)(n * width);
        for (int k = 0; k < N_MOMENTS; k++) {
            double s = ldexp(1, k - MOMENT_SHIFT), up = 0, down = 0, ratio = exp(-s * (double)width);
            /* scaled by what the moment would be with all mass at the far end */
            for (gsize b = 0; b < n; b++) {
                up = up * ratio + bucket[b];
                down = down * ratio + bucket[n - 1 - b];
            }
            moments->log_moment[bound][0][k] = up > 1e-280 ? log(up * (1 + 1e-11)) + s * end : INFINITY;
            moments->log_moment[bound][1][k] = down > 1e-280 ? log(down * (1 + 1e-11)) - s * start : INFINITY;
        }
    }
    return moments;
}

/* The window outside of which at most e^log_tail is left of either bound, on either side. */
static void find_window(const DpcxrLossFactor *factors, gsize n_factors, double log_tail, double *low,
                        double *high)
{
    g_autofree const Moments **moments = g_new(const Moments *, n_factors);
    for (gsize j = 0; j < n_factors; j++)
        moments[j] = moments_get(factors[j].lattice);
    *low = INFINITY;
    *high = -INFINITY;
    for (int bound = 0; bound < 2; bound++) {
        double up = INFINITY, down = INFINITY;
        for (int k = 0; k < N_MOMENTS; k++) {
            double s = ldexp(1, k - MOMENT_SHIFT), log_up = -log_tail, log_down = -log_tail;
            for (gsize j = 0; j < n_factors; j++) {
                double power = (double)factors[j].power;
                log_up += power * moments[j]->log_moment[bound][0][k];
                log_down += power * moments[j]->log_moment[bound][1][k];
            }
            up = fmin(up, log_up / s);
            down = fmin(down, log_down / s);
        }
        *high = MAX(*high, up);
        *low = MIN(*low, -down);
    }
    double first = 0, last = 0; /* never more than what there is */
    for (gsize j = 0; j < n_factors; j++) {
        first += (double)factors[j].power * (double)factors[j].lattice->first;
        last += (double)factors[j].power *
                (double)(factors[j].lattice->first + (gint64)factors[j].lattice->n - 1);
    }
    *low = CLAMP(floor(*low), first, last);
    *high = CLAMP(ceil(*high), *low, last);
}

static guint size_for(double points)
{
    guint log2_size = 4;
    while (log2_size < 63 && ldexp(1, (int)log2_size) < points + 1)
        log2_size++;
    return log2_size;
}

guint dpcxr_loss_compose_size(const DpcxrLossFactor *factors, gsize n_factors, double log_tail)
{
    double low, high;
    find_window(factors, n_factors, log_tail, &low, &high);
    return size_for(high - low + 1);
}

typedef struct {
    double re, im;
} Complex;

static Complex multiply(Complex a, Complex b)
{
    return (Complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static Complex power_of(Complex base, guint64 exponent)
{
    Complex result = {1, 0};
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result = multiply(result, base);
        if (exponent > 1)
            base = multiply(base, base);
    }
    return result;
}

/* The two bounds are real: they travel as real and imaginary part of one transform. */
typedef struct {
    gsize n;
    double *re, *im;
} Spectrum;

static Spectrum spectrum_new(gsize n)
{
    return (Spectrum){n, g_new0(double, n), g_new0(double, n)};
}

static void spectrum_clear(Spectrum *s)
{
    g_free(s->re);
    g_free(s->im);
}

/* @total *= @factor^power, for both bounds. */
static void spectrum_multiply(Spectrum *total, const Spectrum *factor, guint64 power, gboolean is_first)
{
    for (gsize p = 0; p < total->n; p++) {
        gsize m = dpcxr_fft_mirror(p);
        if (m < p)
            continue;
        const double *re = factor->re, *im = factor->im;
        Complex upper = {0.5 * (re[p] + re[m]), 0.5 * (im[p] - im[m])};
        Complex lower = {0.5 * (im[p] + im[m]), 0.5 * (re[m] - re[p])};
        upper = power_of(upper, power);
        lower = power_of(lower, power);
        if (!is_first) {
            re = total->re, im = total->im;
            upper = multiply(upper, (Complex){0.5 * (re[p] + re[m]), 0.5 * (im[p] - im[m])});
            lower = multiply(lower, (Complex){0.5 * (im[p] + im[m]), 0.5 * (re[m] - re[p])});
        }
        total->re[p] = upper.re - lower.im;
        total->im[p] = upper.im + lower.re;
        total->re[m] = upper.re + lower.im;
        total->im[m] = lower.re - upper.im;
    }
}

static double norm_of(const DpcxrLossLattice *lattice)
{
    double sum = 0;
    for (int bound = 0; bound < 2; bound++) {
        for (gsize i = 0; i < lattice->n; i++)
            sum += lattice->values[bound][i] * lattice->values[bound][i];
    }
    return sqrt(sum);
}

static double largest_sum(const DpcxrLossLattice *lattice)
{
    double sum[2] = {0, 0};
    for (int bound = 0; bound < 2; bound++) {
        for (gsize i = 0; i < lattice->n; i++)
            sum[bound] += lattice->values[bound][i];
    }
    return MAX(1, MAX(sum[0], sum[1]) * (1 + 1e-12));
}

DpcxrLossLattice *dpcxr_loss_compose(const DpcxrLossFactor *factors, gsize n_factors, double log_tail,
                                     guint max_log2)
{
    double low, high;
    find_window(factors, n_factors, log_tail, &low, &high);
    guint log2_size = size_for(high - low + 1);
    if (log2_size > max_log2 || !(fabs(low) < 1e15) || !(fabs(high) < 1e15))
        return NULL;
    gint64 first = (gint64)low;
    gsize n = (gsize)(high - low) + 1, size = (gsize)1 << log2_size, mask = size - 1;
    g_autoptr(DpcxrFft) fft = dpcxr_fft_new(log2_size);
    Spectrum total = spectrum_new(size), work = spectrum_new(size);
    DpcxrLossLattice *product = dpcxr_loss_lattice_new(first, n);
    double powers = 0, log_sum = 0, norms = 0, errors = 0;
    for (gsize j = 0; j < n_factors; j++) {
        const DpcxrLossLattice *factor = factors[j].lattice;
        double power = (double)factors[j].power;
        memset(work.re, 0, size * sizeof(double));
        memset(work.im, 0, size * sizeof(double));
        for (gsize i = 0; i < factor->n; i++) {
            gsize at = (gsize)(factor->first + (gint64)i) & mask;
            work.re[at] += factor->values[0][i];
            work.im[at] += factor->values[1][i];
        }
        dpcxr_fft_forward(fft, work.re, work.im);
        spectrum_multiply(&total, &work, factors[j].power, j == 0);
        product->offset += power * factor->offset;
        product->log_scale += power * factor->log_scale;
        product->shift += power * (factor->shift + 4 * UNIT_ROUNDOFF * fabs(factor->offset));
        powers += power;
        log_sum += power * log(largest_sum(factor));
        norms += power * norm_of(factor);
        errors += power * factor->error;
    }
    dpcxr_fft_inverse(fft, total.re, total.im);
    double squares = 0;
    for (gsize i = 0; i < size; i++)
        squares += total.re[i] * total.re[i] + total.im[i] * total.im[i];
    for (gsize i = 0; i < n; i++) {
        gsize at = (gsize)(first + (gint64)i) & mask;
        product->values[0][i] = MAX(0, total.re[at]);
        product->values[1][i] = MAX(0, total.im[at]);
    }
    /* dpcxr_fft_error() in the 2-norm for the transforms of the factors, times their powers, and for the way
     * back; 4 u for each multiplication of spectra; a sum of absolute values is at most sqrt(size) times the
     * 2-norm; twice, because each bound hears the error of both. */
    double scale = exp(log_sum), fft_error = dpcxr_fft_error(fft);
    double fft_total = 2 * sqrt((double)size) *
                       (scale * norms * fft_error + (4 * UNIT_ROUNDOFF * powers + fft_error) * sqrt(squares));
    product->error = 1.01 * (scale * errors * exp(MIN(errors, 700)) + fft_total) + 2 * 2 * exp(log_tail);
    spectrum_clear(&total);
    spectrum_clear(&work);
    return product;
}

struct DpcxrLossCurve {
    double spacing, tilt, first, log_scale, log_error, shift, rounding;
    gsize n;
    /* At point i: sums over j >= i of the mass times e^(-(1 + tilt) d), d the distance to point i; and of the
     * mass times (e^(-tilt d) - e^(-(1 + tilt) d)). */
    double *whole[2], *excess[2];
};

DpcxrLossCurve *dpcxr_loss_curve_new(const DpcxrLossLattice *lattice, double spacing, double tilt)
{
    DpcxrLossCurve *curve = g_new0(DpcxrLossCurve, 1);
    curve->spacing = spacing;
    curve->tilt = tilt;
    curve->first = lattice->offset + (double)lattice->first * spacing;
    curve->log_scale = lattice->log_scale;
    curve->log_error = log(lattice->error) - log1p(tilt);
    curve->shift =
        lattice->shift + 4 * DBL_EPSILON * (fabs(lattice->offset) + fabs((double)lattice->first * spacing));
    curve->n = lattice->n;
    curve->rounding = 8 * DBL_EPSILON * ((double)lattice->n + 16);
    double a = exp(-tilt * spacing), b = exp(-(1 + tilt) * spacing), difference = -a * expm1(-spacing);
    for (int bound = 0; bound < 2; bound++) {
        double *whole = curve->whole[bound] = g_new(double, lattice->n);
        double *excess = curve->excess[bound] = g_new(double, lattice->n);
        double next_whole = 0, next_excess = 0;
        for (gsize i = lattice->n; i-- > 0;) {
            next_excess = excess[i] = a * next_excess + difference * next_whole;
            next_whole = whole[i] = lattice->values[bound][i] + b * next_whole;
        }
    }
    return curve;
}

void dpcxr_loss_curve_free(DpcxrLossCurve *curve)
{
    if (!curve)
        return;
    for (int bound = 0; bound < 2; bound++) {
        g_free(curve->whole[bound]);
        g_free(curve->excess[bound]);
    }
    g_free(curve);
}

/* delta(epsilon) = e^(log_scale - tilt epsilon) times the tilted mean of e^(-tilt d) (1 - e^-d), d > 0 the
 * distance of the loss to epsilon. That function is at most 1 / (1 + tilt), which is what an error in mass
 * counts for. */
double dpcxr_loss_curve_log_delta(const DpcxrLossCurve *curve, int bound, double epsilon)
{
    gboolean is_upper = bound == DPCXR_LOSS_UPPER;
    double at = epsilon + (is_upper ? -curve->shift : curve->shift), mean = 0;
    double i = MAX(0, floor((at - curve->first) / curve->spacing) + 1);
    double log_mean = -INFINITY;
    if (i < (double)curve->n) {
        double d = MAX(0, curve->first + i * curve->spacing - at);
        mean = curve->excess[bound][(gsize)i] - curve->whole[bound][(gsize)i] * expm1(-d);
        log_mean = log(mean) - curve->tilt * d + (is_upper ? curve->rounding : -curve->rounding);
    }
    double exponent = curve->log_scale - curve->tilt * at;
    double rounding = 8 * DBL_EPSILON * (fabs(curve->log_scale) + fabs(curve->tilt * at) + 1);
    if (is_upper) {
        double most = MAX(log_mean, curve->log_error), least = MIN(log_mean, curve->log_error);
        double sum = most == -INFINITY ? most : most + log1p(exp(least - most));
        return MIN(0, exponent + sum + rounding);
    }
    if (!(log_mean > curve->log_error))
        return -INFINITY;
    return exponent + log_mean + log1p(-exp(curve->log_error - log_mean)) - rounding;
}

static double upper_epsilon(const DpcxrLossCurve *curve, double log_delta)
{
    double low = 0, high = MAX(1e-6, curve->first + (double)curve->n * curve->spacing);
    if (!(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_UPPER, 0) > log_delta))
        return 0;
    while (dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_UPPER, high) > log_delta) {
        low = high;
        high *= 2;
        if (high > 1e12)
            return INFINITY;
    }
    for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
        double middle = (low + high) / 2;
        *(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_UPPER, middle) > log_delta ? &low : &high) = middle;
    }
    return high;
}

/* The lower bound of delta is good near the tilted mean only, so it is looked for from the upper bound
 * downward. */
static double lower_epsilon(const DpcxrLossCurve *curve, double log_delta)
{
    double upper = upper_epsilon(curve, log_delta), high = upper, low = upper;
    if (!isfinite(high))
        return 0;
    for (double part = 1e-6; !(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_LOWER, low) > log_delta);
         part *= 1.5) {
        if (low <= 0)
            return 0;
        high = low;
        low = part < 1 ? (1 - part) * upper : 0;
    }
    for (int i = 0; i < 100 && high - low > 1e-13 * high; i++) {
        double middle = (low + high) / 2;
        *(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_LOWER, middle) > log_delta ? &low : &high) = middle;
    }
    return low;
}

double dpcxr_loss_curve_epsilon(const DpcxrLossCurve *curve, int bound, double log_delta)
{
    return bound == DPCXR_LOSS_UPPER ? upper_epsilon(curve, log_delta) : lower_epsilon(curve, log_delta);
}
