/* SPDX-License-Identifier: MIT */
#include "report/compare-page.h"
#include "report/chart-interval.h"
#include "report/chart-line.h"
#include "report/markup.h"
#include <math.h>

/* Rows of an interval chart, and the texts that they borrow. */
typedef struct {
    GArray *rows;
    GPtrArray *texts;
} Rows;

static Rows rows_new(void)
{
    return (Rows){g_array_new(FALSE, FALSE, sizeof(DpcxrIntervalRow)),
                  g_ptr_array_new_with_free_func(g_free)};
}

static void rows_clear(Rows *rows)
{
    g_array_unref(rows->rows);
    g_ptr_array_unref(rows->texts);
}

static void add_heading(Rows *rows, const char *name)
{
    DpcxrIntervalRow row = {.name = name, .heading = TRUE, .value = NAN, .low = NAN, .high = NAN};
    g_array_append_val(rows->rows, row);
}

/* @note: taken. */
static void add_row(Rows *rows, const char *name, char *note, DpcxrEstimate e, const char *missing,
                    int colour)
{
    DpcxrIntervalRow row = {.name = name,
                            .note = note,
                            .value = e.value,
                            .low = e.low,
                            .high = e.high,
                            .missing = missing,
                            .colour = colour};
    g_ptr_array_add(rows->texts, note);
    g_array_append_val(rows->rows, row);
}

static DpcxrSvg *draw_rows(const Rows *rows, const char *label, const char *x_title, double reference)
{
    const DpcxrIntervalRow *data = (const DpcxrIntervalRow *)(void *)rows->rows->data;
    DpcxrIntervalChart chart = {.label = label,
                                .x_title = x_title,
                                .reference = reference,
                                .digits = 3,
                                .x = dpcxr_interval_scale(data, rows->rows->len, reference),
                                .rows = data,
                                .n_rows = rows->rows->len};
    return dpcxr_interval_chart(&chart);
}

/* Replaces the figure's empty table. */
static void take_table(DpcxrFigure *figure, DpcxrTable *table)
{
    dpcxr_table_free(figure->table);
    figure->table = table;
}

static int colour_of(guint run)
{
    return (int)(run % DPCXR_N_COLOURS);
}

static const char *baseline_name(const DpcxrComparison *c)
{
    return dpcxr_compared_run(c, c->baseline)->files->name;
}

static void draw_runs(DpcxrPage *page, const DpcxrComparison *c)
{
    Rows rows = rows_new();
    for (guint i = 0; i < c->runs->len; i++) {
        const DpcxrComparedRun *run = dpcxr_compared_run(c, i);
        g_autofree char *epsilon = dpcxr_compared_epsilon_text(run);
        add_row(&rows, run->files->name, g_strdup_printf("epsilon %s", epsilon), run->mean.auroc,
                "not defined", colour_of(i));
    }
    DpcxrFigure *figure =
        dpcxr_figure_new("runs", "Mean AUROC of each run", "Over labels that have both classes.");
    figure->wide = TRUE;
    dpcxr_figure_add(figure, NULL,
                     draw_rows(&rows, "Mean AUROC of each run with its interval", "mean AUROC", NAN));
    take_table(figure, dpcxr_compare_runs_table(c));
    dpcxr_page_figure(page, figure);
    rows_clear(&rows);
}

static void draw_labels(DpcxrPage *page, const DpcxrComparison *c)
{
    Rows rows = rows_new();
    for (guint i = 0; i < c->runs->len; i++) {
        const DpcxrComparedRun *run = dpcxr_compared_run(c, i);
        if (i == c->baseline)
            continue;
        add_heading(&rows, run->files->name);
        for (gsize label = 0; label < c->n_labels; label++) {
            g_autofree char *n = dpcxr_count_text(c->positives[label]);
            add_row(&rows, c->labels[label], g_strdup_printf("%s positive", n), run->labels[label].difference,
                    "not both classes", colour_of(i));
        }
    }
    g_autofree char *caption = g_strdup_printf(
        "AUROC minus that of %s on the same images: left of the line is worse.", baseline_name(c));
    DpcxrFigure *figure = dpcxr_figure_new("labels", "Difference of each label", caption);
    figure->wide = TRUE;
    dpcxr_figure_add(figure, NULL,
                     draw_rows(&rows, "Difference of AUROC of each label", "difference of AUROC", 0));
    take_table(figure, dpcxr_compare_labels_table(c));
    dpcxr_page_figure(page, figure);
    rows_clear(&rows);
}

static void add_groups(Rows *rows, const DpcxrComparison *c, const DpcxrComparedRun *run, int colour)
{
    for (gsize g = 0; g < c->n_groups; g++) {
        const DpcxrComparedGroup *group = &c->groups[g];
        char *name = g_strdup_printf("%s: %s", group->grouping, group->value);
        g_autofree char *n = dpcxr_count_text(group->n);
        g_ptr_array_add(rows->texts, name);
        add_row(rows, name, g_strdup_printf("n = %s", n), run->groups[g].difference,
                group->small ? "too small" : "not defined", colour);
    }
}

static void draw_groups(DpcxrPage *page, const DpcxrComparison *c)
{
    Rows rows = rows_new();
    for (guint i = 0; i < c->runs->len; i++) {
        if (i == c->baseline)
            continue;
        add_heading(&rows, dpcxr_compared_run(c, i)->files->name);
        add_groups(&rows, c, dpcxr_compared_run(c, i), colour_of(i));
    }
    g_autofree char *caption = g_strdup_printf(
        "Mean AUROC of the group minus that of %s in the same group: left of the line is worse.",
        baseline_name(c));
    DpcxrFigure *figure = dpcxr_figure_new("groups", "Difference of each group", caption);
    figure->wide = TRUE;
    dpcxr_figure_add(
        figure, NULL,
        draw_rows(&rows, "Difference of mean AUROC of each group", "difference of mean AUROC", 0));
    take_table(figure, dpcxr_compare_groups_table(c));
    dpcxr_page_figure(page, figure);
    rows_clear(&rows);
}

typedef enum { BY_LABEL, BY_GROUP } By;

/* The points of one run: what is lost against how rare it is. */
typedef struct {
    gsize n;
    double *x, *y;
    GPtrArray *names, *texts;
} Cloud;

static void cloud_free(gpointer data)
{
    Cloud *cloud = data;
    g_free(cloud->x);
    g_free(cloud->y);
    g_ptr_array_unref(cloud->names);
    g_ptr_array_unref(cloud->texts);
    g_free(cloud);
}

static void cloud_add(Cloud *cloud, char *name, double x, const DpcxrEstimate *e, const char *x_text)
{
    g_autofree char *value = dpcxr_interval_text(e->value, e->low, e->high, 3);
    if (isnan(e->value) || isnan(x)) {
        g_free(name);
        return;
    }
    cloud->x[cloud->n] = x;
    cloud->y[cloud->n++] = e->value;
    g_ptr_array_add(cloud->names, name);
    g_ptr_array_add(cloud->texts, g_strdup_printf("%s: %s, difference %s", name, x_text, value));
}

static Cloud *make_cloud(const DpcxrComparison *c, const DpcxrComparedRun *run, By by)
{
    gsize n = by == BY_LABEL ? c->n_labels : c->n_groups;
    Cloud *cloud = g_new(Cloud, 1);
    *cloud = (Cloud){0, g_new(double, n), g_new(double, n), g_ptr_array_new_with_free_func(g_free),
                     g_ptr_array_new_with_free_func(g_free)};
    for (gsize i = 0; i < n; i++) {
        if (by == BY_LABEL) {
            double share = c->known[i] ? (double)c->positives[i] / (double)c->known[i] : NAN;
            g_autofree char *text = g_strdup_printf("prevalence %.3f", share);
            cloud_add(cloud, g_strdup(c->labels[i]), share, &run->labels[i].difference, text);
        } else {
            g_autofree char *text = g_strdup_printf("%" G_GSIZE_FORMAT " images", c->groups[i].n);
            cloud_add(cloud, g_strdup_printf("%s %s", c->groups[i].grouping, c->groups[i].value),
                      (double)c->groups[i].n, &run->groups[i].difference, text);
        }
    }
    return cloud;
}

static DpcxrSvg *draw_cloud(const Cloud *cloud, By by, const DpcxrRelation *r, int colour, double low,
                            double high)
{
    double most = 0;
    for (gsize i = 0; i < cloud->n; i++)
        most = fmax(most, cloud->x[i]);
    most *= 1.5; /* room for names */
    const double ends[] = {0, most}, zero[] = {0, 0};
    const DpcxrChartSeries series[] = {{.kind = DPCXR_SERIES_REFERENCE, .n = 2, .x = ends, .y = zero},
                                       {.kind = DPCXR_SERIES_POINTS,
                                        .colour = colour,
                                        .n = cloud->n,
                                        .x = cloud->x,
                                        .y = cloud->y,
                                        .texts = (const char *const *)cloud->texts->pdata,
                                        .names = (const char *const *)cloud->names->pdata}};
    g_autofree char *number = dpcxr_number_text(r->r, 2), *p = dpcxr_number_text(r->p, 3);
    g_autofree char *title =
        g_strdup_printf("%s (r = %s, p = %s)", by == BY_LABEL ? "prevalence" : "group size", number, p);
    g_autofree char *label = g_strdup_printf("Difference of AUROC against %s", title);
    DpcxrLineChart chart = {.label = label,
                            .width = 300,
                            .height = 250,
                            .frame = {.x_title = title,
                                      .y_title = "difference of AUROC",
                                      .x = dpcxr_scale(0, most, FALSE),
                                      .y = dpcxr_scale(low, high, TRUE),
                                      .x_ticks = 5,
                                      .y_ticks = 5,
                                      .zoom = DPCXR_ZOOM_X | DPCXR_ZOOM_Y},
                            .series = series,
                            .n_series = G_N_ELEMENTS(series)};
    return dpcxr_line_chart(&chart);
}

static void fill_cloud(DpcxrTable *table, const char *run, const Cloud *cloud)
{
    for (gsize i = 0; i < cloud->n; i++) {
        dpcxr_table_text(table, run);
        dpcxr_table_text(table, g_ptr_array_index(cloud->names, i));
        dpcxr_table_number(table, cloud->x[i]);
        dpcxr_table_number(table, cloud->y[i]);
    }
}

static void draw_clouds(DpcxrPage *page, const DpcxrComparison *c, By by)
{
    g_autoptr(GPtrArray) clouds = g_ptr_array_new_with_free_func(cloud_free);
    double low = 0, high = 0;
    for (guint i = 0; i < c->runs->len; i++) {
        Cloud *cloud = make_cloud(c, dpcxr_compared_run(c, i), by);
        g_ptr_array_add(clouds, cloud);
        for (gsize k = 0; k < cloud->n; k++) {
            low = fmin(low, cloud->y[k]);
            high = fmax(high, cloud->y[k]);
        }
    }
    DpcxrFigure *figure = dpcxr_figure_new(
        by == BY_LABEL ? "loss-prevalence" : "loss-size",
        by == BY_LABEL ? "Whether rare findings lose more" : "Whether small groups lose more",
        "Pearson's r over the points, with Student's two-sided p; few points say little.");
    dpcxr_table_column(figure->table, "run", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(figure->table, by == BY_LABEL ? "label" : "group", DPCXR_COLUMN_TEXT, 0);
    dpcxr_table_column(figure->table, by == BY_LABEL ? "prevalence" : "images", DPCXR_COLUMN_NUMBER,
                       by == BY_LABEL ? 3 : 0);
    dpcxr_table_column(figure->table, "difference", DPCXR_COLUMN_NUMBER, 3);
    for (guint i = 0; i < c->runs->len; i++) {
        const Cloud *cloud = g_ptr_array_index(clouds, i);
        const DpcxrComparedRun *run = dpcxr_compared_run(c, i);
        if (cloud->n < 2)
            continue;
        dpcxr_figure_add(figure, run->files->name,
                         draw_cloud(cloud, by, by == BY_LABEL ? &run->with_prevalence : &run->with_size,
                                    colour_of(i), low, high));
        fill_cloud(figure->table, run->files->name, cloud);
    }
    if (figure->panels->len)
        dpcxr_page_figure(page, figure);
    else
        dpcxr_figure_free(figure);
}

static void say_how(DpcxrPage *page, const DpcxrComparison *c)
{
    const DpcxrCompareOptions *o = &c->options;
    dpcxr_page_text(page,
                    "%u runs on the same %" G_GSIZE_FORMAT " %s images of %" G_GSIZE_FORMAT
                    " patients. The baseline is %s.",
                    c->runs->len, c->n, g_str_equal(o->split, "test") ? "test" : "validation", c->n_patients,
                    baseline_name(c));
    dpcxr_page_text(
        page,
        "Intervals are %g %% percentile intervals of a bootstrap over patients, %" G_GSIZE_FORMAT
        " replicates, the same resamples for all runs. Tests are two-sided and paired. \"Holm\" adjusts for "
        "the number of runs, in tables of labels for the number of labels of a run.",
        100 * o->level, o->replicates);
    if (!isnan(o->margin))
        dpcxr_page_text(page,
                        "\"Not inferior\" is the one-sided test that a run's mean AUROC is not worse than "
                        "the baseline's by "
                        "%g or more: it is shown where p is small.",
                        o->margin);
    dpcxr_page_note(page, "Runs that were compared to choose one of them cost privacy together: dpcxr "
                          "account RUN RUN... says how "
                          "much. Differences between seeds are not in these intervals.");
}

DpcxrPage *dpcxr_compare_page(const DpcxrComparison *c, gboolean all_accountants)
{
    DpcxrPage *page =
        dpcxr_page_new("Comparison of runs", "Private: it has results of validation or test records");
    g_autoptr(DpcxrTable) runs = dpcxr_compare_runs_table(c);
    dpcxr_page_section(page, "runs-section", "Runs");
    say_how(page, c);
    dpcxr_page_table(page, runs);
    dpcxr_compare_draw_epsilon(page, c, all_accountants);
    draw_runs(page, c);
    dpcxr_page_section(page, "labels-section", "Labels");
    draw_labels(page, c);
    draw_clouds(page, c, BY_LABEL);
    if (c->n_groups == 0)
        return page;
    dpcxr_page_section(page, "groups-section", "Groups");
    draw_groups(page, c);
    draw_clouds(page, c, BY_GROUP);
    return page;
}
