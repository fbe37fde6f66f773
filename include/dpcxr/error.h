/* SPDX-License-Identifier: MIT
 * One error domain for all of dpcxr. The code of an error is the exit status of the program that dies of it, so a
 * caller that knows what went wrong has said how the program ends. Every fallible function returns gboolean or a
 * pointer and takes GError ** last; FALSE or NULL if and only if the error is set. */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

#define DPCXR_ERROR (dpcxr_error_quark())

typedef enum {
    DPCXR_ERROR_FAILED = 1,   /* ours: a bug, a failed write, a library that refused */
    DPCXR_ERROR_USAGE = 2,    /* the command line, a configuration, a plugin that does not load */
    DPCXR_ERROR_DATA = 3,     /* an index or an image that cannot be used */
    DPCXR_ERROR_PRIVACY = 4,  /* a claim that would not hold */
    DPCXR_ERROR_MEMORY = 5,   /* not enough memory for what was asked */
    DPCXR_ERROR_STOPPED = 75, /* ended by a signal after a checkpoint; go on with --resume (EX_TEMPFAIL) */
} DpcxrErrorCode;

GQuark dpcxr_error_quark(void);

G_END_DECLS
