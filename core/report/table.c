/* SPDX-License-Identifier: MIT */
#include "report/table.h"
#include "privacy/accounting.h"
#include "report/markup.h"
#include <math.h>
#include <string.h>

typedef struct {
    char *text; /* of text cells, and why a value is missing */
    double value, low, high;
    guint64 count;
} Cell;

struct _DpcxrTable {
    char *caption;
    GArray *columns; /* DpcxrColumn */
    GArray *cells;   /* Cell */
};

static void column_clear(gpointer column)
{
    g_free(((DpcxrColumn *)column)->name);
}

static void cell_clear(gpointer cell)
{
    g_free(((Cell *)cell)->text);
}

DpcxrTable *dpcxr_table_new(const char *caption)
{
    DpcxrTable *table = g_new0(DpcxrTable, 1);
    table->caption = g_strdup(caption);
    table->columns = g_array_new(FALSE, FALSE, sizeof(DpcxrColumn));
    table->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
    g_array_set_clear_func(table->columns, column_clear);
    g_array_set_clear_func(table->cells, cell_clear);
    return table;
}

void dpcxr_table_free(DpcxrTable *table)
{
    if (!table)
        return;
    g_free(table->caption);
    g_array_unref(table->columns);
    g_array_unref(table->cells);
    g_free(table);
}

void dpcxr_table_column(DpcxrTable *table, const char *name, DpcxrColumnKind kind, int digits)
{
    DpcxrColumn column = {g_strdup(name), kind, digits};
    g_array_append_val(table->columns, column);
}

static const DpcxrColumn *column_of(const DpcxrTable *table, guint cell)
{
    return &g_array_index(table->columns, DpcxrColumn, cell % table->columns->len);
}

static void add(DpcxrTable *table, const char *text, double value, double low, double high, guint64 count)
{
    Cell cell = {g_strdup(text), value, low, high, count};
    g_array_append_val(table->cells, cell);
}

void dpcxr_table_text(DpcxrTable *table, const char *text)
{
    g_return_if_fail(column_of(table, table->cells->len)->kind == DPCXR_COLUMN_TEXT);
    add(table, text ? text : "", NAN, NAN, NAN, 0);
}

void dpcxr_table_count(DpcxrTable *table, guint64 count)
{
    g_return_if_fail(column_of(table, table->cells->len)->kind == DPCXR_COLUMN_COUNT);
    add(table, NULL, NAN, NAN, NAN, count);
}

void dpcxr_table_number(DpcxrTable *table, double value)
{
    DpcxrColumnKind kind = column_of(table, table->cells->len)->kind;
    g_return_if_fail(kind == DPCXR_COLUMN_NUMBER || kind == DPCXR_COLUMN_UPPER_BOUND);
    add(table, NULL, value, NAN, NAN, 0);
}

void dpcxr_table_interval(DpcxrTable *table, double value, double low, double high)
{
    g_return_if_fail(column_of(table, table->cells->len)->kind == DPCXR_COLUMN_INTERVAL);
    add(table, NULL, value, low, high, 0);
}

void dpcxr_table_missing(DpcxrTable *table, const char *why)
{
    g_return_if_fail(column_of(table, table->cells->len)->kind != DPCXR_COLUMN_TEXT);
    add(table, why, NAN, NAN, NAN, 0);
}

gsize dpcxr_table_rows(const DpcxrTable *table)
{
    return table->columns->len ? table->cells->len / table->columns->len : 0;
}

/* What is shown. (transfer full) */
static char *cell_text(const DpcxrColumn *column, const Cell *cell)
{
    if (cell->text)
        return g_strdup(cell->text);
    if (column->kind == DPCXR_COLUMN_COUNT)
        return dpcxr_count_text(cell->count);
    if (column->kind == DPCXR_COLUMN_INTERVAL)
        return dpcxr_interval_text(cell->value, cell->low, cell->high, column->digits);
    if (column->kind == DPCXR_COLUMN_UPPER_BOUND && isfinite(cell->value))
        return dpcxr_format_epsilon(cell->value, column->digits);
    return dpcxr_number_text(cell->value, column->digits);
}

static void head_to_page(const DpcxrTable *table, GString *page)
{
    if (table->caption) {
        g_string_append(page, "<caption>");
        dpcxr_markup_text(page, table->caption);
        g_string_append(page, "</caption>");
    }
    g_string_append(page, "<thead><tr>");
    for (guint i = 0; i < table->columns->len; i++) {
        const DpcxrColumn *column = &g_array_index(table->columns, DpcxrColumn, i);
        g_string_append_printf(page, "<th scope=\"col\"%s>", column->kind ? " class=\"number\"" : "");
        dpcxr_markup_text(page, column->name);
        g_string_append(page, "</th>");
    }
    g_string_append(page, "</tr></thead>\n<tbody>");
}

/* A digit less than the value has, unless the limits are close. */
static int limit_digits(const DpcxrColumn *column, const Cell *cell)
{
    gboolean close = cell->high - cell->low < 5 * pow(10, -(column->digits - 1));
    return close ? column->digits : MAX(column->digits - 1, MIN(column->digits, 2));
}

/* The limits stand below the value: a column is narrower than a line of text. */
static void interval_to_page(const DpcxrColumn *column, const Cell *cell, GString *page)
{
    g_autofree char *value = dpcxr_number_text(cell->value, column->digits);
    g_autofree char *limits = dpcxr_limits_text(cell->low, cell->high, limit_digits(column, cell));
    dpcxr_markup_text(page, value);
    if (limits) {
        g_string_append(page, " <small>");
        dpcxr_markup_text(page, limits);
        g_string_append(page, "</small>");
    }
}

static void cell_to_page(const DpcxrColumn *column, const Cell *cell, gboolean first, GString *page)
{
    g_autofree char *text = cell_text(column, cell);
    const char *class = !column->kind ? "" : cell->text ? " class=\"number missing\"" : " class=\"number\"";
    g_string_append_printf(page, first && !column->kind ? "<th scope=\"row\"%s>" : "<td%s>", class);
    if (column->kind == DPCXR_COLUMN_INTERVAL && !cell->text && !isnan(cell->value))
        interval_to_page(column, cell, page);
    else
        dpcxr_markup_text(page, text);
    g_string_append(page, first && !column->kind ? "</th>" : "</td>");
}

void dpcxr_table_to_page(const DpcxrTable *table, GString *page)
{
    guint n = table->columns->len;
    g_string_append(page, "<div class=\"scroll\" tabindex=\"0\"><table>");
    head_to_page(table, page);
    for (guint i = 0; i < table->cells->len; i++) {
        if (i % n == 0)
            g_string_append(page, "<tr>");
        cell_to_page(column_of(table, i), &g_array_index(table->cells, Cell, i), i % n == 0, page);
        if (i % n == n - 1)
            g_string_append(page, "</tr>\n");
    }
    g_string_append(page, "</tbody></table></div>\n");
}

static void csv_text(GString *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        g_string_append(out, text);
        return;
    }
    g_string_append_c(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            g_string_append_c(out, '"');
        g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

static void csv_number(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (!isnan(value))
        g_string_append(out, g_ascii_formatd(text, sizeof text, "%.10g", value));
}

static void csv_bound(GString *out, double value)
{
    g_autofree char *text = isfinite(value) ? dpcxr_format_exact(value) : NULL;
    if (text)
        g_string_append(out, text);
    else
        csv_number(out, value);
}

static void csv_head(const DpcxrTable *table, GString *out)
{
    static const char *const endings[] = {"_low", "_high"};
    for (guint i = 0; i < table->columns->len; i++) {
        const DpcxrColumn *column = &g_array_index(table->columns, DpcxrColumn, i);
        if (i > 0)
            g_string_append_c(out, ',');
        csv_text(out, column->name);
        for (gsize k = 0; column->kind == DPCXR_COLUMN_INTERVAL && k < G_N_ELEMENTS(endings); k++) {
            g_autofree char *name = g_strconcat(column->name, endings[k], NULL);
            g_string_append_c(out, ',');
            csv_text(out, name);
        }
    }
    g_string_append_c(out, '\n');
}

static void csv_cell(const DpcxrColumn *column, const Cell *cell, GString *out)
{
    if (column->kind == DPCXR_COLUMN_TEXT)
        csv_text(out, cell->text);
    else if (column->kind == DPCXR_COLUMN_COUNT && !cell->text)
        g_string_append_printf(out, "%" G_GUINT64_FORMAT, cell->count);
    else if (column->kind == DPCXR_COLUMN_UPPER_BOUND)
        csv_bound(out, cell->value);
    else
        csv_number(out, cell->value);
    if (column->kind != DPCXR_COLUMN_INTERVAL)
        return;
    g_string_append_c(out, ',');
    csv_number(out, cell->low);
    g_string_append_c(out, ',');
    csv_number(out, cell->high);
}

char *dpcxr_table_to_csv(const DpcxrTable *table)
{
    GString *out = g_string_new(NULL);
    guint n = table->columns->len;
    csv_head(table, out);
    for (guint i = 0; i < table->cells->len; i++) {
        csv_cell(column_of(table, i), &g_array_index(table->cells, Cell, i), out);
        g_string_append_c(out, i % n == n - 1 ? '\n' : ',');
    }
    return g_string_free(out, FALSE);
}

static const char *latex_entity(char c)
{
    switch (c) {
    case '\\':
        return "\\textbackslash{}";
    case '~':
        return "\\textasciitilde{}";
    case '^':
        return "\\textasciicircum{}";
    case '<':
        return "\\textless{}";
    case '>':
        return "\\textgreater{}";
    case '\n':
    case '\r':
    case '\t':
        return " ";
    default:
        return NULL;
    }
}

/* What dpcxr_number_text and _count_text use beyond ASCII, as LaTeX has it. */
static const struct {
    const char *from, *to;
} latex_signs[] = {
    {"\xE2\x88\x92", "$-$"}, {"\xE2\x80\x93", "--"}, {"\xE2\x88\x9E", "$\\infty$"}, {"\xE2\x80\xAF", "\\,"}};

static gsize latex_sign(GString *out, const char *text)
{
    for (gsize i = 0; i < G_N_ELEMENTS(latex_signs); i++)
        if (g_str_has_prefix(text, latex_signs[i].from)) {
            g_string_append(out, latex_signs[i].to);
            return strlen(latex_signs[i].from);
        }
    return 0;
}

static void latex_text(GString *out, const char *text)
{
    while (*text) {
        gsize sign = latex_sign(out, text);
        const char *entity = latex_entity(*text);
        text += sign;
        if (sign)
            continue;
        if (entity)
            g_string_append(out, entity);
        else if (strchr("&%$#_{}", *text))
            g_string_append_printf(out, "\\%c", *text);
        else
            g_string_append_c(out, *text);
        text++;
    }
}

char *dpcxr_table_to_latex(const DpcxrTable *table)
{
    GString *out = g_string_new("% needs \\usepackage{booktabs}\n\\begin{tabular}{");
    guint n = table->columns->len;
    for (guint i = 0; i < n; i++)
        g_string_append_c(out, g_array_index(table->columns, DpcxrColumn, i).kind ? 'r' : 'l');
    g_string_append(out, "}\n\\toprule\n");
    for (guint i = 0; i < n; i++) {
        latex_text(out, g_array_index(table->columns, DpcxrColumn, i).name);
        g_string_append(out, i == n - 1 ? " \\\\\n\\midrule\n" : " & ");
    }
    for (guint i = 0; i < table->cells->len; i++) {
        g_autofree char *text = cell_text(column_of(table, i), &g_array_index(table->cells, Cell, i));
        latex_text(out, text);
        g_string_append(out, i % n == n - 1 ? " \\\\\n" : " & ");
    }
    g_string_append(out, "\\bottomrule\n\\end{tabular}\n");
    return g_string_free(out, FALSE);
}
