/* SPDX-License-Identifier: MIT
 * Passes over contours, each at a better t and about a better epsilon; what is found so far stays. contour.c has the
 * integral and its error bounds. */
#include "privacy/loss/inversion.h"
#include <math.h>
#include "privacy/loss/contour.h"

#define PASSES 9     /* each with a better t; what is found so far stays */
#define ROUGHLY 0.1

static double upper_epsilon(const DpcxrLossProblem *problem, const DpcxrLossContour *line, double log_delta, double start)
{
    double low = 0, high = start;
    if (dpcxr_loss_contour_log_delta(problem, line, 0).upper <= log_delta)
        return 0;
    for (; dpcxr_loss_contour_log_delta(problem, line, high).upper > log_delta; high *= 1.5)
        if (high > 1e9)
            return INFINITY;
    for (int i = 0; i < 60 && high - low > 1e-12 * high; i++) {
        double middle = (low + high) / 2;
        *(dpcxr_loss_contour_log_delta(problem, line, middle).upper > log_delta ? &low : &high) = middle;
    }
    return high;
}

/* From the upper end downward, because far from it the lower bound of delta is poor. */
static double lower_epsilon(const DpcxrLossProblem *problem, const DpcxrLossContour *line, double log_delta, double upper)
{
    double high = upper, low = upper;
    for (double part = 1e-7; !(dpcxr_loss_contour_log_delta(problem, line, low).lower > log_delta); part *= 2) {
        if (part >= 1)
            return 0;
        high = low;
        low = (1 - part) * upper;
    }
    for (int i = 0; i < 40 && high - low > 1e-12 * high; i++) {
        double middle = (low + high) / 2;
        *(dpcxr_loss_contour_log_delta(problem, line, middle).lower > log_delta ? &low : &high) = middle;
    }
    return low;
}

static gboolean too_much_work(const DpcxrLossProblem *problem, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "prv: %g sampled steps with these rates take more work to invert than is sensible; accountant pld or rdp "
                "covers them",
                problem->total);
    return FALSE;
}

double dpcxr_loss_inversion_moment_bound(GArray *laws, double at, gboolean is_epsilon)
{
    DpcxrLossProblem problem;
    dpcxr_loss_problem_init(&problem, laws);
    problem.log_delta = is_epsilon ? NAN : at;
    problem.epsilon = is_epsilon ? at : NAN;
    dpcxr_loss_problem_set_caps(&problem, is_epsilon ? -60 : at, 0);
    double tilt = dpcxr_loss_problem_tilt(&problem, 1);
    g_autoptr(GPtrArray) nodes = isnan(tilt) ? NULL : dpcxr_loss_problem_nodes(&problem, tilt, 0, 0);
    if (!nodes)
        return INFINITY;
    if (is_epsilon)
        return log(exp(dpcxr_loss_problem_moment_bound(&problem, nodes, tilt)) + dpcxr_loss_problem_beyond(&problem)) + 1e-6;
    problem.log_delta += log1p(-dpcxr_loss_problem_beyond(&problem) * exp(-at));
    return dpcxr_loss_problem_moment_bound(&problem, nodes, tilt) * (1 + 1e-6);
}

gboolean dpcxr_loss_inversion_epsilon(GArray *laws, double log_delta, double accuracy, DpcxrInterval *epsilon,
                                      GError **error)
{
    DpcxrLossProblem problem;
    dpcxr_loss_problem_init(&problem, laws);
    problem.log_delta = log_delta;
    problem.epsilon = NAN;
    dpcxr_loss_problem_set_caps(&problem, log_delta, 0);
    *epsilon = (DpcxrInterval){0, 0, INFINITY};
    double tilt = 1;
    gboolean is_near = FALSE; /* whether the last pass was about where epsilon is */
    for (int pass = 0; pass < PASSES; pass++) {
        tilt = dpcxr_loss_problem_tilt(&problem, tilt);
        if (isnan(tilt))
            return too_much_work(&problem, error);
        if (isnan(problem.epsilon)) {
            g_autoptr(GPtrArray) nodes = dpcxr_loss_problem_nodes(&problem, tilt, 0, 0);
            problem.epsilon = nodes ? MAX(1e-300, dpcxr_loss_problem_moment_bound(&problem, nodes, tilt)) : 1;
        }
        dpcxr_loss_problem_set_caps(&problem, log_delta, tilt);
        tilt = dpcxr_loss_problem_relaxed_tilt(&problem, dpcxr_loss_problem_tilt(&problem, tilt));
        /* a first guess may be far away; then it only has to show the way to the next */
        problem.accuracy = !is_near ? ROUGHLY : MIN(1, accuracy * MAX(0.1, tilt * problem.epsilon));
        DpcxrLossContour line;
        if (!dpcxr_loss_contour_make(&problem, tilt, &line)) {
            dpcxr_loss_contour_clear(&line);
            return isfinite(epsilon->upper) ? TRUE : too_much_work(&problem, error);
        }
        double upper = upper_epsilon(&problem, &line, log_delta, problem.epsilon);
        double lower = isfinite(upper) ? lower_epsilon(&problem, &line, log_delta, upper) : 0;
        dpcxr_loss_contour_clear(&line);
        epsilon->upper = MIN(epsilon->upper, upper);
        epsilon->lower = MAX(epsilon->lower, lower);
        if (!(epsilon->upper - epsilon->lower > accuracy * epsilon->upper))
            break;
        is_near = epsilon->upper > 0.8 * problem.epsilon;
        problem.epsilon = epsilon->upper;
    }
    return TRUE;
}

gboolean dpcxr_loss_inversion_log_delta(GArray *laws, double epsilon, double accuracy, DpcxrInterval *log_delta,
                                        GError **error)
{
    DpcxrLossProblem problem;
    dpcxr_loss_problem_init(&problem, laws);
    problem.epsilon = epsilon;
    problem.accuracy = accuracy;
    *log_delta = (DpcxrInterval){-INFINITY, 0, 0};
    for (int pass = 0; pass < PASSES; pass++) {
        if (pass == 0)
            dpcxr_loss_problem_set_caps(&problem, -60, 0);
        double tilt = dpcxr_loss_problem_tilt(&problem, 1);
        g_autoptr(GPtrArray) nodes = isnan(tilt) ? NULL : dpcxr_loss_problem_nodes(&problem, tilt, 0, 0);
        if (!nodes)
            return too_much_work(&problem, error);
        if (pass == 0)
            problem.log_delta = MIN(0, dpcxr_loss_problem_moment_bound(&problem, nodes, tilt));
        dpcxr_loss_problem_set_caps(&problem, problem.log_delta, tilt);
        DpcxrLossContour line;
        if (!dpcxr_loss_contour_make(&problem, dpcxr_loss_problem_relaxed_tilt(&problem, dpcxr_loss_problem_tilt(&problem, tilt)), &line)) {
            dpcxr_loss_contour_clear(&line);
            return log_delta->upper < 0 ? TRUE : too_much_work(&problem, error);
        }
        DpcxrInterval found = dpcxr_loss_contour_log_delta(&problem, &line, epsilon);
        dpcxr_loss_contour_clear(&line);
        log_delta->upper = MIN(log_delta->upper, found.upper);
        log_delta->lower = MAX(log_delta->lower, found.lower);
        if (!(log_delta->upper - log_delta->lower > accuracy))
            break;
        problem.log_delta = log_delta->upper;
    }
    return TRUE;
}
