/* SPDX-License-Identifier: MIT
 * What is wrong with a configuration: all of it, with positions, in the order of the files, so that a user mends a file
 * once and not once for each mistake. */
#pragma once
#include <dpcxr/error.h>

/* Where something was written. Copies share the file name: dpcxr_mark_copy and dpcxr_mark_clear. */
typedef struct {
    GRefString *file;
    guint line, column; /* from 1; 0: the place has no lines (a command line) */
} DpcxrMark;

DpcxrMark dpcxr_mark_copy(const DpcxrMark *mark);
void dpcxr_mark_clear(DpcxrMark *mark);
/* "file:line:column", or "file" where there are no lines. (transfer full) */
char *dpcxr_mark_to_string(const DpcxrMark *mark);

typedef struct _DpcxrProblems DpcxrProblems;

DpcxrProblems *dpcxr_problems_new(void);
void dpcxr_problems_free(DpcxrProblems *problems);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrProblems, dpcxr_problems_free)

/* Says that @file is read now. Problems are listed in this order of files, then by line and column; files that were
 * never announced come last, in the order of their first problem. */
void dpcxr_problems_enter(DpcxrProblems *problems, const char *file);
/* @path: dotted path of the key, "" where there is none. @code: DPCXR_ERROR_USAGE or DPCXR_ERROR_PRIVACY. */
void dpcxr_problems_add(DpcxrProblems *problems, DpcxrErrorCode code, const DpcxrMark *mark, const char *path,
                        const char *format, ...) G_GNUC_PRINTF(5, 6);
/* A part of the configuration could not be read. What it would have said is not known, so that dpcxr_problems_missing
 * adds nothing from then on. */
void dpcxr_problems_set_incomplete(DpcxrProblems *problems);
/* dpcxr_problems_add "is missing: @what is right" of a key that is nowhere. */
void dpcxr_problems_missing(DpcxrProblems *problems, const DpcxrMark *mark, const char *path, const char *right);
gsize dpcxr_problems_count(const DpcxrProblems *problems);
/* TRUE where there are none. Else FALSE and one error with a line "file:line:column: path: problem" for each. Its code
 * is DPCXR_ERROR_PRIVACY where nothing but privacy is wrong, else DPCXR_ERROR_USAGE. */
gboolean dpcxr_problems_check(DpcxrProblems *problems, GError **error);
