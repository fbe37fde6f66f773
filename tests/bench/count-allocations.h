/* SPDX-License-Identifier: MIT
 * Counts what a process takes from the heap, by standing in front of the C library's allocator. */
#pragma once
#include <glib.h>

/* FALSE in builds with a sanitizer, which has an allocator of its own: nothing is counted then. */
gboolean allocations_are_counted(void);
/* Calls of malloc, calloc, realloc and their aligned kin, by all threads, since the last call of this. */
guint allocations_since(void);
/* Where they came from since the start of the process, each place once: the addresses that they return to. *@n: how
 * many; MAX_CALLERS means that there may be more. Borrowed. */
enum { MAX_CALLERS = 4096 };
gpointer *allocations_callers(guint *n);
/* Forgets them. No other thread may be at work. */
void allocations_forget(void);
