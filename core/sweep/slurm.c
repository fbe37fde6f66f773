/* SPDX-License-Identifier: MIT */
#include "sweep/slurm.h"

enum { SECONDS_BEFORE_END = 300 };

static void put_quoted(GString *script, const char *text)
{
    g_autofree char *quoted = g_shell_quote(text);
    g_string_append_printf(script, " %s", quoted);
}

static void put_task(GString *script, const DpcxrSweep *sweep, const DpcxrSweepRun *run, guint number)
{
    g_auto(GStrv) arguments = dpcxr_sweep_arguments(sweep, run, dpcxr_sweep_tests_all(sweep), 0);
    g_autofree char *folder = g_shell_quote(run->folder);
    g_string_append_printf(script, "%u)\n    folder=%s\n    set --", number, folder);
    for (char **argument = arguments; *argument; argument++)
        put_quoted(script, *argument);
    g_string_append(script, " ;;\n");
}

static void put_head(GString *script, const DpcxrSweep *sweep, guint n, int at_once)
{
    g_autofree char *limit = at_once > 0 ? g_strdup_printf("%%%d", at_once) : g_strdup("");
    g_autofree char *cwd = g_get_current_dir(), *place = g_shell_quote(cwd);
    g_string_append_printf(
        script,
        "#!/bin/bash\n"
        "# The sweep %s: time, memory, partition and GPU are yours to add, here or to sbatch.\n"
        "# When all tasks have ended: dpcxr sweep with the same arguments chooses and sums up.\n"
        "#SBATCH --job-name=%s\n"
        "#SBATCH --array=0-%u%s\n"
        "#SBATCH --signal=B:TERM@%d\n"
        "#SBATCH --requeue\n"
        "#SBATCH --open-mode=append\n"
        "set -eu\n"
        "cd %s\n"
        "case $SLURM_ARRAY_TASK_ID in\n",
        sweep->name, sweep->name, n - 1, limit, SECONDS_BEFORE_END, place);
}

char *dpcxr_sweep_slurm(const DpcxrSweep *sweep, const char *program, int at_once, GError **error)
{
    g_autoptr(GPtrArray) runs = dpcxr_sweep_runs(sweep), open = g_ptr_array_new();
    g_autofree char *quoted = g_shell_quote(program);
    for (guint i = 0; i < runs->len; i++)
        if (dpcxr_sweep_is_open(sweep, g_ptr_array_index(runs, i)))
            g_ptr_array_add(open, g_ptr_array_index(runs, i));
    if (open->len == 0) {
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
            "sweep: no run is open, so there is nothing to submit; without --slurm it chooses and sums up");
        return NULL;
    }
    GString *script = g_string_new(NULL);
    put_head(script, sweep, open->len, at_once);
    for (guint i = 0; i < open->len; i++)
        put_task(script, sweep, g_ptr_array_index(open, i), i);
    g_string_append_printf(
        script,
        "*)\n    echo \"there is no task $SLURM_ARRAY_TASK_ID\" >&2\n    exit 2 ;;\n"
        "esac\n"
        "[ ! -e \"$folder\" ] || set -- \"$@\" --resume\n"
        "[ -z \"${SLURM_CPUS_PER_TASK-}\" ] || set -- \"$@\" \"device.threads=$SLURM_CPUS_PER_TASK\"\n"
        "exec %s \"$@\"\n",
        quoted);
    return g_string_free(script, FALSE);
}
