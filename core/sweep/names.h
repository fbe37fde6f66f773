/* SPDX-License-Identifier: MIT
 * Names of points of a sweep that a person can read and that may name a folder: epsilon-1_lr-0.001_seed-2. */
#pragma once
#include <glib.h>

/* What a name calls @key: its last part ("lr" of optimizer.lr), the one before where that is "type", and all
 * of it where another of @keys (NULL-terminated, @key among them) would be called the same. (transfer
 * full) */
char *dpcxr_sweep_short_key(const char *key, const char *const *keys);

/* The name of a point with these @overrides ("key=value", NULL-terminated): letters, digits, ".", "_" and "-"
 * become part of it, a "+" goes, runs of others are a "-". Too long a name ends in digits of its SHA-256
 * instead; "" where there are no overrides. (transfer full) */
char *dpcxr_sweep_point_name(const char *const *overrides, const char *const *keys);

/* "rdp-conversion-classic" of {type: rdp, conversion: classic}. (transfer full) */
char *dpcxr_sweep_value_name(const char *value);
