/* SPDX-License-Identifier: MIT
 * What is asked about a composition whose characteristic function is inverted, and which t = Re s to do that at. */
#pragma once
#include "privacy/loss/moments.h"

typedef struct {
    GArray *laws;
    double total;      /* steps that are not full batches */
    double precision;  /* of all full batches: 1 / sigma^2; 0: none */
    double log_delta;  /* wanted, or where the last pass found it */
    double epsilon;    /* given, or where the last pass found it */
    double accuracy;   /* of delta */
} DpcxrLossProblem;

/* @laws: (element-type DpcxrLossLaw) borrowed. */
void dpcxr_loss_problem_init(DpcxrLossProblem *problem, GArray *laws);
const DpcxrLossLaw *dpcxr_loss_problem_law(const DpcxrLossProblem *problem, guint i);

/* Caps what is rare beside a delta of e^@log_delta. @tilt: about the one that will be used, or 0. */
void dpcxr_loss_problem_set_caps(DpcxrLossProblem *problem, double log_delta, double tilt);
/* The probability that any step has a capped loss, at most. */
double dpcxr_loss_problem_beyond(const DpcxrLossProblem *problem);

/* DpcxrLossNodes, one a law, NULL for full batches; arguments as of dpcxr_loss_nodes_new(). NULL where there are too many.
 * (transfer full) */
GPtrArray *dpcxr_loss_problem_nodes(const DpcxrLossProblem *problem, double tilt, double reach, double may_leave);

/* K(@t) = log E[e^(t L)] of the whole, from nodes that were made for that t or a larger one; no bound. */
double dpcxr_loss_problem_log_moment(const DpcxrLossProblem *problem, const GPtrArray *nodes, double t);
/* delta <= e^(K(t) - t epsilon + this): (t / (1+t))^t / (1 + t) is the most that e^(-t d) (1 - e^-d) can be. */
double dpcxr_loss_log_coefficient(double t);
/* The bound that follows, of epsilon or, where that is known, of log delta. */
double dpcxr_loss_problem_moment_bound(const DpcxrLossProblem *problem, const GPtrArray *nodes, double t);

/* The t that makes it least, about, searched for from @start. NAN where numbers are too large. */
double dpcxr_loss_problem_tilt(const DpcxrLossProblem *problem, double start);
/* A smaller t that costs at most two in the exponent: the larger the distance to where moments explode, the closer together
 * can the copies of the curve be. */
double dpcxr_loss_problem_relaxed_tilt(const DpcxrLossProblem *problem, double tilt);
