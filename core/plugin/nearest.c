/* SPDX-License-Identifier: MIT
 * Edit distance with neighbour swaps (optimal string alignment), over bytes: names are ASCII. */
#include "plugin/nearest.h"
#include <string.h>

/* Names are short; longer input is not a typing error of one and is never near. */
enum { LONGEST = 64 };

static guint edits(const char *a, const char *b)
{
    gsize n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return G_MAXUINT;
    guint d[LONGEST + 1][LONGEST + 1];
    for (gsize i = 0; i <= n; i++)
        d[i][0] = i;
    for (gsize j = 0; j <= m; j++)
        d[0][j] = j;
    for (gsize i = 1; i <= n; i++)
        for (gsize j = 1; j <= m; j++) {
            guint best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = MIN(best, MIN(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, d[i - 2][j - 2] + 1);
            d[i][j] = best;
        }
    return d[n][m];
}

const char *dpcxr_nearest(const char *name, const char *const *candidates)
{
    const char *nearest = NULL;
    guint allowed = MAX(1, strlen(name) / 3), least = allowed + 1;
    for (; *candidates; candidates++) {
        guint distance = edits(name, *candidates);
        if (distance < least) {
            least = distance;
            nearest = *candidates;
        }
    }
    return nearest;
}
