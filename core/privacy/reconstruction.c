/* SPDX-License-Identifier: MIT
 * The success of a reconstruction is at most B(kappa) = sup of P(E) over events E with Q(E) <= kappa, and that is, for
 * every tau, at most
 *
 *     e^tau kappa + E[(1 - e^(tau - L))+],   L = log(dP/dQ) drawn from P,
 *
 * with equality at the best tau (Neyman & Pearson). The mean is one of numbers in [0, 1], so a sample gives a rigorous
 * limit. One sample chooses tau, another one, which knows nothing of it, gives the mean. */
#include "privacy/reconstruction.h"
#include "privacy/attack.h"
#include "privacy/loss/sample.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

#define SAMPLES_MAX 1000000
#define SAMPLES_MIN 10000 /* with fewer, the limit is too wide to say anything */
#define PILOT_PART 4      /* one quarter chooses tau */
#define SEED 20230707
#define ROUND_UP (1 + 64 * DBL_EPSILON)

static int falling(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x > y ? -1 : x < y;
}

/* The threshold that Q exceeds with probability @prior; Q is the sample, from P, with weights e^-L. @losses fall. */
static double choose_threshold(const double *losses, gsize n, double prior)
{
    double weight = 0;
    for (gsize i = 0; i < n; i++) {
        weight += exp(-losses[i]) / (double)n;
        if (weight >= prior)
            return losses[i];
    }
    return losses[n - 1];
}

/* Maurer & Pontil 2009 (arXiv:0907.3740), Theorem 4: of n independent numbers in [0, 1] with mean m and sample variance v,
 * the expectation is above m + sqrt(2 v log(2/a) / n) + 7 log(2/a) / (3 (n - 1)) with probability at most a. */
static double mean_limit(const double *losses, gsize n, double threshold, double alpha)
{
    double sum = 0, squares = 0, count = (double)n;
    for (gsize i = 0; i < n; i++) {
        double value = losses[i] > threshold ? -expm1(threshold - losses[i]) : 0;
        sum += value;
        squares += value * value;
    }
    double mean = sum / count, variance = MAX(0, squares - sum * mean) / (count - 1) + count * DBL_EPSILON;
    double log_term = log(2 / alpha);
    return mean * (1 + count * DBL_EPSILON) + sqrt(2 * variance * log_term / count) +
           7 * log_term / (3 * (count - 1));
}

static void sample_limits(const double *pilot, gsize n_pilot, const double *losses, gsize n_losses,
                          DpcxrReconstruction *bounds, gsize n)
{
    double alpha = (1 - DPCXR_RECONSTRUCTION_CONFIDENCE) / (double)n;
    for (gsize i = 0; i < n; i++) {
        double threshold = choose_threshold(pilot, n_pilot, bounds[i].prior);
        double limit = exp(threshold) * bounds[i].prior + mean_limit(losses, n_losses, threshold, alpha);
        bounds[i].by_samples = CLAMP(limit * ROUND_UP, bounds[i].prior, 1);
        bounds[i].at_most = MIN(bounds[i].at_most, bounds[i].by_samples);
    }
}

void dpcxr_reconstruction_sample(const DpcxrMechanism *mechanism, guint64 budget, DpcxrReconstruction *bounds,
                                 gsize n, DpcxrReconstructionSampling *sampling)
{
    guint64 samples = MIN(budget / dpcxr_loss_sample_cost(mechanism), SAMPLES_MAX);
    for (gsize i = 0; i < n; i++)
        bounds[i].by_samples = NAN;
    *sampling = (DpcxrReconstructionSampling){0, NULL};
    if (!dpcxr_loss_sample_covers(mechanism, NULL))
        sampling->none = "losses of this sampler and adjacency are not drawn";
    else if (samples < SAMPLES_MIN)
        sampling->none = "so many steps would take too long to draw";
    if (sampling->none)
        return;
    sampling->samples = samples;
    gsize n_pilot = (gsize)samples / PILOT_PART, n_losses = (gsize)samples - n_pilot;
    g_autofree double *losses = g_new(double, samples);
    dpcxr_loss_sample(mechanism, SEED, 0, losses, n_pilot);
    qsort(losses, n_pilot, sizeof *losses, falling);
    dpcxr_loss_sample(mechanism, SEED, 1, losses + n_pilot, n_losses);
    sample_limits(losses, n_pilot, losses + n_pilot, n_losses, bounds, n);
}

gboolean dpcxr_reconstruction_bounds(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism,
                                     guint64 budget, DpcxrReconstruction *bounds, gsize n,
                                     DpcxrReconstructionSampling *sampling, GError **error)
{
    g_autofree double *priors = g_new(double, n), *rates = g_new(double, n);
    for (gsize i = 0; i < n; i++) {
        priors[i] = bounds[i].prior;
        if (priors[i] > 0 && priors[i] < 1)
            continue;
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
            "the probability of a reconstruction without the release is %g; it has to be above 0 and below 1",
            priors[i]);
        return FALSE;
    }
    if (!dpcxr_attack_true_positive_rates(accountant, mechanism, priors, n, rates, error))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        bounds[i].at_most = bounds[i].by_curve = rates[i];
    dpcxr_reconstruction_sample(mechanism, budget, bounds, n, sampling);
    return TRUE;
}
