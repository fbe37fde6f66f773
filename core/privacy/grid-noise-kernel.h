/* SPDX-License-Identifier: MIT
 * The first comparison of the grid noise, compiled once for each instruction set. All variants give the same integers. */
#pragma once
#include <glib.h>

/* The parts of an element's word, from the lowest bit: 10 choose a column of strips, 25 are the digits of the place in the
 * strip (24 and the one that rounds), 13 of the rejection's deviate, 1 the sign, 15 of the choice between the column's two
 * strips. */
#define DPCXR_GRID_STRIP_BITS 10
#define DPCXR_GRID_PLACE_BITS 25
#define DPCXR_GRID_TRIAL_BITS 13
#define DPCXR_GRID_HEAD_BITS 15

typedef struct {
    guint32 column, place, trial, head;
    gboolean negative;
} DpcxrGridWord;

static inline DpcxrGridWord dpcxr_grid_word(guint64 word)
{
    return (DpcxrGridWord){.column = (guint32)word & ((1u << DPCXR_GRID_STRIP_BITS) - 1),
                           .place = (guint32)(word >> DPCXR_GRID_STRIP_BITS) & ((1u << DPCXR_GRID_PLACE_BITS) - 1),
                           .trial = (guint32)(word >> 35) & ((1u << DPCXR_GRID_TRIAL_BITS) - 1),
                           .negative = (word >> 48) & 1,
                           .head = (guint32)(word >> 49)};
}

/* The deviate at @place of @strip, rounded to the grid. */
static inline gint64 dpcxr_grid_value(gint64 strip, gint64 place, gboolean negative)
{
    gint64 value = (strip << (DPCXR_GRID_PLACE_BITS - 1)) + ((place + 1) >> 1);
    return negative ? -value : value;
}

/* What the kernel writes where the word does not decide. */
#define DPCXR_GRID_UNDECIDED G_MININT64

/* out[i] from words[i], or DPCXR_GRID_UNDECIDED. Returns how many are undecided. */
typedef gsize (*DpcxrGridKernelRun)(const guint64 *words, gsize n, gint64 *out);

typedef struct {
    const char *name; /* "baseline", "avx2", "avx512" */
    DpcxrGridKernelRun run;
} DpcxrGridKernel;

/* As dpcxr_noise_kernels, in the same order: available where the noise kernel of the same name is. */
const DpcxrGridKernel *dpcxr_grid_kernels(gsize *n);

gsize dpcxr_grid_run_baseline(const guint64 *words, gsize n, gint64 *out);
gsize dpcxr_grid_run_avx2(const guint64 *words, gsize n, gint64 *out);
gsize dpcxr_grid_run_avx512(const guint64 *words, gsize n, gint64 *out);
