/* SPDX-License-Identifier: MIT
 * The start-up test of the noise. Its limits are proven bounds, not sigmas read off a bell curve: a good
 * generator fails with probability below 4e-11 in all. tests/golden/noise-self-test.py derives every number;
 * docs/randomness.md lists them. */
#include "privacy/noise.h"
#include <math.h>

#define N DPCXR_NOISE_TEST_SAMPLES
#define MEAN_LIMIT 0.00665       /* 6.8 / sqrt(N) */
#define VARIANCE_LIMIT 0.01      /* chi-square bound of Laurent and Massart */
#define FOURTH_LIMIT 0.15        /* Bernstein's inequality with |z| <= 9 */
#define CORRELATION_LIMIT 0.0105 /* Chernoff bound on products of two normals */
#define DISTANCE_LIMIT 0.0036    /* Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant */
#define BINS_PER_SIGMA 16
#define BIN_SIGMAS 4
#define BINS (2 * BIN_SIGMAS * BINS_PER_SIGMA + 2) /* the outer two are open */

/* How many of N samples are beyond `beyond`: exact binomial, each side below 1e-12. */
static const struct {
    double beyond;
    int least, most;
} tails[] = {{3, 2465, 3213}, {4, 18, 131}, {5, 0, 12}, {6, 0, 3}};

typedef struct {
    double mean, variance, fourth, correlation, distance;
    int beyond[G_N_ELEMENTS(tails)];
} NoiseStatistics;

static int bin_of(double z)
{
    double bin = floor((z + BIN_SIGMAS) * BINS_PER_SIGMA) + 1;
    return bin < 0 ? 0 : bin > BINS - 1 ? BINS - 1 : (int)bin;
}

/* Largest distance of the empirical law from the normal one, over the edges of the bins. */
static double kolmogorov_distance(const int *bins)
{
    double distance = 0;
    gint64 below = 0;
    for (int i = 0; i < BINS - 1; i++) {
        double edge = (double)i / BINS_PER_SIGMA - BIN_SIGMAS;
        below += bins[i];
        distance = MAX(distance, fabs((double)below / N - 0.5 * erfc(-edge * G_SQRT2 / 2)));
    }
    return distance;
}

/* FALSE where a sample is not finite. */
static gboolean measure(const float *samples, NoiseStatistics *statistics)
{
    NoiseStatistics s = {0};
    int bins[BINS] = {0};
    for (int i = 0; i < N; i++) {
        double z = samples[i], z2 = z * z;
        if (!isfinite(z))
            return FALSE;
        s.mean += z / N;
        s.variance += z2 / N;
        s.fourth += z2 * z2 / N;
        if (i < N / 2)
            s.correlation += z * samples[i + N / 2] / (N / 2);
        bins[bin_of(z)]++;
        for (gsize t = 0; t < G_N_ELEMENTS(tails) && fabs(z) > tails[t].beyond; t++)
            s.beyond[t]++;
    }
    s.distance = kolmogorov_distance(bins);
    *statistics = s;
    return TRUE;
}

static gboolean expect(const char *what, double value, double wanted, double limit, GError **error)
{
    if (fabs(value - wanted) <= limit)
        return TRUE;
    g_set_error(
        error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
        "noise self-test: %s is %.6g where a normal law has %g (at most %g off): the noise would not be what "
        "is accounted, so nothing was trained",
        what, value, wanted, limit);
    return FALSE;
}

static gboolean expect_tails(const NoiseStatistics *s, GError **error)
{
    for (gsize t = 0; t < G_N_ELEMENTS(tails); t++) {
        if (s->beyond[t] >= tails[t].least && s->beyond[t] <= tails[t].most)
            continue;
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "noise self-test: %d of %d samples are beyond %g standard deviations where a normal law "
                    "has %d to "
                    "%d: the noise would not be what is accounted, so nothing was trained",
                    s->beyond[t], N, tails[t].beyond, tails[t].least, tails[t].most);
        return FALSE;
    }
    return TRUE;
}

gboolean dpcxr_noise_check(const float *samples, GError **error)
{
    NoiseStatistics s;
    if (!measure(samples, &s)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "noise self-test: a sample is not finite");
        return FALSE;
    }
    return expect("the variance", s.variance, 1, VARIANCE_LIMIT, error) &&
           expect("the mean", s.mean, 0, MEAN_LIMIT, error) &&
           expect("the fourth moment", s.fourth, 3, FOURTH_LIMIT, error) && expect_tails(&s, error) &&
           expect("the correlation of the halves", s.correlation, 0, CORRELATION_LIMIT, error) &&
           expect("the distance of the distribution function", s.distance, 0, DISTANCE_LIMIT, error);
}

gboolean dpcxr_noise_self_test(const DpcxrSecret *secret, GError **error)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_SELF_TEST, 0, 0, 0};
    const double std =
        0.5; /* not 1: the scaling is part of what is tested; a power of two divides out exactly */
    g_autofree float *samples = g_new(float, N);
    dpcxr_noise_fill(secret, &address, std, samples, N, NULL);
    for (int i = 0; i < N; i++)
        samples[i] = (float)(samples[i] / std);
    return dpcxr_noise_check(samples, error);
}
