/* SPDX-License-Identifier: MIT
 * From the name of an accountant to its answer, and from answers to a table. */
#include <math.h>
#include <stdio.h>
#include "accountants.h"
#include "base/json-write.h"
#include "command.h"
#include "config/options.h"
#include "privacy/accounting.h"

gboolean dpcxr_cmd_usage(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s: %s", g_get_prgname(), message);
    return FALSE;
}

static void feature_free(gpointer data)
{
    DpcxrFeature *feature = data;
    g_free(feature->type);
    dpcxr_options_free(feature->options);
    g_free(feature);
}

static gboolean add_accountant(GPtrArray *accountants, const DpcxrPluginEntry *entry, const char *options,
                               GError **error)
{
    g_autoptr(DpcxrOptions) values = NULL;
    if (entry->plugin &&
        !(values = dpcxr_options_parse(entry->plugin->options, options ? options : "", error))) {
        g_prefix_error(error, "%s: --options: ", g_get_prgname());
        return FALSE;
    }
    DpcxrFeature *feature = g_new0(DpcxrFeature, 1);
    *feature = (DpcxrFeature){g_strdup(entry->name), entry, g_steal_pointer(&values)};
    g_ptr_array_add(accountants, feature);
    return TRUE;
}

static gboolean add_all_accountants(GPtrArray *accountants, const char *options, GError **error)
{
    g_autoptr(GPtrArray) entries = dpcxr_registry_list();
    if (options)
        return dpcxr_cmd_usage(error, "--options are those of one accountant; name it with --accountant");
    for (guint i = 0; i < entries->len; i++) {
        const DpcxrPluginEntry *entry = g_ptr_array_index(entries, i);
        if (entry->kind == DPCXR_PLUGIN_ACCOUNTANT && !add_accountant(accountants, entry, NULL, error))
            return FALSE;
    }
    return accountants->len > 0 ||
           dpcxr_cmd_usage(error, "there is no accountant plugin; dpcxr plugins lists what was found");
}

GPtrArray *dpcxr_cmd_accountants(const char *name, const char *options, GError **error)
{
    g_autoptr(GPtrArray) accountants = g_ptr_array_new_with_free_func(feature_free);
    dpcxr_registry_scan();
    name = name ? name : DPCXR_CMD_ACCOUNTANT;
    if (g_str_equal(name, "all"))
        return add_all_accountants(accountants, options, error) ? g_steal_pointer(&accountants) : NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, name, error);
    if (!entry || !add_accountant(accountants, entry, options, error))
        return NULL;
    return g_steal_pointer(&accountants);
}

static void answer_free(gpointer data)
{
    DpcxrAnswer *answer = data;
    g_clear_error(&answer->error);
    g_free(answer);
}

/* A refusal is an answer; any other failure ends the program. */
static gboolean ask(const DpcxrAnswerTable *table, const DpcxrFeature *accountant, gconstpointer question,
                    GPtrArray *answers, GError **error)
{
    DpcxrAnswer *answer = g_new0(DpcxrAnswer, 1);
    g_ptr_array_add(answers, answer);
    answer->accountant = accountant;
    answer->approximate = dpcxr_account_is_approximate(accountant);
    if (!accountant->entry->plugin) {
        answer->error = g_error_copy(accountant->entry->error);
        answer->refused = TRUE;
        return TRUE;
    }
    if (table->ask(accountant, question, answer, &answer->error))
        return TRUE;
    answer->refused = TRUE;
    if (g_error_matches(answer->error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY))
        return TRUE;
    g_propagate_error(error, g_error_copy(answer->error));
    return FALSE;
}

GPtrArray *dpcxr_answers_ask(const DpcxrAnswerTable *table, const GPtrArray *accountants,
                             gconstpointer question, GError **error)
{
    g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func(answer_free);
    for (guint i = 0; i < accountants->len; i++) {
        if (!ask(table, g_ptr_array_index(accountants, i), question, answers, error))
            return NULL;
    }
    return g_steal_pointer(&answers);
}

void dpcxr_answers_print(const DpcxrAnswerTable *table, const GPtrArray *answers, gconstpointer question)
{
    const DpcxrAnswer *first = g_ptr_array_index(answers, 0);
    if (answers->len == 1 && first->refused)
        return; /* the error says it all */
    puts(table->heading);
    for (guint i = 0; i < answers->len; i++) {
        const DpcxrAnswer *answer = g_ptr_array_index(answers, i);
        if (answer->refused)
            printf("%-12s refused: %s\n", answer->accountant->type, answer->error->message);
        else
            table->print(answer, question);
    }
}

void dpcxr_answers_print_json(const DpcxrAnswerTable *table, const GPtrArray *answers, gconstpointer question)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_array(json);
    for (guint i = 0; i < answers->len; i++) {
        const DpcxrAnswer *answer = g_ptr_array_index(answers, i);
        json_builder_begin_object(json);
        dpcxr_json_put_string(json, "accountant", answer->accountant->type);
        if (answer->refused)
            dpcxr_json_put_string(json, "refused", answer->error->message);
        else
            table->add(json, answer, question);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
    dpcxr_cmd_print_json(json);
}

gboolean dpcxr_answers_check(const GPtrArray *answers, GError **error)
{
    for (guint i = 0; i < answers->len; i++) {
        if (!((const DpcxrAnswer *)g_ptr_array_index(answers, i))->refused)
            return TRUE;
    }
    const DpcxrAnswer *first = g_ptr_array_index(answers, 0);
    if (answers->len == 1)
        g_propagate_error(error, g_error_copy(first->error));
    else
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "%s: every accountant refused; %s",
                    g_get_prgname(), first->error->message);
    return FALSE;
}

gboolean dpcxr_answers_show(const DpcxrAnswerTable *table, const GPtrArray *accountants,
                            gconstpointer question, gboolean json, GError **error)
{
    g_autoptr(GPtrArray) answers = dpcxr_answers_ask(table, accountants, question, error);
    if (!answers)
        return FALSE;
    (json ? dpcxr_answers_print_json : dpcxr_answers_print)(table, answers, question);
    return dpcxr_answers_check(answers, error);
}
