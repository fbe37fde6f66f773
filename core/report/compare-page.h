/* SPDX-License-Identifier: MIT
 * The page of a comparison. */
#pragma once
#include "report/compare.h"
#include "report/page.h"

/* (transfer full) */
DpcxrPage *dpcxr_compare_page(const DpcxrComparison *comparison, gboolean all_accountants);
/* Tables of runs, of labels, of groups, which are files, too. (transfer full) */
DpcxrTable *dpcxr_compare_runs_table(const DpcxrComparison *comparison);
DpcxrTable *dpcxr_compare_labels_table(const DpcxrComparison *comparison);
DpcxrTable *dpcxr_compare_groups_table(const DpcxrComparison *comparison);
/* "8.00", or "none". (transfer full) */
char *dpcxr_compared_epsilon_text(const DpcxrComparedRun *run);

/* For compare-page.c: AUROC over epsilon. Does nothing where no run has one. */
void dpcxr_compare_draw_epsilon(DpcxrPage *page, const DpcxrComparison *comparison, gboolean all_accountants);
