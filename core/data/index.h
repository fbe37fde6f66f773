/* SPDX-License-Identifier: MIT
 * The index of a data set: rows without pixels. Built by a dataset plugin through the calls of dpcxr/dataset.h. */
#pragma once
#include <dpcxr/dataset.h>

DpcxrIndex *dpcxr_index_new(const char *const *labels);
void dpcxr_index_free(DpcxrIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrIndex, dpcxr_index_free)

/* After open: sample names unique, at least one row. DPCXR_ERROR_DATA. */
gboolean dpcxr_index_finish(DpcxrIndex *index, GError **error);

gsize dpcxr_index_count(const DpcxrIndex *index);
gsize dpcxr_index_count_split(const DpcxrIndex *index, DpcxrSplit split);
DpcxrSplit dpcxr_index_split(const DpcxrIndex *index, gsize row);
const char *dpcxr_index_sample(const DpcxrIndex *index, gsize row);
const char *dpcxr_index_patient(const DpcxrIndex *index, gsize row); /* "" where unknown */
const char *dpcxr_index_study(const DpcxrIndex *index, gsize row);   /* "" where unknown */
DpcxrLabel dpcxr_index_label(const DpcxrIndex *index, gsize row, gsize label);
const char *dpcxr_index_column(const DpcxrIndex *index, gsize row, const char *column); /* "" where unknown */
/* Reasons of left-out rows and how many, in order of first use. */
gsize dpcxr_index_n_excluded(const DpcxrIndex *index);
const char *dpcxr_index_excluded(const DpcxrIndex *index, gsize i, gsize *count);
const char *dpcxr_split_name(DpcxrSplit split); /* "train", "valid", "test" */
/* SHA-256 over everything above, as hex: two runs on equal data have equal digests. Paths are left out, so a data set
 * may move. Private. (transfer full) */
char *dpcxr_index_digest(const DpcxrIndex *index);
