/* SPDX-License-Identifier: MIT
 * A table, filled once and written as HTML, CSV or LaTeX. */
#pragma once
#include <glib.h>

typedef enum {
    DPCXR_COLUMN_TEXT,
    DPCXR_COLUMN_COUNT,
    DPCXR_COLUMN_NUMBER,
    DPCXR_COLUMN_UPPER_BOUND, /* a number that is never shown smaller than it is: rounded up, and exact in files */
    DPCXR_COLUMN_INTERVAL /* three columns in CSV: name, name_low, name_high */
} DpcxrColumnKind;

typedef struct {
    char *name;
    DpcxrColumnKind kind;
    int digits; /* decimals shown; files have all there are */
} DpcxrColumn;

typedef struct _DpcxrTable DpcxrTable;

/* @caption (nullable): says what it is a table of. */
DpcxrTable *dpcxr_table_new(const char *caption);
void dpcxr_table_free(DpcxrTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrTable, dpcxr_table_free)

/* Before the first row. */
void dpcxr_table_column(DpcxrTable *table, const char *name, DpcxrColumnKind kind, int digits);
/* Cells row by row, of the kinds of their columns. */
void dpcxr_table_text(DpcxrTable *table, const char *text);
void dpcxr_table_count(DpcxrTable *table, guint64 count);
void dpcxr_table_number(DpcxrTable *table, double value); /* or a bound; NaN: a dash; an empty cell in CSV */
void dpcxr_table_interval(DpcxrTable *table, double value, double low, double high);
/* Instead of a number or an interval: why there is none. CSV has an empty cell. */
void dpcxr_table_missing(DpcxrTable *table, const char *why);

gsize dpcxr_table_rows(const DpcxrTable *table);
void dpcxr_table_to_page(const DpcxrTable *table, GString *page);
char *dpcxr_table_to_csv(const DpcxrTable *table);   /* RFC 4180 but for the line ends. (transfer full) */
char *dpcxr_table_to_latex(const DpcxrTable *table); /* a tabular for booktabs. (transfer full) */
