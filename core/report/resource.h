/* SPDX-License-Identifier: MIT
 * The files beside this one that are compiled in: chart.css, page.css, page.js. */
#pragma once

/* The text of @name, which there is. (transfer none) */
const char *dpcxr_report_resource(const char *name);
