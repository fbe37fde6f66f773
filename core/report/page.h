/* SPDX-License-Identifier: MIT
 * A page that stands alone: sections, figures, tables, style and script in one file that asks for nothing
 * else. */
#pragma once
#include "report/figure.h"

typedef struct {
    char *title, *subtitle;
    GString *body;
    GPtrArray *sections; /* char *: id, then name, of each */
    GPtrArray *figures;  /* DpcxrFigure * */
    gboolean open;       /* whether a section is */
} DpcxrPage;

/* @subtitle (nullable): what the page is, above its title. */
DpcxrPage *dpcxr_page_new(const char *title, const char *subtitle);
void dpcxr_page_free(DpcxrPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrPage, dpcxr_page_free)

/* Ends the section before. @id: letters and -. @name: in the navigation, too; (nullable) for the first, which
 * has no heading. */
void dpcxr_page_section(DpcxrPage *page, const char *id, const char *name);
void dpcxr_page_heading(DpcxrPage *page, const char *text);
/* A paragraph; printf's arguments are escaped as a whole. */
void dpcxr_page_text(DpcxrPage *page, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same, set apart: what a reader must not miss. */
void dpcxr_page_note(DpcxrPage *page, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Takes @figure. */
void dpcxr_page_figure(DpcxrPage *page, DpcxrFigure *figure);
void dpcxr_page_table(DpcxrPage *page, const DpcxrTable *table);
/* What comes between the two is folded away behind @summary. */
void dpcxr_page_begin_fold(DpcxrPage *page, const char *summary);
void dpcxr_page_end_fold(DpcxrPage *page);
/* Text as it is, in a block that is opened by @summary. */
void dpcxr_page_verbatim(DpcxrPage *page, const char *summary, const char *text);

/* @path (nullable) gets the page; @figures (nullable), which is made, the drawings and numbers. @private:
 * modes 0600 and 0700, else 0644 and 0755. */
gboolean dpcxr_page_write(DpcxrPage *page, const char *path, const char *figures, gboolean private,
                          GError **error);
