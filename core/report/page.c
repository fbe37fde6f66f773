/* SPDX-License-Identifier: MIT */
#include "report/page.h"
#include "base/files.h"
#include "report/markup.h"
#include "report/resource.h"

DpcxrPage *dpcxr_page_new(const char *title, const char *subtitle)
{
    DpcxrPage *page = g_new0(DpcxrPage, 1);
    page->title = g_strdup(title);
    page->subtitle = g_strdup(subtitle);
    page->body = g_string_new(NULL);
    page->sections = g_ptr_array_new_with_free_func(g_free);
    page->figures = g_ptr_array_new_with_free_func((GDestroyNotify)dpcxr_figure_free);
    return page;
}

void dpcxr_page_free(DpcxrPage *page)
{
    if (!page)
        return;
    g_free(page->title);
    g_free(page->subtitle);
    g_string_free(page->body, TRUE);
    g_ptr_array_unref(page->sections);
    g_ptr_array_unref(page->figures);
    g_free(page);
}

static void end_section(DpcxrPage *page)
{
    if (page->open)
        g_string_append(page->body, "</section>\n");
    page->open = FALSE;
}

void dpcxr_page_section(DpcxrPage *page, const char *id, const char *name)
{
    end_section(page);
    page->open = TRUE;
    g_string_append_printf(page->body, "<section id=\"%s\">\n", id);
    if (!name)
        return;
    g_ptr_array_add(page->sections, g_strdup(id));
    g_ptr_array_add(page->sections, g_strdup(name));
    g_string_append(page->body, "<h2>");
    dpcxr_markup_text(page->body, name);
    g_string_append(page->body, "</h2>\n");
}

static void element(DpcxrPage *page, const char *start, const char *text, const char *end)
{
    g_string_append(page->body, start);
    dpcxr_markup_text(page->body, text);
    g_string_append(page->body, end);
}

void dpcxr_page_heading(DpcxrPage *page, const char *text)
{
    element(page, "<h3>", text, "</h3>\n");
}

void dpcxr_page_text(DpcxrPage *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    element(page, "<p>", text, "</p>\n");
}

void dpcxr_page_note(DpcxrPage *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    element(page, "<p class=\"note\">", text, "</p>\n");
}

void dpcxr_page_figure(DpcxrPage *page, DpcxrFigure *figure)
{
    g_ptr_array_add(page->figures, figure);
    dpcxr_figure_to_page(figure, (int)page->figures->len, page->body);
}

void dpcxr_page_table(DpcxrPage *page, const DpcxrTable *table)
{
    dpcxr_table_to_page(table, page->body);
}

void dpcxr_page_begin_fold(DpcxrPage *page, const char *summary)
{
    element(page, "<details><summary>", summary, "</summary>\n");
}

void dpcxr_page_end_fold(DpcxrPage *page)
{
    g_string_append(page->body, "</details>\n");
}

void dpcxr_page_verbatim(DpcxrPage *page, const char *summary, const char *text)
{
    dpcxr_page_begin_fold(page, summary);
    element(page, "<pre tabindex=\"0\">", text, "</pre>");
    dpcxr_page_end_fold(page);
}

/* Nothing may be loaded, from anywhere, by whatever gets into the page: the policy says so to the browser. */
static void write_head(const DpcxrPage *page, GString *out)
{
    g_string_append(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                         "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
                         "<meta name=\"color-scheme\" content=\"light dark\">\n"
                         "<meta name=\"generator\" content=\"dpcxr " DPCXR_VERSION "\">\n"
                         "<link rel=\"icon\" href=\"data:,\">\n<title>");
    dpcxr_markup_text(out, page->title);
    g_string_append_printf(out, "</title>\n<style>\n%s%s</style>\n</head>\n",
                           dpcxr_report_resource("page.css"), dpcxr_report_resource("chart.css"));
}

static void write_navigation(const DpcxrPage *page, GString *out)
{
    g_string_append(out, "<nav aria-label=\"Sections\"><ul>\n");
    for (guint i = 0; i + 1 < page->sections->len; i += 2) {
        g_string_append_printf(out, "<li><a href=\"#%s\">", (char *)g_ptr_array_index(page->sections, i));
        dpcxr_markup_text(out, g_ptr_array_index(page->sections, i + 1));
        g_string_append(out, "</a></li>\n");
    }
    g_string_append(out, "</ul></nav>\n");
}

static char *page_text(DpcxrPage *page)
{
    GString *out = g_string_new(NULL);
    end_section(page);
    write_head(page, out);
    g_string_append(
        out, "<body>\n<a class=\"skip\" href=\"#main\">To the content</a>\n<header><div class=\"wrap\">\n");
    if (page->subtitle) {
        g_string_append(out, "<p class=\"kind\">");
        dpcxr_markup_text(out, page->subtitle);
        g_string_append(out, "</p>\n");
    }
    g_string_append(out, "<h1>");
    dpcxr_markup_text(out, page->title);
    g_string_append(out, "</h1>\n</div></header>\n");
    write_navigation(page, out);
    g_string_append(out, "<main id=\"main\" class=\"wrap\">\n");
    g_string_append_len(out, page->body->str, (gssize)page->body->len);
    g_string_append_printf(out,
                           "</main>\n<footer><div class=\"wrap\">Made by dpcxr %s.</div></footer>\n"
                           "<script>\n%s</script>\n</body>\n</html>\n",
                           DPCXR_VERSION, dpcxr_report_resource("page.js"));
    return g_string_free(out, FALSE);
}

static gboolean write_figures(const DpcxrPage *page, const char *folder, gboolean private, GError **error)
{
    if (!dpcxr_make_folder(folder, private ? 0700 : 0755, error))
        return FALSE;
    for (guint i = 0; i < page->figures->len; i++)
        if (!dpcxr_figure_write(g_ptr_array_index(page->figures, i), folder, private ? 0600 : 0644, error))
            return FALSE;
    return TRUE;
}

gboolean dpcxr_page_write(DpcxrPage *page, const char *path, const char *figures, gboolean private,
                          GError **error)
{
    g_autofree char *text = page_text(page);
    return (!figures || write_figures(page, figures, private, error)) &&
           (!path || dpcxr_write_file(path, text, -1, private ? 0600 : 0644, error));
}
