/* SPDX-License-Identifier: MIT
 * Vectors as wide as the instruction set this file is compiled for, in the vector extension of GCC and Clang.
 * Every kernel is compiled once per instruction set (meson.build); which one runs is decided when a program
 * is compiled. */
#pragma once
#include <glib.h>
#include <string.h>
#ifdef DPCXR_CPU_BF16
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif

#define INLINE static inline __attribute__((always_inline))

/* The name of a kernel in this instruction set's copy: KERNEL(gram) is dpcxr_cpu_gram_avx2. */
#define KERNEL_PASTE(name, isa) dpcxr_cpu_##name##_##isa
#define KERNEL_EXPAND(name, isa) KERNEL_PASTE(name, isa)
#define KERNEL(name) KERNEL_EXPAND(name, DPCXR_CPU_ISA)

typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef gint32 Ints __attribute__((vector_size(4 * LANES)));
typedef double Doubles __attribute__((vector_size(8 * LANES)));
typedef float UnalignedFloats __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* @n lanes from @p, the others 0. @n is LANES in all loops but their tails. */
INLINE Floats load(const float *p, int n)
{
    if (n == LANES)
        return *(const UnalignedFloats *)p;
    Floats v = {0};
    memcpy(&v, p, (gsize)n * sizeof(float));
    return v;
}

INLINE void store(float *p, Floats v, int n)
{
    if (n == LANES)
        *(UnalignedFloats *)p = v;
    else
        memcpy(p, &v, (gsize)n * sizeof(float));
}

/* What the tensors of this copy's rows consist of. Arithmetic is in f32 with either; a store of bf16 rounds to nearest
 * even, and denormal numbers to zero. */
#ifdef DPCXR_CPU_BF16
typedef guint16 Element;
typedef guint16 Halves __attribute__((vector_size(2 * LANES)));
typedef guint16 UnalignedHalves __attribute__((vector_size(2 * LANES), aligned(2), may_alias));

INLINE Floats load_elements(const Element *p, int n)
{
    Halves v = {0};
    if (n == LANES)
        v = *(const UnalignedHalves *)p;
    else
        memcpy(&v, p, (gsize)n * sizeof *p);
    return (Floats)(__builtin_convertvector(v, Ints) << 16);
}

INLINE void store_elements(Element *p, Floats v, int n)
{
    Halves halves = (Halves)_mm512_cvtneps_pbh((__m512)v);
    if (n == LANES)
        *(UnalignedHalves *)p = halves;
    else
        memcpy(p, &halves, (gsize)n * sizeof *p);
}
#else
typedef float Element;

INLINE Floats load_elements(const Element *p, int n)
{
    return load(p, n);
}

INLINE void store_elements(Element *p, Floats v, int n)
{
    store(p, v, n);
}
#endif

INLINE Floats splat(float value)
{
    return value - (Floats){0};
}

INLINE Floats choose(Ints mask, Floats yes, Floats no)
{
    return (Floats)((mask & (Ints)yes) | (~mask & (Ints)no));
}

/* Neighbouring lanes of a and b added: (a0 + a1, a2 + a3, .., b0 + b1, ..). log2(LANES) rounds of it over
 * LANES vectors leave the sums of all of them in one, in order. */
INLINE Floats add_neighbours(Floats a, Floats b)
{
#if LANES == 16
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif LANES == 8
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
    return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

INLINE double sum_doubles(Doubles v)
{
    double sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += v[i];
    return sum;
}

/* e^x for -87 <= x <= 88, to about 1 ulp: x = k ln 2 + r, and a polynomial for e^r (Cephes, expf). NaN in,
 * anything out: callers multiply by x again. */
INLINE Floats exponential(Floats x)
{
    const float round_to_integer = 0x1.8p23f;
    Floats k = x * 0x1.715476p+0f + round_to_integer - round_to_integer;
    Floats r = x - k * 0x1.63p-1f;
    r = r + k * 0x1.bd0106p-13f;
    Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    Ints exponent = (__builtin_convertvector(k, Ints) + 127) << 23;
    return p * (Floats)exponent;
}
