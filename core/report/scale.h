/* SPDX-License-Identifier: MIT
 * From values to places on a chart, and the round values that an axis names. */
#pragma once
#include <glib.h>

enum { DPCXR_MAX_TICKS = 16 };

typedef struct {
    double low, high;  /* values, low < high; both positive with @log */
    double start, end; /* where they are: user units of the SVG; start > end on vertical axes */
    gboolean log;
} DpcxrScale;

/* A scale over all of [@low, @high], with 4 % of air on both sides where @air; an empty or not finite range
 * becomes one that can be drawn. */
DpcxrScale dpcxr_scale(double low, double high, gboolean air);
/* The same in logarithms: both positive, else 1e-6 .. 1. */
DpcxrScale dpcxr_scale_log(double low, double high);
/* Widens @scale to the round values around it. */
void dpcxr_scale_round(DpcxrScale *scale, int wanted);

/* The place of @value; beyond the ends for values that are. */
double dpcxr_scale_at(const DpcxrScale *scale, double value);

/* About @wanted (at least 2) round values within the scale, rising: multiples of 1, 2 or 5 times a power of
 * ten; powers of ten, with 2 and 5 of them where there are few, with @log. Returns how many. */
int dpcxr_scale_ticks(const DpcxrScale *scale, int wanted, double ticks[DPCXR_MAX_TICKS]);
/* @ticks[i] with as many digits as its neighbours need. (transfer full) */
char *dpcxr_tick_text(const DpcxrScale *scale, const double *ticks, int n, int i);
