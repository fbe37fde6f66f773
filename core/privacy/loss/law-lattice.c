/* SPDX-License-Identifier: MIT
 * From the densities of one step to cells of a lattice of losses. Masses are integrals of positive functions,
 * by Gauss-Legendre rules whose order follows the derivatives; nothing is a difference of two nearly equal
 * numbers.
 *
 * Throughout, x is the outcome, u = (x - 1/2) / sigma^2 the loss without sampling, l = log(1 - q + q e^u) the
 * loss of P against Q. The tilted density is N(x; 0, sigma^2) e^(a l - log_scale), with a = 1 + tilt for P
 * against Q, and a = -tilt for Q against P, where the loss is -l. */
#include "privacy/loss/law-lattice.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define SQRT_2PI 2.506628274631000502415765284811
#define UNIT_ROUNDOFF (DBL_EPSILON / 2)
#define QUADRATURE_ERROR 1e-13 /* relative, of every cell; what the choice of rules below keeps */
#define MAGNITUDE 4096         /* exponents beyond it, where there is next to no mass, count as absolute errors */
#define REACH 45.0             /* standard deviations: no tail is looked for further out */

typedef struct {
    double q, log_q, log_1mq, sigma, tilt, a, sign, log_scale, from, to;
} Density;

static Density density_of(const DpcxrLossPart *part, double tilt, double log_scale)
{
    return (Density){.q = part->q,
                     .log_q = log(part->q),
                     .log_1mq = log1p(-part->q),
                     .sigma = part->sigma,
                     .tilt = tilt,
                     .a = part->reverse ? -tilt : 1 + tilt,
                     .sign = part->reverse ? -1 : 1,
                     .log_scale = log_scale - log(part->weight),
                     .from = part->from,
                     .to = part->to};
}

static double u_of_x(const Density *d, double x)
{
    return (x - 0.5) / (d->sigma * d->sigma);
}

static double loss_of_u(const Density *d, double u)
{
    if (d->q == 1)
        return u;
    if (u > 30)
        return d->log_q + u + log1p((1 - d->q) / d->q * exp(-u));
    double x = d->q * expm1(u);
    return x > -0.5 ? log1p(x) : log((1 - d->q) + d->q * exp(u));
}

static double loss_of_x(const Density *d, double x)
{
    return loss_of_u(d, u_of_x(d, x));
}

/* dl/du: the probability, given the outcome, that the unit was drawn. */
static double drawn(const Density *d, double u, double loss)
{
    return d->q == 1 ? 1 : exp(d->log_q + u - loss);
}

/* -INFINITY at and below the least loss there is. */
static double x_of_loss(const Density *d, double loss)
{
    double u = loss;
    if (d->q < 1 && loss > 30)
        u = loss - d->log_q + log1p(-exp(d->log_1mq - loss));
    else if (d->q < 1)
        u = loss <= d->log_1mq ? -INFINITY : log1p(MAX(-1, expm1(loss) / d->q));
    return d->sigma * d->sigma * u + 0.5;
}

static double log_add(double a, double b)
{
    double most = MAX(a, b);
    return most == -INFINITY ? most : most + log(exp(a - most) + exp(b - most));
}

/* log E[e^(tilt L); the outcome is of this part], beside its weight. */
static double part_log_moment(const Density *d)
{
    gboolean whole = d->from == -INFINITY;
    double low = d->sign > 0 ? -9 : -9 - MIN(d->tilt / d->sigma, 1e6), high = 9;
    double spacing = MIN(0.25, d->sigma);
    if (d->sign > 0)
        high += (1 + d->tilt) / d->sigma;
    low = MAX(low, d->from / d->sigma);
    if (high > d->to / d->sigma) { /* most of it may be just below the cap */
        high = d->to / d->sigma;
        double u = u_of_x(d, d->to), growth = d->a * drawn(d, u, loss_of_u(d, u)) / d->sigma - high;
        spacing = MIN(spacing, 1 / MAX(growth, 1e-3));
    }
    if ((high - low) / spacing > 40000)
        return INFINITY;
    double most = -INFINITY, excess = 0, total = 0;
    for (double z = high - 0.5 * spacing; z > low; z -= spacing) {
        /* e^(a l) - 1 - (a - tilt) x has the mean of e^(a l) - 1 and cancels less */
        double loss = loss_of_u(d, u_of_x(d, z * d->sigma)), exponent = d->a * loss - 0.5 * z * z;
        if (exponent > most) {
            total *= exp(most - exponent);
            most = exponent;
        }
        total += exp(exponent - most);
        if (fabs(d->a * loss) < 1)
            excess += (expm1(d->a * loss) - (d->sign > 0 ? expm1(loss) : 0)) * exp(-0.5 * z * z) / SQRT_2PI;
        else
            excess += (exp(exponent) - exp((d->sign > 0 ? loss : 0) - 0.5 * z * z)) / SQRT_2PI;
    }
    excess *= spacing;
    return whole && fabs(excess) < 0.1 ? log1p(excess) : most + log(total * spacing / SQRT_2PI);
}

double dpcxr_loss_law_log_moment(const DpcxrLossLaw *law, double tilt)
{
    double sigma = law->parts[0].sigma;
    if (dpcxr_loss_law_is_full(law))
        return tilt * (1 + tilt) / (2 * sigma * sigma);
    double total = law->atom > 0 ? log(law->atom) : -INFINITY;
    for (gsize i = 0; i < law->n; i++) {
        Density d = density_of(&law->parts[i], tilt, 0);
        total = log_add(total, part_log_moment(&d) + log(law->parts[i].weight));
    }
    return total;
}

/* Log of the tilted mass on one side of @x if the loss were the line through (@u, @loss) with @slope; @side:
 * 1 for what is left of @x, -1 for what is right. */
static double log_line(const Density *d, double x, double u, double loss, double slope, int side)
{
    double s = d->a * slope;
    return d->a * (loss - slope * u) + s * (s - 1) / (2 * d->sigma * d->sigma) - d->log_scale +
           dpcxr_loss_log_normal_below(side * (x - s) / d->sigma);
}

/* Log of a bound of the tilted mass left of @x. P against Q: l is convex in u, so below its chords, which
 * leave Gaussian integrals, over pieces that double in width; and left of all of them below what it is there.
 * Q against P: l is above its tangent. */
static double log_tail_left(const Density *d, double x)
{
    double u = u_of_x(d, x), loss = loss_of_u(d, u), total = -INFINITY;
    if (d->sign < 0 || d->q == 1)
        return log_line(d, x, u, loss, drawn(d, u, loss), 1);
    for (double width = d->sigma; x > -6 * d->sigma; width *= 2) {
        double next_u = u_of_x(d, x - width), next_loss = loss_of_u(d, next_u);
        total = log_add(total, log_line(d, x, u, loss, (loss - next_loss) / (u - next_u), 1));
        x -= width;
        u = next_u;
        loss = next_loss;
    }
    return log_add(total, d->a * loss - d->log_scale + dpcxr_loss_log_normal_below(x / d->sigma));
}

/* Log of a bound of the tilted mass right of @x for P against Q, where e^(a l) has a second hump near a. l is
 * below its chords, which leave Gaussian integrals, over pieces that double in width; and, right of all of
 * them, below u plus what l - u is there, because that falls. */
static double log_tail_pieces(const Density *d, double x)
{
    double u = u_of_x(d, x), loss = loss_of_u(d, u), total = -INFINITY;
    for (double width = d->sigma; x <= d->a && d->q < 1; width *= 2) {
        double next_u = u_of_x(d, x + width), next_loss = loss_of_u(d, next_u);
        total = log_add(total, log_line(d, x, u, loss, (next_loss - loss) / (next_u - u), -1));
        x += width;
        u = next_u;
        loss = next_loss;
    }
    return log_add(total, log_line(d, x, u, loss, 1, -1));
}

/* Log of a bound of the tilted mass right of @x. */
static double log_tail_right(const Density *d, double x)
{
    if (d->sign < 0)
        return d->a * loss_of_x(d, x) - d->log_scale + dpcxr_loss_log_normal_below(-x / d->sigma);
    return log_tail_pieces(d, x);
}

/* The narrowest window of outcomes outside of which e^log_tail is left on either side. */
static void window(const Density *d, double log_tail, double *left, double *right)
{
    double low = MAX(-REACH * d->sigma - (d->sign < 0 ? d->tilt : 0), d->from);
    double high = MIN(REACH * d->sigma + (d->sign > 0 ? d->a : 1), d->to);
    double a = low, b = high, c = low, e = high;
    for (int i = 0; i < 60; i++) {
        double middle = (a + b) / 2;
        *(log_tail_left(d, middle) <= log_tail ? &a : &b) = middle;
        middle = (c + e) / 2;
        *(log_tail_right(d, middle) <= log_tail ? &e : &c) = middle;
    }
    *left = a;
    *right = MIN(MAX(e, a + 1e-3 * d->sigma), d->to);
}

typedef struct {
    int n;
    double at[8], weight[8]; /* on [0, 1] */
} Rule;

/* Gauss-Legendre. */
static const Rule rules[] = {
    {2, {0.21132486540518711775, 0.78867513459481288225}, {0.5, 0.5}},
    {3, {0.11270166537925831148, 0.5, 0.88729833462074168852}, {5 / 18.0, 8 / 18.0, 5 / 18.0}},
    {4,
     {0.06943184420297371239, 0.33000947820757186760, 0.66999052179242813240, 0.93056815579702628761},
     {0.17392742256872692869, 0.32607257743127307131, 0.32607257743127307131, 0.17392742256872692869}},
    {8,
     {0.01985507175123188416, 0.10166676129318663020, 0.23723379504183550709, 0.40828267875217509753,
      0.59171732124782490247, 0.76276620495816449291, 0.89833323870681336980, 0.98014492824876811584},
     {0.05061426814518812958, 0.11119051722668723527, 0.15685332293894364367, 0.18134189168918099148,
      0.18134189168918099148, 0.15685332293894364367, 0.11119051722668723527, 0.05061426814518812958}},
};
/* A function f with |f^(k)| <= k! s^k f, over an interval of width w: a rule of n nodes is off by at most
 * (n!)^4 / ((2n+1) (2n)!^2) (s w)^(2n) of the integral; below 1e-14 up to these s w. */
static const double rule_reach[] = {1.1e-3, 0.017, 0.067, 0.5};

typedef struct {
    Density d;
    double spacing, offset, left, right; /* window of outcomes */
    DpcxrLossCells cells;
    gint64 first;
    double rounding, relative, shift; /* rounding of masses, in all and of each, in units of roundoff */
    double bound_loss[2], bound_x[2]; /* the bounds of cells that were looked up last */
} Filling;

static void cell_add(Filling *f, gsize i, double mass, double fraction, double magnitude)
{
    double to_right = -expm1(-fraction * f->spacing) / -expm1(-f->spacing);
    double t = f->d.tilt * f->spacing;
    double a = mass * (1 - to_right) * exp(-t * fraction), b = mass * to_right * exp(t * (1 - fraction));
    f->cells.left[i] += a;
    f->cells.right[i] += b;
    if (magnitude <= MAGNITUDE)
        f->relative = MAX(f->relative, magnitude);
    else
        f->rounding += (a + b) * magnitude;
}

/* x_of_loss() for bounds of cells, which neighbours share. Where the two differ in the last digits of the
 * loss, it is only for judging how fast the density changes. */
static double bound_of_cell(Filling *f, double loss)
{
    for (int i = 0; i < 2; i++) {
        if (fabs(loss - f->bound_loss[i]) < 1e-6 * f->spacing)
            return f->bound_x[i];
    }
    f->bound_loss[0] = f->bound_loss[1];
    f->bound_x[0] = f->bound_x[1];
    f->bound_loss[1] = loss;
    return f->bound_x[1] = x_of_loss(&f->d, loss);
}

/* Integrates over the loss; returns FALSE where the density changes too fast for that. */
static gboolean fill_by_loss(Filling *f, gsize i)
{
    const Density *d = &f->d;
    double start = f->offset + (double)(f->first + (gint64)i) * f->spacing;
    double nearest = d->sign > 0 ? start : -start - f->spacing; /* to log(1-q) */
    double depth = nearest - d->log_1mq;                        /* distance to the singularity */
    if (!(depth > 0))
        return FALSE;
    const double variance = d->sigma * d->sigma;
    double x_near = bound_of_cell(f, nearest), x_far = bound_of_cell(f, nearest + f->spacing);
    if (x_near < f->left || x_far > f->right)
        return FALSE;
    double rate = d->q == 1 ? 1 : -1 / expm1(d->log_1mq - nearest); /* du/dl */
    double s = 2 * (MAX(fabs(x_near), fabs(x_far)) * rate + d->sigma * rate + 1 + d->tilt + 1 / depth);
    if (d->q == 1) /* a Gaussian around a */
        s = 2 * (MAX(fabs(x_near - d->a), fabs(x_far - d->a)) + d->sigma);
    gsize r = 0;
    while (r < 3 && !(s * f->spacing <= rule_reach[r]))
        r++;
    if (r == 3)
        return FALSE;
    for (int k = 0; k < rules[r].n; k++) {
        double at = rules[r].at[k], loss = d->sign * (start + at * f->spacing), u = loss, slope = 1;
        if (d->q < 1 && loss > 30) {
            u = loss - d->log_q + log1p(-exp(d->log_1mq - loss));
            slope = -1 / expm1(d->log_1mq - loss);
        } else if (d->q < 1) {
            double e = expm1(loss);
            u = log1p(e / d->q);
            slope = (e + 1) / (e + d->q);
        }
        double x = variance * u + 0.5, square = 0.5 * (x / d->sigma) * (x / d->sigma);
        double mass = exp(d->a * loss - square - d->log_scale) * slope * d->sigma / SQRT_2PI * f->spacing *
                      rules[r].weight[k];
        double magnitude =
            8 * square + 4 * fabs(d->a * loss) + 2 * fabs(d->log_scale) + 4 * s * fabs(loss) + 64;
        cell_add(f, i, mass, at, magnitude);
    }
    return TRUE;
}

/* Integrates over the outcome, in panels. */
static void fill_by_outcome(Filling *f, gsize i)
{
    const Density *d = &f->d;
    const double variance = d->sigma * d->sigma;
    double start = f->offset + (double)(f->first + (gint64)i) * f->spacing;
    double low = x_of_loss(d, d->sign > 0 ? start : -start - f->spacing);
    double high = x_of_loss(d, d->sign > 0 ? start + f->spacing : -start);
    low = CLAMP(low, f->left, f->right);
    high = CLAMP(high, f->left, f->right);
    const Rule *rule = &rules[3];
    for (double x = low; x < high;) {
        double width = MIN(high - x, 0.25 * d->sigma);
        for (int k = 0; k < 2; k++) { /* the second time with what holds over the width of the first */
            double u = u_of_x(d, x + width), far = MAX(fabs(x), fabs(x + width));
            double slope = drawn(d, u, loss_of_u(d, u));
            double s = 2 * ((far + fabs(d->a) * slope + 1) / variance + 1 / d->sigma);
            if (d->q == 1)
                s = 2 * (MAX(fabs(x - d->a), fabs(x + width - d->a)) / variance + 1 / d->sigma);
            width = MIN(width, rule_reach[3] / s);
        }
        for (int k = 0; k < rule->n; k++) {
            double at = x + rule->at[k] * width, loss = loss_of_x(d, at);
            double square = 0.5 * (at / d->sigma) * (at / d->sigma);
            double mass =
                exp(d->a * loss - square - d->log_scale) / (d->sigma * SQRT_2PI) * width * rule->weight[k];
            double magnitude = 8 * square + 8 * fabs(d->a * loss) + 2 * fabs(d->log_scale) + 64;
            cell_add(f, i, mass, CLAMP((d->sign * loss - start) / f->spacing, 0, 1), magnitude);
            f->shift = MAX(f->shift, 32 * UNIT_ROUNDOFF * (fabs(loss) + fabs(start) + f->spacing));
        }
        if (!(x + width > x))
            break;
        x += width;
    }
}

static void fill(Filling *f, gsize n_cells)
{
    for (gsize i = 0; i < n_cells; i++) {
        if (!fill_by_loss(f, i))
            fill_by_outcome(f, i);
    }
}

/* For q small, much of the mass lies at losses just above log(1-q). Where much of it is less than a cell
 * wide, the lattice has to be placed so that the lower bound can draw it onto a point: with the cell that has
 * the end of the losses in it as the meeting, its imperfection falls from above to below 0 as that cell
 * reaches further in. */
static double place(const Filling *filling)
{
    enum { N_CELLS = 48, N_HALVINGS = 36 };
    const Density *d = &filling->d;
    if (d->q == 1 || dpcxr_loss_log_normal_below(x_of_loss(d, d->log_1mq + filling->spacing) / d->sigma) < log(0.01))
        return 0;
    double left[N_CELLS], right[N_CELLS], points[N_CELLS + 1];
    double outer = 0, inner = 1; /* how much of the spacing that cell reaches in */
    for (int k = 0; k < N_HALVINGS; k++) {
        double reach = (outer + inner) / 2;
        Filling f = *filling;
        f.cells = (DpcxrLossCells){left, right};
        f.offset = d->sign * (d->log_1mq + reach * f.spacing);
        f.first = d->sign > 0 ? -1 : 1 - N_CELLS;
        memset(left, 0, sizeof left);
        memset(right, 0, sizeof right);
        memset(points, 0, sizeof points);
        fill(&f, N_CELLS);
        double imperfection = dpcxr_loss_contract(points, &f.cells, N_CELLS + 1,
                                                  d->sign > 0 ? 0 : N_CELLS - 1, f.spacing, d->tilt);
        *(imperfection > 0 ? &outer : &inner) = reach;
    }
    return d->sign * (d->log_1mq + (outer + inner) / 2 * filling->spacing);
}

/* Begins a part: its window of outcomes and, as *low and *high, of losses. */
static void filling_init(Filling *f, const DpcxrLossPart *part, double tilt, double log_scale, double spacing,
                         double log_tail, double *low, double *high)
{
    *f = (Filling){
        .d = density_of(part, tilt, log_scale), .spacing = spacing, .bound_loss = {INFINITY, INFINITY}};
    window(&f->d, log_tail, &f->left, &f->right);
    double of_left = f->d.sign * loss_of_x(&f->d, f->left), of_right = f->d.sign * loss_of_x(&f->d, f->right);
    *low = MIN(*low, MIN(of_left, of_right));
    *high = MAX(*high, MAX(of_left, of_right));
}

/* What a part may be off by, to the lattice's account. */
static void add_errors(DpcxrLossLattice *lattice, const Filling *f)
{
    const Density *d = &f->d;
    lattice->error += f->rounding * UNIT_ROUNDOFF;
    if (f->left > d->from)
        lattice->error += exp(log_tail_left(d, f->left));
    if (f->right < d->to)
        lattice->error += exp(log_tail_right(d, f->right));
    lattice->relative = MAX(lattice->relative, f->relative * UNIT_ROUNDOFF + QUADRATURE_ERROR + 32 * DBL_EPSILON);
    lattice->shift = MAX(lattice->shift, f->shift);
}

DpcxrLossLattice *dpcxr_loss_law_lattice(const DpcxrLossLaw *law, double tilt, double log_scale, double spacing,
                                         double log_tail, gsize max_points)
{
    Filling parts[DPCXR_LOSS_PARTS];
    double low = law->atom > 0 ? 0 : INFINITY, high = law->atom > 0 ? 0 : -INFINITY;
    for (gsize i = 0; i < law->n; i++)
        filling_init(&parts[i], &law->parts[i], tilt, log_scale, spacing, log_tail, &low, &high);
    double offset = law->atom > 0 ? 0 : place(&parts[0]); /* an atom is at a point */
    double first = floor((low - offset) / spacing), last = ceil((high - offset) / spacing);
    if (!(last - first < (double)max_points - 4) || !(fabs(first) < 1e15))
        return NULL;
    DpcxrLossLattice *lattice = dpcxr_loss_lattice_new((gint64)first - 1, (gsize)(last - first) + 3);
    lattice->count = law->count;
    lattice->offset = offset;
    lattice->log_scale = log_scale;
    g_autofree double *left = g_new0(double, lattice->n), *right = g_new0(double, lattice->n);
    DpcxrLossCells cells = {left, right};
    for (gsize i = 0; i < law->n; i++) {
        parts[i].cells = cells;
        parts[i].first = lattice->first;
        parts[i].offset = offset;
        parts[i].bound_loss[0] = parts[i].bound_loss[1] = INFINITY;
        fill(&parts[i], lattice->n - 1);
        add_errors(lattice, &parts[i]);
    }
    dpcxr_loss_spread(lattice->values[DPCXR_LOSS_UPPER], &cells, lattice->n);
    dpcxr_loss_contract(lattice->values[DPCXR_LOSS_LOWER], &cells, lattice->n,
                        dpcxr_loss_meeting(&cells, lattice->n, spacing, tilt), spacing, tilt);
    for (int bound = 0; bound < 2 && law->atom > 0; bound++)
        lattice->values[bound][-lattice->first] += law->atom * exp(-log_scale);
    dpcxr_loss_normalise(lattice);
    return lattice;
}
