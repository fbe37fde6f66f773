/* SPDX-License-Identifier: MIT
 * The parts that the pld accountant is made of: the transform against its definition; spreading, drawing
 * together and coarsening against what they promise of the hockey-stick curve; composition against direct
 * convolution. */
#include <math.h>
#include <string.h>
#include "privacy/loss/fft-precise.h"
#include "privacy/loss/fft.h"
#include "privacy/loss/moments.h"
#include "privacy/loss/compose.h"
#include "privacy/loss/curve.h"

static void test_fft(void)
{
    for (guint k = 1; k <= 9; k++) {
        gsize n = (gsize)1 << k;
        g_autoptr(DpcxrFft) fft = dpcxr_fft_new(k);
        double re[512], im[512], given_re[512], given_im[512], sum = 0;
        for (gsize i = 0; i < n; i++) {
            given_re[i] = re[i] = sin((double)(i * i) + 1);
            given_im[i] = im[i] = cos(3 * (double)i);
            sum += fabs(re[i]) + fabs(im[i]);
        }
        dpcxr_fft_forward(fft, re, im);
        for (gsize p = 0; p < n; p++) {
            gsize frequency = 0, mirrored = 0, m = dpcxr_fft_mirror(p);
            for (guint bit = 0; bit < k; bit++) {
                frequency |= ((p >> bit) & 1) << (k - 1 - bit);
                mirrored |= ((m >> bit) & 1) << (k - 1 - bit);
            }
            g_assert_cmpuint((frequency + mirrored) & (n - 1), ==, 0);
            double a = 0, b = 0;
            for (gsize j = 0; j < n; j++) {
                double angle = -2 * G_PI * (double)(frequency * j & (n - 1)) / (double)n;
                a += given_re[j] * cos(angle) - given_im[j] * sin(angle);
                b += given_re[j] * sin(angle) + given_im[j] * cos(angle);
            }
            g_assert_cmpfloat(hypot(a - re[p], b - im[p]), <=,
                              (dpcxr_fft_error(fft) + 1e-15 * (double)k) * sum);
        }
        dpcxr_fft_inverse(fft, re, im);
        for (gsize i = 0; i < n; i++)
            g_assert_cmpfloat(hypot(re[i] - given_re[i], im[i] - given_im[i]), <=,
                              2 * dpcxr_fft_error(fft) * sum);
    }
}

/* Sum of mass (1 - e^(epsilon - loss))+ of what is tilted on a lattice. */
static double hockey_stick(const double *points, gsize n, double first, double spacing, double tilt,
                           double epsilon)
{
    double sum = 0;
    for (gsize i = 0; i < n; i++) {
        double loss = first + (double)i * spacing;
        sum += points[i] * exp(-tilt * loss) * MAX(0, -expm1(epsilon - loss));
    }
    return sum;
}

enum { N = 60 };
static const double spacing = 0.05, first = -1.0;

/* Random atoms, one in each cell, of masses that vary smoothly or wildly. */
typedef struct {
    double mass[N - 1], loss[N - 1], left[N - 1], right[N - 1];
} Atoms;

static void atoms_make(Atoms *atoms, GRand *rand, double tilt, gboolean smooth)
{
    for (int i = 0; i < N - 1; i++) {
        double x = (i - 25) / 9.0, start = first + i * spacing;
        atoms->mass[i] = smooth ? exp(-0.5 * x * x) : exp(g_rand_double_range(rand, -30, 0));
        double fraction = smooth ? 0.5 : g_rand_double(rand);
        atoms->loss[i] = start + fraction * spacing;
        double to_right = expm1(-fraction * spacing) / expm1(-spacing);
        atoms->left[i] = atoms->mass[i] * (1 - to_right) * exp(tilt * start);
        atoms->right[i] = atoms->mass[i] * to_right * exp(tilt * (start + spacing));
    }
}

static double atoms_hockey_stick(const Atoms *atoms, double epsilon)
{
    double sum = 0;
    for (int i = 0; i < N - 1; i++)
        sum += atoms->mass[i] * MAX(0, -expm1(epsilon - atoms->loss[i]));
    return sum;
}

/* delta drawn together <= delta <= delta spread, at every epsilon, wherever the two ends meet. */
static void test_order_of_bounds(void)
{
    GRand *rand = g_rand_new_with_seed(7);
    for (int trial = 0; trial < 400; trial++) {
        double tilt = trial % 3 * 4.0;
        Atoms atoms;
        atoms_make(&atoms, rand, tilt, trial < 10);
        DpcxrLossCells cells = {atoms.left, atoms.right};
        double spread[N] = {0}, contracted[N] = {0}, total = atoms_hockey_stick(&atoms, -50);
        gsize meeting = trial % 2 ? dpcxr_loss_meeting(&cells, N, spacing, tilt)
                                  : (gsize)g_rand_int_range(rand, 0, N - 1);
        dpcxr_loss_spread(spread, &cells, N);
        double imperfection = dpcxr_loss_contract(contracted, &cells, N, meeting, spacing, tilt);
        g_assert_false(isnan(imperfection));
        for (double epsilon = -2; epsilon < 3; epsilon += 0.013) {
            double exact = atoms_hockey_stick(&atoms, epsilon), slack = 1e-13 * (1 + exp(epsilon)) * total;
            double low = hockey_stick(contracted, N, first, spacing, tilt, epsilon);
            double high = hockey_stick(spread, N, first, spacing, tilt, epsilon);
            g_assert_cmpfloat(low, <=, exact + slack);
            g_assert_cmpfloat(high, >=, exact - slack);
            if (trial < 10) /* smooth: second order */
                g_assert_cmpfloat(high - low, <=, 0.02 * spacing * total);
        }
    }
    g_rand_free(rand);
}

static void test_coarsen(void)
{
    GRand *rand = g_rand_new_with_seed(3);
    for (int trial = 0; trial < 200; trial++) {
        double tilt = trial % 3 * 3.0;
        g_autoptr(DpcxrLossLattice) fine = dpcxr_loss_lattice_new(-20 + trial % 2, N);
        double start = (double)fine->first * spacing, total = 0;
        for (gsize i = 0; i < N; i++) {
            double loss = start + (double)i * spacing, mass = exp(g_rand_double_range(rand, -20, 0));
            fine->values[0][i] = fine->values[1][i] = mass * exp(tilt * loss);
            total += mass;
        }
        g_autoptr(DpcxrLossLattice) coarse = dpcxr_loss_coarsen(fine, spacing, tilt);
        for (double epsilon = -2; epsilon < 3; epsilon += 0.017) {
            double exact = hockey_stick(fine->values[0], N, start, spacing, tilt, epsilon);
            double slack = 1e-13 * total * (1 + exp(epsilon)), at = coarse->offset + (double)coarse->first * 2 * spacing;
            g_assert_cmpfloat(hockey_stick(coarse->values[1], coarse->n, at, 2 * spacing, tilt, epsilon), <=,
                              exact + slack);
            g_assert_cmpfloat(hockey_stick(coarse->values[0], coarse->n, at, 2 * spacing, tilt, epsilon), >=,
                              exact - slack);
        }
    }
    g_rand_free(rand);
}

/* a^3 b by FFT and by hand: no further off than `error` says, also where some of it is cut off. */
static void check_compose(double log_tail, gboolean precise)
{
    GRand *rand = g_rand_new_with_seed(5);
    g_autoptr(DpcxrLossLattice) a = dpcxr_loss_lattice_new(-7, 20), b = dpcxr_loss_lattice_new(3, 11);
    DpcxrLossLattice *both[] = {a, b};
    for (int j = 0; j < 2; j++) {
        for (int bound = 0; bound < 2; bound++) {
            double sum = 0;
            for (gsize i = 0; i < both[j]->n; i++)
                sum += both[j]->values[bound][i] = g_rand_double(rand);
            for (gsize i = 0; i < both[j]->n; i++)
                both[j]->values[bound][i] /= sum;
        }
    }
    g_rand_free(rand);
    a->offset = 0.25;
    const DpcxrLossFactor factors[] = {{a, 3}, {b, 1}};
    g_autoptr(DpcxrLossLattice) product = dpcxr_loss_compose(factors, 2, log_tail, 12, precise);
    g_assert_nonnull(product);
    g_assert_cmpfloat(product->offset, ==, 0.75);
    g_assert_cmpfloat(product->error, <, 1e-11 + 4.1 * exp(log_tail));
    g_assert_cmpuint(product->n, <=, log_tail < -50 ? 68 : 60);
    g_assert_null(dpcxr_loss_compose(factors, 2, -60, 3, precise));
    for (int bound = 0; bound < 2; bound++) {
        double by_hand[100] = {1}, next[100], off = 0;
        gsize n = 1;
        for (int k = 0; k < 4; k++) {
            const DpcxrLossLattice *factor = both[k / 3];
            for (gsize i = 0; i < G_N_ELEMENTS(next); i++)
                next[i] = 0;
            for (gsize i = 0; i < n; i++) {
                for (gsize j = 0; j < factor->n; j++)
                    next[i + j] += by_hand[i] * factor->values[bound][j];
            }
            n += factor->n - 1;
            memcpy(by_hand, next, sizeof next);
        }
        for (gsize i = 0; i < product->n; i++) {
            gint64 at = product->first + (gint64)i - (3 * -7 + 3);
            off += fabs(product->values[bound][i] - (at >= 0 && at < 100 ? by_hand[at] : 0));
        }
        g_assert_cmpfloat(off, <=, product->error + 1e-15 + product->relative); /* 1e-15: by hand */
    }
}

static void test_compose(void)
{
    check_compose(-60, FALSE);
    check_compose(-60, TRUE);
    check_compose(-4, FALSE);
    check_compose(-4, TRUE);
}

/* Masses from 1 down to e^-60: by hand, where nothing cancels, each is right to a few digits less than a double has, and
 * so is each by precise transforms. */
static void test_precise(void)
{
    g_autoptr(DpcxrLossLattice) a = dpcxr_loss_lattice_new(-2, 16);
    for (int bound = 0; bound < 2; bound++)
        for (gsize i = 0; i < a->n; i++)
            a->values[bound][i] = exp(-4.0 * (double)i - bound);
    const DpcxrLossFactor factor = {a, 5};
    g_autoptr(DpcxrLossLattice) product = dpcxr_loss_compose(&factor, 1, -200, 12, TRUE);
    g_assert_cmpfloat(product->error, <, 1e-24);
    for (int bound = 0; bound < 2; bound++) {
        double by_hand[80] = {1};
        for (int k = 0; k < 5; k++) {
            double next[80] = {0};
            for (gsize i = 0; i < 80; i++)
                for (gsize j = 0; j < a->n && i + j < 80; j++)
                    next[i + j] += by_hand[i] * a->values[bound][j];
            memcpy(by_hand, next, sizeof next);
        }
        for (gsize i = 0; i < 16; i++) {
            gsize at = (gsize)(-10 + (gint64)i - product->first);
            double value = product->values[bound][at] * exp(product->log_scale); /* the sum is made 1 */
            g_assert_cmpfloat(fabs(value - by_hand[i]), <=, 1e-13 * by_hand[i] + 1e-28);
        }
    }
}

static void test_fft_precise(void)
{
    for (guint k = 1; k <= 11; k++) {
        gsize n = (gsize)1 << k;
        g_autoptr(DpcxrFft) fft = dpcxr_fft_new(k);
        g_autoptr(DpcxrFftPrecise) precise = dpcxr_fft_precise_new(k);
        g_autofree double *re = g_new(double, n), *im = g_new(double, n);
        g_autofree DpcxrComplex2 *x = g_new(DpcxrComplex2, n), *given = g_new(DpcxrComplex2, n);
        double sum = 0;
        for (gsize i = 0; i < n; i++) {
            re[i] = sin((double)(i * i) + 1);
            im[i] = cos(3 * (double)i);
            given[i] = x[i] = (DpcxrComplex2){{re[i], 0}, {im[i], 1e-18 * im[i]}};
            sum += fabs(re[i]) + fabs(im[i]);
        }
        dpcxr_fft_forward(fft, re, im);
        dpcxr_fft_precise_forward(precise, x);
        for (gsize i = 0; i < n; i++)
            g_assert_cmpfloat(hypot(x[i].re.hi - re[i], x[i].im.hi - im[i]), <=, dpcxr_fft_error(fft) * sum);
        dpcxr_fft_precise_inverse(precise, x);
        for (gsize i = 0; i < n; i++) {
            DpcxrComplex2 off = dpcxr_complex2_subtract(x[i], given[i]);
            g_assert_cmpfloat(hypot(off.re.hi, off.im.hi), <=, 2 * dpcxr_fft_precise_error(precise) * sum);
        }
    }
}

/* What the factors were off by is in the product, once for each time they are in it. */
static void test_errors_add_up(void)
{
    g_autoptr(DpcxrLossLattice) a = dpcxr_loss_lattice_new(0, 2), b = dpcxr_loss_lattice_new(0, 2);
    for (int bound = 0; bound < 2; bound++)
        a->values[bound][0] = a->values[bound][1] = b->values[bound][0] = b->values[bound][1] = 0.5;
    a->error = 1e-4;
    b->error = 2e-3;
    a->shift = 1e-9;
    const DpcxrLossFactor factors[] = {{a, 10}, {b, 2}};
    g_autoptr(DpcxrLossLattice) product = dpcxr_loss_compose(factors, 2, -60, 12, FALSE);
    g_assert_cmpfloat(product->error, >=, 5e-3);
    g_assert_cmpfloat(product->error, <=, 5.1e-3);
    g_assert_cmpfloat(product->shift, >=, 1e-8);
    /* and in what is read off: errors of the tilted mass, here not tilted, are as much of delta */
    g_autoptr(DpcxrLossCurve) curve = dpcxr_loss_curve_new(product, 0.1, 0);
    double upper = exp(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_UPPER, 0.5));
    double lower = exp(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_LOWER, 0.5));
    g_assert_cmpfloat_with_epsilon(upper - lower, 2 * product->error, 1e-6);
}

/* A law with everything on it: capped softly, and split. */
static DpcxrLossLaw law_make(double q, double sigma, double tilt)
{
    DpcxrLossLaw law = {.n = 1, .count = 1};
    law.parts[0] = (DpcxrLossPart){.weight = 1, .q = q, .sigma = sigma, .units = 1, .from = -INFINITY, .to = INFINITY};
    dpcxr_loss_law_set_cap(&law, -25, 0.25, tilt);
    law.parts[0].split = 2.5 * sigma;
    law.parts[0].split_fade = 0.25 * sigma;
    return law;
}

/* E[e^(s L)], and of that what is large, by a trapezoidal sum that resolves everything. */
static double complex naive_moment(const DpcxrLossPart *part, double tilt, double y, double complex *large)
{
    double complex sum = 0;
    double step = 2e-5 * part->sigma, s2 = part->sigma * part->sigma;
    *large = 0;
    for (double x = -12 * part->sigma; x < part->to; x += step) {
        double loss = log1p(part->q * expm1((x - 0.5) / s2));
        double mass = exp(-0.5 * x * x / s2 + loss) * step / (part->sigma * sqrt(2 * G_PI));
        mass *= 0.5 * erfc((x - part->cap) / part->fade / G_SQRT2);
        double complex term = mass * cexp(CMPLX(tilt, y) * loss);
        sum += term;
        *large += term * 0.5 * erfc((part->split - x) / part->split_fade / G_SQRT2);
    }
    return sum;
}

static void test_moments(void)
{
    static const double cases[][3] = {{0.01, 1, 12}, {0.3, 2, 5}, {1e-4, 0.6, 4}}, ys[] = {0, 0.7, 11, 90};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        double tilt = cases[i][2];
        DpcxrLossLaw law = law_make(cases[i][0], cases[i][1], tilt);
        for (gsize k = 0; k < G_N_ELEMENTS(ys); k++) {
            g_autoptr(DpcxrLossNodes) nodes = dpcxr_loss_nodes_new(&law, tilt, ys[k], 0, 1 << 20);
            g_assert_nonnull(nodes);
            double complex excess, large, expected_large, expected = naive_moment(&law.parts[0], tilt, ys[k], &expected_large);
            dpcxr_loss_nodes_excesses(nodes, ys[k], 0, 1, &excess, &large);
            double size = 1 + nodes->excess, slack = 1e-9 * size + nodes->beyond; /* 1e-9: of the trapezoidal sum */
            g_assert_cmpfloat(cabs(1 + excess - expected), <=, slack);
            g_assert_cmpfloat(cabs(large - expected_large), <=, slack);
            g_assert_cmpfloat(cabs(large), <=, dpcxr_loss_nodes_large_bound(nodes, ys[k]));
            g_assert_cmpfloat(dpcxr_loss_nodes_rounding(nodes, ys[k]), <=, 1e-10 * size);
        }
    }
}

/* |M| and the large part of it stay below their bounds as frequencies grow, and chunks of points are what single ones are. */
static void test_moment_bounds(void)
{
    DpcxrLossLaw law = law_make(0.01, 1, 12);
    for (double y = 1; y < 3000; y *= 1.7) {
        g_autoptr(DpcxrLossNodes) nodes = dpcxr_loss_nodes_new(&law, 12, y + 1, 0, 1 << 20);
        double complex excess[130], large[130], one;
        dpcxr_loss_nodes_excesses(nodes, y - 1, 2.0 / 129, 130, excess, large);
        for (gsize k = 0; k < 130; k++) {
            double at = y - 1 + 2.0 / 129 * (double)k;
            g_assert_cmpfloat(cabs(1 + excess[k]), <=, nodes->variation / MAX(at, 1e-9));
            g_assert_cmpfloat(cabs(large[k]), <=, dpcxr_loss_nodes_large_bound(nodes, at) + dpcxr_loss_nodes_large_rounding(nodes));
        }
        dpcxr_loss_nodes_excesses(nodes, y - 1 + 2.0 / 129 * 77, 0, 1, &one, NULL);
        g_assert_cmpfloat(cabs(one - excess[77]), <=, 1e-11);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loss/fft", test_fft);
    g_test_add_func("/loss/fft-precise", test_fft_precise);
    g_test_add_func("/loss/precise", test_precise);
    g_test_add_func("/loss/order-of-bounds", test_order_of_bounds);
    g_test_add_func("/loss/coarsen", test_coarsen);
    g_test_add_func("/loss/compose", test_compose);
    g_test_add_func("/loss/errors-add-up", test_errors_add_up);
    g_test_add_func("/loss/moments", test_moments);
    g_test_add_func("/loss/moment-bounds", test_moment_bounds);
    return g_test_run();
}
