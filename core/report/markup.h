/* SPDX-License-Identifier: MIT
 * Text for HTML and SVG. Names of labels, groups and runs are the user's: they reach a page through here
 * only. */
#pragma once
#include <glib.h>

/* Appends @text (nullable) so that it is text in HTML, in XML and in a quoted attribute of either: & < > " '
 * are escaped, what is not UTF-8 and control characters that XML does not have become U+FFFD. */
void dpcxr_markup_text(GString *out, const char *text);
/* The same as a string. (transfer full) */
char *dpcxr_markup_escape(const char *text);
/* Appends a name for files and ids: letters, digits, - and _ of @text, runs of anything else as one -; never
 * empty. */
void dpcxr_markup_slug(GString *out, const char *text);

/* A number as people read it: @digits decimals, a true minus sign, "–" where it is NaN. (transfer full) */
char *dpcxr_number_text(double value, int digits);
/* "0.812 (0.79–0.83)"; without limits where they are NaN; "–" where the value is. (transfer full) */
char *dpcxr_interval_text(double value, double low, double high, int digits);
/* "0.79–0.83"; NULL where a limit is NaN. (transfer full) */
char *dpcxr_limits_text(double low, double high, int digits);
/* With a blank before every group of three digits: "39 809". (transfer full) */
char *dpcxr_count_text(guint64 count);
