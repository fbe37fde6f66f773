/* SPDX-License-Identifier: MIT
 * The privacy curve of one step alone, in closed form. */
#pragma once
#include "privacy/loss/law.h"

/* log delta of one step with this part alone for its law (whatever its direction) at @epsilon >= 0, the larger of both directions: not below the truth where
 * @side is 1, not above it where @side is -1. */
double dpcxr_loss_single_log_delta(const DpcxrLossPart *step, double epsilon, int side);
/* epsilon at a delta of e^@log_delta, rounded to @side. */
double dpcxr_loss_single_epsilon(const DpcxrLossPart *step, double log_delta, int side);
