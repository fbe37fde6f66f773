/* SPDX-License-Identifier: MIT
 * Command lines in, JSON out: the same for every subcommand. */
#include "command.h"
#include "base/json-write.h"
#include <stdio.h>

gboolean dpcxr_cmd_parse(int argc, char **argv, const char *arguments, const char *summary,
                         const GOptionEntry *entries, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(arguments);
    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, entries, NULL);
    g_autofree char *program = g_strdup_printf("dpcxr %s", argv[0]);
    g_set_prgname(program);
    g_autoptr(GError) cause = NULL;
    if (g_option_context_parse(context, &argc, &argv, &cause))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s: %s (%s --help says what it takes)", program,
                cause->message, program);
    return FALSE;
}

void dpcxr_cmd_print_json(JsonBuilder *json)
{
    g_autofree char *text = dpcxr_json_text(json);
    fputs(text, stdout);
}
