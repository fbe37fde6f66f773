/* SPDX-License-Identifier: MIT
 * The program: which subcommand, and how it ended. Called as dpcxr-run it is `dpcxr run`. */
#include "command.h"
#include <dpcxr/plugin.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name, *arguments, *summary;
    DpcxrCommand command; /* NULL: not in this version */
} Row;

/* The names of docs/interface.md; a subcommand without a function is known and says that it is not there. */
static const Row rows[] = {
    {"run", "CONFIG [KEY=VALUE]...", "train, evaluate and account one experiment", dpcxr_cmd_run},
    {"check", "CONFIG [KEY=VALUE]... [--data]", "check a configuration, and its data", dpcxr_cmd_check},
    {"plugins", "[KIND [NAME]]", "list plugins, or describe one", dpcxr_cmd_plugins},
    {"devices", "[--json]", "list what can compute here", dpcxr_cmd_devices},
    {"new", "KIND NAME [DIR]", "start a plugin outside this tree", NULL},
    {"eps", "--sampling-rate Q ...", "epsilon of a training that is planned", dpcxr_cmd_eps},
    {"sigma", "--epsilon E ...", "noise multiplier for an epsilon", dpcxr_cmd_sigma},
    {"account", "RUN|LEDGER...", "account runs again, composed", dpcxr_cmd_account},
    {"eval", "RUN [--on CONFIG]", "evaluate a run again, or on other data", dpcxr_cmd_eval},
    {"predict", "RUN IMAGE...", "probabilities as CSV", NULL},
    {"compare", "RUN RUN...", "paired tests, tables, figures", dpcxr_cmd_compare},
    {"report", "RUN... [--release]", "make the report of a run again", dpcxr_cmd_report},
    {"sweep", "CONFIG [KEY=A,B,..]...", "many runs of an experiment", dpcxr_cmd_sweep},
    {"audit", "CONFIG", "an empirical lower bound on epsilon", NULL},
    {"export", "RUN --to FORMAT", "weights for use elsewhere", NULL},
    {"cache", "CONFIG [KEY=VALUE]...", "decode and resize once", dpcxr_cmd_cache},
    {"bench", "step [--size S] [--batch B]", "speed, private beside not private", dpcxr_cmd_bench},
};

static void print_usage(FILE *stream)
{
    fputs("usage: dpcxr COMMAND ...        (dpcxr COMMAND --help; dpcxr-run is dpcxr run)\n\n", stream);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].command)
            fprintf(stream, "  %-8s %-32s %s\n", rows[i].name, rows[i].arguments, rows[i].summary);
    fputs("\nNot in this version:", stream);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!rows[i].command)
            fprintf(stream, " %s", rows[i].name);
    fputs("\n", stream);
}

static const Row *find_row(const char *name, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "dpcxr: \"%s\" is not a command; dpcxr --help lists them", name);
    return NULL;
}

static gboolean run_command(int argc, char **argv, GError **error)
{
    const Row *row = find_row(argv[0], error);
    if (!row)
        return FALSE;
    if (!row->command) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr %s: not in this version (%s)", row->name,
                    DPCXR_VERSION);
        return FALSE;
    }
    return row->command(argc, argv, error);
}

/* @argv without the program's name. */
static gboolean dispatch(int argc, char **argv, GError **error)
{
    if (argc == 0) {
        print_usage(stderr);
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr: which command?");
        return FALSE;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "help") == 0) {
        print_usage(stdout);
        return TRUE;
    }
    if (strcmp(argv[0], "--version") == 0) {
        printf("dpcxr %s (plugin ABI %d.%d)\n", DPCXR_VERSION, DPCXR_ABI_MAJOR, DPCXR_ABI_MINOR);
        return TRUE;
    }
    return run_command(argc, argv, error);
}

static gboolean flush_output(GError **error)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "dpcxr: standard output: %s", g_strerror(errno));
    return FALSE;
}

static int exit_status(const GError *error)
{
    return error->domain == DPCXR_ERROR ? error->code : DPCXR_ERROR_FAILED;
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file size limit fails the write, which says so, instead of killing the process */
    setlocale(LC_CTYPE, "");  /* file names and help; numbers stay as in C */
    g_autoptr(GError) error = NULL;
    g_autofree char *base = argc > 0 ? g_path_get_basename(argv[0]) : g_strdup("dpcxr");
    gboolean ok;
    if (strcmp(base, "dpcxr-run") == 0) {
        argv[0] = (char *)"run";
        ok = dispatch(argc, argv, &error);
    } else {
        ok = dispatch(argc > 0 ? argc - 1 : 0, argv + 1, &error);
    }
    if (ok && flush_output(&error))
        return 0;
    fprintf(stderr, "%s\n", error->message);
    return exit_status(error);
}
