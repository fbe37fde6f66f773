/* SPDX-License-Identifier: MIT
 * Exponential moving average of the weights (train.ema): post-processing of released weights, so it costs no privacy. */
#pragma once
#include <glib.h>

/* What DpcxrUpdate.average_rate is after @step steps (counted from 1): 1 - min(@decay, (1 + step) / (10 + step)), the
 * warm-up that De et al. 2022 use, so that the first weights do not linger. */
double dpcxr_average_rate(double decay, guint64 step);
