/* SPDX-License-Identifier: MIT
 * A list of problems, sorted when it is read. */
#include "config/problems.h"
#include <string.h>

typedef struct {
    guint file; /* rank of the file in DpcxrProblems.files */
    guint line, column;
    guint order; /* of reporting: decides between equal positions, because g_ptr_array_sort is not stable */
    DpcxrErrorCode code;
    char *text;
} Problem;

struct _DpcxrProblems {
    GPtrArray *files; /* char *, in the order of reading */
    GPtrArray *list;  /* Problem * */
    gboolean incomplete;
};

DpcxrMark dpcxr_mark_copy(const DpcxrMark *mark)
{
    return (DpcxrMark){g_ref_string_acquire(mark->file), mark->line, mark->column};
}

void dpcxr_mark_clear(DpcxrMark *mark)
{
    g_clear_pointer(&mark->file, g_ref_string_release);
}

char *dpcxr_mark_to_string(const DpcxrMark *mark)
{
    return mark->line ? g_strdup_printf("%s:%u:%u", mark->file, mark->line, mark->column)
                      : g_strdup(mark->file);
}

static void problem_free(gpointer data)
{
    Problem *problem = data;
    g_free(problem->text);
    g_free(problem);
}

DpcxrProblems *dpcxr_problems_new(void)
{
    DpcxrProblems *problems = g_new0(DpcxrProblems, 1);
    problems->files = g_ptr_array_new_with_free_func(g_free);
    problems->list = g_ptr_array_new_with_free_func(problem_free);
    return problems;
}

void dpcxr_problems_free(DpcxrProblems *problems)
{
    if (!problems)
        return;
    g_ptr_array_unref(problems->files);
    g_ptr_array_unref(problems->list);
    g_free(problems);
}

static guint file_rank(DpcxrProblems *problems, const char *file)
{
    for (guint i = 0; i < problems->files->len; i++)
        if (!strcmp(problems->files->pdata[i], file))
            return i;
    g_ptr_array_add(problems->files, g_strdup(file));
    return problems->files->len - 1;
}

void dpcxr_problems_enter(DpcxrProblems *problems, const char *file)
{
    file_rank(problems, file);
}

void dpcxr_problems_add(DpcxrProblems *problems, DpcxrErrorCode code, const DpcxrMark *mark, const char *path,
                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *where = dpcxr_mark_to_string(mark);

    Problem *problem = g_new0(Problem, 1);
    problem->file = file_rank(problems, mark->file);
    problem->line = mark->line;
    problem->column = mark->column;
    problem->order = problems->list->len;
    problem->code = code;
    problem->text = *path ? g_strdup_printf("%s: %s: %s", where, path, message)
                          : g_strdup_printf("%s: %s", where, message);
    g_ptr_array_add(problems->list, problem);
}

void dpcxr_problems_set_incomplete(DpcxrProblems *problems)
{
    problems->incomplete = TRUE;
}

void dpcxr_problems_missing(DpcxrProblems *problems, const DpcxrMark *mark, const char *path,
                            const char *right)
{
    if (!problems->incomplete)
        dpcxr_problems_add(problems, DPCXR_ERROR_USAGE, mark, path, "is missing: %s", right);
}

gsize dpcxr_problems_count(const DpcxrProblems *problems)
{
    return problems->list->len;
}

static int compare(gconstpointer a, gconstpointer b)
{
    const Problem *x = *(Problem *const *)a, *y = *(Problem *const *)b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

gboolean dpcxr_problems_check(DpcxrProblems *problems, GError **error)
{
    if (!problems->list->len)
        return TRUE;
    g_ptr_array_sort(problems->list, compare);
    DpcxrErrorCode code = DPCXR_ERROR_PRIVACY;
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < problems->list->len; i++) {
        const Problem *problem = problems->list->pdata[i];
        if (problem->code != DPCXR_ERROR_PRIVACY)
            code = DPCXR_ERROR_USAGE;
        g_string_append_printf(all, "%s%s", i ? "\n" : "", problem->text);
    }
    g_set_error_literal(error, DPCXR_ERROR, code, all->str);
    return FALSE;
}
