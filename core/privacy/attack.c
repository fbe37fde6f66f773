/* SPDX-License-Identifier: MIT
 * Hypothesis tests between neighbours. (epsilon, delta) says that TPR <= e^epsilon FPR + delta, and, of the
 * complements, that 1 - FPR <= e^epsilon (1 - TPR) + delta (Wasserman & Zhou 2010; Kairouz, Oh & Viswanath
 * 2015). The least over epsilon of both is the trade-off curve (Dong, Roth & Su 2019, Proposition 2.12); each
 * is unimodal in epsilon, so a few points and halving around the best ones come close. */
#include "privacy/attack.h"
#include <float.h>
#include <math.h>
#include "privacy/accounting.h"

#define EPSILON_MAX                                                                                          \
    6.907755278982137  /* log 1000: beyond, e^epsilon FPR is above 1, and the complement within 1/1000 */
#define HALVINGS 13    /* of epsilon, for the first points; below, epsilon 0 does as well */
#define ROUNDS 5       /* of refinement */
#define MANY_EVENTS 64 /* beyond, each point is dear, and one round has to do */
#define ROUND_UP (1 + 16 * DBL_EPSILON)

typedef struct {
    double epsilon, delta;
} Point;

double dpcxr_attack_false_positive_rate(int i)
{
    static const double rates[DPCXR_ATTACK_RATES] = {0.001, 0.01, 0.1};
    g_return_val_if_fail(i >= 0 && i < DPCXR_ATTACK_RATES, 1);
    return rates[i];
}

char *dpcxr_attack_guess(DpcxrAdjacency adjacency, const char *unit)
{
    if (adjacency == DPCXR_ADJACENCY_REPLACE_ONE)
        return g_strdup_printf("which of two versions of one %s's data was used", unit);
    return g_strdup_printf(adjacency == DPCXR_ADJACENCY_ZERO_OUT
                               ? "whether a given %s took part in training"
                               : "whether a given %s was in the training data",
                           unit);
}

double dpcxr_attack_true_positive_rate(double rate, double epsilon, double delta)
{
    double direct = (exp(epsilon) * rate + delta) * ROUND_UP;
    double complement = 1 - exp(-epsilon) * (1 - rate - delta) * (2 - ROUND_UP) + DBL_EPSILON;
    return CLAMP(MIN(direct, complement), rate, 1);
}

/* The largest TPR - FPR, where both lines cross: FPR = (1 - delta) / (1 + e^epsilon). */
static double advantage(const Point *point)
{
    double value = tanh(point->epsilon / 2) + 2 * point->delta / (1 + exp(point->epsilon));
    return CLAMP(value * ROUND_UP, 0, 1);
}

typedef struct {
    const DpcxrFeature *accountant;
    const DpcxrMechanism *mechanism;
    const double *rates; /* what is wanted: true-positive rates at these, and the advantage */
    gsize n_rates;
    GArray *points; /* Point, by epsilon */
    GError *error;  /* (nullable) the accountant's first one */
} Curve;

/* The bound number @which from point @at: the rates in their order, then the advantage. */
static double bound_of(const Curve *curve, guint at, gsize which)
{
    const Point *point = &g_array_index(curve->points, Point, at);
    if (which == curve->n_rates)
        return advantage(point);
    return dpcxr_attack_true_positive_rate(curve->rates[which], point->epsilon, point->delta);
}

/* Where the accountant has no answer there is no point; the others are as good as before. */
static void curve_add(Curve *curve, double epsilon)
{
    DpcxrInterval delta;
    g_autoptr(GError) error = NULL;
    if (!dpcxr_account_delta(curve->accountant, curve->mechanism, epsilon, &delta, &error)) {
        if (!curve->error)
            curve->error = g_steal_pointer(&error);
        return;
    }
    Point point = {epsilon, MIN(delta.upper, 1)};
    guint at = 0;
    while (at < curve->points->len && g_array_index(curve->points, Point, at).epsilon < epsilon)
        at++;
    g_array_insert_val(curve->points, at, point);
}

static guint best_point(const Curve *curve, gsize which)
{
    guint best = 0;
    for (guint i = 1; i < curve->points->len; i++) {
        if (bound_of(curve, i, which) < bound_of(curve, best, which))
            best = i;
    }
    return best;
}

/* Halves the gaps on both sides of the best point for each bound. */
static void curve_refine(Curve *curve)
{
    for (gsize which = 0; which <= curve->n_rates; which++) {
        guint best = best_point(curve, which), last = curve->points->len - 1;
        double here = g_array_index(curve->points, Point, best).epsilon;
        double left = best > 0 ? g_array_index(curve->points, Point, best - 1).epsilon : here;
        double right = best < last ? g_array_index(curve->points, Point, best + 1).epsilon : here;
        if (left < here)
            curve_add(curve, (left + here) / 2);
        if (right > here)
            curve_add(curve, (right + here) / 2);
    }
}

/* Where e^epsilon reaches what the least rate needs; at least log 1000. */
static double largest_epsilon(const Curve *curve)
{
    double epsilon = EPSILON_MAX;
    for (gsize i = 0; i < curve->n_rates; i++)
        epsilon = MAX(epsilon, -log(curve->rates[i]));
    return epsilon;
}

/* FALSE with the accountant's first error where it has no point at all. */
static gboolean curve_read(Curve *curve, GError **error)
{
    curve_add(curve, 0);
    for (int i = 0; i <= HALVINGS; i++)
        curve_add(curve, ldexp(largest_epsilon(curve), -i));
    if (curve->points->len == 0) {
        g_propagate_error(error, g_steal_pointer(&curve->error));
        return FALSE;
    }
    int rounds = curve->mechanism->n_events <= MANY_EVENTS ? ROUNDS : 1;
    for (int i = 0; i < rounds; i++)
        curve_refine(curve);
    return TRUE;
}

/* The best bounds: at @rates, and the advantage behind them. */
static gboolean curve_bounds(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism,
                             const double *rates, gsize n, double *bounds, GError **error)
{
    if (dpcxr_account_is_approximate(accountant)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "%s: is an approximation, from which nothing follows for an attacker; use an accountant "
                    "that gives "
                    "bounds",
                    accountant->type);
        return FALSE;
    }
    Curve curve = {accountant, mechanism, rates, n, g_array_new(FALSE, FALSE, sizeof(Point)), NULL};
    gboolean done = curve_read(&curve, error);
    for (gsize which = 0; done && which <= n; which++)
        bounds[which] = bound_of(&curve, best_point(&curve, which), which);
    g_array_unref(curve.points);
    g_clear_error(&curve.error);
    return done;
}

gboolean dpcxr_attack_true_positive_rates(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism,
                                          const double *false_positive_rates, gsize n, double *bounds,
                                          GError **error)
{
    g_autofree double *all = g_new(double, n + 1);
    if (!curve_bounds(accountant, mechanism, false_positive_rates, n, all, error))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        bounds[i] = all[i];
    return TRUE;
}

gboolean dpcxr_attack_bounds(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism,
                             DpcxrAttackBounds *bounds, GError **error)
{
    double rates[DPCXR_ATTACK_RATES], all[DPCXR_ATTACK_RATES + 1];
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++)
        rates[i] = dpcxr_attack_false_positive_rate(i);
    if (!curve_bounds(accountant, mechanism, rates, DPCXR_ATTACK_RATES, all, error))
        return FALSE;
    for (int i = 0; i < DPCXR_ATTACK_RATES; i++)
        bounds->true_positive_rate[i] = all[i];
    bounds->advantage = all[DPCXR_ATTACK_RATES];
    return TRUE;
}
