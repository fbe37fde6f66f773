/* SPDX-License-Identifier: MIT */
#include "report/report.h"
#include "base/files.h"
#include "report/sections.h"

/* Numbers first, then whom they are about, then what is guaranteed, then what it was made from. */
static gboolean fill_private(DpcxrPage *page, const DpcxrRunFiles *run, GError **error)
{
    dpcxr_section_headline(page, run);
    dpcxr_section_labels(page, run);
    if (!dpcxr_section_ranking(page, run, error))
        return FALSE;
    dpcxr_section_working_point(page, run);
    dpcxr_section_calibration(page, run);
    dpcxr_section_groups(page, run);
    dpcxr_section_learning(page, run);
    dpcxr_section_privacy(page, run);
    dpcxr_section_data(page, run);
    if (!dpcxr_section_samples(page, run, error))
        return FALSE;
    dpcxr_section_config(page, run);
    return TRUE;
}

/* What a guarantee covers, and nothing that was computed from validation or test records. */
static void fill_released(DpcxrPage *page, const DpcxrRunFiles *run)
{
    dpcxr_section_headline(page, run);
    dpcxr_page_text(
        page, "This report has only what that guarantee covers: no results, no curves, nothing about groups, "
              "because those were computed from records that it does not protect.");
    dpcxr_section_privacy(page, run);
    dpcxr_section_config(page, run);
}

/* Figures of a report before this one may have other names. */
static gboolean write_private(DpcxrPage *page, const DpcxrRunFiles *run, int parts, char **path,
                              GError **error)
{
    g_autofree char *html = g_build_filename(run->root, "private", "report.html", NULL);
    g_autofree char *figures = g_build_filename(run->root, "private", "figures", NULL);
    if (!fill_private(page, run, error))
        return FALSE;
    if (parts & DPCXR_REPORT_FIGURES)
        dpcxr_remove_tree(figures);
    if (!dpcxr_page_write(page, parts & DPCXR_REPORT_PAGE ? html : NULL,
                          parts & DPCXR_REPORT_FIGURES ? figures : NULL, TRUE, error))
        return FALSE;
    *path = parts & DPCXR_REPORT_PAGE ? g_steal_pointer(&html) : g_steal_pointer(&figures);
    return TRUE;
}

static gboolean write_released(DpcxrPage *page, const DpcxrRunFiles *run, char **path, GError **error)
{
    *path = g_build_filename(run->root, "release", "report.html", NULL);
    fill_released(page, run);
    return dpcxr_page_write(page, *path, NULL, FALSE, error);
}

static gboolean write_kind(const char *root, int parts, char **path, GError **error)
{
    gboolean release = (parts & DPCXR_REPORT_RELEASE) != 0;
    g_autoptr(DpcxrRunFiles) run = dpcxr_run_files_read(root, release, error);
    if (!run)
        return FALSE;
    g_autoptr(DpcxrPage) page =
        dpcxr_page_new(run->name, release ? "Privacy report"
                                          : "Report of a run. Private: it has results "
                                            "of groups and records of patients");
    return release ? write_released(page, run, path, error) : write_private(page, run, parts, path, error);
}

gboolean dpcxr_report_write(const char *root, int parts, char **path, GError **error)
{
    g_autofree char *where = NULL;
    if (!write_kind(root, parts, &where, error))
        return FALSE;
    if (path)
        *path = g_steal_pointer(&where);
    return TRUE;
}
