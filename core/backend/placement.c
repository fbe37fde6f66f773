/* SPDX-License-Identifier: MIT */
#include "backend/placement.h"
#include <stdlib.h>

DpcxrLife dpcxr_life_never(gsize bytes)
{
    return (DpcxrLife){.first = G_MAXINT, .last = -1, .bytes = bytes};
}

void dpcxr_life_extend(DpcxrLife *life, int time)
{
    life->first = MIN(life->first, time);
    life->last = MAX(life->last, time);
}

static gsize aligned(gsize bytes, gsize alignment)
{
    return (bytes + alignment - 1) & ~(alignment - 1);
}

static int by_size(gconstpointer a, gconstpointer b, gpointer unused)
{
    gsize left = (*(DpcxrLife *const *)a)->bytes, right = (*(DpcxrLife *const *)b)->bytes;
    return left > right ? -1 : left < right ? 1 : 0;
}

/* Lowest offset at which @life touches none of the @n placed before it that live at the same time. */
static gsize free_offset(DpcxrLife *const *lives, guint n, const DpcxrLife *life, gsize alignment)
{
    gsize offset = 0;
    for (gboolean moved = TRUE; moved;) {
        moved = FALSE;
        for (guint i = 0; i < n; i++) {
            const DpcxrLife *other = lives[i];
            if (other->first > life->last || other->last < life->first)
                continue;
            gsize end = aligned(other->offset + other->bytes, alignment);
            if (other->offset < offset + life->bytes && offset < end) {
                offset = end;
                moved = TRUE;
            }
        }
    }
    return offset;
}

gsize dpcxr_place_lives(DpcxrLife **lives, guint n, gsize alignment)
{
    gsize end = 0;
    g_qsort_with_data(lives, (gint)n, sizeof *lives, by_size, NULL); /* stable */
    for (guint i = 0; i < n; i++) {
        lives[i]->offset = free_offset(lives, i, lives[i], alignment);
        end = MAX(end, lives[i]->offset + lives[i]->bytes);
    }
    return aligned(end, alignment);
}
