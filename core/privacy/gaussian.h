/* SPDX-License-Identifier: MIT
 * Box-Muller in double precision without libm: two 64-bit words become two independent standard normals. Only + - * /
 * and sqrt, never contracted, and no branches: every compiler vectorises it and every processor gives the same bits.
 * Coefficients and their errors: gaussian-coefficients.py; the law of the result: docs/randomness.md. */
#pragma once
#include <glib.h>
#include <string.h>

static inline double dpcxr_gaussian_double(guint64 bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline guint64 dpcxr_gaussian_bits(double value)
{
    guint64 bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* (double)word, rounded once; spelled out because only AVX-512 converts unsigned words as vectors. */
static inline double dpcxr_gaussian_from_word(guint64 word)
{
    double high = dpcxr_gaussian_double(0x4530000000000000 | (word >> 32));         /* 2^84 + 2^32 high */
    double low = dpcxr_gaussian_double(0x4330000000000000 | (word & 0xffffffffu)); /* 2^52 + low */
    return (high - 0x1.00000001p84) + low;
}

/* ln(x / 2^scale) for 1/2 <= x <= 2^scale, both ends with an error below 2 ulp. */
static inline double dpcxr_gaussian_log(double x, int scale)
{
    /* x = 2^k m with m in [sqrt(1/2), sqrt(2)), so that nothing cancels where x is close to 2^scale */
    guint64 bits = dpcxr_gaussian_bits(x);
    guint64 k = (bits - 0x3fd6a09e667f3bcd) >> 52; /* one more than k, which may be -1: stays unsigned */
    double m = dpcxr_gaussian_double(bits - (k << 52) + (G_GUINT64_CONSTANT(1) << 52));
    double exponent = dpcxr_gaussian_double(0x4330000000000000 | k) - (0x1p52 + 1 + scale);
    double s = (m - 1) / (m + 1), z = s * s;
    double p = 0x1.2b584aae78a57p-3;
    p = p * z + 0x1.39fe606542ddep-3;
    p = p * z + 0x1.7462b4ab2ef6bp-3;
    p = p * z + 0x1.c71c62e5800a1p-3;
    p = p * z + 0x1.2492492df148dp-2;
    p = p * z + 0x1.99999999952e2p-2;
    p = p * z + 0x1.5555555555558p-1;
    double log_m = 2 * s + s * z * p;
    return exponent * 0x1.62e42feep-1 + (log_m + exponent * 0x1.a39ef35793c76p-33);
}

/* cos and sin of the angle (word + 1/2 of 2^10) / 2^64 turns, the low 10 bits ignored; error below 2 ulp. Never 0. */
static inline void dpcxr_gaussian_cos_sin(guint64 word, double *cosine, double *sine)
{
    guint64 shifted = word + (G_GUINT64_CONSTANT(1) << 61); /* quadrants centred on the axes */
    guint64 quadrant = shifted >> 62;
    guint64 fraction = (shifted & ((G_GUINT64_CONSTANT(1) << 62) - 1)) >> 10;
    double y = dpcxr_gaussian_double(0x4330000000000000 | fraction) - (0x1p52 + 0x1p51);
    y = (y + 0.5) * 0x1p-54; /* exact; |y| < 1/8 turn */
    double z = y * y;
    double s = 0x1.e3f38399551bfp+1;
    s = s * z + -0x1.e30071afc3e59p+3;
    s = s * z + 0x1.50782fda12d96p+5;
    s = s * z + -0x1.32d2cce2e5b19p+6;
    s = s * z + 0x1.466bc677587f8p+6;
    s = s * z + -0x1.4abbce625be41p+5;
    s = s * z + 0x1.921fb54442d18p+2;
    s = s * y;
    double c = -0x1.b2f3eb054afcdp+0;
    c = c * z + 0x1.f9ce245cada0bp+2;
    c = c * z + -0x1.a6d1eef479be1p+4;
    c = c * z + 0x1.e1f5068688d5bp+5;
    c = c * z + -0x1.55d3c7e3cb241p+6;
    c = c * z + 0x1.03c1f081b5ac0p+6;
    c = c * z + -0x1.3bd3cc9be45dep+4;
    c = c * z + 1;
    guint64 swap = -(quadrant & 1), s_bits = dpcxr_gaussian_bits(s), c_bits = dpcxr_gaussian_bits(c);
    guint64 difference = (s_bits ^ c_bits) & swap;
    *cosine = dpcxr_gaussian_double(c_bits ^ difference ^ (((quadrant + 1) & 2) << 62));
    *sine = dpcxr_gaussian_double(s_bits ^ difference ^ ((quadrant & 2) << 62));
}

/* z0 and z1 with radius sqrt(-2 ln(x / 2^scale)). */
static inline void dpcxr_gaussian_polar(double x, int scale, guint64 angle, double *z0, double *z1)
{
    double cosine, sine, radius = __builtin_sqrt(-2 * dpcxr_gaussian_log(x, scale));
    dpcxr_gaussian_cos_sin(angle, &cosine, &sine);
    *z0 = radius * cosine;
    *z1 = radius * sine;
}

/* Whether 64 bits are too few for this radius: one pair in 2^32, beyond 6.66 standard deviations. */
static inline gboolean dpcxr_gaussian_is_tail(guint64 radius)
{
    return radius >> 32 == 0;
}

/* Two normals from a radius word that is no tail. Meaningless, but harmless, for a tail. */
static inline void dpcxr_gaussian_pair(guint64 radius, guint64 angle, double *z0, double *z1)
{
    dpcxr_gaussian_polar(dpcxr_gaussian_from_word(radius) + 0.5, 64, angle, z0, z1);
}

/* Two normals from a radius of 128 bits: reaches sqrt(258 ln 2) = 13.37 standard deviations. */
static inline void dpcxr_gaussian_tail_pair(guint64 radius, guint64 tail, guint64 angle, double *z0, double *z1)
{
    double x = dpcxr_gaussian_from_word(radius) * 0x1p64 + dpcxr_gaussian_from_word(tail) + 0.5;
    dpcxr_gaussian_polar(x, 128, angle, z0, z1);
}
