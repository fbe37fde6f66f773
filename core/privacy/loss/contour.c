/* SPDX-License-Identifier: MIT
 * With K(s) = log E[e^(s L)], the sum over all steps, and any t > 0,
 *
 *     delta(epsilon) = 1/(2 pi) integral over real y of e^(K(s) - s epsilon) / (s (1 + s)),   s = t + i y
 *
 * (Zhu, Dong & Wang 2022, arXiv:2106.08567; Alghamdi et al. 2023, arXiv:2208.09595, choose t as here). The trapezoidal
 * rule with step h gives, by Poisson's summation formula, the sum over all whole m of delta(epsilon + m p) e^(t m p), with
 * p = 2 pi / h: never less than delta, and more by what moments at other t bound. What is left:
 *
 * - beyond the last node: |M(t + iy)| <= atom + V / y from integration by parts, where that is small enough; before that,
 *   |M| is checked at points so close that it cannot rise in between (its slope is at most E|L - mean|);
 * - capped losses, quadrature and rounding, which are added up.
 *
 * Losses are capped where all that is beyond is 3e-5 of delta; their probability is added to the upper end. */
#include "privacy/loss/contour.h"
#include <float.h>
#include <math.h>

#define WORK_MAX 2.5e8 /* nodes times points of the line: seconds */
#define CHUNK 64
#define LOG_NOTHING -700.0 /* beside e^K(t) */
#define SPLIT_FADE 0.25 /* of sigma: over how much outcomes come to count as large */
#define SPLIT_GAIN 8 /* so much wider than the peak near 0 has to be what large losses come to */

void dpcxr_loss_contour_clear(DpcxrLossContour *line)
{
    if (line->nodes)
        g_ptr_array_unref(line->nodes);
    g_free(line->values);
    g_free(line->errors);
}

/* log(1 + excess) of a law at one point: of modulus and, as imaginary part, argument. */
static double complex log1p_complex(double complex excess)
{
    double re = creal(excess), im = cimag(excess), square = re * (2 + re) + im * im;
    return CMPLX(square > -0.5 ? 0.5 * log1p(square) : log(MAX(hypot(1 + re, im), 1e-300)), atan2(im, 1 + re));
}

/* Log of a bound of |M(t + iy)^count / M(t)^count| from the variation, over all laws, for all |y| >= @y. */
static double log_decay(const DpcxrLossProblem *problem, const DpcxrLossContour *line, double y)
{
    double sum = -0.5 * y * y * problem->precision;
    for (guint i = 0; i < line->nodes->len; i++) {
        const DpcxrLossNodes *nodes = line->nodes->pdata[i];
        if (nodes)
            sum += (double)dpcxr_loss_problem_law(problem, i)->count *
                   log(MIN(1, (nodes->atom + nodes->variation / y + nodes->left_out) / (1 + nodes->excess)));
    }
    return sum;
}

/* Log of the sum over the points from @y on, times h / pi, over e^K(t): 1 / |s (1 + s)| is at most 1 / y^2. */
static double log_rest(const DpcxrLossProblem *problem, const DpcxrLossContour *line, double y)
{
    if (line->is_split) { /* |M^n - (M-R)^n| <= n |R| M(t)^(n-1) */
        double sum = 0;
        for (guint i = 0; i < line->nodes->len; i++) {
            const DpcxrLossNodes *nodes = line->nodes->pdata[i];
            if (nodes)
                sum += (double)dpcxr_loss_problem_law(problem, i)->count * dpcxr_loss_nodes_large_bound(nodes, y) / (1 + nodes->excess);
        }
        return log(sum) - 0.5 * y * y * problem->precision - log(G_PI * y);
    }
    return log_decay(problem, line, y) - log(G_PI * y);
}

/* Whether |M| stays so small from @y to where the variation takes over that all of it is at most e^@log_most of M(t). */
static gboolean stays_small(const DpcxrLossProblem *problem, DpcxrLossContour *line, double y, double log_most)
{
    g_autoptr(GPtrArray) nodes = NULL;
    double reach = 0, count = MAX(1, problem->total);
    double least = MIN(0.5, exp(2 * log_most / count)); /* smaller ones count as this, so that the logarithm stays tame */
    double missing = -expm1(log_most / count);         /* to a modulus of 1, about */
    while (log_decay(problem, line, y) > log_most) {
        if (y > reach) {
            if (nodes)
                g_ptr_array_unref(g_steal_pointer(&nodes));
            reach = 2 * y;
            nodes = dpcxr_loss_problem_nodes(problem, line->tilt, reach, 0.1 * missing);
            if (!nodes)
                return FALSE;
        }
        double forward = INFINITY, at = -0.5 * y * y * problem->precision, slope = 0;
        for (guint i = 0; i < nodes->len; i++) {
            const DpcxrLossNodes *here = nodes->pdata[i];
            if (!here)
                continue;
            double complex excess;
            dpcxr_loss_nodes_excesses(here, y, 0, 1, &excess, NULL);
            line->work += 8.0 * (double)here->n;
            const DpcxrLossNodes *all = line->nodes->pdata[i];
            double size = cabs(1 + excess) + here->left_out + dpcxr_loss_nodes_rounding(here, y), steps = (double)dpcxr_loss_problem_law(problem, i)->count;
            double modulus = CLAMP(size / (1 + all->excess), least, 1);
            missing = MAX(missing, 1 - modulus);
            at += steps * log(modulus);
            slope += steps * all->spread * 1.01 / modulus;
        }
        /* log of a modulus that rises with at most that slope stays below log_most for as long as this; the slope of the
         * logarithm falls as the modulus rises */
        forward = (log_most - at) / slope;
        if (!(forward > 0) || line->work > WORK_MAX)
            return FALSE;
        y += forward;
    }
    return TRUE;
}

static double complex expm1_complex(double complex z)
{
    double half = sin(0.5 * cimag(z)), grown = expm1(creal(z));
    return CMPLX(grown - 2 * half * half * (1 + grown), (1 + grown) * sin(cimag(z)));
}

/* e^@log_size (e^@error - 1), @error >= 0 */
static double times_expm1(double log_size, double error)
{
    return error < 1 ? exp(log_size) * expm1(error) : exp(MAX(log_size, -1e6) + error);
}

/* Consecutive points while laws are being added. Without a split, logs are those of M^count / M(t)^count. With one they are
 * those of (M - R)^count / M(t)^count, R the large losses' part, and growth is that of M^count over them. */
typedef struct {
    double first;
    double complex logs[CHUNK], growth[CHUNK];
    double errors[CHUNK], growth_errors[CHUNK];
} Chunk;

static void chunk_add(Chunk *chunk, DpcxrLossContour *line, const DpcxrLossNodes *nodes, double steps)
{
    double complex excess[CHUNK], large[CHUNK] = {0};
    dpcxr_loss_nodes_excesses(nodes, chunk->first, line->h, CHUNK, excess, nodes->large ? large : NULL);
    line->work += (double)CHUNK * (double)nodes->n;
    for (gsize k = 0; k < CHUNK; k++) {
        double y = chunk->first + (double)k * line->h, size = MAX(cabs(1 + excess[k] - large[k]), 1e-300);
        double complex step = log1p_complex(excess[k] - large[k]);
        chunk->logs[k] += steps * (step - log1p(nodes->excess));
        double relative = log1p(dpcxr_loss_nodes_rounding(nodes, y) / size);
        chunk->errors[k] += steps * (relative + 8 * DBL_EPSILON * cabs(step));
        if (nodes->large) {
            double complex grown = log1p_complex(large[k] / (1 + excess[k] - large[k]));
            chunk->growth[k] += steps * grown;
            chunk->growth_errors[k] += steps * (log1p(dpcxr_loss_nodes_large_rounding(nodes) / size) +
                                                cabs(grown) * (8 * DBL_EPSILON + relative));
        }
    }
}

/* One chunk of points more. */
static gboolean extend(const DpcxrLossProblem *problem, DpcxrLossContour *line)
{
    double first = (double)line->n * line->h, last = first + (CHUNK - 1) * line->h;
    double reach = 0;
    for (guint i = 0; i < line->nodes->len; i++)
        if (line->nodes->pdata[i])
            reach = ((DpcxrLossNodes *)line->nodes->pdata[i])->reach;
    if (last > reach && problem->total > 0) {
        GPtrArray *wider = dpcxr_loss_problem_nodes(problem, line->tilt, MAX(2 * reach, last), 0);
        if (!wider)
            return FALSE;
        g_ptr_array_unref(line->nodes);
        line->nodes = wider;
    }
    line->values = g_renew(double complex, line->values, line->n + CHUNK);
    line->errors = g_renew(double, line->errors, line->n + CHUNK);
    Chunk chunk = {.first = first};
    for (gsize k = 0; k < CHUNK; k++) {
        double y = first + (double)k * line->h, t = line->tilt;
        chunk.logs[k] = CMPLX(-0.5 * y * y, y * (0.5 + t)) * problem->precision;
    }
    for (guint i = 0; i < line->nodes->len; i++)
        if (line->nodes->pdata[i])
            chunk_add(&chunk, line, line->nodes->pdata[i], (double)dpcxr_loss_problem_law(problem, i)->count);
    for (gsize k = 0; k < CHUNK; k++) {
        double complex s = CMPLX(line->tilt, first + (double)k * line->h), value = 0;
        double size = creal(chunk.logs[k]), off = times_expm1(size, chunk.errors[k]);
        if (size > LOG_NOTHING) {
            double complex base = cexp(chunk.logs[k]);
            value = line->is_split ? base * expm1_complex(chunk.growth[k]) : base;
            double turns = 8 * DBL_EPSILON * (8 + cabs(chunk.logs[k]) + fabs(cimag(s)) * problem->epsilon);
            off = cabs(value) * turns + (line->is_split ? cabs(value) * expm1(MIN(chunk.errors[k], 700)) : off);
        }
        if (line->is_split)
            off += times_expm1(size + creal(chunk.growth[k]), chunk.growth_errors[k]);
        line->values[line->n + k] = value / (s * (1 + s));
        line->errors[line->n + k] = off / cabs(s * (1 + s));
    }
    line->n += CHUNK;
    return TRUE;
}

/* Log of what the copies at distance p and more come to, beside delta at @epsilon. */
static double log_copies(const DpcxrLossContour *line, double epsilon, double p)
{
    double above = INFINITY, below = -line->tilt * p - log(-expm1(-line->tilt * p)); /* delta <= 1 */
    for (int i = 0; i < OTHER_TILTS; i++) {
        double t = line->other_tilts[i], away = fabs(t - line->tilt) * p;
        double bound = line->other_moments[i] + dpcxr_loss_log_coefficient(t) - t * epsilon - away - log(-expm1(-away));
        if (t > line->tilt)
            above = MIN(above, bound);
        else
            below = MIN(below, bound);
    }
    return MAX(above, below) + log1p(exp(-fabs(above - below)));
}

static void find_other_tilts(const DpcxrLossProblem *problem, DpcxrLossContour *line)
{
    static const double factors[OTHER_TILTS] = {0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.93, 1.07, 1.2, 1.5, 2, 3, 5, 10};
    g_autoptr(GPtrArray) nodes = NULL;
    double good_for = 0;
    for (int i = OTHER_TILTS - 1; i >= 0 && !nodes; i--) {
        good_for = factors[i] * line->tilt;
        nodes = dpcxr_loss_problem_nodes(problem, good_for, 0, 0);
    }
    for (int i = 0; i < OTHER_TILTS; i++) {
        line->other_tilts[i] = factors[i] * line->tilt;
        /* nodes are good for their own tilt and smaller ones */
        line->other_moments[i] =
            line->other_tilts[i] <= good_for ? dpcxr_loss_problem_log_moment(problem, nodes, line->other_tilts[i]) + 1e-6 : INFINITY;
    }
}

/* The step h: copies of delta have to be so far apart. */
static void find_step(const DpcxrLossProblem *problem, DpcxrLossContour *line, double log_most)
{
    double p = MAX(problem->epsilon, 1e-3 / line->tilt);
    while (log_copies(line, problem->epsilon, p) > log_most && p < 1e9)
        p *= 1.15;
    line->h = 2 * G_PI / p;
}

static void split_clear(DpcxrLossProblem *problem)
{
    for (guint i = 0; i < problem->laws->len; i++)
        for (int j = 0; j < DPCXR_LOSS_PARTS; j++)
            g_array_index(problem->laws, DpcxrLossLaw, i).parts[j].split_fade = 0;
}

/* Ends every law softly below a loss of @loss, or, with @large, marks what is above as large. */
static void split_at(GArray *laws, double loss, gboolean large)
{
    for (guint i = 0; i < laws->len; i++) {
        DpcxrLossLaw *law = &g_array_index(laws, DpcxrLossLaw, i);
        for (gsize j = 0; j < law->n; j++) {
            DpcxrLossPart *part = &law->parts[j];
            if (part->reverse || dpcxr_loss_law_is_full(law))
                continue;
            DpcxrLossDraws draws;
            dpcxr_loss_draws_init(&draws, part);
            double low = 0, high = part->to;
            for (int k = 0; k < 60; k++) {
                double middle = (low + high) / 2;
                *(dpcxr_loss_draws_loss(&draws, middle, NULL, NULL) < loss ? &low : &high) = middle;
            }
            double fade = SPLIT_FADE * part->sigma;
            if (large) {
                part->split = high;
                part->split_fade = fade;
            } else { /* what is left: it fades as the large part begins */
                part->cap = high;
                part->fade = fade;
                part->to = MIN(part->to, high + 9 * fade);
            }
        }
    }
}

/* Where a unit has next to no part in most runs, all that it does not take part in is one sharp peak of the loss near 0, whose
 * characteristic function falls very slowly; and delta does not come from there. So what has no loss above some part of
 * epsilon is left out, where moments show that its own delta is nothing. */
static void split(DpcxrLossProblem *problem, DpcxrLossContour *line)
{
    double narrow = INFINITY; /* about how narrow that peak is */
    for (guint i = 0; i < problem->laws->len; i++) {
        const DpcxrLossPart *part = dpcxr_loss_problem_law(problem, i)->parts;
        double step = part->q * sqrt(expm1(MIN(1, 1 / (part->sigma * part->sigma))));
        narrow = MIN(narrow, dpcxr_loss_law_is_full(dpcxr_loss_problem_law(problem, i)) ? INFINITY : step * sqrt(problem->total));
    }
    split_clear(problem);
    for (double loss = 0.6 * problem->epsilon; loss > SPLIT_GAIN * narrow; loss *= 0.7) {
        g_autoptr(GArray) laws = g_array_copy(problem->laws);
        split_at(laws, loss, FALSE);
        DpcxrLossProblem small = *problem;
        small.laws = laws;
        double tilt = dpcxr_loss_problem_tilt(&small, line->tilt);
        g_autoptr(GPtrArray) nodes = isnan(tilt) ? NULL : dpcxr_loss_problem_nodes(&small, tilt, 0, 0);
        if (!nodes || dpcxr_loss_problem_moment_bound(&small, nodes, tilt) > problem->log_delta + log(0.02 * problem->accuracy))
            continue;
        line->small_top = dpcxr_loss_problem_log_moment(&small, nodes, tilt) + dpcxr_loss_log_coefficient(tilt) + 1e-6;
        line->small_tilt = tilt;
        line->is_split = TRUE;
        split_at(problem->laws, loss, TRUE);
        return;
    }
}

gboolean dpcxr_loss_contour_make(DpcxrLossProblem *problem, double tilt, DpcxrLossContour *line)
{
    *line = (DpcxrLossContour){.tilt = tilt, .small_top = -INFINITY};
    split(problem, line);
    line->nodes = dpcxr_loss_problem_nodes(problem, tilt, 0, 0);
    if (!line->nodes)
        return FALSE;
    line->log_top = dpcxr_loss_problem_log_moment(problem, line->nodes, tilt);
    find_other_tilts(problem, line);
    double log_most = problem->log_delta + log(0.02 * problem->accuracy);
    find_step(problem, line, log_most);
    double log_share = log_most - line->log_top + tilt * problem->epsilon;
    for (;;) {
        if (!extend(problem, line) || line->work > WORK_MAX)
            return FALSE;
        double y = (double)(line->n - 1) * line->h;
        line->log_rest = log_rest(problem, line, y);
        if (line->log_rest <= log_share)
            break;
        double log_size = log(cabs(line->values[line->n - 1]) * y * y), log_small = log_share + log(G_PI * y);
        if (!line->is_split && log_size < log_small - 3 && problem->total > 40 && stays_small(problem, line, y, log_small)) {
            line->log_rest = log_share;
            break;
        }
    }
    for (guint i = 0; i < line->nodes->len; i++) {
        const DpcxrLossNodes *nodes = line->nodes->pdata[i];
        line->relative += nodes ? (double)dpcxr_loss_problem_law(problem, i)->count * nodes->relative : 0;
    }
    return TRUE;
}

/* The sum and its error, both over e^(K(t) - t epsilon). */
static double sum_line(const DpcxrLossContour *line, double epsilon, double *error)
{
    double sum = 0, off = 0;
    double complex turn = cexp(CMPLX(0, -line->h * epsilon)), rotation = 1;
    for (gsize k = 0; k < line->n; k++) {
        if (k % CHUNK == 0)
            rotation = cexp(CMPLX(0, -line->h * (double)k * epsilon));
        double part = creal(line->values[k]) * creal(rotation) - cimag(line->values[k]) * cimag(rotation);
        sum += k == 0 ? 0.5 * part : part;
        off += line->errors[k] + 3 * CHUNK * DBL_EPSILON * cabs(line->values[k]);
        rotation *= turn;
    }
    *error = off * line->h / G_PI;
    return sum * line->h / G_PI;
}

DpcxrInterval dpcxr_loss_contour_log_delta(const DpcxrLossProblem *problem, const DpcxrLossContour *line, double epsilon)
{
    double error, sum = sum_line(line, epsilon, &error), scale = line->log_top - line->tilt * epsilon;
    double off = error + exp(line->log_rest), rounding = line->relative + 16 * DBL_EPSILON * (1 + fabs(line->log_top) + fabs(scale));
    if (!(sum + off > 0)) /* what is more than delta cannot be: rounding, or numbers too large, that were not foreseen */
        return (DpcxrInterval){-INFINITY, NAN, 0};
    double upper = exp(MIN(0, log(sum + off) + scale + rounding)) + dpcxr_loss_problem_beyond(problem) + exp(line->small_top - line->small_tilt * epsilon);
    double copies = exp(log_copies(line, epsilon, 2 * G_PI / line->h) - scale);
    double lower = sum - off - copies;
    return (DpcxrInterval){lower > 0 ? log(lower) + scale - rounding : -INFINITY, NAN, MIN(0, log(upper))};
}
