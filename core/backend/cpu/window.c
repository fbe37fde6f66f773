/* SPDX-License-Identifier: MIT */
#include "backend/cpu/window.h"

static int remainder_of(int value, int stride)
{
    return ((value % stride) + stride) % stride;
}

/* Members of a class along one axis. */
static int members(int length, int residue, int stride)
{
    return residue >= length ? 0 : (length - residue - 1) / stride + 1;
}

/* Outputs first .. end-1 along one axis whose tap at @offset = tap - padding lies inside the input. */
static void inside(int offset, int stride, int length, int outputs, int *first, int *end)
{
    *first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    *end = offset >= length ? 0 : MIN(outputs, (length - 1 - offset) / stride + 1);
    *end = MAX(*first, *end);
}

/* Longer runs make longer copies: whole maps where the stride is 1 and no padding interrupts. */
static void append_run(const CpuWindow *window, CpuTap *tap, CpuRun run)
{
    CpuRun *last = tap->n_runs ? &tap->runs[tap->n_runs - 1] : NULL;
    if (last && last->output + last->length == run.output && last->member + last->length == run.member &&
        last->pixel + last->length * window->stride == run.pixel)
        last->length += run.length;
    else
        tap->runs[tap->n_runs++] = run;
    tap->positions += run.length;
}

static CpuTap tap_new(const CpuWindow *window, int i, int j)
{
    int stride = window->stride, rows = i - window->padding, columns = j - window->padding;
    int first_row, end_row, first_column, end_column;
    inside(rows, stride, window->in.height, window->out.height, &first_row, &end_row);
    inside(columns, stride, window->in.width, window->out.width, &first_column, &end_column);
    int residue_row = remainder_of(rows, stride), residue_column = remainder_of(columns, stride);
    int members_wide = members(window->in.width, residue_column, stride);
    CpuTap tap = {.runs = g_new(CpuRun, MAX(window->out.height, 1)),
                  .residue = residue_row * stride + residue_column};
    for (int r = first_row; r < end_row && first_column < end_column; r++) {
        int row = r * stride + rows, column = first_column * stride + columns;
        append_run(window, &tap,
                   (CpuRun){.output = r * window->out.width + first_column,
                            .pixel = row * window->in.width + column,
                            .member = row / stride * members_wide + column / stride,
                            .length = end_column - first_column});
    }
    return tap;
}

static CpuResidue residue_new(const CpuWindow *window, int index)
{
    int stride = window->stride, row = index / stride, column = index % stride;
    int high = members(window->in.height, row, stride), wide = members(window->in.width, column, stride);
    CpuResidue residue = {.pixels = g_new(int, MAX(high * wide, 1)), .n = high * wide};
    for (int i = 0; i < high; i++)
        for (int j = 0; j < wide; j++)
            residue.pixels[i * wide + j] = (row + i * stride) * window->in.width + column + j * stride;
    return residue;
}

CpuWindow *dpcxr_cpu_window_new(DpcxrShape in, const DpcxrLayer *layer)
{
    CpuWindow *window = g_new0(CpuWindow, 1);
    gboolean conv = layer->type == DPCXR_LAYER_CONV2D;
    *window = (CpuWindow){.in = in,
                          .out = layer->shape,
                          .kernel = conv ? layer->kernel : 1,
                          /* A longer stride than this makes one window, too. */
                          .stride = conv ? MIN(layer->stride, MAX(in.height, in.width) + 2 * layer->padding) : 1,
                          .padding = conv ? layer->padding : 0,
                          .positions = layer->shape.height * layer->shape.width};
    window->n_taps = window->kernel * window->kernel;
    window->taps = g_new0(CpuTap, window->n_taps);
    window->n_residues = window->stride * window->stride;
    window->residues = g_new0(CpuResidue, window->n_residues);
    for (int k = 0; k < window->n_taps; k++) {
        window->taps[k] = tap_new(window, k / window->kernel, k % window->kernel);
        CpuResidue *residue = &window->residues[window->taps[k].residue];
        if (!residue->pixels)
            *residue = residue_new(window, window->taps[k].residue);
        window->max_members = MAX(window->max_members, residue->n);
    }
    return window;
}

void dpcxr_cpu_window_free(CpuWindow *window)
{
    if (!window)
        return;
    for (int k = 0; k < window->n_taps; k++)
        g_free(window->taps[k].runs);
    for (int k = 0; k < window->n_residues; k++)
        g_free(window->residues[k].pixels);
    g_free(window->taps);
    g_free(window->residues);
    g_free(window);
}

double dpcxr_cpu_window_products(const CpuWindow *window)
{
    double positions = 0;
    for (int k = 0; k < window->n_taps; k++)
        positions += window->taps[k].positions;
    return positions * window->in.channels * window->out.channels;
}
