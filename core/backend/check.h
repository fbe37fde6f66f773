/* SPDX-License-Identifier: MIT
 * The start-up check of a program against the reference backend. */
#pragma once
#include "backend/program.h"

/* Runs both phases on two made-up images with made-up weights through @program and through `ref`, and compares logits,
 * norms and gradients of every parameter. Weights and sums are zero afterwards. DPCXR_ERROR_FAILED names the parameter
 * that is off and by how much: a kernel or a library is broken, and nothing must be trained with it. */
gboolean dpcxr_program_check(DpcxrProgram *program, GError **error);
