/* SPDX-License-Identifier: MIT
 * Noise tensors from the secret streams. Element e of a tensor depends on its address and on e only: chunks
 * can be made in any order by anybody. The start-up test is in noise-test.c. */
#include "privacy/noise.h"
#include "privacy/gaussian.h"
#include "privacy/noise-kernel.h"
#include <sodium.h>
#include <string.h>

#define TAIL_WORDS (DPCXR_SECRET_WORDS / 2) /* where the tail words of a stream begin, one for each pair */
#define CHUNK_GROUPS 32                     /* 32 KiB of words: the first-level cache */
#define TASK_CHUNKS 4                       /* about 70 microseconds of work for one task */
#define TASK_ELEMENTS (TASK_CHUNKS * CHUNK_GROUPS * DPCXR_NOISE_GROUP)

typedef struct {
    const DpcxrSecret *secret;
    const DpcxrAddress *address;
    double std;
    float *out;
    gsize n;
} NoiseJob;

/* @group: number of the group in its tensor. Once in 2^32 pairs. */
static void replace_tails(const DpcxrSecret *secret, const DpcxrAddress *address, guint64 group,
                          const guint64 *words, double std, float *out)
{
    for (int i = 0; i < DPCXR_NOISE_PAIRS; i++) {
        if (!dpcxr_gaussian_is_tail(words[i]))
            continue;
        guint64 tail;
        double z0, z1;
        dpcxr_secret_fill(secret, address, TAIL_WORDS + group * DPCXR_NOISE_PAIRS + i, &tail, 1);
        dpcxr_gaussian_tail_pair(words[i], tail, words[DPCXR_NOISE_PAIRS + i], &z0, &z1);
        out[i] = (float)(std * z0);
        out[DPCXR_NOISE_PAIRS + i] = (float)(std * z1);
    }
}

static void transform_groups(const DpcxrSecret *secret, const DpcxrAddress *address, guint64 first,
                             const guint64 *words, gsize groups, double std, float *out)
{
    if (dpcxr_noise_kernel()->run(words, groups, std, out) == 0)
        return;
    for (gsize g = 0; g < groups; g++)
        replace_tails(secret, address, first + g, words + g * DPCXR_NOISE_GROUP, std,
                      out + g * DPCXR_NOISE_GROUP);
}

void dpcxr_noise_transform(const DpcxrSecret *secret, const DpcxrAddress *address, guint64 first,
                           const guint64 *words, gsize n, double std, float *out)
{
    gsize whole = n / DPCXR_NOISE_GROUP, done = whole * DPCXR_NOISE_GROUP;
    transform_groups(secret, address, first, words, whole, std, out);
    if (done == n)
        return;
    float last[DPCXR_NOISE_GROUP];
    transform_groups(secret, address, first + whole, words + done, 1, std, last);
    memcpy(out + done, last, (n - done) * sizeof *out);
    sodium_memzero(last, sizeof last);
}

/* Elements @begin .. @begin+@n-1; @begin is the start of a group, @n at most a chunk. */
static void fill_chunk(const NoiseJob *job, gsize begin, gsize n)
{
    guint64 words[CHUNK_GROUPS * DPCXR_NOISE_GROUP];
    gsize n_words = (n + DPCXR_NOISE_GROUP - 1) / DPCXR_NOISE_GROUP * DPCXR_NOISE_GROUP;
    dpcxr_secret_fill(job->secret, job->address, begin, words, n_words);
    dpcxr_noise_transform(job->secret, job->address, begin / DPCXR_NOISE_GROUP, words, n, job->std,
                          job->out + begin);
    sodium_memzero(words, n_words * sizeof *words);
}

static void fill_task(gpointer data, int i, int thread)
{
    const NoiseJob *job = data;
    gsize begin = (gsize)i * TASK_ELEMENTS, end = MIN(job->n, begin + TASK_ELEMENTS);
    for (gsize at = begin; at < end; at += CHUNK_GROUPS * DPCXR_NOISE_GROUP)
        fill_chunk(job, at, MIN(end - at, (gsize)CHUNK_GROUPS * DPCXR_NOISE_GROUP));
}

void dpcxr_noise_fill(const DpcxrSecret *secret, const DpcxrAddress *address, double std, float *out, gsize n,
                      DpcxrWorkers *workers)
{
    NoiseJob job = {secret, address, std, out, n};
    if (n > DPCXR_NOISE_MAX || !(std > 0 && std <= G_MAXFLOAT))
        g_error("noise: %" G_GSIZE_FORMAT " elements of standard deviation %g", n, std);
    int tasks = (int)((n + TASK_ELEMENTS - 1) / TASK_ELEMENTS);
    if (workers != NULL)
        dpcxr_workers_run(workers, tasks, fill_task, &job);
    else
        for (int i = 0; i < tasks; i++)
            fill_task(&job, i, 0);
}
