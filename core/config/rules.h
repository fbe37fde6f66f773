/* SPDX-License-Identifier: MIT
 * What tables cannot say: values that must fit each other, values that this version cannot do yet, and what a privacy
 * claim needs. */
#pragma once
#include "config/resolved.h"

/* Adds to @problems; skips rules whose values were already reported as wrong. */
void dpcxr_rules_check(const DpcxrResolved *resolved, DpcxrProblems *problems);
