/* SPDX-License-Identifier: MIT
 * Exact normal deviates on a grid. Nearly all elements are decided by one word of their own (grid-noise-run.c); here is
 * what happens to the others. Everything is a comparison of uniform deviates, whose digits are drawn as they are needed. */
#include "privacy/grid-noise.h"
#include "privacy/grid-noise-kernel.h"
#include "privacy/noise-kernel.h"
#include "privacy/noise.h"
#include <math.h>
#include <sodium.h>
#define DPCXR_GRID_STRIP_RESTS
#include "privacy/grid-strips.h"

#define SPARE_WORDS (DPCXR_SECRET_WORDS / 2) /* where the second half of a stream begins */
#define TASK_BLOCKS 16                       /* about 100 microseconds of work for one task */

/* --- Words for undecided elements --- */

enum { AHEAD = 64 };

/* The block's share of the second half. */
typedef struct {
    const DpcxrSecret *secret;
    const DpcxrAddress *address;
    guint64 base;
    gsize used;
    guint64 words[AHEAD];
} Spare;

static guint64 next_word(Spare *spare)
{
    if (spare->used == DPCXR_GRID_BLOCK)
        g_error("grid noise: a block used up its words"); /* less than 2^-500 of all blocks: broken code */
    if (spare->used % AHEAD == 0)
        dpcxr_secret_fill(spare->secret, spare->address, spare->base + spare->used, spare->words, AHEAD);
    return spare->words[spare->used++ % AHEAD];
}

/* --- Uniform deviates --- */

enum { DIGITS = 4 };

/* A number in (0, 1) to as many digits of 64 bits as anybody asked for. Two that agree in 256 bits pass for equal. */
typedef struct {
    guint64 digits[DIGITS];
    int n;
} Uniform;

static guint64 digit(Uniform *x, int i, Spare *spare)
{
    while (x->n <= i)
        x->digits[x->n++] = next_word(spare);
    return x->digits[i];
}

static gboolean less(Uniform *x, Uniform *y, Spare *spare)
{
    for (int i = 0; i < DIGITS; i++) {
        guint64 a = digit(x, i, spare), b = digit(y, i, spare);
        if (a != b)
            return a < b;
    }
    return FALSE;
}

/* --- Rejection --- */

/* The column's own strip or its alias: whether a uniform deviate is below the threshold. */
static guint32 choose_strip(const DpcxrGridWord *word, Spare *spare)
{
    guint32 limit = strip_heads[word->column] >> DPCXR_GRID_STRIP_BITS;
    guint32 alias = strip_heads[word->column] & ((1u << DPCXR_GRID_STRIP_BITS) - 1);
    if (word->head != limit)
        return word->head < limit ? word->column : alias;
    for (int i = 0; i < 3; i++) {
        guint64 more = next_word(spare);
        if (more != strip_rests[word->column][i])
            return more < strip_rests[word->column][i] ? word->column : alias;
    }
    return alias;
}

/* TRUE with probability r = (2 strip + place) / 2^13, @trial being the first 13 bits of a uniform deviate. */
static gboolean trial_succeeds(guint32 trial, guint32 strip, Uniform *place, Spare *spare)
{
    if (trial != 2 * strip)
        return trial < 2 * strip;
    Uniform rest = {0};
    return less(&rest, place, spare);
}

/* TRUE with probability exp(-place r), the ratio of the normal density at the place to that at the start of its strip: von
 * Neumann's descending deviates place > z1 > z2 .. > zn, each with a trial of r (Karney's algorithm B). The chance that
 * they get as far as n is (place r)^n / n!, so that of ending at an even n is the exponential. */
static gboolean accept(guint32 trial, guint32 strip, Uniform *place, Spare *spare)
{
    gboolean even = TRUE;
    Uniform deviates[2], *last = place; /* pointers: a digit, once drawn, stays the deviate's */
    while (trial_succeeds(trial, strip, place, spare)) {
        Uniform *z = last == &deviates[0] ? &deviates[1] : &deviates[0];
        z->n = 0;
        if (!less(z, last, spare))
            break;
        last = z;
        even = !even;
        trial = (guint32)(next_word(spare) >> (64 - DPCXR_GRID_TRIAL_BITS));
    }
    return even;
}

static gint64 decide(guint64 first, Spare *spare)
{
    for (guint64 bits = first;; bits = next_word(spare)) {
        DpcxrGridWord word = dpcxr_grid_word(bits);
        guint32 strip = choose_strip(&word, spare);
        Uniform place = {.n = 1};
        place.digits[0] = (guint64)word.place << (64 - DPCXR_GRID_PLACE_BITS) | next_word(spare) >> DPCXR_GRID_PLACE_BITS;
        gboolean accepted = accept(word.trial, strip, &place, spare);
        sodium_memzero(&place, sizeof place);
        if (accepted)
            return dpcxr_grid_value(strip, word.place, word.negative);
    }
}

/* --- Tensors --- */

static DpcxrGridKernelRun fastest(void)
{
    gsize n;
    const DpcxrGridKernel *kernels = dpcxr_grid_kernels(&n);
    const DpcxrNoiseKernel *first = dpcxr_noise_kernels(&n);
    return kernels[dpcxr_noise_kernel() - first].run;
}

gsize dpcxr_grid_noise_block(const DpcxrSecret *secret, const DpcxrAddress *address, guint64 block, const guint64 *words,
                             gsize n, gint64 *out)
{
    Spare spare = {.secret = secret, .address = address, .base = SPARE_WORDS + block * DPCXR_GRID_BLOCK};
    if (fastest()(words, n, out) == 0)
        return 0;
    for (gsize i = 0; i < n; i++)
        if (out[i] == DPCXR_GRID_UNDECIDED)
            out[i] = decide(words[i], &spare);
    sodium_memzero(spare.words, sizeof spare.words);
    return spare.used;
}

typedef struct {
    const DpcxrSecret *secret;
    const DpcxrAddress *address;
    gint64 *out;
    gsize n;
} Fill;

static void fill_task(gpointer data, int i, int thread)
{
    const Fill *job = data;
    guint64 words[DPCXR_GRID_BLOCK];
    for (gsize block = (gsize)i * TASK_BLOCKS; block < ((gsize)i + 1) * TASK_BLOCKS; block++) {
        gsize begin = block * DPCXR_GRID_BLOCK;
        if (begin >= job->n)
            break;
        gsize n = MIN(job->n - begin, DPCXR_GRID_BLOCK);
        dpcxr_secret_fill(job->secret, job->address, begin, words, n);
        dpcxr_grid_noise_block(job->secret, job->address, block, words, n, job->out + begin);
    }
    sodium_memzero(words, sizeof words);
}

void dpcxr_grid_noise_fill(const DpcxrSecret *secret, const DpcxrAddress *address, gint64 *out, gsize n,
                           DpcxrWorkers *workers)
{
    const gsize task = (gsize)TASK_BLOCKS * DPCXR_GRID_BLOCK;
    Fill job = {secret, address, out, n};
    if (n > DPCXR_GRID_NOISE_MAX)
        g_error("grid noise: %" G_GSIZE_FORMAT " elements", n);
    int tasks = (int)((n + task - 1) / task);
    if (workers != NULL)
        dpcxr_workers_run(workers, tasks, fill_task, &job);
    else
        for (int i = 0; i < tasks; i++)
            fill_task(&job, i, 0);
}

gboolean dpcxr_grid_noise_self_test(const DpcxrSecret *secret, GError **error)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_SELF_TEST, 0, 0, 1}; /* tensor 0 is that of the floating-point noise */
    const gsize n = DPCXR_NOISE_TEST_SAMPLES;
    g_autofree gint64 *samples = g_new(gint64, n);
    g_autofree float *scaled = g_new(float, n);
    dpcxr_grid_noise_fill(secret, &address, samples, n, NULL);
    for (gsize i = 0; i < n; i++)
        scaled[i] = (float)ldexp((double)samples[i], -DPCXR_GRID_BITS);
    return dpcxr_noise_check(scaled, error);
}
