/* SPDX-License-Identifier: MIT
 * The parts of the report of a run, each from the run's files to a page, in this order. What a run does not
 * have is left out, or said to be missing where a reader would look for it. Those that a released page has
 * read nothing but what is in release/. */
#pragma once
#include "report/page.h"
#include "report/run-files.h"

void dpcxr_section_headline(DpcxrPage *page, const DpcxrRunFiles *run);
void dpcxr_section_labels(DpcxrPage *page, const DpcxrRunFiles *run);
void dpcxr_section_learning(DpcxrPage *page, const DpcxrRunFiles *run);
/* Reads predictions-SPLIT.csv. DPCXR_ERROR_DATA where it is not as written. */
gboolean dpcxr_section_ranking(DpcxrPage *page, const DpcxrRunFiles *run, GError **error);
void dpcxr_section_working_point(DpcxrPage *page, const DpcxrRunFiles *run);
void dpcxr_section_calibration(DpcxrPage *page, const DpcxrRunFiles *run);
void dpcxr_section_groups(DpcxrPage *page, const DpcxrRunFiles *run);
void dpcxr_section_privacy(DpcxrPage *page, const DpcxrRunFiles *run);
void dpcxr_section_data(DpcxrPage *page, const DpcxrRunFiles *run);
/* Reads the images of samples/. */
gboolean dpcxr_section_samples(DpcxrPage *page, const DpcxrRunFiles *run, GError **error);
void dpcxr_section_config(DpcxrPage *page, const DpcxrRunFiles *run);
