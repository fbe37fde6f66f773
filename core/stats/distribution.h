/* SPDX-License-Identifier: MIT
 * The few distribution functions that tests and intervals need; 1e-12 relative or better. */
#pragma once
#include <glib.h>

/* The z that a standard normal stays below with probability @p, in (0, 1). */
double dpcxr_normal_quantile(double p);
/* Probability of a standard normal at least as far from 0 as @z. */
double dpcxr_normal_two_sided(double z);
/* Probability of a Student t with @df > 0 degrees of freedom at least as far from 0 as @t. */
double dpcxr_student_two_sided(double t, double df);
