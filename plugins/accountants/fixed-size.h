/* SPDX-License-Identifier: MIT
 * Moments of the Gaussian mechanism on samples of a fixed size without replacement. With X = 1 - q + q e^u, u the privacy
 * loss without sampling, and Q = N(0, sigma^2),
 *
 *     E[(M(D) / M(D'))^a] <= 1 + E_Q[(X^a - 1)(1 - X^(1-a)); X > 1]                                            (1)
 *                         <= 1 + 2 (A - 1),  A that of the Poisson sample with the same rate.                  (2)
 *
 * docs/accounting.md derives both from Balle, Barthe & Gaboardi 2018, Theorem 9. */
#pragma once
#include <float.h>
#include <glib.h>
#include <math.h>

#define FIXED_SIZE_PANELS 600 /* where (1) would need more, (2) is as good: X is huge there */
#define FIXED_SIZE_SLACK 1e-9 /* relative; its quadrature is better than 1e-12 */

/* log X at z = 1/2 + s. */
static inline double fixed_size_loss(double q, double sigma, double s)
{
    double u = s / (sigma * sigma);
    return u > 30 ? log(q) + u + log1p((1 - q) / q * exp(-u)) : log1p(q * expm1(u));
}

/* log of the integrand of (1) at z = 1/2 + s, s > 0, without the normalising constant of the density. */
static inline double fixed_size_log_term(double q, double sigma, double alpha, double s)
{
    double z = 0.5 + s, loss = fixed_size_loss(q, sigma, s);
    if (!(loss > 0))
        return -INFINITY;
    return alpha * loss + log(-expm1(-alpha * loss)) + log(-expm1((1 - alpha) * loss)) -
           0.5 * (z / sigma) * (z / sigma);
}

/* Adds e^log_term to a sum that is kept as e^*max times *sum. */
static inline void fixed_size_add(double log_term, double *max, double *sum)
{
    if (log_term > *max) {
        *sum = *sum * exp(*max - log_term) + 1;
        *max = log_term;
    } else if (log_term > -INFINITY) {
        *sum += exp(log_term - *max);
    }
}

/* log of the right side of (1) minus 1, rounded upward; INFINITY where it is left to (2). Gauss-Legendre with
 * 8 nodes on panels on which u changes by at most 1 and z by at most sigma / 2: the integrand is analytic for
 * |Im u| < pi. */
static inline double fixed_size_log_excess(double q, double sigma, double alpha)
{
    static const double nodes[4][2] = {{0.18343464249564980, 0.36268378337836198},
                                       {0.52553240991632899, 0.31370664587788729},
                                       {0.79666647741362674, 0.22238103445337447},
                                       {0.96028985649753623, 0.10122853629037626}};
    double width = sigma * MIN(0.5, sigma), end = alpha + 12 * sigma, max = -INFINITY, sum = 0;
    if (!(end < width * FIXED_SIZE_PANELS))
        return INFINITY;
    for (double low = 0; low < end; low += width) {
        for (int i = 0; i < 8; i++) {
            double x = (i % 2 ? 1 : -1) * nodes[i / 2][0];
            double term = fixed_size_log_term(q, sigma, alpha, low + width / 2 * (1 + x));
            fixed_size_add(term + log(nodes[i / 2][1]), &max, &sum);
        }
    }
    /* Beyond, X is at most e^u times what it is of it at the end; e^(a u) there has a share of Q(12) < 2e-33. */
    double share = fixed_size_loss(q, sigma, end) - end / (sigma * sigma);
    double rest = alpha * share + alpha * (alpha - 1) / (2 * sigma * sigma) + log(4e-33);
    double body = max + log(sum) + log(width / 2) - log(sigma * sqrt(2 * G_PI)) + FIXED_SIZE_SLACK;
    return MAX(body, rest) + log1p(exp(-fabs(body - rest)));
}

/* log(1 + e^x) */
static inline double fixed_size_log_plus_one(double x)
{
    return x > 36 ? x + exp(-x) : log1p(exp(x));
}

/* log of the moment at @alpha > 1 of a step that takes the part @q in (0, 1) of all units, @sigma the noise
 * over what exchanging a unit moves the sum by; rounded upward. @poisson: log A. */
static inline double fixed_size_log_moment(double q, double sigma, double alpha, double poisson)
{
    double twice = poisson < 1 ? log1p(2 * expm1(poisson)) : poisson + log(2 - exp(-poisson));
    return MIN(twice, fixed_size_log_plus_one(fixed_size_log_excess(q, sigma, alpha))) *
           (1 + 16 * DBL_EPSILON);
}
