/* SPDX-License-Identifier: MIT */
#include "privacy/loss/saddle.h"
#include <math.h>

#define CAPPED 3e-5  /* of delta: what losses beyond the caps may come to */
#define FADE 0.25   /* of sigma: how softly, at most */
#define NODES_MAX ((gsize)1 << 20)

const DpcxrLossLaw *dpcxr_loss_problem_law(const DpcxrLossProblem *problem, guint i)
{
    return &g_array_index(problem->laws, DpcxrLossLaw, i);
}

void dpcxr_loss_problem_init(DpcxrLossProblem *problem, GArray *laws)
{
    *problem = (DpcxrLossProblem){.laws = laws};
    for (guint i = 0; i < laws->len; i++) {
        const DpcxrLossLaw *law = dpcxr_loss_problem_law(problem, i);
        if (dpcxr_loss_law_is_full(law))
            problem->precision += (double)law->count / (law->parts[0].sigma * law->parts[0].sigma);
        else
            problem->total += (double)law->count;
    }
}

void dpcxr_loss_problem_set_caps(DpcxrLossProblem *problem, double log_delta, double tilt)
{
    for (guint i = 0; i < problem->laws->len; i++)
        dpcxr_loss_law_set_cap(&g_array_index(problem->laws, DpcxrLossLaw, i),
                               log_delta + log(CAPPED) - log(MAX(1, problem->total)), FADE, tilt);
}

double dpcxr_loss_problem_beyond(const DpcxrLossProblem *problem)
{
    double sum = 0;
    for (guint i = 0; i < problem->laws->len; i++)
        sum += (double)dpcxr_loss_problem_law(problem, i)->count * dpcxr_loss_problem_law(problem, i)->beyond;
    return sum * (1 + 1e-12);
}

static void free_nodes(gpointer nodes)
{
    dpcxr_loss_nodes_free(nodes);
}

GPtrArray *dpcxr_loss_problem_nodes(const DpcxrLossProblem *problem, double tilt, double reach, double may_leave)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(free_nodes);
    for (guint i = 0; i < problem->laws->len; i++) {
        const DpcxrLossLaw *law = dpcxr_loss_problem_law(problem, i);
        DpcxrLossNodes *nodes = dpcxr_loss_law_is_full(law) ? NULL : dpcxr_loss_nodes_new(law, tilt, reach, may_leave, NODES_MAX);
        if (!nodes && !dpcxr_loss_law_is_full(law)) {
            g_ptr_array_unref(all);
            return NULL;
        }
        g_ptr_array_add(all, nodes);
    }
    return all;
}

double dpcxr_loss_problem_log_moment(const DpcxrLossProblem *problem, const GPtrArray *nodes, double t)
{
    double sum = t * (1 + t) / 2 * problem->precision;
    for (guint i = 0; i < nodes->len; i++)
        if (nodes->pdata[i])
            sum += (double)dpcxr_loss_problem_law(problem, i)->count * dpcxr_loss_nodes_log_moment(nodes->pdata[i], t);
    return sum;
}

double dpcxr_loss_log_coefficient(double t)
{
    return t > 0 ? -t * log1p(1 / t) - log1p(t) : 0;
}

double dpcxr_loss_problem_moment_bound(const DpcxrLossProblem *problem, const GPtrArray *nodes, double t)
{
    double k = dpcxr_loss_problem_log_moment(problem, nodes, t) + dpcxr_loss_log_coefficient(t);
    return isnan(problem->epsilon) ? (k - problem->log_delta) / t : k - t * problem->epsilon;
}

/* From @start in steps of a factor, up or down, as long as that makes it less. */
static double descend(const DpcxrLossProblem *problem, const GPtrArray *nodes, double start, double factor, double *least)
{
    double at = start;
    for (int worse = 0; worse < 2 && start > 1e-8 && start < 1e9; ) {
        start *= factor;
        double value = dpcxr_loss_problem_moment_bound(problem, nodes, start);
        worse = value < *least ? 0 : worse + 1;
        if (value < *least) {
            *least = value;
            at = start;
        }
    }
    return at;
}

static double best_tilt(const DpcxrLossProblem *problem, const GPtrArray *nodes, double start)
{
    double least = dpcxr_loss_problem_moment_bound(problem, nodes, start), factor = 2;
    double at = descend(problem, nodes, start, factor, &least);
    if (at == start)
        at = descend(problem, nodes, start, 1 / factor, &least);
    for (int i = 0; i < 5; i++) {
        factor = sqrt(factor);
        double below = dpcxr_loss_problem_moment_bound(problem, nodes, at / factor), above = dpcxr_loss_problem_moment_bound(problem, nodes, at * factor);
        if (MIN(below, above) < least) {
            least = MIN(below, above);
            at *= below < above ? 1 / factor : factor;
        }
    }
    return at;
}

double dpcxr_loss_problem_relaxed_tilt(const DpcxrLossProblem *problem, double tilt)
{
    g_autoptr(GPtrArray) nodes = dpcxr_loss_problem_nodes(problem, tilt, 0, 0);
    if (!nodes)
        return tilt;
    double best = dpcxr_loss_problem_log_moment(problem, nodes, tilt) - tilt * problem->epsilon - log(tilt * (1 + tilt));
    for (double t = tilt; t > 0.3 * tilt; t *= 0.93) {
        double value = dpcxr_loss_problem_log_moment(problem, nodes, t) - t * problem->epsilon - log(t * (1 + t));
        if (value > best + 2)
            return t / 0.93;
    }
    return 0.3 * tilt;
}

/* The best t; nodes that are good for one tilt decide the next. */
double dpcxr_loss_problem_tilt(const DpcxrLossProblem *problem, double start)
{
    double tilt = start;
    for (int i = 0; i < 3; i++) {
        g_autoptr(GPtrArray) nodes = dpcxr_loss_problem_nodes(problem, tilt, 0, 0);
        double next = nodes ? best_tilt(problem, nodes, tilt) : NAN;
        if (!(fabs(next / tilt - 1) > 0.5) || isnan(next))
            return next;
        tilt = next;
    }
    return tilt;
}
