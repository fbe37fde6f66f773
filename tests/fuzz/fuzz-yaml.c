/* SPDX-License-Identifier: MIT
 * Fuzz target: any bytes as an experiment file. Whatever parses must survive all tables and rules; what is
 * right must be written, and what is written must read back to the same text. */
#include "config/resolved.h"
#include "config/rules.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static const DpcxrOptionSpec options[] = {
    {"flag", DPCXR_OPTION_BOOL, "true"},
    {"count", DPCXR_OPTION_INT, "auto", .min = 1, .max = 9, .choices = "auto"},
    {"rate", DPCXR_OPTION_NUMBER, "0.5"},
    {"title", DPCXR_OPTION_STRING, "null"},
    {"side", DPCXR_OPTION_CHOICE, "left", .choices = "left|right"},
    {"root", DPCXR_OPTION_PATH, "null"},
    {"names", DPCXR_OPTION_STRINGS, "[a]"},
    {"bins", DPCXR_OPTION_NUMBERS, "[1, 2]"},
    {"columns", DPCXR_OPTION_MAP, "{}"},
    {0}};

/* One plugin of every kind and name, with every type of option. */
static const DpcxrPluginEntry *find(DpcxrPluginKind kind, const char *name, GError **error)
{
    static const DpcxrAccountant feature = {0};
    static const DpcxrPlugin plugin = {.options = options, .feature = &feature};
    static const DpcxrPluginEntry entry = {.plugin = &plugin};
    return &entry;
}

static gboolean add(const char *path, GError **error)
{
    return TRUE;
}

static char *resolve(const char *text, gssize length)
{
    const DpcxrPluginSource source = {find, add};
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrProblems) problems = dpcxr_problems_new();
    g_autoptr(DpcxrYaml) root = dpcxr_yaml_parse(text, length, "fuzz", NULL, problems);
    g_autoptr(DpcxrResolved) resolved = NULL;

    g_assert((root == NULL) == (dpcxr_problems_count(problems) > 0));
    if (root) {
        resolved = dpcxr_resolved_read(root, &source, problems);
        dpcxr_rules_check(resolved, problems);
    }
    if (dpcxr_problems_check(problems, &error))
        return dpcxr_resolved_write(resolved, TRUE);
    g_assert(g_utf8_validate(error->message, -1, NULL));
    return NULL;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autofree char *copy = g_memdup2(data, size); /* of exactly this size, for ASan */
    g_autofree char *first = resolve(copy ? copy : "", size);
    if (!first || strstr(first, "${env:")) /* escapes are undone by the document, which reads files */
        return 0;
    g_autofree char *second = resolve(first, -1);
    g_assert_cmpstr(first, ==, second);
    return 0;
}
