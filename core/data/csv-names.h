/* SPDX-License-Identifier: MIT
 * The header of a CSV file, for whoever does not know what columns there are. */
#pragma once
#include <dpcxr/dataset.h>

/* Name of column @column, from 0; NULL beyond the last. */
const char *dpcxr_csv_name(const DpcxrCsv *csv, gsize column);
