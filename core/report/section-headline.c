/* SPDX-License-Identifier: MIT
 * What a reader looks for first: how good the model is, and what is guaranteed. */
#include "privacy/accounting.h"
#include "report/markup.h"
#include "report/metric-names.h"
#include "report/sections.h"
#include <math.h>
#include <string.h>

static void fact(DpcxrPage *page, const char *name, const char *value, const char *more)
{
    g_string_append(page->body, "<div><dt>");
    dpcxr_markup_text(page->body, name);
    g_string_append(page->body, "</dt><dd>");
    dpcxr_markup_text(page->body, value);
    g_string_append(page->body, "<small>");
    dpcxr_markup_text(page->body, more);
    g_string_append(page->body, "</small></dd></div>\n");
}

static const char *split_title(const char *split)
{
    return g_str_equal(split, "test") ? "test" : "validation";
}

static void write_auroc(DpcxrPage *page, const DpcxrRunFiles *run, const char *split)
{
    JsonObject *part = dpcxr_results_split(run->results, split),
               *ci = dpcxr_look_object(run->results, "ci", NULL);
    DpcxrEstimate auroc = dpcxr_look_estimate(dpcxr_look_object(part, "mean", NULL), "auroc");
    guint all = dpcxr_look_length(dpcxr_look_array(run->results, "labels"));
    guint defined = all - MIN(all, dpcxr_look_length(dpcxr_look_array(part, "not_defined")));
    g_autofree char *name = g_strdup_printf("Mean AUROC, %s images", split_title(split));
    g_autofree char *value = dpcxr_number_text(auroc.value, 3);
    g_autofree char *low = dpcxr_number_text(auroc.low, 3), *high = dpcxr_number_text(auroc.high, 3);
    g_autofree char *interval =
        isnan(auroc.low) || isnan(auroc.high)
            ? g_strdup("no interval")
            : g_strdup_printf("%g %% interval %s to %s", 100 * dpcxr_look_number(ci, "level"), low, high);
    g_autofree char *labels = all == 1         ? g_strdup("one label")
                              : defined == all ? g_strdup_printf("%u labels", all)
                                               : g_strdup_printf("%u of %u labels", defined, all);
    g_autofree char *more = g_strdup_printf("%s; %s", interval, labels);
    fact(page, name, value, more);
}

static void write_images(DpcxrPage *page, const DpcxrRunFiles *run, const char *split)
{
    JsonObject *part = dpcxr_results_split(run->results, split);
    g_autofree char *name = g_strdup_printf("%s images", g_str_equal(split, "test") ? "Test" : "Validation");
    g_autofree char *images = dpcxr_count_text(dpcxr_look_count(part, "n"));
    g_autofree char *patients = dpcxr_count_text(dpcxr_look_count(part, "patients"));
    g_autofree char *more = g_strdup_printf("of %s patients", patients);
    fact(page, name, images, more);
}

static void write_epsilon(DpcxrPage *page, const DpcxrRunFiles *run)
{
    JsonObject *claim = dpcxr_look_object(run->privacy, "claim", NULL);
    if (!claim) {
        fact(page, "Epsilon", "none", "no privacy claim");
        return;
    }
    g_autofree char *delta = dpcxr_format_exact(dpcxr_look_number(claim, "delta"));
    g_autofree char *more =
        g_strdup_printf("at delta %s, for every %s, by the accountant %s", delta,
                        dpcxr_look_string(claim, "unit"), dpcxr_look_string(claim, "accountant"));
    fact(page, "Epsilon", dpcxr_look_string(claim, "epsilon_printed"), more);
}

/* The rate at one false positive in a hundred, which is the middle of three. */
static void write_attacker(DpcxrPage *page, const DpcxrRunFiles *run)
{
    JsonArray *rates =
        dpcxr_look_array(dpcxr_look_object(run->privacy, "attack", NULL), "true_positive_rate");
    for (guint i = 0; i < dpcxr_look_length(rates); i++) {
        JsonObject *rate = dpcxr_look_item(rates, i);
        if (fabs(dpcxr_look_number(rate, "false_positive_rate") - 0.01) > 1e-9)
            continue;
        double percent = ceil(dpcxr_look_number(rate, "at_most") * 1000 * (1 - 1e-12)) / 10;
        g_autofree char *value = g_strdup_printf("\xE2\x89\xA4 %.1f %%", percent);
        fact(page, "An attacker finds", value, "of those who took part in training, at 1 % false alarms");
    }
}

/* The paragraph is Markdown of our own making: bold, code and nothing else. */
static void write_inline(GString *out, const char *text)
{
    gboolean bold = FALSE, code = FALSE;
    while (*text) {
        gsize plain = strcspn(text, "*`");
        g_autofree char *part = g_strndup(text, plain);
        dpcxr_markup_text(out, part);
        text += plain;
        if (g_str_has_prefix(text, "**")) {
            bold = !bold;
            g_string_append(out, bold ? "<strong>" : "</strong>");
            text += 2;
        } else if (*text == '`') {
            code = !code;
            g_string_append(out, code ? "<code>" : "</code>");
            text++;
        } else if (*text) {
            dpcxr_markup_text(out, "*");
            text++;
        }
    }
    g_string_append(out, code ? "</code>" : "");
    g_string_append(out, bold ? "</strong>" : "");
}

static void write_statement(DpcxrPage *page, const DpcxrRunFiles *run)
{
    if (!run->privacy) {
        dpcxr_page_note(
            page, "This run makes no privacy claim: its weights may reveal who is in the training data. They "
                  "are in the private folder, as everything else here.");
        return;
    }
    if (!run->statement)
        return;
    g_string_append(page->body, "<h3>What is guaranteed</h3>\n<p class=\"statement\">");
    write_inline(page->body, run->statement);
    g_string_append(page->body, "</p>\n");
}

void dpcxr_section_headline(DpcxrPage *page, const DpcxrRunFiles *run)
{
    const char *split = dpcxr_run_files_split(run);
    dpcxr_page_section(page, "result", NULL);
    g_string_append(page->body, "<dl class=\"facts\">\n");
    if (split)
        write_auroc(page, run, split);
    write_epsilon(page, run);
    write_attacker(page, run);
    if (split)
        write_images(page, run, split);
    g_string_append(page->body, "</dl>\n");
    if (run->result) {
        g_string_append(page->body, "<code class=\"result\">");
        dpcxr_markup_text(page->body, run->result);
        g_string_append(page->body, "</code>\n");
    }
    if (!run->released && !split)
        dpcxr_page_note(page, "This run was not evaluated: there is no results.json.");
    write_statement(page, run);
}
