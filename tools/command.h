/* SPDX-License-Identifier: MIT
 * What the subcommands of dpcxr share. A subcommand is one file, cmd-NAME.c, with one function; it prints its results
 * to standard output and returns what went wrong. main() alone turns an error into an exit status. */
#pragma once
#include <dpcxr/error.h>
#include <json-glib/json-glib.h>

/* @argv[0] is the name of the subcommand. FALSE with an error: its code is the exit status (DPCXR_ERROR), its message
 * goes to standard error as it is. */
typedef gboolean (*DpcxrCommand)(int argc, char **argv, GError **error);

gboolean dpcxr_cmd_run(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_check(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_plugins(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_devices(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_eps(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_eval(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_sigma(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_account(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_sweep(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_cache(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_bench(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_compare(int argc, char **argv, GError **error);
gboolean dpcxr_cmd_report(int argc, char **argv, GError **error);

/* Parses @argv by @entries, in which G_OPTION_REMAINING takes the arguments that are no options; --help prints and ends
 * the process. @arguments: "CONFIG [KEY=VALUE]...", @summary: one sentence, both for the help.
 * DPCXR_ERROR_USAGE: an unknown option, a bad value. */
gboolean dpcxr_cmd_parse(int argc, char **argv, const char *arguments, const char *summary,
                         const GOptionEntry *entries, GError **error);

/* Prints the whole document, indented, with a newline at the end. */
void dpcxr_cmd_print_json(JsonBuilder *json);
