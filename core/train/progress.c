/* SPDX-License-Identifier: MIT */
#include "train/progress.h"
#include "privacy/accounting.h"
#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { BAR_CELLS = 24 };

struct _DpcxrProgress {
    const char *what;
    guint64 first, steps;
    gboolean quiet, terminal;
    gint64 started, shown; /* microseconds, monotonic */
    DpcxrProgressState last;
};

DpcxrProgress *dpcxr_progress_new(const char *what, guint64 first, guint64 steps, gboolean quiet)
{
    DpcxrProgress *progress = g_new0(DpcxrProgress, 1);
    *progress = (DpcxrProgress){.what = what, .first = first, .steps = steps, .quiet = quiet};
    progress->terminal = isatty(STDOUT_FILENO);
    progress->started = progress->shown = g_get_monotonic_time();
    progress->last = (DpcxrProgressState){.step = first, .loss = NAN, .epsilon = NAN};
    return progress;
}

gboolean dpcxr_progress_due(const DpcxrProgress *progress)
{
    gint64 every = progress->terminal ? G_USEC_PER_SEC / 2 : 30 * (gint64)G_USEC_PER_SEC;
    return !progress->quiet && g_get_monotonic_time() - progress->shown >= every;
}

/* "1:02:03" or "2:03" */
static void format_time(double seconds, char *text, gsize size)
{
    long s = seconds > 0 && seconds < 1e8 ? (long)seconds : 0;
    if (s >= 3600)
        g_snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        g_snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
}

static void print_bar(const DpcxrProgress *progress, const DpcxrProgressState *state)
{
    int full = progress->steps ? (int)(BAR_CELLS * state->step / progress->steps) : 0;
    printf("\r\033[K%s [", progress->what);
    for (int i = 0; i < BAR_CELLS; i++)
        putchar(i < full ? '#' : '.');
    printf("] ");
}

static void print(const DpcxrProgress *progress, const DpcxrProgressState *state)
{
    double seconds = (double)(g_get_monotonic_time() - progress->started) / G_USEC_PER_SEC;
    guint64 done = state->step - progress->first, left = progress->steps - MIN(state->step, progress->steps);
    char time[32];
    format_time(done ? seconds / (double)done * (double)left : 0, time, sizeof time);
    if (progress->terminal)
        print_bar(progress, state);
    else
        printf("%s ", progress->what);
    printf("step %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, state->step, progress->steps);
    if (!isnan(state->loss))
        printf("  loss %.4f", state->loss);
    if (!isnan(state->epsilon)) {
        g_autofree char *epsilon = dpcxr_format_epsilon(state->epsilon, 2);
        printf("  epsilon so far %s", epsilon);
    }
    printf("  %.1f images/s  %s left", seconds > 0 ? (double)state->images / seconds : 0.0, time);
    if (!progress->terminal)
        putchar('\n');
    fflush(stdout);
}

void dpcxr_progress_show(DpcxrProgress *progress, const DpcxrProgressState *state)
{
    progress->last = *state;
    progress->shown = g_get_monotonic_time();
    if (!progress->quiet)
        print(progress, state);
}

void dpcxr_progress_free(DpcxrProgress *progress)
{
    if (!progress)
        return;
    if (!progress->quiet && progress->terminal)
        putchar('\n');
    fflush(stdout);
    g_free(progress);
}
