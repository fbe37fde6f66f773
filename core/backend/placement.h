/* SPDX-License-Identifier: MIT
 * Tensors that live at different times share memory. */
#pragma once
#include <glib.h>

typedef struct {
    int first, last; /* times, inclusive */
    gsize bytes;
    gsize offset; /* filled in */
} DpcxrLife;

/* A life of @bytes that nothing has extended yet. */
DpcxrLife dpcxr_life_never(gsize bytes);
void dpcxr_life_extend(DpcxrLife *life, int time);

/* Gives each of the @n @lives an offset, a multiple of @alignment (a power of two), so that none that overlap in time overlap
 * in memory: largest first, each as low as it fits. Sorts @lives. Returns the bytes of all. */
gsize dpcxr_place_lives(DpcxrLife **lives, guint n, gsize alignment);
