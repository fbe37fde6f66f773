/* SPDX-License-Identifier: MIT */
#include "train/events.h"
#include "eval/pr-curve.h"
#include "train/event-file.h"
#include "train/event.h"

enum { THRESHOLDS = 201 }; /* TensorBoard's own default */

struct _DpcxrEvents {
    DpcxrEventFile *file;
    GByteArray *event; /* of the next record */
};

static double now(void)
{
    return (double)g_get_real_time() / G_USEC_PER_SEC;
}

DpcxrEvents *dpcxr_events_new(const char *folder, guint64 step, GError **error)
{
    g_autoptr(DpcxrEventFile) file = dpcxr_event_file_new(folder, error);
    if (!file)
        return NULL;
    DpcxrEvents *events = g_new(DpcxrEvents, 1);
    *events = (DpcxrEvents){g_steal_pointer(&file), g_byte_array_new()};
    dpcxr_event_version(events->event, now());
    dpcxr_event_file_append(events->file, events->event);
    dpcxr_event_restart(events->event, now(), step + 1); /* the first step that this process does */
    dpcxr_event_file_append(events->file, events->event);
    return events;
}

void dpcxr_events_add_scalar(DpcxrEvents *events, guint64 step, const char *name, double value)
{
    dpcxr_event_scalar(events->event, now(), step, name, value);
    dpcxr_event_file_append(events->file, events->event);
}

static void add_curve(DpcxrEvents *events, guint64 step, const char *split, const char *name, int label,
                      const DpcxrPredictions *p)
{
    g_autofree double *scores = g_new(double, p->n);
    g_autofree guint8 *truths = g_new(guint8, p->n);
    g_autofree float *curve = g_new(float, DPCXR_PR_ROWS *THRESHOLDS);
    gsize n = 0;
    for (gsize i = 0; i < p->n; i++)
        if (dpcxr_predictions_truth(p, i, label, &truths[n]))
            scores[n++] = dpcxr_predictions_score(p, i, label);
    if (!dpcxr_pr_curve(scores, truths, n, THRESHOLDS, curve))
        return;
    g_autofree char *tag = g_strdup_printf("%s/%s", split, name);
    dpcxr_event_pr_curve(events->event, now(), step, tag, tag, curve, THRESHOLDS);
    dpcxr_event_file_append(events->file, events->event);
}

void dpcxr_events_add_curves(DpcxrEvents *events, guint64 step, const char *split, char **labels,
                             const DpcxrPredictions *predictions)
{
    for (int label = 0; label < predictions->n_labels; label++)
        add_curve(events, step, split, labels[label], label, predictions);
}

gboolean dpcxr_events_flush(DpcxrEvents *events, GError **error)
{
    return dpcxr_event_file_flush(events->file, error);
}

void dpcxr_events_free(DpcxrEvents *events)
{
    if (!events)
        return;
    dpcxr_event_file_free(events->file);
    g_byte_array_unref(events->event);
    g_free(events);
}
