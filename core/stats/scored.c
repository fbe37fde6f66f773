/* SPDX-License-Identifier: MIT */
#include "stats/scored.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
    double score;
    guint32 row;
    guint8 truth;
} Item;

static int by_falling_score(const void *a, const void *b)
{
    const Item *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->row < y->row ? -1 : 1;
}

static DpcxrScored *allocate(gsize n)
{
    DpcxrScored *sample = g_new0(DpcxrScored, 1);

    sample->finite = TRUE;
    sample->scores = g_new(double, n);
    sample->truths = g_new(guint8, n);
    sample->rows = g_new(guint32, n);
    return sample;
}

static void append(DpcxrScored *sample, double score, guint8 truth, guint32 row)
{
    sample->scores[sample->n] = score;
    sample->truths[sample->n] = truth != 0;
    sample->rows[sample->n] = row;
    sample->positives += truth != 0;
    sample->finite = sample->finite && !isnan(score);
    sample->n++;
}

DpcxrScored *dpcxr_scored_new(const double *scores, const guint8 *truths, gsize n)
{
    g_return_val_if_fail(n <= G_MAXUINT32, NULL);
    g_autofree Item *items = g_new(Item, n);
    DpcxrScored *sample = allocate(n);
    gboolean finite = TRUE;

    for (gsize i = 0; i < n; i++) {
        items[i] = (Item){scores[i], (guint32)i, truths[i]};
        finite = finite && !isnan(scores[i]);
    }
    if (finite && n > 0) /* NaN has no place in an order */
        qsort(items, n, sizeof *items, by_falling_score);
    for (gsize i = 0; i < n; i++)
        append(sample, items[i].score, items[i].truth, items[i].row);
    return sample;
}

DpcxrScored *dpcxr_scored_filter(const DpcxrScored *sample, const guint8 *keep)
{
    DpcxrScored *part = allocate(sample->n);

    for (gsize i = 0; i < sample->n; i++)
        if (keep[sample->rows[i]])
            append(part, sample->scores[i], sample->truths[i], sample->rows[i]);
    return part;
}

void dpcxr_scored_free(DpcxrScored *sample)
{
    if (!sample)
        return;
    g_free(sample->scores);
    g_free(sample->truths);
    g_free(sample->rows);
    g_free(sample);
}

gboolean dpcxr_scored_ranks(const DpcxrScored *sample)
{
    return sample->finite && sample->positives > 0 && sample->positives < sample->n;
}

gsize dpcxr_scored_tie_end(const DpcxrScored *sample, gsize i)
{
    double score = sample->scores[i];

    while (i < sample->n && sample->scores[i] == score)
        i++;
    return i;
}

gsize dpcxr_scored_called(const DpcxrScored *sample, double threshold)
{
    gsize low = 0, high = sample->n;

    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (sample->scores[middle] >= threshold)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
