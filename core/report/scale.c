/* SPDX-License-Identifier: MIT */
#include "report/scale.h"
#include "report/markup.h"
#include <math.h>

DpcxrScale dpcxr_scale(double low, double high, gboolean air)
{
    if (!isfinite(low) || !isfinite(high) || low > high)
        low = 0, high = 1;
    if (!(high - low > 1e-12 * fmax(fabs(low), fabs(high)))) {
        double half = low == 0 ? 0.5 : 0.05 * fabs(low);
        low -= half, high += half;
    }
    double margin = air ? 0.04 * (high - low) : 0;
    return (DpcxrScale){.low = low - margin, .high = high + margin, .start = 0, .end = 1};
}

DpcxrScale dpcxr_scale_log(double low, double high)
{
    if (!isfinite(low) || !isfinite(high) || !(low > 0) || low > high)
        low = 1e-6, high = 1;
    if (!(high > low * (1 + 1e-9)))
        low /= 2, high *= 2;
    return (DpcxrScale){.low = low, .high = high, .start = 0, .end = 1, .log = TRUE};
}

double dpcxr_scale_at(const DpcxrScale *scale, double value)
{
    double share = scale->log ? log(value / scale->low) / log(scale->high / scale->low)
                              : (value - scale->low) / (scale->high - scale->low);
    return scale->start + share * (scale->end - scale->start);
}

/* 1, 2 or 5 times a power of ten, such that about @wanted steps make @range. */
static double round_step(double range, int wanted)
{
    double rough = range / MAX(wanted - 1, 2), power = pow(10, floor(log10(rough))), lead = rough / power;
    return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

static int linear_ticks(const DpcxrScale *scale, int wanted, double *ticks)
{
    double step = round_step(scale->high - scale->low, wanted), slack = 1e-9 * step;
    int n = 0;
    for (double k = ceil((scale->low - slack) / step); n < DPCXR_MAX_TICKS; k++) {
        if (k * step > scale->high + slack)
            break;
        ticks[n++] = k == 0 ? 0 : k * step;
    }
    return n;
}

static int log_ticks(const DpcxrScale *scale, int wanted, double *ticks)
{
    static const double leads[] = {1, 2, 5};
    int first = (int)floor(log10(scale->low) + 1e-9), last = (int)floor(log10(scale->high) + 1e-9);
    int decades = last - first, every = 1 + decades / MAX(wanted, 2), n = 0;
    gboolean between = decades <= 2;
    for (int exponent = first; exponent <= last; exponent += every)
        for (gsize k = 0; k < (between ? G_N_ELEMENTS(leads) : 1) && n < DPCXR_MAX_TICKS; k++) {
            double tick = leads[k] * pow(10, exponent);
            if (tick >= scale->low * (1 - 1e-9) && tick <= scale->high * (1 + 1e-9))
                ticks[n++] = tick;
        }
    return n;
}

int dpcxr_scale_ticks(const DpcxrScale *scale, int wanted, double ticks[DPCXR_MAX_TICKS])
{
    wanted = CLAMP(wanted, 2, DPCXR_MAX_TICKS / 2);
    int n = scale->log ? log_ticks(scale, wanted, ticks) : 0;
    return n > 1 ? n : linear_ticks(scale, wanted, ticks); /* a part of a decade has no powers of ten */
}

void dpcxr_scale_round(DpcxrScale *scale, int wanted)
{
    if (scale->log) {
        scale->low = pow(10, floor(log10(scale->low) + 1e-9));
        scale->high = pow(10, ceil(log10(scale->high) - 1e-9));
        return;
    }
    double step = round_step(scale->high - scale->low, CLAMP(wanted, 2, DPCXR_MAX_TICKS / 2));
    scale->low = step * floor(scale->low / step + 1e-9);
    scale->high = step * ceil(scale->high / step - 1e-9);
}

static char *log_text(double tick)
{
    if (tick >= 1e-3 && tick < 1e5)
        return g_strdup_printf("%g", tick);
    int exponent = (int)floor(log10(tick) + 1e-9);
    return g_strdup_printf("%ge%d", round(tick / pow(10, exponent)), exponent);
}

char *dpcxr_tick_text(const DpcxrScale *scale, const double *ticks, int n, int i)
{
    if (scale->log)
        return log_text(ticks[i]);
    double step = n > 1 ? ticks[1] - ticks[0] : fabs(ticks[0]),
           largest = fmax(fabs(ticks[0]), fabs(ticks[n - 1]));
    if (step > 0 && (largest >= 1e6 || largest < 1e-4))
        return g_strdup_printf("%.3g", ticks[i]);
    int digits = step > 0 ? CLAMP(-(int)floor(log10(step) + 1e-9), 0, 8) : 1;
    return dpcxr_number_text(ticks[i], digits);
}
