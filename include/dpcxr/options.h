/* SPDX-License-Identifier: MIT
 * Option tables. A feature (a plugin, a section of the experiment file) declares its options once, in a const table;
 * that table validates YAML (file:line:column, "did you mean"), fills in defaults, and prints itself in
 * `dpcxr plugins KIND NAME` and in docs. A feature never parses text. */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef enum {
    DPCXR_OPTION_BOOL,    /* true | false */
    DPCXR_OPTION_INT,     /* gint64 in [min, max], or one of the words in `choices` */
    DPCXR_OPTION_NUMBER,  /* finite double in [min, max], or one of the words in `choices` */
    DPCXR_OPTION_STRING,  /* any scalar */
    DPCXR_OPTION_CHOICE,  /* one of `choices` */
    DPCXR_OPTION_PATH,    /* a file or folder; relative to the working directory where the summary says no other; not published */
    DPCXR_OPTION_STRINGS, /* a list of scalars, each one of `choices` where there are any */
    DPCXR_OPTION_NUMBERS, /* a list of numbers, each in [min, max] */
    DPCXR_OPTION_MAP,     /* a map from name to scalar */
} DpcxrOptionType;

/* One option. Tables are static const arrays, closed by a row whose name is NULL. */
typedef struct {
    const char *name; /* the key in YAML; lower case, digits, underscores */
    DpcxrOptionType type;
    const char *fallback; /* the default as YAML text, e.g. "0.5", "[1, 2]", "null" (unset); NULL: required */
    double min, max;      /* of numbers, inclusive; both 0: no limits; DBL_MIN: above 0; DBL_MAX: no upper limit */
    const char *choices;  /* of DPCXR_OPTION_CHOICE: "swap|keep|refuse" (see the types for their other uses) */
    const char *unit;     /* (nullable) e.g. "degrees" */
    const char *summary;  /* one sentence */
} DpcxrOptionSpec;

/* Validated values of one table. Immutable after it was made, so threads may share it. */
typedef struct _DpcxrOptions DpcxrOptions;

/* Getters. @name must be in the table with the fitting type (a caller's bug otherwise: g_error). Strings, lists and
 * maps are (transfer none) and live as long as @options. */
gboolean dpcxr_options_is_set(const DpcxrOptions *options, const char *name); /* FALSE where the value is null */
gboolean dpcxr_options_get_bool(const DpcxrOptions *options, const char *name);
/* Numbers are 0 where the value is null, or a word ("auto"). */
gint64 dpcxr_options_get_int(const DpcxrOptions *options, const char *name);
double dpcxr_options_get_number(const DpcxrOptions *options, const char *name);
/* STRING, CHOICE, PATH, and the word of an INT or NUMBER that has words; NULL where the value is null. */
const char *dpcxr_options_get_string(const DpcxrOptions *options, const char *name);
/* NULL-terminated; empty where the value is null. */
const char *const *dpcxr_options_get_strings(const DpcxrOptions *options, const char *name);
const double *dpcxr_options_get_numbers(const DpcxrOptions *options, const char *name, gsize *n);
/* The value of @key in a MAP option, or NULL. */
const char *dpcxr_options_get_map(const DpcxrOptions *options, const char *name, const char *key);
/* The keys of a MAP option, in order, NULL-terminated; empty where the value is null. */
const char *const *dpcxr_options_get_map_keys(const DpcxrOptions *options, const char *name);
/* "file:line:column" of where the value was written (or of the section, for a default); for error messages. */
const char *dpcxr_options_where(const DpcxrOptions *options, const char *name);

G_END_DECLS
