/* SPDX-License-Identifier: MIT
 * Numbers of twice the precision of a double, as unevaluated sums of two (Dekker 1971; Joldes, Muller & Popescu 2017):
 * for the few sums whose terms cancel to less than a double can tell. Needs arithmetic that is neither contracted nor
 * reordered, as this project is compiled. Infinities and NaN do not survive. */
#pragma once
#include <math.h>

/* hi + lo, |lo| <= ulp(hi) / 2 */
typedef struct {
    double hi, lo;
} DpcxrDouble2;

#define DPCXR_DOUBLE2_ROUNDOFF 0x1p-104 /* relative error of every function below is at most 4 times that */

static inline DpcxrDouble2 dpcxr_double2(double x)
{
    return (DpcxrDouble2){x, 0};
}

/* a + b exactly, |a| >= |b| or a = 0 */
static inline DpcxrDouble2 dpcxr_double2_quick_sum(double a, double b)
{
    double s = a + b;
    return (DpcxrDouble2){s, b - (s - a)};
}

/* a + b exactly */
static inline DpcxrDouble2 dpcxr_double2_exact_sum(double a, double b)
{
    double s = a + b, t = s - a;
    return (DpcxrDouble2){s, (a - (s - t)) + (b - t)};
}

/* a b exactly, |a| and |b| below 2^970, the product not below 2^-960 (or 0) */
static inline DpcxrDouble2 dpcxr_double2_exact_product(double a, double b)
{
    const double split = 0x1p27 + 1;
    double p = a * b, t = split * a, a1 = t - (t - a), a2 = a - a1;
    t = split * b;
    double b1 = t - (t - b), b2 = b - b1;
    return (DpcxrDouble2){p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2};
}

static inline DpcxrDouble2 dpcxr_double2_add(DpcxrDouble2 a, DpcxrDouble2 b)
{
    DpcxrDouble2 s = dpcxr_double2_exact_sum(a.hi, b.hi), t = dpcxr_double2_exact_sum(a.lo, b.lo);
    s = dpcxr_double2_quick_sum(s.hi, s.lo + t.hi);
    return dpcxr_double2_quick_sum(s.hi, s.lo + t.lo);
}

static inline DpcxrDouble2 dpcxr_double2_negative(DpcxrDouble2 a)
{
    return (DpcxrDouble2){-a.hi, -a.lo};
}

static inline DpcxrDouble2 dpcxr_double2_subtract(DpcxrDouble2 a, DpcxrDouble2 b)
{
    return dpcxr_double2_add(a, dpcxr_double2_negative(b));
}

static inline DpcxrDouble2 dpcxr_double2_multiply(DpcxrDouble2 a, DpcxrDouble2 b)
{
    DpcxrDouble2 p = dpcxr_double2_exact_product(a.hi, b.hi);
    return dpcxr_double2_quick_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

/* b not 0 */
static inline DpcxrDouble2 dpcxr_double2_divide(DpcxrDouble2 a, DpcxrDouble2 b)
{
    double q1 = a.hi / b.hi;
    DpcxrDouble2 rest = dpcxr_double2_subtract(a, dpcxr_double2_multiply(dpcxr_double2(q1), b));
    double q2 = rest.hi / b.hi;
    rest = dpcxr_double2_subtract(rest, dpcxr_double2_multiply(dpcxr_double2(q2), b));
    return dpcxr_double2_add(dpcxr_double2_quick_sum(q1, q2), dpcxr_double2(rest.hi / b.hi));
}

/* a > 0 */
static inline DpcxrDouble2 dpcxr_double2_sqrt(DpcxrDouble2 a)
{
    double root = sqrt(a.hi);
    DpcxrDouble2 rest = dpcxr_double2_subtract(a, dpcxr_double2_exact_product(root, root));
    double next = rest.hi / (2 * root);
    DpcxrDouble2 better = dpcxr_double2_quick_sum(root, next);
    rest = dpcxr_double2_subtract(a, dpcxr_double2_multiply(better, better));
    return dpcxr_double2_add(better, dpcxr_double2(rest.hi / (2 * root)));
}

typedef struct {
    DpcxrDouble2 re, im;
} DpcxrComplex2;

static inline DpcxrComplex2 dpcxr_complex2_add(DpcxrComplex2 a, DpcxrComplex2 b)
{
    return (DpcxrComplex2){dpcxr_double2_add(a.re, b.re), dpcxr_double2_add(a.im, b.im)};
}

static inline DpcxrComplex2 dpcxr_complex2_subtract(DpcxrComplex2 a, DpcxrComplex2 b)
{
    return (DpcxrComplex2){dpcxr_double2_subtract(a.re, b.re), dpcxr_double2_subtract(a.im, b.im)};
}

static inline DpcxrComplex2 dpcxr_complex2_conjugate(DpcxrComplex2 a)
{
    return (DpcxrComplex2){a.re, dpcxr_double2_negative(a.im)};
}

static inline DpcxrComplex2 dpcxr_complex2_multiply(DpcxrComplex2 a, DpcxrComplex2 b)
{
    return (DpcxrComplex2){
        dpcxr_double2_subtract(dpcxr_double2_multiply(a.re, b.re), dpcxr_double2_multiply(a.im, b.im)),
        dpcxr_double2_add(dpcxr_double2_multiply(a.re, b.im), dpcxr_double2_multiply(a.im, b.re))};
}
