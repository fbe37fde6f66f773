/* SPDX-License-Identifier: MIT */
#include "train/metrics-log.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

struct _DpcxrMetricsLog {
    FILE *stream;
    char *path;
};

/* A line that a crash cut in two is ended, so that the next one stays readable. */
static void end_cut_line(int fd)
{
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);
    if (end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n' && write(fd, "\n", 1) != 1)
        g_warning("metrics.jsonl: %s", g_strerror(errno));
}

DpcxrMetricsLog *dpcxr_metrics_log_open(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FILE *stream = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (!stream) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    end_cut_line(fd);
    DpcxrMetricsLog *log = g_new(DpcxrMetricsLog, 1);
    *log = (DpcxrMetricsLog){stream, g_strdup(path)};
    return log;
}

void dpcxr_metrics_log_add(DpcxrMetricsLog *log, guint64 step, double epoch, const char *name, double value)
{
    double wall = (double)g_get_real_time() / G_USEC_PER_SEC;
    char number[G_ASCII_DTOSTR_BUF_SIZE] = "null";
    if (isfinite(value))
        g_ascii_formatd(number, sizeof number, "%.9g", value);
    fprintf(log->stream, "{\"step\":%" G_GUINT64_FORMAT ",\"epoch\":%.4f,\"name\":\"%s\",\"value\":%s,\"wall\":%.3f}\n",
            step, epoch, name, number, wall);
}

gboolean dpcxr_metrics_log_flush(DpcxrMetricsLog *log, GError **error)
{
    if (fflush(log->stream) == 0 && !ferror(log->stream))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", log->path, g_strerror(errno));
    clearerr(log->stream);
    return FALSE;
}

void dpcxr_metrics_log_free(DpcxrMetricsLog *log)
{
    if (!log)
        return;
    fclose(log->stream);
    g_free(log->path);
    g_free(log);
}
