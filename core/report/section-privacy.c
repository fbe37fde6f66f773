/* SPDX-License-Identifier: MIT
 * The privacy card on a page: from privacy.json alone, so it may stand in a released report, too. */
#include "privacy/accounting.h"
#include "report/chart-interval.h"
#include "report/chart-line.h"
#include "report/markup.h"
#include "report/metric-names.h"
#include "report/sections.h"
#include <math.h>

static void add_fact(DpcxrTable *table, const char *name, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void add_fact(DpcxrTable *table, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    dpcxr_table_text(table, name);
    dpcxr_table_text(table, text);
}

static char *exact(JsonObject *from, const char *key)
{
    double value = dpcxr_look_number(from, key);
    return isnan(value) ? g_strdup("\xE2\x80\x93") : dpcxr_format_exact(value);
}

static void add_other_level(DpcxrTable *table, JsonObject *privacy)
{
    JsonObject *other = dpcxr_look_object(privacy, "other_level", NULL);
    const char *level = dpcxr_look_string(other, "level"), *how = dpcxr_look_string(other, "how");
    double epsilon = dpcxr_look_number(other, "epsilon");
    g_autofree char *name = g_strdup_printf("For a single %s", level ? level : "unit");
    g_autofree char *text = isnan(epsilon) ? g_strdup("none") : dpcxr_format_epsilon(epsilon, 2);
    g_autofree char *delta = exact(other, "delta");
    if (isnan(epsilon))
        add_fact(table, name, "no number: %s", how ? how : "");
    else
        add_fact(table, name, "epsilon %s at delta %s (%s)", text, delta, how ? how : "");
}

static void write_claim(DpcxrPage *page, JsonObject *privacy)
{
    JsonObject *claim = dpcxr_look_object(privacy, "claim", NULL),
               *m = dpcxr_look_object(privacy, "mechanism", NULL);
    JsonObject *steps = dpcxr_look_object(privacy, "steps", NULL);
    g_autoptr(DpcxrTable) table = dpcxr_table_new(NULL);
    g_autofree char *delta = exact(claim, "delta"), *rate = exact(m, "sampling_rate"),
                    *norm = exact(m, "clip_norm");
    g_autofree char *noise = exact(m, "noise_multiplier"),
                    *population = dpcxr_count_text(dpcxr_look_count(claim, "population"));
    const char *unit = dpcxr_look_string(claim, "unit");
    dpcxr_table_column(table, "Claim", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "", DPCXR_COLUMN_TEXT, 0);
    add_fact(table, "Epsilon, delta", "%s at %s, by the accountant %s",
             dpcxr_look_string(claim, "epsilon_printed"), delta, dpcxr_look_string(claim, "accountant"));
    add_fact(table, "Unit and adjacency", "%s, %s; N = %s declared public", unit,
             dpcxr_look_string(claim, "adjacency"), population);
    add_other_level(table, privacy);
    add_fact(table, "Sampling", "%s at rate %s", dpcxr_look_string(m, "sampler"), rate);
    add_fact(table, "Clipping", "%s, norm %s", dpcxr_look_string(m, "clip_type"), norm);
    add_fact(table, "Noise", "%s, multiplier %s%s", dpcxr_look_string(m, "noise_type"), noise,
             dpcxr_look_object(m, "noise_schedule", NULL) ? ", by a schedule" : "");
    add_fact(
        table, "Steps",
        "%" G_GUINT64_FORMAT " planned, %" G_GUINT64_FORMAT " done, %" G_GUINT64_FORMAT " lost and charged",
        dpcxr_look_count(steps, "planned"), dpcxr_look_count(steps, "done"), dpcxr_look_count(steps, "lost"));
    dpcxr_page_table(page, table);
}

static void draw_curve(DpcxrPage *page, JsonObject *privacy)
{
    JsonArray *curve = dpcxr_look_array(privacy, "curve");
    guint n = dpcxr_look_length(curve);
    g_autofree double *delta = g_new(double, n), *epsilon = g_new(double, n);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    double highest = 0;
    if (n < 2)
        return;
    DpcxrFigure *figure =
        dpcxr_figure_new("epsilon-delta", "Epsilon at other deltas",
                         "All of these pairs hold at once: the claim is one point of a curve.");
    dpcxr_table_column(figure->table, "delta", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(figure->table, "epsilon", DPCXR_COLUMN_UPPER_BOUND, 2);
    for (guint i = 0; i < n; i++) { /* in the file delta falls; a series rises */
        JsonObject *point = dpcxr_look_item(curve, n - 1 - i);
        delta[i] = dpcxr_look_number(point, "delta");
        epsilon[i] = dpcxr_look_number(point, "epsilon");
        g_autofree char *d = dpcxr_format_exact(delta[i]), *e = dpcxr_format_epsilon(epsilon[i], 2);
        g_ptr_array_add(texts, g_strdup_printf("delta %s: epsilon %s", d, e));
        dpcxr_table_text(figure->table, d);
        dpcxr_table_number(figure->table, epsilon[i]);
        highest = fmax(highest, epsilon[i]);
    }
    JsonObject *claim = dpcxr_look_object(privacy, "claim", NULL);
    g_autofree char *claimed =
        g_strdup_printf("the claim: epsilon %s", dpcxr_look_string(claim, "epsilon_printed"));
    const DpcxrSpot spot = {dpcxr_look_number(claim, "delta"), dpcxr_look_number(claim, "epsilon"), 1,
                            claimed};
    const DpcxrChartSeries series = {.kind = DPCXR_SERIES_LINE_POINTS,
                                     .n = n,
                                     .x = delta,
                                     .y = epsilon,
                                     .texts = (const char *const *)texts->pdata};
    DpcxrScale y = dpcxr_scale(0, highest * 1.05, FALSE);
    DpcxrLineChart chart = {.label = "Epsilon rises as delta falls",
                            .width = 900,
                            .height = 270,
                            .frame = {.x_title = "delta",
                                      .y_title = "epsilon",
                                      .x = dpcxr_scale_log(delta[0], delta[n - 1]),
                                      .y = y,
                                      .x_ticks = 6,
                                      .y_ticks = 5,
                                      .zoom = DPCXR_ZOOM_X | DPCXR_ZOOM_Y},
                            .series = &series,
                            .n_series = 1,
                            .spots = &spot,
                            .n_spots = 1};
    figure->wide = TRUE;
    dpcxr_figure_add(figure, NULL, dpcxr_line_chart(&chart));
    dpcxr_page_figure(page, figure);
}

typedef struct {
    GArray *rows; /* DpcxrIntervalRow */
    GPtrArray *texts;
    DpcxrTable *table;
} AttackRows;

static void add_attack_heading(AttackRows *a, const char *name)
{
    DpcxrIntervalRow row = {.name = name, .heading = TRUE, .value = NAN, .low = NAN, .high = NAN};
    g_array_append_val(a->rows, row);
}

/* @share: of false positives, or of success without; percentages, rounded up. */
static void add_attack(AttackRows *a, const char *kind, double share, double bound, int colour)
{
    char *name = g_strdup_printf("%g %% without the model", 100 * share);
    if (colour == 0) {
        g_free(name);
        name = g_strdup_printf("at %g %% false positives", 100 * share);
    }
    g_ptr_array_add(a->texts, name);
    double up = ceil(bound * 1000 * (1 - 1e-12)) / 10;
    DpcxrIntervalRow row = {
        .name = name, .value = up, .low = NAN, .high = NAN, .missing = "no bound", .colour = colour};
    g_array_append_val(a->rows, row);
    dpcxr_table_text(a->table, kind);
    dpcxr_table_number(a->table, 100 * share);
    dpcxr_table_number(a->table, up);
}

static void add_attacks(AttackRows *a, JsonObject *privacy)
{
    JsonArray *rates = dpcxr_look_array(dpcxr_look_object(privacy, "attack", NULL), "true_positive_rate");
    JsonArray *bounds = dpcxr_look_array(dpcxr_look_object(privacy, "reconstruction", NULL), "bounds");
    if (dpcxr_look_length(rates))
        add_attack_heading(a, "Membership: true positives");
    for (guint i = 0; i < dpcxr_look_length(rates); i++)
        add_attack(a, "membership", dpcxr_look_number(dpcxr_look_item(rates, i), "false_positive_rate"),
                   dpcxr_look_number(dpcxr_look_item(rates, i), "at_most"), 0);
    if (dpcxr_look_length(bounds))
        add_attack_heading(a, "Reconstruction: success");
    for (guint i = 0; i < dpcxr_look_length(bounds); i++)
        add_attack(a, "reconstruction", dpcxr_look_number(dpcxr_look_item(bounds, i), "prior"),
                   dpcxr_look_number(dpcxr_look_item(bounds, i), "at_most"), 1);
}

static void draw_attacker(DpcxrPage *page, JsonObject *privacy)
{
    DpcxrFigure *figure = dpcxr_figure_new("attacker", "What an attacker can reach at most",
                                           "Somebody who has the released files and knows all other records: "
                                           "how often he is right about who took part in "
                                           "training, and how often an attempt to reconstruct somebody's "
                                           "data succeeds that would succeed so often without them.");
    AttackRows a = {g_array_new(FALSE, FALSE, sizeof(DpcxrIntervalRow)),
                    g_ptr_array_new_with_free_func(g_free), figure->table};
    dpcxr_table_column(figure->table, "attack", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(figure->table, "without_percent", DPCXR_COLUMN_NUMBER, 1);
    dpcxr_table_column(figure->table, "at_most_percent", DPCXR_COLUMN_NUMBER, 1);
    add_attacks(&a, privacy);
    DpcxrIntervalChart chart = {.label = "Upper bounds on attacks, in percent",
                                .x_title = "at most, %",
                                .unit = " %",
                                .x = dpcxr_scale(0, 100, FALSE),
                                .reference = NAN,
                                .bars = TRUE,
                                .digits = 1,
                                .rows = (const DpcxrIntervalRow *)(void *)a.rows->data,
                                .n_rows = a.rows->len};
    figure->wide = TRUE;
    if (a.rows->len) {
        dpcxr_figure_add(figure, NULL, dpcxr_interval_chart(&chart));
        dpcxr_page_figure(page, figure);
    } else {
        dpcxr_figure_free(figure);
    }
    g_array_unref(a.rows);
    g_ptr_array_unref(a.texts);
}

static void accountant_row(DpcxrTable *table, JsonObject *report)
{
    const char *refused = dpcxr_look_string(report, "refused");
    double upper = dpcxr_look_number(report, "upper"); /* of an accountant with limits: what it proves */
    dpcxr_table_text(table, dpcxr_look_string(report, "accountant"));
    if (refused)
        dpcxr_table_missing(table, "\xE2\x80\x93");
    else
        dpcxr_table_number(table, isnan(upper) ? dpcxr_look_number(report, "epsilon") : upper);
    dpcxr_table_text(table, refused                                  ? refused
                            : dpcxr_look_bool(report, "approximate") ? "an approximation, no bound"
                                                                     : "a bound");
}

static void write_accountants(DpcxrPage *page, JsonObject *privacy)
{
    JsonArray *reports = dpcxr_look_array(privacy, "also_report");
    JsonObject *claim = dpcxr_look_object(privacy, "claim", NULL);
    g_autoptr(DpcxrTable) table = dpcxr_table_new(NULL);
    dpcxr_table_column(table, "Accountant", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Epsilon", DPCXR_COLUMN_UPPER_BOUND, 4);
    dpcxr_table_column(table, "", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_text(table, dpcxr_look_string(claim, "accountant"));
    dpcxr_table_number(table, dpcxr_look_number(claim, "epsilon"));
    dpcxr_table_text(table, "makes the claim");
    for (guint i = 0; i < dpcxr_look_length(reports); i++)
        accountant_row(table, dpcxr_look_item(reports, i));
    dpcxr_page_heading(page, "The same training by other accountants");
    dpcxr_page_table(page, table);
}

static void write_touches(DpcxrPage *page, JsonObject *privacy)
{
    JsonArray *touches = dpcxr_look_array(privacy, "data_touches");
    g_autoptr(DpcxrTable) table = dpcxr_table_new(NULL);
    dpcxr_table_column(table, "What", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "Status", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "How", DPCXR_COLUMN_TEXT, 0);
    for (guint i = 0; i < dpcxr_look_length(touches); i++) {
        JsonObject *touch = dpcxr_look_item(touches, i);
        dpcxr_table_text(table, dpcxr_look_string(touch, "what"));
        dpcxr_table_text(table, dpcxr_look_string(touch, "status"));
        dpcxr_table_text(table, dpcxr_look_string(touch, "how"));
    }
    dpcxr_page_heading(page, "What is covered, and what is not");
    dpcxr_page_table(page, table);
}

static void write_assumptions(DpcxrPage *page, JsonObject *privacy)
{
    JsonArray *assumptions = dpcxr_look_array(privacy, "assumptions");
    dpcxr_page_begin_fold(page, "What is assumed");
    g_string_append(page->body, "<ul>\n");
    for (guint i = 0; i < dpcxr_look_length(assumptions); i++) {
        g_string_append(page->body, "<li>");
        dpcxr_markup_text(page->body, dpcxr_look_text(assumptions, i));
        g_string_append(page->body, "</li>\n");
    }
    g_string_append(page->body, "</ul>\n");
    dpcxr_page_end_fold(page);
}

static void write_hashes(DpcxrPage *page, JsonObject *privacy)
{
    JsonArray *plugins = dpcxr_look_array(privacy, "plugins"), *files = dpcxr_look_array(privacy, "release");
    g_autoptr(DpcxrTable) table = dpcxr_table_new(NULL);
    dpcxr_table_column(table, "Plugin or file", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(table, "SHA-256", DPCXR_COLUMN_TEXT, 0);
    for (guint i = 0; i < dpcxr_look_length(plugins); i++) {
        JsonObject *plugin = dpcxr_look_item(plugins, i);
        const char *sum = dpcxr_look_string(plugin, "sha256");
        g_autofree char *name =
            g_strdup_printf("%s %s", dpcxr_look_string(plugin, "kind"), dpcxr_look_string(plugin, "name"));
        add_fact(table, name, "%s", sum ? sum : "");
    }
    for (guint i = 0; i < dpcxr_look_length(files); i++) {
        JsonObject *file = dpcxr_look_item(files, i);
        const char *sum = dpcxr_look_string(file, "sha256");
        add_fact(table, dpcxr_look_string(file, "file"), "%s", sum ? sum : dpcxr_look_string(file, "what"));
    }
    dpcxr_page_begin_fold(page, "Plugins and released files");
    dpcxr_page_table(page, table);
    dpcxr_page_end_fold(page);
}

void dpcxr_section_privacy(DpcxrPage *page, const DpcxrRunFiles *run)
{
    if (!run->privacy)
        return;
    dpcxr_page_section(page, "privacy", "Privacy");
    write_claim(page, run->privacy);
    draw_curve(page, run->privacy);
    draw_attacker(page, run->privacy);
    write_accountants(page, run->privacy);
    write_touches(page, run->privacy);
    write_assumptions(page, run->privacy);
    write_hashes(page, run->privacy);
}
