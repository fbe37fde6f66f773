/* SPDX-License-Identifier: MIT
 * The body of a grid noise kernel; compiled once for each instruction set, with DPCXR_GRID_RUN as the name of the function
 * (meson.build). No branches, so that compilers vectorise it. */
#include "privacy/grid-noise-kernel.h"
#include "privacy/grid-strips.h"

gsize DPCXR_GRID_RUN(const guint64 *restrict words, gsize n, gint64 *restrict out)
{
    guint64 undecided = 0;
    for (gsize i = 0; i < n; i++) {
        guint64 word = words[i], column = word & 1023, entry = strip_heads[column];
        guint64 head = word >> 49, limit = entry >> 10;
        guint64 strip = head < limit ? column : entry & 1023;
        guint64 trial = (word >> 35) & 8191, place = (word >> 10) & 0x1ffffff;
        guint64 value = (strip << 24) + ((place + 1) >> 1), sign = -((word >> 48) & 1);
        guint64 open = (guint64)(head == limit) | (guint64)(trial <= 2 * strip);
        undecided += open;
        out[i] = open ? DPCXR_GRID_UNDECIDED : (gint64)((value ^ sign) - sign);
    }
    return undecided;
}
