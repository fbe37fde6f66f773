/* SPDX-License-Identifier: MIT */
#include "report/figure.h"
#include "base/files.h"
#include "report/markup.h"

typedef struct {
    char *name; /* (nullable) */
    char *file;
    DpcxrSvg *svg;
} Panel;

static void panel_free(gpointer data)
{
    Panel *panel = data;
    g_free(panel->name);
    g_free(panel->file);
    dpcxr_svg_free(panel->svg);
    g_free(panel);
}

DpcxrFigure *dpcxr_figure_new(const char *id, const char *title, const char *caption)
{
    DpcxrFigure *figure = g_new0(DpcxrFigure, 1);
    figure->id = g_strdup(id);
    figure->title = g_strdup(title);
    figure->caption = g_strdup(caption);
    figure->panels = g_ptr_array_new_with_free_func(panel_free);
    figure->table = dpcxr_table_new(NULL);
    return figure;
}

void dpcxr_figure_free(DpcxrFigure *figure)
{
    if (!figure)
        return;
    g_free(figure->id);
    g_free(figure->title);
    g_free(figure->caption);
    g_ptr_array_unref(figure->panels);
    dpcxr_table_free(figure->table);
    g_free(figure);
}

static gboolean has_file(const DpcxrFigure *figure, const char *file)
{
    for (guint i = 0; i < figure->panels->len; i++)
        if (g_str_equal(((const Panel *)g_ptr_array_index(figure->panels, i))->file, file))
            return TRUE;
    return FALSE;
}

/* ID.svg or ID-NAME.svg; names that are alike but for signs get a number. (transfer full) */
static char *file_name(const DpcxrFigure *figure, const char *name)
{
    GString *stem = g_string_new(figure->id);
    if (name) {
        g_string_append_c(stem, '-');
        dpcxr_markup_slug(stem, name);
    }
    char *file = g_strconcat(stem->str, ".svg", NULL);
    for (int i = 2; has_file(figure, file); i++) {
        g_free(file);
        file = g_strdup_printf("%s-%d.svg", stem->str, i);
    }
    g_string_free(stem, TRUE);
    return file;
}

void dpcxr_figure_add(DpcxrFigure *figure, const char *name, DpcxrSvg *svg)
{
    Panel *panel = g_new(Panel, 1);
    *panel = (Panel){g_strdup(name), file_name(figure, name), svg};
    g_ptr_array_add(figure->panels, panel);
}

static void panel_to_page(const Panel *panel, GString *page)
{
    g_string_append(page, "<div class=\"panel\">");
    if (panel->name) {
        g_string_append(page, "<h4>");
        dpcxr_markup_text(page, panel->name);
        g_string_append(page, "</h4>");
    }
    dpcxr_svg_to_page(panel->svg, page);
    g_string_append(page, "</div>\n");
}

static void caption_to_page(const DpcxrFigure *figure, int number, GString *page)
{
    g_string_append_printf(page, "<figcaption><b>Figure %d. ", number);
    dpcxr_markup_text(page, figure->title);
    g_string_append(page, ".</b> ");
    dpcxr_markup_text(page, figure->caption);
    g_string_append(page, "</figcaption>\n");
}

void dpcxr_figure_to_page(const DpcxrFigure *figure, int number, GString *page)
{
    g_string_append_printf(page, "<figure id=\"figure-%s\"><div class=\"%s\">\n", figure->id,
                           figure->wide ? "panels wide" : "panels");
    for (guint i = 0; i < figure->panels->len; i++)
        panel_to_page(g_ptr_array_index(figure->panels, i), page);
    g_string_append(page, "</div>\n");
    caption_to_page(figure, number, page);
    g_string_append_printf(page, "<details><summary>The numbers of figure %d</summary>\n", number);
    dpcxr_table_to_page(figure->table, page);
    g_string_append(page, "</details></figure>\n");
}

static gboolean write_panel(const Panel *panel, const char *folder, int mode, GError **error)
{
    g_autofree char *path = g_build_filename(folder, panel->file, NULL),
                    *text = dpcxr_svg_to_file(panel->svg);
    return dpcxr_write_file(path, text, -1, mode, error);
}

gboolean dpcxr_figure_write(const DpcxrFigure *figure, const char *folder, int mode, GError **error)
{
    for (guint i = 0; i < figure->panels->len; i++)
        if (!write_panel(g_ptr_array_index(figure->panels, i), folder, mode, error))
            return FALSE;
    g_autofree char *name = g_strconcat(figure->id, ".csv", NULL),
                    *path = g_build_filename(folder, name, NULL);
    g_autofree char *csv = dpcxr_table_to_csv(figure->table);
    return dpcxr_write_file(path, csv, -1, mode, error);
}
