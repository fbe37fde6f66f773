/* SPDX-License-Identifier: MIT
 * Clipping coefficients. The inequality c^2 n2 <= C^2 is decided exactly, with the rounding errors of both
 * products, so that the bound holds for the numbers the backend gets, not only for the ones on paper. */
#include "privacy/clip.h"

#include <math.h>

/* a * b as an unevaluated sum: high = round(a * b), low = the rest, exact while nothing underflows. */
typedef struct {
    double high, low;
} Product;

static Product product(double a, double b)
{
    double high = a * b;
    return (Product){high, fma(a, b, -high)};
}

/* c * sqrt(n2) <= C, exactly: a float's square is exact in double. */
static gboolean fits(float c, double n2, double clip_norm)
{
    Product left = product((double)c * c, n2), right = product(clip_norm, clip_norm);
    return left.high < right.high || (left.high == right.high && left.low <= right.low);
}

static float coefficient(double n2, double clip_norm)
{
    if (fits(1, n2, clip_norm))
        return 1;
    /* The double quotient is off by 2^-52 of itself, half a step of a float is 2^-25: this is the largest
     * float that fits, or the next one. */
    float c = (float)MIN(1, clip_norm / sqrt(n2));
    while (!fits(c, n2, clip_norm))
        c = nextafterf(c, 0);
    return c;
}

/* The unit's squared norm over all parameters, an upper bound of the exact sum. NaN or infinite where any
 * term is NaN, infinite, or negative: a squared norm that is negative is a broken bound, not a small
 * gradient. */
static double sum_up(const double *norms2, int parameters, int units, int unit)
{
    double sum = 0;
    for (int p = 0; p < parameters; p++) {
        double term = norms2[(gsize)p * (gsize)units + (gsize)unit];
        if (!(term >= 0))
            return NAN;
        double next = sum + term, part = next - sum;
        double lost = (sum - (next - part)) + (term - part); /* Knuth's two-sum: exact */
        sum = lost > 0 ? nextafter(next, INFINITY) : next;
    }
    return sum;
}

int dpcxr_clip_flat(const double *norms2, int parameters, int units, double clip_norm, float *coefficients)
{
    if (!(clip_norm >= DPCXR_CLIP_NORM_MIN && clip_norm <= DPCXR_CLIP_NORM_MAX))
        g_error("clipping: norm %g", clip_norm);
    int skipped = 0;
    for (int u = 0; u < units; u++) {
        double n2 = sum_up(norms2, parameters, units, u);
        gboolean usable = isfinite(n2);
        coefficients[u] = usable ? coefficient(n2, clip_norm) : 0;
        skipped += usable ? 0 : 1;
    }
    return skipped;
}
