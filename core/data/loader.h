/* SPDX-License-Identifier: MIT
 * Loader threads with a bounded queue. Images come out in the order in which they were asked for, whoever decoded them,
 * so a run's bits do not depend on timing. Loader threads call neither oneDNN nor BLAS. */
#pragma once
#include "data/data.h"

typedef struct _DpcxrLoader DpcxrLoader;

/* @capacity: images that may wait decoded (at least 1). @data outlives the loader. DPCXR_ERROR_MEMORY where there is no
 * room for them or no thread to be had. */
DpcxrLoader *dpcxr_loader_new(DpcxrData *data, int threads, int capacity, GError **error);
void dpcxr_loader_free(DpcxrLoader *loader); /* drops what waits, joins the threads */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrLoader, dpcxr_loader_free)

/* Appends @n draws to what is to be decoded; copies them; never blocks. */
void dpcxr_loader_request(DpcxrLoader *loader, const DpcxrDraw *draws, gsize n);
/* Takes the next @n images (no more than were requested and not taken); blocks until they are there.
 * @images [n, size, size, channels], @targets and @mask [n, n_labels]. An image that cannot be decoded is all zeros with
 * mask 0, ok[i] FALSE (@ok nullable), and *problem (transfer full, nullable) says why for the first one. */
void dpcxr_loader_take(DpcxrLoader *loader, gsize n, float *images, float *targets, float *mask, gboolean *ok,
                       char **problem);
