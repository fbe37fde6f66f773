/* SPDX-License-Identifier: MIT
 * The body of a bootstrap kernel. The build compiles it once for each instruction set, with
 * DPCXR_BOOTSTRAP_KERNEL as the name of the table and DPCXR_BOOTSTRAP_ISA as the instruction set; the
 * compiler turns loops over lanes into vectors. */
#include "stats/bootstrap-kernel.h"
#include <string.h>

#define LANES for (int lane = 0; lane < DPCXR_LANES; lane++)

/* Running sums of a ranking. Whole numbers in int: 2^31 rows times their multiplicity are more than memory
 * holds. */
typedef struct {
    gint32 tp[DPCXR_LANES], fp[DPCXR_LANES];
    double wrong[DPCXR_LANES], precision[DPCXR_LANES];
} Ranking;

/* @tp positives and @fp negatives of one score, in each lane, below all before them. */
static inline void add_positives(Ranking *restrict r, const gint32 *restrict tp, const gint32 *restrict fp)
{
    LANES
    {
        double drawn = tp[lane], above = r->fp[lane], tied = fp[lane];
        r->tp[lane] += tp[lane];
        double right = r->tp[lane], called = right + above + tied;
        r->wrong[lane] += drawn * (2 * above + tied);
        r->precision[lane] += drawn * (right / (called > 1 ? called : 1)); /* 0 called: 0 drawn */
    }
    LANES r->fp[lane] += fp[lane];
}

static inline void add_negative(Ranking *restrict r, const guint8 *restrict counts)
{
    LANES r->fp[lane] += counts[lane];
}

/* Rows @i to the end of their run of equal scores; returns that end. */
static inline gsize add_run(Ranking *restrict r, const DpcxrBootstrapRows *rows, const guint8 *counts,
                            gsize i)
{
    gint32 drawn[2][DPCXR_LANES] = {{0}};
    gboolean positive = FALSE, more;

    do {
        const guint8 *of_row = counts + rows->counts_at[i];
        gint32 *of_class = drawn[rows->truths[i]];
        LANES of_class[lane] += of_row[lane];
        positive = positive || rows->truths[i];
        more = rows->tied[i];
        i++;
    } while (more);
    if (positive)
        add_positives(r, drawn[1], drawn[0]);
    else
        LANES r->fp[lane] += drawn[0][lane];
    return i;
}

static void rank_until(Ranking *restrict r, const DpcxrBootstrapRows *rows, const guint8 *counts, gsize first,
                       gsize end)
{
    for (gsize i = first; i < end;) {
        if (!rows->tied[i] && !rows->truths[i]) {
            add_negative(r, counts + rows->counts_at[i]);
            i++;
        } else {
            i = add_run(r, rows, counts, i);
        }
    }
}

static void rank(const DpcxrBootstrapRows *rows, const guint8 *counts, DpcxrRankSums *sums)
{
    Ranking r = {{0}};

    rank_until(&r, rows, counts, 0, rows->called);
    LANES
    {
        sums->tp[lane] = r.tp[lane];
        sums->fp[lane] = r.fp[lane];
    }
    rank_until(&r, rows, counts, rows->called, rows->n);
    LANES
    {
        sums->positives[lane] = r.tp[lane];
        sums->negatives[lane] = r.fp[lane];
        sums->wrong[lane] = r.wrong[lane];
        sums->precision[lane] = r.precision[lane];
    }
}

static void residuals(const DpcxrBootstrapRows *rows, const guint8 *counts, DpcxrResidualSums *sums)
{
    double squares[DPCXR_LANES] = {0};
    gsize i = 0;

    for (gsize s = 0; s < rows->n_segments; s++) {
        double sum[DPCXR_LANES] = {0};
        for (; i < rows->segment_ends[s]; i++) {
            const guint8 *restrict of_row = counts + rows->counts_at[i];
            double rest = rows->scores[i] - rows->truths[i], square = rest * rest;
            LANES
            {
                double drawn = of_row[lane];
                sum[lane] += drawn * rest;
                squares[lane] += drawn * square;
            }
        }
        memcpy(sums->segments[s], sum, sizeof sum);
    }
    memcpy(sums->squares, squares, sizeof squares);
}

/* x becomes 1 / (1 + e^-x) in all lanes, to about 1e-13. e^-x = 2^k e^r with r in [-ln 2 / 2, ln 2 / 2]; k is
 * read off the bits of a sum with a number so large that whole numbers are all it can hold. In three loops,
 * each of which is vectors. */
static inline void logistic_lanes(double *restrict x)
{
    const double shift = 0x1.8p52, high = 0x1.62e42fefa0000p-1, low = 0x1.cf79abc9e3b3ap-40, limit = 700;
    double e[DPCXR_LANES];
    union {
        double number[DPCXR_LANES];
        guint64 bits[DPCXR_LANES];
    } power;

    LANES
    {
        double kept = x[lane] > limit ? -limit : x[lane] < -limit ? limit : -x[lane];
        double whole = kept * 0x1.71547652b82fep+0 + shift, k = whole - shift;
        double r = (kept - k * high) - k * low, r2 = r * r, r4 = r2 * r2;
        /* Taylor's series to r^11, the rest of which is below 1e-14, by pairs: short chains */
        double ends = (1 + r) + r2 * (0.5 + r * (1.0 / 6));
        double middle = (1.0 / 24 + r * (1.0 / 120)) + r2 * (1.0 / 720 + r * (1.0 / 5040));
        double tail = (1.0 / 40320 + r * (1.0 / 362880)) + r2 * (1.0 / 3628800 + r * (1.0 / 39916800));
        e[lane] = ends + r4 * (middle + r4 * tail);
        power.number[lane] = whole;
    }
    LANES power.bits[lane] = (power.bits[lane] + 1023) << 52; /* the lowest bits of the sum are those of k */
    LANES x[lane] = 1 / (1 + power.number[lane] * e[lane]);
}

static void logistic(const DpcxrBootstrapRows *rows, const guint8 *counts, const double *offset,
                     const double *slope, DpcxrLogisticSums *sums)
{
    double a[DPCXR_LANES], b[DPCXR_LANES], p[DPCXR_LANES];
    DpcxrLogisticSums s = {{{0}}};

    memcpy(a, offset, sizeof a);
    memcpy(b, slope, sizeof b);
    for (gsize i = 0; i < rows->n; i++) {
        const guint8 *restrict of_row = counts + rows->counts_at[i];
        double x = rows->logits[i], truth = rows->truths[i], square = x * x;
        LANES p[lane] = a[lane] + b[lane] * x;
        logistic_lanes(p);
        LANES
        {
            double drawn = of_row[lane], rest = drawn * (truth - p[lane]),
                   weight = drawn * (p[lane] * (1 - p[lane]));
            s.g[0][lane] += rest;
            s.g[1][lane] += rest * x;
            s.h[0][lane] += weight;
            s.h[1][lane] += weight * x;
            s.h[2][lane] += weight * square;
        }
    }
    *sums = s;
}

static void common(const DpcxrBootstrapRows *rows, const guint8 *counts, const double *rests,
                   const double *weights, DpcxrLogisticSums *sums)
{
    DpcxrLogisticSums s = {{{0}}};

    for (gsize i = 0; i < rows->n; i++) {
        const guint8 *restrict of_row = counts + rows->counts_at[i];
        double x = rows->logits[i], rest = rests[i], weight = weights[i], tilted = rest * x, w1 = weight * x,
               w2 = w1 * x;
        LANES
        {
            double drawn = of_row[lane];
            s.g[0][lane] += drawn * rest;
            s.g[1][lane] += drawn * tilted;
            s.h[0][lane] += drawn * weight;
            s.h[1][lane] += drawn * w1;
            s.h[2][lane] += drawn * w2;
        }
    }
    *sums = s;
}

static void shifted(const DpcxrBootstrapRows *rows, const guint8 *counts, const double *odds,
                    const double *factor, DpcxrLogisticSums *sums)
{
    double by[DPCXR_LANES], rest[DPCXR_LANES] = {0}, weight[DPCXR_LANES] = {0};

    memcpy(by, factor, sizeof by);
    for (gsize i = 0; i < rows->n; i++) {
        const guint8 *restrict of_row = counts + rows->counts_at[i];
        double odd = odds[i], truth = rows->truths[i];
        LANES
        {
            double drawn = of_row[lane], n = 1 / (1 + odd * by[lane]); /* probability of a negative */
            rest[lane] += drawn * (truth - (1 - n));
            weight[lane] += drawn * (n * (1 - n));
        }
    }
    memcpy(sums->g[0], rest, sizeof rest);
    memcpy(sums->h[0], weight, sizeof weight);
}

const DpcxrBootstrapKernel DPCXR_BOOTSTRAP_KERNEL = {
    DPCXR_BOOTSTRAP_NAME, DPCXR_BOOTSTRAP_ISA, rank, residuals, common, shifted, logistic};
