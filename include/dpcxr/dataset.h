/* SPDX-License-Identifier: MIT
 * A dataset plugin reads an index (who, which split, which labels) and, later and from several threads, images.
 * It hands over what the files say; policies (what an uncertain label counts as) belong to the core. */
#pragma once
#include <dpcxr/image.h>
#include <dpcxr/plugin.h>

G_BEGIN_DECLS

typedef enum { DPCXR_SPLIT_TRAIN, DPCXR_SPLIT_VALID, DPCXR_SPLIT_TEST, DPCXR_N_SPLITS } DpcxrSplit;

typedef enum {
    DPCXR_LABEL_MISSING = -2,
    DPCXR_LABEL_UNCERTAIN = -1,
    DPCXR_LABEL_NEGATIVE = 0,
    DPCXR_LABEL_POSITIVE = 1
} DpcxrLabel;

/* The index under construction: rows in the order in which they are added, numbered from 0. */
typedef struct _DpcxrIndex DpcxrIndex;

/* One row; strings are copied. */
typedef struct {
    const char *sample;  /* unique in the data set, without personal meaning outside it */
    const char *patient; /* one id is one person; NULL or "" where unknown (refuses unit: patient) */
    const char *study;   /* (nullable) */
    const char *path;    /* (nullable) the image file, absolute or relative to the working directory */
    DpcxrSplit split;
} DpcxrRow;

/* Adds a row, all labels missing and all columns empty. Returns its number. */
gsize dpcxr_index_add(DpcxrIndex *index, const DpcxrRow *row);
/* @label: position in the labels that open() was asked for. */
void dpcxr_index_set_label(DpcxrIndex *index, gsize row, gsize label, DpcxrLabel value);
/* A raw column (age, sex, view, ...) for groups and tables; an empty value is "unknown". */
void dpcxr_index_set_column(DpcxrIndex *index, gsize row, const char *column, const char *value);
/* Rows that were in the files and left out, with a reason ("lateral view"); shown in the data flow. */
void dpcxr_index_exclude(DpcxrIndex *index, const char *reason);
const char *dpcxr_index_path(const DpcxrIndex *index, gsize row); /* NULL where the row has none */

typedef struct {
    /* Reads the index. @labels (NULL-terminated): the labels of the experiment, in order; a name that the data set does
     * not have is an error that lists those it has. Columns named in @columns (NULL-terminated) must exist, too.
     * On success *self is the open data set (it may be NULL where there is no state). Errors: DPCXR_ERROR_DATA with the file and line. */
    gboolean (*open)(const DpcxrOptions *options, const char *const *labels, const char *const *columns,
                     DpcxrIndex *index, gpointer *self, GError **error);
    /* Decodes row @row into @image, at full size or (see dpcxr_image_read) not below @min_size. Called from several
     * threads at once. What it makes may depend on options, the row's sample and its file (path) only: images are
     * kept on disk under a key of those. NULL: dpcxr_image_read of the row's path. */
    gboolean (*load)(gpointer self, const DpcxrIndex *index, gsize row, int min_size, DpcxrImage *image,
                     GError **error);
    void (*close)(gpointer self); /* (optional) */
} DpcxrDataset;

#define DPCXR_PLUGIN_DEFINE_DATASET(NAME, ...)                                                                    \
    DPCXR_PLUGIN_DEFINE(dataset, DPCXR_PLUGIN_DATASET, DpcxrDataset, NAME, __VA_ARGS__)

/* Position of @name in @names (NULL-terminated): of the equal one, else of the one that is equal in lower snake case
 * ("pleural_effusion" finds "Pleural Effusion"). -1 with DPCXR_ERROR_DATA that lists @names: "no label \"x\"; ...".
 * @what: "label" or "column". For open(), to look up what an experiment asks for. */
int dpcxr_dataset_find(const char *what, const char *name, const char *const *names, GError **error);

/* A CSV file read by column names. Plain RFC 4180; gzip is recognised by content; a leading byte order mark is
 * dropped; blank lines are skipped; short rows have empty cells, cells beyond the header are dropped; a row has at most
 * 1 MiB. */
typedef struct _DpcxrCsv DpcxrCsv;

/* Opens @path and reads the header. DPCXR_ERROR_DATA: cannot be read, empty, not CSV. */
DpcxrCsv *dpcxr_csv_open(const char *path, GError **error);
/* Position of a column, or -1 with an error that names the file and the columns it has. */
int dpcxr_csv_column(const DpcxrCsv *csv, const char *name, GError **error);
gboolean dpcxr_csv_has_column(const DpcxrCsv *csv, const char *name);
/* The next row. FALSE at the end, and on an error, which is then set. */
gboolean dpcxr_csv_next(DpcxrCsv *csv, GError **error);
/* A cell of the current row, "" where it is empty; valid until the next row. */
const char *dpcxr_csv_cell(const DpcxrCsv *csv, int column);
int dpcxr_csv_line(const DpcxrCsv *csv); /* of the current row in the file, from 1 */
/* DPCXR_ERROR_DATA "file:line: ..." for something wrong with the current row. */
void dpcxr_csv_fail(const DpcxrCsv *csv, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The label in a cell, as CheXpert and those after it write it: 1 or 1.0 positive, 0 or 0.0 negative, -1 or -1.0
 * uncertain, empty missing. Anything else is an error that names file, line and column. */
gboolean dpcxr_csv_label(const DpcxrCsv *csv, int column, DpcxrLabel *label, GError **error);
void dpcxr_csv_free(DpcxrCsv *csv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrCsv, dpcxr_csv_free)

G_END_DECLS
