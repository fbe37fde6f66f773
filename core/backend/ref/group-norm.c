/* SPDX-License-Identifier: MIT
 * Group normalisation (Wu & He 2018): each group of neighbouring channels of one image is shifted and scaled to mean 0
 * and (biased) variance 1, then y = weight * xhat + bias by channel. */
#include "backend/ref/ref.h"
#include <math.h>

typedef struct {
    double mean, scale; /* scale = 1 / sqrt(variance + eps) */
} Moments;

static Moments moments(const DpcxrRefCall *call, int group)
{
    int channels = call->in.channels, width = channels / call->layer->groups;
    gsize positions = (gsize)call->in.height * call->in.width;
    double n = (double)positions * width, sum = 0, squares = 0;
    for (gsize p = 0; p < positions; p++)
        for (int c = group * width; c < (group + 1) * width; c++)
            sum += call->x[0][p * channels + c];
    double mean = sum / n;
    for (gsize p = 0; p < positions; p++)
        for (int c = group * width; c < (group + 1) * width; c++) {
            double d = call->x[0][p * channels + c] - mean;
            squares += d * d;
        }
    return (Moments){mean, 1 / sqrt(squares / n + (double)call->layer->eps)};
}

static void forward(const DpcxrRefCall *call)
{
    int channels = call->in.channels, width = channels / call->layer->groups;
    gsize positions = (gsize)call->in.height * call->in.width;
    for (int g = 0; g < call->layer->groups; g++) {
        Moments m = moments(call, g);
        for (gsize p = 0; p < positions; p++)
            for (int c = g * width; c < (g + 1) * width; c++)
                call->y[p * channels + c] =
                    (float)((call->x[0][p * channels + c] - m.mean) * m.scale * call->weight[c] + call->bias[c]);
    }
}

static void backward_parameters(const DpcxrRefCall *call, int c, Moments m)
{
    int channels = call->in.channels;
    gsize positions = (gsize)call->in.height * call->in.width;
    double dweight = 0, dbias = 0;
    for (gsize p = 0; p < positions; p++) {
        double dy = call->dy[p * channels + c];
        dbias += dy;
        dweight += dy * (call->x[0][p * channels + c] - m.mean) * m.scale;
    }
    call->dweight[c] += (float)dweight;
    call->dbias[c] += (float)dbias;
}

/* With d = weight * dy and xhat normalised: dx = scale (d - mean(d) - xhat mean(d xhat)), means over the group. */
static void backward_data(const DpcxrRefCall *call, int group, Moments m)
{
    int channels = call->in.channels, width = channels / call->layer->groups;
    gsize positions = (gsize)call->in.height * call->in.width;
    double n = (double)positions * width, mean_d = 0, mean_dx = 0;
    for (gsize p = 0; p < positions; p++)
        for (int c = group * width; c < (group + 1) * width; c++) {
            double d = (double)call->weight[c] * call->dy[p * channels + c];
            mean_d += d;
            mean_dx += d * (call->x[0][p * channels + c] - m.mean) * m.scale;
        }
    mean_d /= n;
    mean_dx /= n;
    for (gsize p = 0; p < positions; p++)
        for (int c = group * width; c < (group + 1) * width; c++) {
            double d = (double)call->weight[c] * call->dy[p * channels + c];
            double xhat = (call->x[0][p * channels + c] - m.mean) * m.scale;
            call->dx[0][p * channels + c] += (float)(m.scale * (d - mean_d - xhat * mean_dx));
        }
}

static void backward(const DpcxrRefCall *call)
{
    int width = call->in.channels / call->layer->groups;
    for (int g = 0; g < call->layer->groups; g++) {
        Moments m = moments(call, g);
        for (int c = g * width; call->dweight && c < (g + 1) * width; c++)
            backward_parameters(call, c, m);
        if (call->dx[0])
            backward_data(call, g, m);
    }
}

const DpcxrRefOp dpcxr_ref_group_norm = {forward, backward};
