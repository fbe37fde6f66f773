/* SPDX-License-Identifier: MIT
 * What `dpcxr bench` measures, one file each. As subcommands: command.h. */
#pragma once
#include "bench/ops.h"
#include "command.h"
#include <json-glib/json-glib.h>

gboolean dpcxr_bench_cmd_loader(int argc, char **argv, GError **error);
gboolean dpcxr_bench_cmd_ops(int argc, char **argv, GError **error);
gboolean dpcxr_bench_cmd_step(int argc, char **argv, GError **error);

/* DPCXR_ERROR_USAGE for what is no precision. */
gboolean dpcxr_bench_precision(const char *name, DpcxrPrecision *precision, GError **error);
/* FALSE with DPCXR_ERROR_USAGE unless @rest (nullable), arguments that are no options, is empty. */
gboolean dpcxr_bench_no_more(char **rest, GError **error);

/* `dpcxr bench ops --tune`: prints what dpcxr_bench_tune finds, or adds it to the list that @json (nullable) has open. */
gboolean dpcxr_bench_run_tune(const DpcxrOpsBench *bench, JsonBuilder *json, GError **error);
