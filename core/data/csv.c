/* SPDX-License-Identifier: MIT
 * CSV files by column names: libcsv in strict mode behind a reader that pulls one row at a time, knows line
 * numbers and puts a limit on the length of a row (so an unclosed quote is an error and not a cell of a
 * gigabyte). zlib reads the file, compressed or not. */
#include "data/csv-names.h"
#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK 65536
#define MAX_ROW_BYTES (1u << 20) /* the longest real ones (PadChest) have a few kilobytes */
#define MAX_COLUMNS 4096

struct _DpcxrCsv {
    char *path;
    gzFile file;
    struct csv_parser parser;
    gboolean parser_ready;

    guint8 chunk[CHUNK];
    gsize chunk_used, chunk_length;
    gboolean at_end;    /* nothing more to read from the file */
    gboolean finished;  /* the last row was read, or an error met: none follows */
    gboolean after_cr;  /* the last byte was a carriage return: a line feed now ends the same line */
    int line;           /* of the next byte */
    int row_line;       /* where the current row starts */
    gsize row_bytes;    /* of the row under construction */
    gboolean row_ended; /* set by the parser's callback */
    gboolean has_nul;   /* a cell of the row has a NUL byte */

    GString *text;  /* cells of the current row, each closed by NUL */
    GArray *cells;  /* gsize: where each starts in text */
    GString *names; /* the same for the header */
    GArray *columns;
};

static int never(unsigned char byte)
{
    return 0;
}

static void cell_ended(void *cell, gsize length, void *data)
{
    DpcxrCsv *csv = data;
    gsize start = csv->text->len;
    if (csv->cells->len >= MAX_COLUMNS)
        return; /* cells beyond any header are dropped anyway */
    if (length > 0 && memchr(cell, '\0', length))
        csv->has_nul = TRUE;
    g_array_append_val(csv->cells, start);
    if (length > 0)
        g_string_append_len(csv->text, cell, length);
    g_string_append_c(csv->text, '\0');
}

static void row_ended(int terminator, void *data)
{
    DpcxrCsv *csv = data;
    csv->row_ended = TRUE;
}

/* FALSE with the error set where the file cannot be read or a compressed one is cut. */
static gboolean fill_chunk(DpcxrCsv *csv, GError **error)
{
    int got = gzread(csv->file, csv->chunk, CHUNK);
    int code = Z_OK;
    const char *message = gzerror(csv->file, &code);
    if (got < 0 || code < 0) {
        if (code == Z_BUF_ERROR)
            message = "the compressed file ends early; is it a whole copy?";
        else if (code == Z_ERRNO)
            message = g_strerror(errno);
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: cannot be read: %s", csv->path, message);
        return FALSE;
    }
    csv->chunk_used = 0;
    csv->chunk_length = got;
    csv->at_end = got == 0;
    return TRUE;
}

/* Bytes up to and with the next end of line, or all that are left of the chunk. Rows end only there, so a
 * piece completes at most one. */
static gsize next_piece(const DpcxrCsv *csv)
{
    const guint8 *start = csv->chunk + csv->chunk_used;
    gsize left = csv->chunk_length - csv->chunk_used, n = 0;
    while (n < left)
        if (start[n] == '\n' || start[n] == '\r')
            return n + 1;
        else
            n++;
    return n;
}

static void count_lines(DpcxrCsv *csv, guint8 last)
{
    if (last == '\r' || (last == '\n' && !csv->after_cr))
        csv->line++;
    csv->after_cr = last == '\r';
}

static gboolean fail(DpcxrCsv *csv, GError **error, const char *problem)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s:%d: %s", csv->path, csv->row_line, problem);
    return FALSE;
}

static gboolean parse_piece(DpcxrCsv *csv, GError **error)
{
    gsize n = next_piece(csv);
    const guint8 *piece = csv->chunk + csv->chunk_used;
    csv->row_bytes += n;
    if (csv->row_bytes > MAX_ROW_BYTES)
        return fail(csv, error,
                    "this row is longer than 1 MiB; is a quote not closed, or is it no CSV file?");
    if (csv_parse(&csv->parser, piece, n, cell_ended, row_ended, csv) != n) {
        if (csv_error(&csv->parser) == CSV_ENOMEM)
            return fail(csv, error, "out of memory");
        return fail(csv, error,
                    "not CSV: a cell with quotes must begin and end with one, and have them doubled inside");
    }
    csv->chunk_used += n;
    count_lines(csv, piece[n - 1]);
    return TRUE;
}

/* Reads on until a row is complete. FALSE at the end of the file and on an error. */
static gboolean read_row(DpcxrCsv *csv, GError **error)
{
    g_string_truncate(csv->text, 0);
    g_array_set_size(csv->cells, 0);
    csv->row_ended = csv->has_nul = FALSE;
    csv->row_bytes = 0;
    csv->row_line = csv->line;
    while (!csv->row_ended) {
        if (csv->chunk_used == csv->chunk_length && !csv->at_end && !fill_chunk(csv, error))
            return FALSE;
        if (csv->at_end) {
            if (csv_fini(&csv->parser, cell_ended, row_ended, csv) != 0)
                return fail(csv, error, "the file ends inside a quoted cell that starts in this row");
            break;
        }
        if (!parse_piece(csv, error))
            return FALSE;
        if (!csv->row_ended && csv->cells->len == 0 && csv->parser.entry_pos == 0 && !csv->parser.quoted) {
            csv->row_line = csv->line; /* a blank line */
            csv->row_bytes = 0;
        }
    }
    if (csv->row_ended && csv->has_nul)
        return fail(csv, error, "a cell has a NUL byte; this is no text file");
    return csv->row_ended;
}

gboolean dpcxr_csv_next(DpcxrCsv *csv, GError **error)
{
    GError *problem = NULL;
    if (csv->finished || read_row(csv, &problem))
        return !csv->finished;
    csv->finished = TRUE;
    if (problem)
        g_propagate_error(error, problem);
    return FALSE;
}

static gboolean drop_byte_order_mark(DpcxrCsv *csv, GError **error)
{
    if (!fill_chunk(csv, error))
        return FALSE;
    if (csv->chunk_length >= 3 && memcmp(csv->chunk, "\xEF\xBB\xBF", 3) == 0)
        csv->chunk_used = 3;
    else if (csv->chunk_length >= 2 &&
             (memcmp(csv->chunk, "\xFF\xFE", 2) == 0 || memcmp(csv->chunk, "\xFE\xFF", 2) == 0))
        return fail(csv, error, "is UTF-16 text; save it as UTF-8");
    return TRUE;
}

static gboolean read_header(DpcxrCsv *csv, GError **error)
{
    if (!drop_byte_order_mark(csv, error))
        return FALSE;
    GError *problem = NULL;
    if (!dpcxr_csv_next(csv, &problem)) {
        if (problem)
            g_propagate_error(error, problem);
        else
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                        "%s: is empty; expected a row with column names", csv->path);
        return FALSE;
    }
    csv->names = g_steal_pointer(&csv->text);
    csv->columns = g_steal_pointer(&csv->cells);
    csv->text = g_string_new(NULL);
    csv->cells = g_array_new(FALSE, FALSE, sizeof(gsize));
    return TRUE;
}

static gboolean open_file(DpcxrCsv *csv, GError **error)
{
    errno = 0;
    csv->file = gzopen(csv->path, "rbe");
    if (!csv->file) {
        int cause = errno ? errno : ENOMEM;
        g_autofree char *here = g_path_is_absolute(csv->path) ? NULL : g_get_current_dir();
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: cannot be opened: %s%s%s%s", csv->path,
                    g_strerror(cause), here ? " (looked for from " : "", here ? here : "", here ? ")" : "");
        return FALSE;
    }
    gzbuffer(csv->file, CHUNK);
    return TRUE;
}

DpcxrCsv *dpcxr_csv_open(const char *path, GError **error)
{
    g_return_val_if_fail(path, NULL);
    g_autoptr(DpcxrCsv) csv = g_new0(DpcxrCsv, 1);
    csv->path = g_strdup(path);
    csv->line = csv->row_line = 1;
    csv->text = g_string_new(NULL);
    csv->cells = g_array_new(FALSE, FALSE, sizeof(gsize));
    csv->parser_ready = csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI) == 0;
    csv_set_blk_size(&csv->parser, CHUNK);   /* else a long cell grows by 128 bytes at a time */
    csv_set_space_func(&csv->parser, never); /* RFC 4180: spaces belong to the cell */
    if (!open_file(csv, error) || !read_header(csv, error))
        return NULL;
    return g_steal_pointer(&csv);
}

void dpcxr_csv_free(DpcxrCsv *csv)
{
    if (!csv)
        return;
    if (csv->file)
        gzclose(csv->file);
    if (csv->parser_ready)
        csv_free(&csv->parser);
    g_clear_pointer(&csv->cells, g_array_unref);
    g_clear_pointer(&csv->columns, g_array_unref);
    if (csv->text)
        g_string_free(csv->text, TRUE);
    if (csv->names)
        g_string_free(csv->names, TRUE);
    g_free(csv->path);
    g_free(csv);
}

static const char *column_name(const DpcxrCsv *csv, guint column)
{
    return csv->names->str + g_array_index(csv->columns, gsize, column);
}

/* The first column of that name and how many have it. */
static int find_column(const DpcxrCsv *csv, const char *name, int *count)
{
    int found = -1;
    *count = 0;
    for (guint i = 0; i < csv->columns->len; i++)
        if (strcmp(column_name(csv, i), name) == 0 && (*count)++ == 0)
            found = (int)i;
    return found;
}

static char *list_columns(const DpcxrCsv *csv)
{
    GString *list = g_string_new(NULL);
    for (guint i = 0; i < csv->columns->len && i < 40; i++)
        g_string_append_printf(list, "%s%.60s", i ? ", " : "", column_name(csv, i));
    if (csv->columns->len > 40)
        g_string_append_printf(list, ", and %u more", csv->columns->len - 40);
    return g_string_free(list, FALSE);
}

int dpcxr_csv_column(const DpcxrCsv *csv, const char *name, GError **error)
{
    int count, column = find_column(csv, name, &count);
    if (count == 1)
        return column;
    if (count > 1) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "%s:1: %d columns are named \"%s\"; a name must be there once", csv->path, count, name);
        return -1;
    }
    g_autofree char *list = list_columns(csv);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s:1: no column \"%s\"; it has: %s", csv->path, name,
                list);
    return -1;
}

const char *dpcxr_csv_name(const DpcxrCsv *csv, gsize column)
{
    return column < csv->columns->len ? column_name(csv, (guint)column) : NULL;
}

gboolean dpcxr_csv_has_column(const DpcxrCsv *csv, const char *name)
{
    int count;
    return find_column(csv, name, &count) >= 0;
}

const char *dpcxr_csv_cell(const DpcxrCsv *csv, int column)
{
    g_return_val_if_fail(column >= 0, "");
    return (guint)column < csv->cells->len ? csv->text->str + g_array_index(csv->cells, gsize, column) : "";
}

int dpcxr_csv_line(const DpcxrCsv *csv)
{
    return csv->row_line;
}

void dpcxr_csv_fail(const DpcxrCsv *csv, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *problem = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s:%d: %s", csv->path, csv->row_line, problem);
}

gboolean dpcxr_csv_label(const DpcxrCsv *csv, int column, DpcxrLabel *label, GError **error)
{
    static const struct {
        const char *text;
        DpcxrLabel label;
    } cells[] = {{"", DPCXR_LABEL_MISSING},      {"1", DPCXR_LABEL_POSITIVE},   {"1.0", DPCXR_LABEL_POSITIVE},
                 {"0", DPCXR_LABEL_NEGATIVE},    {"0.0", DPCXR_LABEL_NEGATIVE}, {"-1", DPCXR_LABEL_UNCERTAIN},
                 {"-1.0", DPCXR_LABEL_UNCERTAIN}};
    const char *cell = dpcxr_csv_cell(csv, column);
    for (gsize i = 0; i < G_N_ELEMENTS(cells); i++)
        if (strcmp(cell, cells[i].text) == 0) {
            *label = cells[i].label;
            return TRUE;
        }
    dpcxr_csv_fail(csv, error,
                   "column \"%s\" has \"%.40s\"; a label is 1, 0, -1 (uncertain) or empty (missing)",
                   (guint)column < csv->columns->len ? column_name(csv, column) : "?", cell);
    return FALSE;
}
