/* SPDX-License-Identifier: MIT
 * predictions-SPLIT.csv: RFC 4180 but for the line ends, which are \n as everywhere else here. */
#include "eval/predictions.h"
#include "base/files.h"
#include <csv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

DpcxrPredictions *dpcxr_predictions_new(gsize n, int n_labels)
{
    DpcxrPredictions *p = g_new0(DpcxrPredictions, 1);
    gsize cells;

    if (!g_size_checked_mul(&cells, n, (gsize)n_labels))
        g_error("%" G_GSIZE_FORMAT " predictions of %d labels do not fit into memory", n, n_labels);
    p->n = n;
    p->n_labels = n_labels;
    p->rows = g_new0(gsize, n);
    p->targets = g_new0(float, cells);
    p->mask = g_new0(float, cells);
    p->logits = g_new0(float, cells);
    p->losses = g_new0(float, n);
    return p;
}

void dpcxr_predictions_free(DpcxrPredictions *p)
{
    if (!p)
        return;
    g_free(p->rows);
    g_free(p->targets);
    g_free(p->mask);
    g_free(p->logits);
    g_free(p->losses);
    g_free(p);
}

static gsize cell(const DpcxrPredictions *p, gsize i, int label)
{
    return i * (gsize)p->n_labels + (gsize)label;
}

gboolean dpcxr_predictions_truth(const DpcxrPredictions *p, gsize i, int label, guint8 *truth)
{
    float target = p->targets[cell(p, i, label)];

    *truth = target == 1;
    return p->mask[cell(p, i, label)] != 0 && (target == 0 || target == 1);
}

double dpcxr_predictions_score(const DpcxrPredictions *p, gsize i, int label)
{
    return 1 / (1 + exp(-(double)p->logits[cell(p, i, label)]));
}

double dpcxr_predictions_loss(const DpcxrPredictions *p)
{
    double sum = 0;
    gsize n = 0;

    for (gsize i = 0; i < p->n; i++) {
        gboolean any = FALSE;
        for (int label = 0; label < p->n_labels; label++)
            any = any || p->mask[cell(p, i, label)] != 0;
        sum += any ? (double)p->losses[i] : 0;
        n += any;
    }
    return n ? sum / (double)n : NAN;
}

/* "%g" with a point whatever the locale says, and enough digits for an edge. */
static char *format_edge(double edge)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup(g_ascii_formatd(text, sizeof text, "%.10g", edge));
}

char *dpcxr_group_value(const DpcxrGroup *group, const char *value)
{
    char *end;
    double number;

    if (!group->bins)
        return g_strdup(value);
    number = g_ascii_strtod(value, &end);
    if (end == value || *end != '\0')
        return g_strdup("");
    for (gsize i = 0; i + 1 < group->n_bins; i++) {
        gboolean last = i + 2 == group->n_bins;
        if (number >= group->bins[i] &&
            (number < group->bins[i + 1] || (last && number == group->bins[i + 1]))) {
            g_autofree char *from = format_edge(group->bins[i]), *to = format_edge(group->bins[i + 1]);
            return g_strconcat(from, "-", to, NULL);
        }
    }
    return g_strdup("");
}

static void write_text(FILE *stream, const char *text)
{
    if (strpbrk(text, ",\"\r\n"))
        csv_fwrite(stream, text, strlen(text)); /* in quotes, with quotes doubled */
    else
        fputs(text, stream);
}

static void write_header(FILE *stream, const DpcxrExperiment *experiment)
{
    const char *kinds[] = {"y_", "p_"};

    fputs("sample_id,patient_id", stream);
    for (gsize g = 0; g < experiment->data.n_groups; g++) {
        fputc(',', stream);
        write_text(stream, experiment->data.groups[g].name);
    }
    for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++)
        for (int label = 0; label < experiment->data.n_labels; label++) {
            g_autofree char *name = g_strconcat(kinds[k], experiment->data.labels[label], NULL);
            fputc(',', stream);
            write_text(stream, name);
        }
    fputc('\n', stream);
}

static void write_row(FILE *stream, const DpcxrPredictions *p, gsize i, const DpcxrExperiment *experiment,
                      const DpcxrIndex *index)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    guint8 truth;

    write_text(stream, dpcxr_index_sample(index, p->rows[i]));
    fputc(',', stream);
    write_text(stream, dpcxr_index_patient(index, p->rows[i]));
    for (gsize g = 0; g < experiment->data.n_groups; g++) {
        const DpcxrGroup *group = &experiment->data.groups[g];
        g_autofree char *value =
            dpcxr_group_value(group, dpcxr_index_column(index, p->rows[i], group->column));
        fputc(',', stream);
        write_text(stream, value);
    }
    for (int label = 0; label < p->n_labels; label++)
        fputs(!dpcxr_predictions_truth(p, i, label, &truth) ? "," : truth ? ",1" : ",0", stream);
    for (int label = 0; label < p->n_labels; label++)
        fprintf(stream, ",%s", g_ascii_dtostr(number, sizeof number, dpcxr_predictions_score(p, i, label)));
    fputc('\n', stream);
}

gboolean dpcxr_predictions_write(const DpcxrPredictions *predictions, const char *path,
                                 const DpcxrExperiment *experiment, const DpcxrData *data, GError **error)
{
    DpcxrNewFile file;

    if (!dpcxr_new_file_open(&file, path, 0600, error))
        return FALSE;
    write_header(file.stream, experiment);
    for (gsize i = 0; i < predictions->n; i++)
        write_row(file.stream, predictions, i, experiment, dpcxr_data_index(data));
    return dpcxr_new_file_commit(&file, error);
}
