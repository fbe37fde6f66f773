/* SPDX-License-Identifier: MIT
 * "Did you mean": the known name closest to a mistyped one. */
#pragma once
#include <glib.h>

/* The one of @candidates (NULL-terminated) with the fewest edits to @name: insertions, deletions, replacements and
 * swaps of neighbours. NULL where none is closer than a third of the letters (at least one edit is always allowed),
 * because a far-fetched suggestion is worse than none. (transfer none: the candidate itself) */
const char *dpcxr_nearest(const char *name, const char *const *candidates);
