/* SPDX-License-Identifier: MIT
 * From laws to bounds: choose a tilt near the saddle point and a spacing fine enough for it, compose, read off; and again
 * with less of whatever made the interval wide. */
#include "privacy/loss/bounds.h"
#include <float.h>
#include <math.h>
#include "privacy/loss/curve.h"
#include "privacy/loss/law-lattice.h"
#include "privacy/loss/levels.h"

#define LOG_TAIL -17.0 /* of the tilted mass cut off in all, where delta is about what the moment bound says */
#define LOG_TAIL_LEAST -100.0
#define PASSES 8
#define SHARE 0.03  /* times accuracy: of delta, what rounding of transforms and tails may each come to */
#define CAPPED 3e-5 /* of delta: what losses beyond the caps may come to */

/* What is asked about one direction of a mechanism. */
typedef struct {
    GArray *laws;
    double total;     /* number of steps */
    double log_delta; /* given, where epsilon is wanted */
    double epsilon;   /* given, where delta is wanted; else NAN */
    double log_beyond; /* of the probability that any step has a loss beyond its cap, at most */
} Question;

static double log_add(double a, double b)
{
    double most = MAX(a, b);
    return most == -INFINITY ? most : most + log1p(exp(MIN(a, b) - most));
}

/* Leaves out losses that are as rare as to weigh little against a delta of e^@log_delta. */
static void set_caps(Question *question, double log_delta)
{
    question->log_beyond = log_delta + log(CAPPED);
    for (guint i = 0; i < question->laws->len; i++)
        dpcxr_loss_law_set_cap(&g_array_index(question->laws, DpcxrLossLaw, i),
                               question->log_beyond - log(question->total), 0, 0);
}

static double log_moment(const Question *question, double tilt)
{
    double sum = 0;
    for (guint i = 0; i < question->laws->len; i++) {
        const DpcxrLossLaw *law = &g_array_index(question->laws, DpcxrLossLaw, i);
        sum += (double)law->count * dpcxr_loss_law_log_moment(law, tilt);
    }
    return sum;
}

/* What the moment bound delta <= e^(K(t) - t epsilon) (t/(1+t))^t / (1+t) says: epsilon or log delta. The
 * best tilt for it is near the saddle point. */
static double moment_bound(const Question *question, double tilt)
{
    double k = log_moment(question, tilt) - tilt * log1p(1 / tilt) - log1p(tilt);
    if (!isnan(question->epsilon))
        return k - tilt * question->epsilon;
    return (k - question->log_delta) / tilt;
}

static double best_tilt(const Question *question, double *bound)
{
    double best = INFINITY, at = log(1e-7), spacing = G_LN2;
    int worse = 0;
    for (double t = log(1e-7); t < log(1e6) && worse < 3; t += spacing) {
        double value = moment_bound(question, exp(t));
        worse = value < best ? 0 : worse + 1;
        if (value < best) {
            best = value;
            at = t;
        }
    }
    for (int i = 0; i < 5; i++) {
        spacing /= 2;
        for (int side = -1; side <= 1; side += 2) {
            double value = moment_bound(question, exp(at + side * spacing));
            if (value < best) {
                best = value;
                at += side * spacing;
                break;
            }
        }
    }
    *bound = best;
    return exp(at);
}

/* Lower and upper end so far; a further pass can only bring them closer. */
typedef struct {
    double lower, upper;
} Range;

/* Log of how much of delta the errors of a pass came to. */
typedef struct {
    double rounding, tails;
} Shares;

/* Brings @range closer. */
static Shares ask(const Question *question, const DpcxrLossPass *pass, Range *range)
{
    double spacing;
    g_autoptr(DpcxrLossLattice) lattice = dpcxr_loss_levels(question->laws, pass, &spacing);
    if (!lattice)
        return (Shares){-INFINITY, -INFINITY};
    g_autoptr(DpcxrLossCurve) curve = dpcxr_loss_curve_new(lattice, spacing, pass->tilt);
    double upper, lower;
    gboolean is_epsilon = isnan(question->epsilon);
    if (is_epsilon) {
        double without = question->log_delta + log1p(-exp(question->log_beyond - question->log_delta));
        upper = dpcxr_loss_curve_epsilon(curve, DPCXR_LOSS_UPPER, without - 4 * DBL_EPSILON);
        lower = dpcxr_loss_curve_epsilon(curve, DPCXR_LOSS_LOWER, question->log_delta);
    } else {
        upper = dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_UPPER, question->epsilon);
        upper = log_add(upper, question->log_beyond) + 4 * DBL_EPSILON;
        lower = dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_LOWER, question->epsilon);
    }
    if (upper < range->upper)
        range->upper = upper;
    if (lower > range->lower)
        range->lower = lower;
    double epsilon = is_epsilon ? range->upper : question->epsilon;
    double log_delta = is_epsilon ? question->log_delta : range->upper;
    double scale = lattice->log_scale - log1p(pass->tilt) - pass->tilt * epsilon - log_delta;
    return (Shares){log(lattice->rounding) + scale, log(lattice->error - lattice->rounding) + scale};
}

/* For the next pass: less of what made the last interval wide. @most: log of the share of delta that an error may come to. */
static void refine(DpcxrLossPass *pass, Shares shares, double most)
{
    if (!(shares.rounding > most || shares.tails > most))
        pass->variance /= 3;
    if (shares.rounding > most)
        pass->precise = TRUE;
    if (shares.tails > most)
        pass->log_tail = MAX(LOG_TAIL_LEAST, pass->log_tail - (shares.tails - most) - 2);
}

/* Whether a pass brought little, although transforms were precise already: memory sets the limit then. */
static gboolean is_stuck(const Range *range, double *width, const DpcxrLossPass *pass)
{
    double before = *width;
    *width = range->upper - range->lower;
    return pass->precise && *width > 0.7 * before;
}

static void find_epsilon(Question *question, double accuracy, Range *range)
{
    set_caps(question, question->log_delta);
    double bound, tilt = best_tilt(question, &bound), scale = MAX(0.5 * bound, 1e-3);
    DpcxrLossPass pass = {.tilt = tilt, .variance = 0.6 * accuracy * scale / (1 + tilt), .log_tail = LOG_TAIL};
    *range = (Range){0, INFINITY};
    double width = INFINITY;
    for (int i = 0; i < PASSES; i++) {
        Shares shares = ask(question, &pass, range);
        if (!(range->upper - range->lower > accuracy * MAX(range->upper, 1e-6)) || !isfinite(range->upper) ||
            is_stuck(range, &width, &pass))
            return;
        refine(&pass, shares, log(SHARE * accuracy * MAX(1, pass.tilt * range->upper)));
        Question at = *question;
        at.epsilon = range->upper;
        pass.tilt = best_tilt(&at, &bound);
        pass.variance *= MAX(at.epsilon, 1e-4) / scale * (1 + tilt) / (1 + pass.tilt);
        scale = MAX(at.epsilon, 1e-4);
        tilt = pass.tilt;
    }
}

static void find_log_delta(Question *question, double accuracy, Range *range)
{
    double bound, part = 0.5;
    DpcxrLossPass pass = {.log_tail = LOG_TAIL};
    *range = (Range){-INFINITY, 0};
    set_caps(question, -INFINITY);
    best_tilt(question, &bound);
    double width = INFINITY;
    for (int i = 0; i < PASSES; i++) {
        set_caps(question, MIN(bound, range->upper));
        pass.tilt = best_tilt(question, &bound);
        pass.variance = part * accuracy / (pass.tilt * (1 + pass.tilt));
        Shares shares = ask(question, &pass, range);
        if (!(range->upper - range->lower > accuracy) || is_stuck(range, &width, &pass))
            return;
        refine(&pass, shares, log(SHARE * accuracy));
        part = pass.variance / accuracy * pass.tilt * (1 + pass.tilt);
    }
}

gboolean dpcxr_loss_lattice_epsilon(GArray *laws, double log_delta, double accuracy, DpcxrInterval *epsilon,
                                    GError **error)
{
    Question question = {
        .laws = laws, .total = dpcxr_loss_laws_total(laws), .log_delta = log_delta, .epsilon = NAN};
    Range range;
    find_epsilon(&question, accuracy, &range);
    *epsilon = (DpcxrInterval){range.lower * (1 - 1e-12), NAN, range.upper * (1 + 1e-12)};
    return TRUE;
}

gboolean dpcxr_loss_lattice_log_delta(GArray *laws, double epsilon, double accuracy, DpcxrInterval *log_delta,
                                      GError **error)
{
    Question question = {.laws = laws, .total = dpcxr_loss_laws_total(laws), .epsilon = epsilon};
    Range range;
    find_log_delta(&question, accuracy, &range);
    *log_delta = (DpcxrInterval){range.lower, NAN, range.upper};
    return TRUE;
}
