/* SPDX-License-Identifier: MIT
 * From events to bounds of epsilon and delta: choose a tilt near the saddle point and a spacing fine enough
 * for it, put each step on a lattice, raise to powers level by level with a coarser spacing each time, read
 * off. The choices decide how close the bounds are; whatever they are, the bounds hold. */
#include <dpcxr/loss.h>
#include <float.h>
#include <math.h>
#include "privacy/loss/compose.h"
#include "privacy/loss/curve.h"
#include "privacy/loss/inversion.h"
#include "privacy/loss/single-step.h"
#include "privacy/loss/subsampled-gaussian.h"

#define NOISE_MIN 0.05
#define NOISE_MAX 1e4
#define RATE_MIN 1e-9
#define COUNT_MAX 1e9

#define LOG_TAIL                                                                                             \
    -17.0 /* of the tilted mass cut off in all, where delta is about what the moment bound says */
#define LOG_TAIL_LEAST -100.0
#define SIZE_USUAL 15    /* log2 of points in a transform: where nothing asks for more */
#define SIZE_MAX_LOG2 20 /* more memory than this is not taken: wider bounds instead */
#define SIZE_PRECISE_LOG2 17 /* nor, with precise transforms, more time */
#define LEVELS 2         /* the error is shared among so many levels; more only make it larger */
#define PASSES 8
#define SHARE 0.03 /* times accuracy: of delta, what rounding of transforms and tails may each come to */
#define CAPPED 3e-5 /* of delta: what losses beyond the caps may come to */
#define ROUGHLY 30 /* so much wider, to see which direction is the larger one */

gboolean dpcxr_loss_covers(const char *accountant, const DpcxrMechanism *mechanism, GError **error)
{
    double total = 0;
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        double sigma = event->noise_multiplier, q = event->sampling_rate;
        const char *why = NULL;
        if (event->sampler == DPCXR_SAMPLER_FULL && q != 1)
            why = "sampler full takes every unit every step, so its sampling rate is 1";
        else if (event->sampler == DPCXR_SAMPLER_POISSON &&
                 mechanism->adjacency == DPCXR_ADJACENCY_REPLACE_ONE)
            why = "no dominating pair is implemented for Poisson sampling under replace_one; use adjacency "
                  "zero_out or "
                  "add_remove, or sampler full";
        else if (event->sampler == DPCXR_SAMPLER_TRUNCATED_POISSON)
            why = "a truncated Poisson sample depends on the other units, which this accountant does not "
                  "allow for; use "
                  "sampler poisson";
        else if (event->sampler == DPCXR_SAMPLER_FIXED)
            why = "batches of a fixed size without replacement are not covered in this version; use sampler "
                  "poisson";
        else if (event->sampler == DPCXR_SAMPLER_SHUFFLE)
            why = "shuffled batches are not Poisson samples and leak more than these would; use sampler "
                  "poisson";
        else if (event->sampler != DPCXR_SAMPLER_FULL && event->sampler != DPCXR_SAMPLER_POISSON)
            why = "the sampler is not known";
        if (why) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "%s: %s", accountant, why);
            return FALSE;
        }
        if (!(sigma >= NOISE_MIN && sigma <= NOISE_MAX)) {
            g_set_error(
                error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "%s: the noise multiplier is %g; this accountant is made for %g to %g; rdp reaches further",
                accountant, sigma, NOISE_MIN, NOISE_MAX);
            return FALSE;
        }
        if (!(q >= RATE_MIN && q <= 1)) {
            g_set_error(
                error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "%s: the sampling rate is %g; this accountant is made for %g to 1; rdp reaches further",
                accountant, q, RATE_MIN);
            return FALSE;
        }
        total += (double)event->count;
    }
    if (total <= COUNT_MAX)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "%s: these are %g steps; this accountant is made for up to %g; rdp reaches further",
                accountant, total, COUNT_MAX);
    return FALSE;
}

static int compare_steps(gconstpointer a, gconstpointer b)
{
    const DpcxrLossStep *x = a, *y = b;
    if (x->q != y->q)
        return x->q < y->q ? -1 : 1;
    return x->sigma < y->sigma ? -1 : x->sigma > y->sigma;
}

/* Equal events merged, in an order that does not depend on theirs. All steps with q = 1 together are one
 * Gaussian step with 1 / sigma^2 = sum of count / sigma^2. (transfer full) */
static GArray *merge_steps(const DpcxrMechanism *mechanism)
{
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(DpcxrLossStep));
    GArray *merged = g_array_new(FALSE, FALSE, sizeof(DpcxrLossStep));
    for (gsize i = 0; i < mechanism->n_events; i++) {
        const DpcxrEvent *event = &mechanism->events[i];
        gboolean replace = mechanism->adjacency == DPCXR_ADJACENCY_REPLACE_ONE;
        DpcxrLossStep step = {.q = event->sampling_rate,
                              .sigma = replace ? event->noise_multiplier / 2 : event->noise_multiplier,
                              .count = event->count,
                              .cap = INFINITY};
        if (step.count > 0)
            g_array_append_val(steps, step);
    }
    g_array_sort(steps, compare_steps);
    double precision = 0;
    for (guint i = 0; i < steps->len; i++) {
        DpcxrLossStep step = g_array_index(steps, DpcxrLossStep, i);
        DpcxrLossStep *last = merged->len ? &g_array_index(merged, DpcxrLossStep, merged->len - 1) : NULL;
        if (step.q == 1)
            precision += (double)step.count / (step.sigma * step.sigma);
        else if (last && compare_steps(last, &step) == 0)
            last->count += step.count;
        else
            g_array_append_val(merged, step);
    }
    if (precision > 0) {
        DpcxrLossStep full = {.q = 1, .sigma = 1 / sqrt(precision), .count = 1, .cap = INFINITY};
        g_array_append_val(merged, full);
    }
    return merged;
}

/* What is asked about one direction of a mechanism. */
typedef struct {
    DpcxrLossStep *steps;
    gsize n;
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
    for (gsize i = 0; i < question->n; i++)
        dpcxr_loss_step_set_cap(&question->steps[i], question->log_beyond - log(question->total));
}

static double log_moment(const Question *question, double tilt)
{
    double sum = 0;
    for (gsize i = 0; i < question->n; i++)
        sum += (double)question->steps[i].count * dpcxr_loss_step_log_moment(&question->steps[i], tilt);
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

/* How a pass goes about it. */
typedef struct {
    double tilt;
    double variance;  /* what discretisation may add to that of the whole */
    double log_tail;  /* of the tilted mass that may be cut off in all */
    gboolean precise; /* transforms in twice the precision */
} Pass;

/* Distributions that wait for composition, all with one spacing. */
typedef struct {
    GPtrArray *lattices;
    double spacing, tilt;
    double log_tail; /* of the tilted mass that may be cut off in all */
    gboolean precise;
} Stock;

static double stock_total(const Stock *stock)
{
    double total = 0;
    for (guint i = 0; i < stock->lattices->len; i++)
        total += (double)((DpcxrLossLattice *)stock->lattices->pdata[i])->count;
    return total;
}

/* Spreading onto a lattice adds about spacing^2 / 6 to the variance of each factor. */
static double spacing_for(double variance, double factors)
{
    return sqrt(6 * variance / (LEVELS * factors));
}

static gboolean stock_fill(Stock *stock, const Question *question)
{
    double log_tail = stock->log_tail - log(question->total);
    for (gsize i = 0; i < question->n; i++) {
        const DpcxrLossStep *step = &question->steps[i];
        double log_scale = dpcxr_loss_step_log_moment(step, stock->tilt);
        DpcxrLossLattice *lattice =
            dpcxr_loss_step_lattice(step, stock->tilt, log_scale, stock->spacing, log_tail,
                                    (gsize)1 << ((stock->precise ? SIZE_PRECISE_LOG2 : SIZE_MAX_LOG2) - 1));
        if (!lattice)
            return FALSE;
        g_ptr_array_add(stock->lattices, lattice);
    }
    return TRUE;
}

static void stock_coarsen(Stock *stock)
{
    for (guint i = 0; i < stock->lattices->len; i++) {
        DpcxrLossLattice *fine = stock->lattices->pdata[i];
        stock->lattices->pdata[i] = dpcxr_loss_coarsen(fine, stock->spacing, stock->tilt);
        dpcxr_loss_lattice_free(fine);
    }
    stock->spacing *= 2;
}

/* All that is in stock, composed; NULL where that takes more than 2^max_log2 points. */
static DpcxrLossLattice *stock_compose(const Stock *stock, guint max_log2)
{
    guint n = stock->lattices->len;
    g_autofree DpcxrLossFactor *factors = g_new(DpcxrLossFactor, n);
    for (guint i = 0; i < n; i++) {
        DpcxrLossLattice *lattice = stock->lattices->pdata[i];
        factors[i] = (DpcxrLossFactor){lattice, lattice->count};
    }
    return dpcxr_loss_compose(factors, n, stock->log_tail, max_log2, stock->precise);
}

/* The largest power of two m for which the m-th power of every distribution in stock fits into 2^log2_size
 * points. */
static guint64 common_power(const Stock *stock, guint log2_size, double log_tail)
{
    guint64 power = (guint64)1 << 20;
    for (guint i = 0; i < stock->lattices->len; i++) {
        DpcxrLossLattice *lattice = stock->lattices->pdata[i];
        while (power > 1) {
            DpcxrLossFactor factor = {lattice, power};
            if (dpcxr_loss_compose_size(&factor, 1, log_tail) <= log2_size)
                break;
            power /= 2;
        }
    }
    return power;
}

static gboolean add_product(GPtrArray *to, const DpcxrLossFactor *factors, gsize n, guint64 count,
                            double log_tail, gboolean precise)
{
    DpcxrLossLattice *product = dpcxr_loss_compose(factors, n, log_tail, precise ? SIZE_PRECISE_LOG2 : SIZE_MAX_LOG2, precise);
    if (!product)
        return FALSE;
    product->count = count;
    g_ptr_array_add(to, product);
    return TRUE;
}

/* How many of @count become one, at most @most: the same number each time with none left over, where that can
 * be. */
static guint64 even_power(guint64 count, guint64 most)
{
    guint64 pieces = (count + most - 1) / most;
    for (guint64 more = 0; more < 256 && count / (pieces + more) >= MAX(2, most / 4); more++) {
        if (count % (pieces + more) == 0)
            return count / (pieces + more);
    }
    return MAX(2, count / pieces);
}

/* Powers of those that are there often, and of what is left of them. The others are put together, up to @most
 * factors at a time. */
static gboolean stock_level(Stock *stock, guint64 most, double log_tail)
{
    g_autoptr(GArray) group = g_array_new(FALSE, FALSE, sizeof(DpcxrLossFactor));
    GPtrArray *next = g_ptr_array_new_with_free_func((GDestroyNotify)dpcxr_loss_lattice_free);
    gboolean done = TRUE;
    guint64 gathered = 0;
    for (guint i = 0; i < stock->lattices->len && done; i++) {
        DpcxrLossLattice *lattice = stock->lattices->pdata[i];
        if (lattice->count >= most) {
            DpcxrLossFactor factor = {lattice, even_power(lattice->count, most)};
            guint64 left = lattice->count % factor.power;
            done = add_product(next, &factor, 1, lattice->count / factor.power, log_tail, stock->precise);
            factor.power = left;
            done = done && (left == 0 || add_product(next, &factor, 1, 1, log_tail, stock->precise));
            continue;
        }
        if (gathered + lattice->count > most) {
            done = add_product(next, (const DpcxrLossFactor *)(void *)group->data, group->len, 1, log_tail, stock->precise);
            g_array_set_size(group, 0);
            gathered = 0;
        }
        DpcxrLossFactor factor = {lattice, lattice->count};
        g_array_append_val(group, factor);
        gathered += factor.power;
    }
    if (done && group->len > 0)
        done = add_product(next, (const DpcxrLossFactor *)(void *)group->data, group->len, 1, log_tail, stock->precise);
    g_ptr_array_unref(done ? stock->lattices : next);
    if (done)
        stock->lattices = next;
    return done;
}

/* Everything composed, and the spacing it has then. NULL where the numbers cannot be represented. (transfer full) */
static DpcxrLossLattice *compose(const Question *question, const Pass *pass, double *spacing)
{
    Stock stock = {g_ptr_array_new_with_free_func((GDestroyNotify)dpcxr_loss_lattice_free), .tilt = pass->tilt,
                   .log_tail = pass->log_tail, .precise = pass->precise};
    DpcxrLossLattice *whole = NULL;
    double variance = pass->variance, log_tail = pass->log_tail;
    stock.spacing = spacing_for(variance, question->total);
    while (stock.spacing < 1e3 && !stock_fill(&stock, question)) {
        g_ptr_array_set_size(stock.lattices, 0);
        stock.spacing *= 2;
    }
    while (stock.lattices->len > 0) {
        double total = stock_total(&stock), piece_tail = log_tail - log(total);
        if (total == 1) {
            whole = g_ptr_array_steal_index(stock.lattices, 0);
            break;
        }
        guint size = SIZE_USUAL;
        for (guint i = 0; i < stock.lattices->len; i++) {
            while (ldexp(1, (int)size) < 1.3 * (double)((DpcxrLossLattice *)stock.lattices->pdata[i])->n)
                size++;
        }
        guint most = stock.precise ? SIZE_PRECISE_LOG2 : SIZE_MAX_LOG2;
        size = MIN(size, most);
        whole = stock_compose(&stock, size);
        if (whole)
            break;
        guint64 power = common_power(&stock, size, piece_tail);
        while (power < 8 && size < most)
            power = common_power(&stock, ++size, piece_tail);
        if (power < 2 || !stock_level(&stock, power, piece_tail)) {
            if (stock.spacing > 1e6)
                break;
            stock_coarsen(&stock);
            continue;
        }
        double wanted = spacing_for(variance, stock_total(&stock));
        while (2 * stock.spacing <= wanted)
            stock_coarsen(&stock);
    }
    *spacing = stock.spacing;
    g_ptr_array_unref(stock.lattices);
    return whole;
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
static Shares ask(const Question *question, const Pass *pass, Range *range)
{
    double spacing;
    g_autoptr(DpcxrLossLattice) lattice = compose(question, pass, &spacing);
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
static void refine(Pass *pass, Shares shares, double most)
{
    if (!(shares.rounding > most || shares.tails > most))
        pass->variance /= 3;
    if (shares.rounding > most)
        pass->precise = TRUE;
    if (shares.tails > most)
        pass->log_tail = MAX(LOG_TAIL_LEAST, pass->log_tail - (shares.tails - most) - 2);
}

/* Whether a pass brought little, although transforms were precise already: memory sets the limit then. */
static gboolean is_stuck(const Range *range, double *width, const Pass *pass)
{
    double before = *width;
    *width = range->upper - range->lower;
    return pass->precise && *width > 0.7 * before;
}

static void find_epsilon(Question *question, double accuracy, Range *range)
{
    set_caps(question, question->log_delta);
    double bound, tilt = best_tilt(question, &bound), scale = MAX(0.5 * bound, 1e-3);
    Pass pass = {.tilt = tilt, .variance = 0.6 * accuracy * scale / (1 + tilt), .log_tail = LOG_TAIL};
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
    Pass pass = {.log_tail = LOG_TAIL};
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

/* The larger of the two directions, each composed over all steps. */
static void both_directions(const DpcxrMechanism *mechanism, Question *question, double accuracy,
                            void (*find)(Question *, double, Range *), Range *range)
{
    g_autoptr(GArray) steps = merge_steps(mechanism);
    question->steps = (DpcxrLossStep *)(void *)steps->data;
    question->n = steps->len;
    gboolean symmetric = TRUE;
    for (gsize i = 0; i < question->n; i++) {
        question->total += (double)question->steps[i].count;
        symmetric = symmetric && question->steps[i].q == 1;
    }
    find(question, accuracy, range);
    if (symmetric)
        return;
    for (gsize i = 0; i < question->n; i++)
        question->steps[i].reverse = TRUE;
    Range other;
    find(question, ROUGHLY * accuracy, &other);
    if (other.upper > range->lower)
        find(question, accuracy, &other);
    range->lower = MAX(range->lower, other.lower);
    range->upper = MAX(range->upper, other.upper);
}

/* The one step that @mechanism is; NULL where it is several. (transfer full) */
static DpcxrLossStep *single_step(const DpcxrMechanism *mechanism)
{
    g_autoptr(GArray) steps = merge_steps(mechanism);
    DpcxrLossStep *first = (DpcxrLossStep *)(void *)steps->data;
    return steps->len == 1 && first->count == 1 ? g_memdup2(first, sizeof *first) : NULL;
}

/* At most this far apart, in total variation, are the outputs on neighbours: each step keeps the two runs
 * together with probability 1 - q TV(N(0, sigma^2), N(1, sigma^2)). At a delta that large epsilon is 0. */
static double total_variation(const DpcxrMechanism *mechanism)
{
    g_autoptr(GArray) steps = merge_steps(mechanism);
    double together = 0;
    for (guint i = 0; i < steps->len; i++) {
        const DpcxrLossStep *step = &g_array_index(steps, DpcxrLossStep, i);
        double apart = step->q * erf(1 / (2 * G_SQRT2 * step->sigma)) * (1 + 16 * DBL_EPSILON);
        together += (double)step->count * log1p(-MIN(apart, 1));
    }
    return MIN(1, -expm1(together * (1 + 1e-14)) * (1 + 16 * DBL_EPSILON));
}

gboolean dpcxr_loss_epsilon(const DpcxrMechanism *mechanism, double delta, double accuracy,
                            DpcxrInterval *epsilon, GError **error)
{
    Question question = {.log_delta = log(delta), .epsilon = NAN};
    Range range = {0, 0};
    g_autofree DpcxrLossStep *single = single_step(mechanism);
    if (single)
        range = (Range){dpcxr_loss_single_epsilon(single, question.log_delta, -1),
                        dpcxr_loss_single_epsilon(single, question.log_delta, 1)};
    else if (delta < total_variation(mechanism))
        both_directions(mechanism, &question, accuracy, find_epsilon, &range);
    double lower = range.lower * (1 - 1e-12), upper = range.upper * (1 + 1e-12);
    *epsilon = (DpcxrInterval){lower, isfinite(upper) ? (lower + upper) / 2 : upper, upper};
    return TRUE;
}

gboolean dpcxr_loss_delta(const DpcxrMechanism *mechanism, double epsilon, double accuracy,
                          DpcxrInterval *delta, GError **error)
{
    Question question = {.epsilon = epsilon};
    Range range;
    g_autofree DpcxrLossStep *single = single_step(mechanism);
    if (single)
        range = (Range){dpcxr_loss_single_log_delta(single, epsilon, -1),
                        dpcxr_loss_single_log_delta(single, epsilon, 1)};
    else
        both_directions(mechanism, &question, accuracy, find_log_delta, &range);
    double lower = exp(range.lower) * (1 - 1e-12),
           upper = MIN(total_variation(mechanism), exp(range.upper) * (1 + 1e-12));
    lower = MIN(lower, upper);
    *delta = (DpcxrInterval){lower, (lower + upper) / 2, upper};
    return TRUE;
}

typedef gboolean (*Inversion)(GArray *laws, double at, double accuracy, DpcxrInterval *found, GError **error);

/* The larger of the two directions. Where moments show that the second is below the first, that is all of it. */
static gboolean invert(const DpcxrMechanism *mechanism, double at, double accuracy, Inversion find,
                       DpcxrInterval *found, GError **error)
{
    g_autoptr(GArray) forward = dpcxr_loss_laws(mechanism, 1, FALSE), reverse = dpcxr_loss_laws(mechanism, 1, TRUE);
    DpcxrInterval other;
    if (!find(forward, at, accuracy, found, error))
        return FALSE;
    gboolean is_epsilon = find == dpcxr_loss_inversion_log_delta;
    if (dpcxr_loss_inversion_moment_bound(reverse, at, is_epsilon) <= found->lower)
        return TRUE;
    if (!find(reverse, at, accuracy, &other, error))
        return FALSE;
    found->lower = MAX(found->lower, other.lower);
    found->upper = MAX(found->upper, other.upper);
    return TRUE;
}

gboolean dpcxr_loss_invert_epsilon(const DpcxrMechanism *mechanism, double delta, double accuracy,
                                   DpcxrInterval *epsilon, GError **error)
{
    g_autofree DpcxrLossStep *single = single_step(mechanism);
    *epsilon = (DpcxrInterval){0, 0, 0};
    if (single)
        *epsilon = (DpcxrInterval){dpcxr_loss_single_epsilon(single, log(delta), -1), 0,
                                   dpcxr_loss_single_epsilon(single, log(delta), 1)};
    else if (delta < total_variation(mechanism) &&
             !invert(mechanism, log(delta), accuracy, dpcxr_loss_inversion_epsilon, epsilon, error))
        return FALSE;
    epsilon->lower = MAX(0, epsilon->lower);
    epsilon->estimate = isfinite(epsilon->upper) ? (epsilon->lower + epsilon->upper) / 2 : epsilon->upper;
    return TRUE;
}

gboolean dpcxr_loss_invert_delta(const DpcxrMechanism *mechanism, double epsilon, double accuracy,
                                 DpcxrInterval *delta, GError **error)
{
    g_autofree DpcxrLossStep *single = single_step(mechanism);
    if (single)
        *delta = (DpcxrInterval){dpcxr_loss_single_log_delta(single, epsilon, -1), 0,
                                 dpcxr_loss_single_log_delta(single, epsilon, 1)};
    else if (!invert(mechanism, epsilon, accuracy, dpcxr_loss_inversion_log_delta, delta, error))
        return FALSE;
    double upper = MIN(total_variation(mechanism), exp(delta->upper) * (1 + 1e-12));
    double lower = MIN(upper, exp(delta->lower) * (1 - 1e-12));
    *delta = (DpcxrInterval){lower, (lower + upper) / 2, upper};
    return TRUE;
}
