/* SPDX-License-Identifier: MIT */
#include "optim/average.h"

double dpcxr_average_rate(double decay, guint64 step)
{
    double warm = (1 + (double)step) / (10 + (double)step);
    return 1 - MIN(decay, warm);
}
